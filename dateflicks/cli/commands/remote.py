"""The film from the shell: play, pause, stop, seek and resync, asked for in one's own name."""

from typing import TYPE_CHECKING, Annotated

import typer

from dateflicks.cli.environment import environment_of
from dateflicks.cli.sessions import SessionArgument

if TYPE_CHECKING:
    from dateflicks.client.steering import Wish

app = typer.Typer(add_completion=False, no_args_is_help=True)

WaitOption = Annotated[
    bool, typer.Option("--wait", help="Wait until it is settled; exit code 5: refused, 7: not answered.")
]


@app.callback()
def remote() -> None:
    """Play, pause and seek from the shell.

    dateflicks remote pause 7fk2
    dateflicks remote seek 7fk2 +30 --wait && echo agreed

    It needs no player: it is asked in your name, as your player would ask,
    and your partner agrees or not. A player of yours that is open goes on and
    follows what is agreed.
    """


@app.command()
def play(ctx: typer.Context, session: SessionArgument, wait: WaitOption = False) -> None:
    """Ask to play, or agree to it."""
    _steer(ctx, session, "play", wait)


@app.command()
def pause(ctx: typer.Context, session: SessionArgument, wait: WaitOption = False) -> None:
    """Pause at once; it stays so if the others agree."""
    _steer(ctx, session, "pause", wait)


@app.command()
def stop(ctx: typer.Context, session: SessionArgument, wait: WaitOption = False) -> None:
    """Stop at once; it stays so if the others agree."""
    _steer(ctx, session, "stop", wait)


@app.command(context_settings={"ignore_unknown_options": True})
def seek(
    ctx: typer.Context,
    session: SessionArgument,
    position: Annotated[str, typer.Argument(metavar="POSITION", help="41:12, +30, -10, or 50%.")],
    wait: WaitOption = False,
) -> None:
    """Ask to move to a position, or agree to it.

    dateflicks remote seek 7fk2 41:12
    dateflicks remote seek 7fk2 -10
    dateflicks remote seek 7fk2 50%
    """
    from dateflicks.cli.steering import place_of

    _steer(ctx, session, place_of(position), wait)


@app.command()
def resync(ctx: typer.Context, session: SessionArgument, wait: WaitOption = False) -> None:
    """Bring both players to the agreed position: a seek to where the film is now.

    Players keep in step by themselves. This is for when one does not look so:
    once it is agreed, both seek exactly and go on at one instant.
    """
    from dateflicks.client.steering import HERE

    _steer(ctx, session, HERE, wait)


def _steer(ctx: typer.Context, session: str, wish: "Wish", wait: bool) -> None:
    from dateflicks.cli.steering import steer

    environment = environment_of(ctx)
    environment.run(steer(environment, session, wish, waits=wait))
