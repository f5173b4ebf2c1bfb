"""`dateflicks watch`: take part in an accepted session with the own player."""

from typing import Annotated

import typer

from dateflicks.cli.attending import (
    FilmOption,
    PlainOption,
    PlayerName,
    PlayerOption,
    attend,
    ending_as_by_ctrl_c,
    settings_of,
    the_film,
)
from dateflicks.cli.environment import CliEnvironment, environment_of
from dateflicks.cli.sessions import accepted, full_id

app = typer.Typer(add_completion=False)


@app.command()
def watch(
    ctx: typer.Context,
    session: Annotated[str, typer.Argument(metavar="SESSION", help="Its id, or the beginning of it.")],
    film: FilmOption = None,
    player: PlayerOption = None,
    plain: PlainOption = False,  # noqa: ARG001 - the only way there is, and how to be sure of it later
) -> None:
    """Watch an accepted session together.

    dateflicks watch k3v9
    dateflicks watch k3v9 --film ~/films/The_General.mkv
    dateflicks watch k3v9 --player manual

    While you watch, type play, pause, stop, seek 41:00 (or +30, -10), accept,
    refuse, where, quit. Whoever leaves ends nothing for the other.
    """
    environment = environment_of(ctx)
    with ending_as_by_ctrl_c():
        environment.run(_watch(environment, session, film, player))


async def _watch(environment: CliEnvironment, text: str, film: str | None, player: PlayerName | None) -> None:
    from dateflicks.cli.telling import teller_of
    from dateflicks.client.films import own_film
    from dateflicks.client.screen import Screen

    settings, teller = settings_of(environment, player), teller_of(environment)
    chosen = own_film(film, is_elsewhere=settings.player != "mpv") if film is not None else None
    async with environment.connect() as client:
        session = await accepted(client, await full_id(client, text))
        async with await Screen.open(settings, teller.say) as screen:
            length = session.video.length if session.video is not None else 0.0
            await screen.load(the_film(environment, session, screen, chosen), told_length=length)
            await attend(environment, client, session, screen, teller, settings, server=environment.server_address)
