"""The services by name, as commands take them; to ask the server for them would make each `--help` pay for it."""

from collections.abc import Sequence
from typing import Final

from dateflicks.cli.exits import Exit
from dateflicks.cli.failures import CliError, nearest

ALL: Final = "all"
SERVICES: Final = ("session", "timecode", "messages", "prediction", "videos", "recommendation")
DEPLOYMENTS: Final = (ALL, *SERVICES)  # all together, or one that runs alone


def check_service(name: str, known: Sequence[str] = DEPLOYMENTS) -> None:
    """Raises CliError for what is none of those, with what was probably meant."""
    if name not in known:
        raise CliError(Exit.USAGE, f"There is no service '{name}'.", hint=nearest(name, known))
