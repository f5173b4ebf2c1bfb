"""Times and lengths that are typed."""

from datetime import UTC, datetime

from dateflicks.cli.exits import Exit
from dateflicks.cli.failures import CliError


def moment_of(option: str, text: str | None) -> float | None:
    """What was given to an option, in Unix seconds; without a zone it is UTC. Raises CliError."""
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        hint = "Write it as 2026-11-01, or 2026-11-01T20:00:00Z."
        raise CliError(Exit.USAGE, f"{option}: '{text}' is no time.", hint=hint) from None
    return moment.replace(tzinfo=moment.tzinfo or UTC).timestamp()


def length_of(option: str, text: str) -> float:
    """How long a film is, in seconds; nothing typed is 0. Raises CliError."""
    from dateflicks.client.sentences import parse_position

    try:
        return parse_position(text) if text else 0.0
    except ValueError:
        raise CliError(Exit.USAGE, f"{option}: '{text}' is not a length.", hint="Write it as 1:32:10.") from None
