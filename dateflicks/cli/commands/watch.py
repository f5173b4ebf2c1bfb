"""`dateflicks watch`: take part in an accepted session with the own player."""

import contextlib
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Annotated

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
from dateflicks.cli.commands.host import Place, own_place
from dateflicks.cli.environment import CliEnvironment, environment_of
from dateflicks.cli.exits import Exit
from dateflicks.cli.failures import CliError
from dateflicks.cli.own_evening import look_back
from dateflicks.cli.sessions import SessionArgument, accepted, full_id
from dateflicks.cli.terminal import open_terminal, opens_terminal

if TYPE_CHECKING:
    from dateflicks.tui.kept import KeptEvening

app = typer.Typer(add_completion=False)


@app.command()
def watch(
    ctx: typer.Context,
    session: SessionArgument = "",
    film: FilmOption = None,
    player: PlayerOption = None,
    plain: PlainOption = False,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the evening that broke off.")] = False,
) -> None:
    """Watch an accepted session together.

    dateflicks watch k3v9
    dateflicks watch k3v9 --film ~/films/The_General.mkv
    dateflicks watch k3v9 --player manual
    dateflicks watch --resume

    At a terminal this opens a screen; f1 there shows what can be done. With
    --plain, and in a pipe, type play, pause, stop, seek 41:00 (or +30, -10),
    accept, refuse, where, say TEXT, react joy, predict TEXT, call yes 80%, quit;
    'dateflicks help output' names all of them. Whoever leaves ends nothing for the other.
    """
    environment = environment_of(ctx)
    if bool(session) == resume:
        raise CliError(
            Exit.USAGE,
            "Which session?" if not session else "--resume goes on with the last session.",
            hint="Name one, or go on with the last: dateflicks watch --resume",
        )
    with ending_as_by_ctrl_c():
        environment.run(_watch(environment, session, film, player, plain=plain))


async def _watch(
    environment: CliEnvironment, text: str, film: str | None, player: PlayerName | None, *, plain: bool
) -> None:
    from dateflicks.cli.resolving import film_of_library
    from dateflicks.cli.telling import teller_of
    from dateflicks.client.films import own_film
    from dateflicks.client.screen import Screen

    kept = _kept(environment) if not text else None
    if kept is not None:
        text, film = kept.session_id, film or kept.film
    settings, teller = settings_of(environment, player), teller_of(environment)
    chosen = own_film(film, is_elsewhere=settings.player != "mpv") if film is not None else None
    async with _place(environment, kept) as place:
        client = place.client
        session = await accepted(client, await full_id(client, text))
        chosen = chosen or await film_of_library(environment, session, settings.player)
        if opens_terminal(environment, plain=plain):
            from dateflicks.tui.surroundings import AtSession

            start = AtSession(client, session, chosen, kept_as=place.kept_as, own_server=place.own)
            await open_terminal(environment, start, player=player, kept=kept)
            place.last_words.append(look_back(session.id))
            return
        async with await Screen.open(settings, teller.say) as screen:
            length = session.video.length if session.video is not None else 0.0
            kept_in = environment.acting(client, place.kept_as)
            user_id = kept_in.user_id if kept_in is not None else (await client.me()).id
            is_own = user_id == session.host_user_id
            await screen.load(the_film(environment, session, screen, chosen, is_own=is_own), told_length=length)
            await attend(environment, client, session, screen, teller, settings, server=place.kept_as)
            place.last_words.append(look_back(session.id))


@contextlib.asynccontextmanager
async def _place(environment: CliEnvironment, kept: "KeptEvening | None") -> AsyncIterator[Place]:
    """Where the session is; a server of one's own is started again where its guests look for it."""
    if kept is not None and kept.own_server is not None:
        async with own_place(environment, *kept.own_server) as place:
            yield place
        return
    if kept is not None:
        environment.choose_server(kept.server)
    async with environment.connect() as client:
        yield Place(client, environment.server_address, environment.server_address)


def _kept(environment: CliEnvironment) -> "KeptEvening":
    """The evening that was put down last."""
    from dateflicks.tui.kept import KeptEvening, kept_file

    kept = KeptEvening.read(kept_file(environment.home))
    if kept is None:
        raise CliError(
            Exit.NOT_FOUND,
            "There is no evening to go on with.",
            hint="See what there is with 'dateflicks session list'.",
        )
    return kept
