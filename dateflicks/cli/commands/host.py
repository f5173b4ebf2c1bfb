"""`dateflicks host`: a film, an invitation and an evening in one command, on a server of one's own if there is none."""

import contextlib
import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Annotated

import typer

from dateflicks.cli.attending import (
    PlainOption,
    PlayerName,
    PlayerOption,
    attend,
    ending_as_by_ctrl_c,
    login_name,
    settings_of,
    shell_word,
)
from dateflicks.cli.completing import names_of_people
from dateflicks.cli.environment import CliEnvironment, environment_of
from dateflicks.cli.exits import Exit
from dateflicks.cli.failures import CliError, failure_of
from dateflicks.cli.moments import length_of
from dateflicks.cli.own_evening import evening_server, kept_as, look_back
from dateflicks.cli.terminal import open_terminal, opens_terminal

if TYPE_CHECKING:
    from dateflicks.cli.telling import Teller
    from dateflicks.client.hosting import Hosted
    from dateflicks.client.http import ServiceClient
    from dateflicks.protocol.bodies import SessionBody

app = typer.Typer(add_completion=False)

TAKE_BACK_SECONDS = 3.0
QUIT = ("quit", "q", "exit")


@dataclass(frozen=True, slots=True)
class Wishes:
    """What was typed."""

    film: str
    guest: str | None
    listen: str | None
    port: int | None
    title: str | None
    length: float
    player: PlayerName | None
    plain: bool


@dataclass(frozen=True, slots=True)
class Place:
    """The server of the evening: our way to it, where guests find it, and the name under which sign-ins are kept."""

    client: "ServiceClient"
    for_guests: str
    kept_as: str
    note: str = ""
    own: tuple[str, int] | None = None  # the address and port of a server of one's own
    last_words: list[str] = field(default_factory=list)  # what is said once that one ends


@app.command()
def host(
    ctx: typer.Context,
    film: Annotated[
        str, typer.Argument(metavar="FILM", help="A film: a file, an address, a video's id, or its title.")
    ],
    guest: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Ask this account; else make a link.", autocompletion=names_of_people),
    ] = None,
    listen: Annotated[str | None, typer.Option(metavar="ADDRESS", help="Start a server on this address.")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="Its port; 0 takes any free one.")] = None,
    title: Annotated[str | None, typer.Option(metavar="TEXT", help="The film's title.")] = None,
    length: Annotated[str, typer.Option(metavar="1:32:10", help="How long it is, for --player manual and none.")] = "",
    player: PlayerOption = None,
    plain: PlainOption = False,
) -> None:
    """Invite somebody to a film and watch it together.

    dateflicks host The_General.mkv
    dateflicks host The_General.mkv --listen 0.0.0.0
    dateflicks host https://films.example.org/general.mp4 --guest bea
    dateflicks host "night of the living dead 1968"

    The first line on stdout is what your guest types. If no server is named by
    --server, a variable or the settings, one is started for the evening.

    At a terminal this opens a screen, which shows the line to read to your guest
    and, once they are there, the film's controls and the chat; f1 there shows what
    can be done. With --plain, and in a pipe, type play, pause, stop, seek 41:00 (or
    +30, -10), accept, refuse, where, say TEXT, react joy, predict TEXT, call yes 80%,
    quit; 'dateflicks help output' names all of them.
    """
    environment = environment_of(ctx)
    with ending_as_by_ctrl_c():
        environment.run(
            _host(environment, Wishes(film, guest, listen, port, title, length_of("--length", length), player, plain))
        )


async def _host(environment: CliEnvironment, wishes: Wishes) -> None:
    from dateflicks.cli.choosing import chosen_film
    from dateflicks.cli.telling import teller_of
    from dateflicks.client.hosting import host_film
    from dateflicks.client.screen import Screen

    settings, teller = settings_of(environment, wishes.player), teller_of(environment)
    chosen = await chosen_film(environment, wishes.film, settings.player, is_length_told=wishes.length > 0)
    film = chosen.film
    known = chosen.length if settings.player != "mpv" else 0.0  # mpv finds out by itself
    wishes = replace(wishes, title=wishes.title or chosen.title, length=wishes.length or known)
    _check(environment, wishes, settings.player)
    async with await Screen.open(settings, teller.say) as screen:
        if screen.is_silent:  # what a person has to do by hand is for when the guest is there
            await screen.load(film, told_length=wishes.length)
        async with _place(environment, wishes) as place:
            hosted = await host_film(
                place.client,
                film,
                wishes.length or screen.length,
                server=place.for_guests,
                title=wishes.title,
                guest=wishes.guest,
                video_id=chosen.video_id,
            )
            if opens_terminal(environment, plain=wishes.plain):
                from dateflicks.tui.surroundings import AtSession

                if not screen.is_silent:
                    await screen.load(film, told_length=wishes.length)
                line = f"dateflicks join {shell_word(hosted.invitation.word)}"
                start = AtSession(
                    place.client, hosted.session, film, screen, line, place.note, place.kept_as, own_server=place.own
                )
                await open_terminal(environment, start, player=wishes.player)
                place.last_words.append(look_back(hosted.session.id))
                return
            _invite(teller, hosted)
            session = await _answered(environment, place.client, hosted)
            if session is None:
                return
            if not screen.is_silent:
                await screen.load(film, told_length=wishes.length)
            await attend(environment, place.client, session, screen, teller, settings, server=place.kept_as)
            place.last_words.append(look_back(session.id))


