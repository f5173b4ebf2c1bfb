"""`dateflicks lobby`, and `dateflicks` alone at a terminal: the terminal client, from the lobby on."""

import typer

from dateflicks.cli.attending import PlayerOption, ending_as_by_ctrl_c
from dateflicks.cli.environment import CliEnvironment, environment_of
from dateflicks.cli.exits import Exit
from dateflicks.cli.failures import CliError
from dateflicks.cli.terminal import open_terminal, opens_terminal

app = typer.Typer(add_completion=False)


@app.command()
def lobby(ctx: typer.Context, player: PlayerOption = None) -> None:
    """Open the lobby: invitations, sessions, and what you can start.

    dateflicks lobby
    dateflicks lobby --player manual
    """
    environment = environment_of(ctx)
    if not opens_terminal(environment, plain=False):
        raise CliError(
            Exit.USAGE,
            "The lobby needs a terminal to draw on.",
            hint="Line by line: dateflicks session list, then dateflicks watch SESSION --plain",
        )
    with ending_as_by_ctrl_c():
        environment.run(_lobby(environment, player))


async def _lobby(environment: CliEnvironment, player: PlayerOption) -> None:
    from dateflicks.tui.kept import KeptEvening, kept_file
    from dateflicks.tui.surroundings import InLobby

    kept = KeptEvening.read(kept_file(environment.home))
    await open_terminal(environment, InLobby(), player=player, kept=kept)
