"""Whether a command opens the terminal client, and what it hands to it; line by line is the way everywhere else."""

import sys
from typing import TYPE_CHECKING, Final

from dateflicks.cli.attending import login_name, settings_of
from dateflicks.cli.configuring import file_of
from dateflicks.cli.environment import CliEnvironment
from dateflicks.cli.exits import Exit
from dateflicks.cli.failures import CliError

if TYPE_CHECKING:
    from textual.types import AnimationLevel

    from dateflicks.cli.attending import PlayerName
    from dateflicks.tui.kept import KeptEvening
    from dateflicks.tui.surroundings import Start, Surroundings

RESUME: Final = "dateflicks watch --resume"
_MOTION: Final[dict[str, "AnimationLevel"]] = {"none": "none", "low": "basic", "full": "full"}
_DUMB: Final = ("dumb", "unknown", "")


def opens_terminal(environment: CliEnvironment, *, plain: bool) -> bool:
    """Whether there is a person at a terminal that can show a screen, who has not asked for lines."""
    if plain or environment.output is not None or not environment.may_ask:
        return False
    return sys.stdin.isatty() and sys.stdout.isatty() and environment.environ.get("TERM", "") not in _DUMB


def surroundings_of(environment: CliEnvironment, player: "PlayerName | None" = None) -> "Surroundings":
    """What the terminal client is given."""
    from dateflicks.tui.surroundings import Surroundings

    return Surroundings(
        settings=settings_of(environment, player),
        credentials=environment.credentials,
        server=environment.server_address,
        home=environment.home,
        settings_file=file_of(environment, "client"),
        login=login_name(environment, "guest"),  # for who joins by a line that is typed there
        environ=environment.environ,
    )


async def open_terminal(
    environment: CliEnvironment,
    start: "Start",
    *,
    player: "PlayerName | None" = None,
    kept: "KeptEvening | None" = None,
) -> None:
    """Run the terminal client to its end, then say goodbye in the shell. Raises CliError when it ended badly."""
    from dateflicks.tui.app import DateflicksApp

    surroundings = surroundings_of(environment, player)
    app = DateflicksApp(surroundings, start, kept=kept)
    app.animation_level = _MOTION[surroundings.settings.tui.motion]
    try:
        farewell = await app.run_async()
    finally:
        await app.leave_room()
        if (failure := app.failure) is not None and app.state.session_id:
            failure.add_note(f"The evening is kept. Go on with: {RESUME}")
    if failure is not None:
        raise failure
    if farewell is None:  # by a signal, which Textual takes for a cancellation and keeps to itself
        environment.say(*app.goodbye().lines)
        raise KeyboardInterrupt
    if farewell.status:
        raise CliError(Exit.FAILED, *farewell.lines)
    environment.say(*farewell.lines)