def _needs_server(environment: CliEnvironment, wishes: Wishes) -> bool:
    """Whether a server is to be started: none is named, or an address or a port to start one at."""
    is_asked_for = wishes.listen is not None or wishes.port is not None
    if is_asked_for and environment.server is not None:
        raise CliError(
            Exit.USAGE,
            "--server names a server, --listen and --port start another.",
            hint="Leave out one or the other.",
        )
    return is_asked_for or not environment.has_server


def _check(environment: CliEnvironment, wishes: Wishes, player: str) -> None:
    """Say what is missing before a player opens. Raises CliError, NotSignedIn."""
    if player in ("manual", "none") and not wishes.length:
        raise CliError(
            Exit.USAGE,
            "Nobody here can find out how long this film is.",
            hint=f"Say it: --player {player} --length 1:32:10",
        )
    if not _needs_server(environment, wishes):
        with _telling_of_own_server(environment, wishes):
            environment.connect()


@contextlib.contextmanager
def _telling_of_own_server(environment: CliEnvironment, wishes: Wishes) -> Iterator[None]:
    """Where the settings' server is of no use, say that an evening needs none of it. Raises CliError."""
    from dateflicks.client.errors import NotSignedIn, TimedOut, Unreachable

    try:
        yield
    except (NotSignedIn, Unreachable) as error:
        found = failure_of(error)
        if found is None or environment.server is not None or wishes.guest or isinstance(error, TimedOut):
            raise
        own = f"dateflicks host {shell_word(wishes.film)} --listen 127.0.0.1"
        hint = f"A server for the evening needs neither: {own}"
        raise CliError(found.exit, found.what, why=found.hint, hint=hint) from error


@contextlib.asynccontextmanager
async def _place(environment: CliEnvironment, wishes: Wishes) -> AsyncIterator[Place]:
    """The named server with the signed-in account; or one for the evening, with an account that is made by itself."""
    if not _needs_server(environment, wishes):
        async with environment.connect() as client:
            with _telling_of_own_server(environment, wishes):
                name = (await client.me()).name
            environment.say(f"On {environment.server_address}, as {name}.")
            yield Place(client, environment.server_address, environment.server_address)
        return
    async with own_place(environment, wishes.listen or "127.0.0.1", wishes.port) as place:
        yield place


@contextlib.asynccontextmanager
async def own_place(environment: CliEnvironment, listen: str, port: int | None) -> AsyncIterator[Place]:
    """A server of one's own for the evening, with last evening's account or a new one. Raises ServerFailed."""
    from urllib.parse import urlsplit

    environment.say(f"Starting a server for the evening; its log is {environment.home / 'evening.log'}.")
    async with evening_server(environment, listen, port, login_name(environment)) as (server, client):
        note = _reach(server.is_private)
        environment.say(note)
        found = urlsplit(server.url).port or 0
        place = Place(client, server.for_guests, kept_as(environment.home), note, (listen, found))
        yield place
        environment.say("The server of the evening ends with it.", *place.last_words)


def _reach(is_private: bool) -> str:
    if is_private:
        return "Only this machine can join; --listen 0.0.0.0 lets others on your network in, without encryption."
    return "Whoever can reach this machine and has the line below can join, once. Nothing on the way is encrypted."


def _invite(teller: "Teller", hosted: "Hosted") -> None:
    """The one line that the guest types."""
    line = f"dateflicks join {shell_word(hosted.invitation.word)}"
    more = {"code": hosted.invitation.code, "server": hosted.invitation.server, "session_id": hosted.session.id}
    teller.say(line, "invitation", **more)


async def _answered(environment: CliEnvironment, client: "ServiceClient", hosted: "Hosted") -> "SessionBody | None":
    """The session once the guest has said yes; None when somebody at a terminal gives it up.

    An evening that is given up before takes the invitation back.
    """
    import asyncio

    from dateflicks.client.news import changed

    guest = hosted.session.guest_name or "your guest"
    is_interactive = environment.may_ask and sys.stdin.isatty()  # what a pipe types is for when the guest is there
    ways = "quit or Ctrl-C takes" if is_interactive else "Ctrl-C takes"
    environment.say(f"Waiting for {guest} to type it… {ways} the invitation back.")
    answer = asyncio.ensure_future(changed(client, hosted.session))
    given_up = asyncio.ensure_future(_given_up(environment, guest)) if is_interactive else None
    try:
        await asyncio.wait([one for one in (answer, given_up) if one], return_when=asyncio.FIRST_COMPLETED)
        session = await answer if answer.done() else None
    except asyncio.CancelledError:
        await _taken_back(environment, client, hosted)
        raise
    finally:
        for one in (answer, given_up):
            if one is not None:
                one.cancel()
    if session is None:
        await _taken_back(environment, client, hosted)
        return None
    if session.state != "accepted":
        raise CliError(Exit.REFUSED, f"{guest} said no." if session.state == "rejected" else f"It is {session.state}.")
    return session


async def _given_up(environment: CliEnvironment, guest: str) -> None:
    """Until somebody types quit, or nothing any more."""
    from dateflicks.cli.lines import typed_lines

    async for line in typed_lines(sys.stdin):
        if (word := line.strip().lower().removeprefix("/")) in QUIT:
            return
        if word:
            environment.say(f"{guest[0].upper()}{guest[1:]} is not here yet. Type quit to take the invitation back.")


async def _taken_back(environment: CliEnvironment, client: "ServiceClient", hosted: "Hosted") -> None:
    import asyncio

    from dateflicks.client.errors import ClientError

    with contextlib.suppress(ClientError, TimeoutError):
        async with asyncio.timeout(TAKE_BACK_SECONDS):
            await client.cancel(hosted.session.id)
            environment.say("The invitation is taken back.")
