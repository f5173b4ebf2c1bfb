"""What `watch`, `host` and `join` share: the player that was chosen, the film, and the evening line by line."""

import contextlib
import signal
import sys
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dateflicks.cli.environment import CliEnvironment
from dateflicks.cli.exits import Exit
from dateflicks.cli.failures import CliError
from dateflicks.protocol.printable import printable

if TYPE_CHECKING:
    from dateflicks.cli.telling import Teller
    from dateflicks.client.films import Film
    from dateflicks.client.http import ServiceClient
    from dateflicks.client.screen import Screen
    from dateflicks.protocol.bodies import SessionBody
    from dateflicks.settings.client import ClientSettings


class PlayerName(StrEnum):
    """What shows the film."""

    MPV = "mpv"
    MANUAL = "manual"
    SIMULATED = "simulated"
    NONE = "none"


FilmOption = Annotated[str | None, typer.Option("--film", metavar="FILE|URL", help="Your copy of the film.")]
PlayerOption = Annotated[
    PlayerName | None,
    typer.Option("--player", help="What shows the film; manual: you steer your own; none: you look on."),
]
PlainOption = Annotated[bool, typer.Option("--plain", help="Line by line: events on stdout, commands on stdin.")]


@contextlib.contextmanager
def ending_as_by_ctrl_c() -> Iterator[None]:
    """A closed terminal and a polite kill end an evening as Ctrl-C does, so that nothing is left running."""

    def interrupt(*_: object) -> None:
        if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:  # as a shell starts what it leaves in the background
            raise KeyboardInterrupt
        signal.raise_signal(signal.SIGINT)

    chosen = [number for number in (signal.SIGTERM, signal.SIGHUP) if signal.getsignal(number) != signal.SIG_IGN]
    before = {number: signal.signal(number, interrupt) for number in chosen}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def settings_of(environment: CliEnvironment, player: PlayerName | None) -> "ClientSettings":
    """The client's settings, with the player that was typed."""
    import msgspec

    return msgspec.structs.replace(environment.client, player=player.value) if player else environment.client


def login_name(environment: CliEnvironment, otherwise: str = "host") -> str:
    """What this machine calls its person, for an account that needs a name; `otherwise` where it has no name."""
    from dateflicks.client.account_names import account_name

    return account_name(environment.environ.get("USER") or environment.environ.get("LOGNAME") or "", otherwise)


def the_film(
    environment: CliEnvironment, session: "SessionBody", screen: "Screen", chosen: "Film | None", *, is_own: bool
) -> "Film":
    """The film to open: the chosen one, or what the session names, looked for where this person keeps films.

    An address that somebody else has named (the session is not this person's `own`) is opened once they say yes to it.
    """
    from dateflicks.client.errors import FilmMissing
    from dateflicks.client.films import address_told, film_of, is_address

    if chosen is not None:
        return chosen
    folders = [*map(Path, environment.client.films), Path()]
    is_elsewhere = screen.player.name != "mpv"
    try:
        film = film_of(session.video, folders, is_elsewhere=is_elsewhere)
    except FilmMissing as missing:
        why = f"Looked in {' and '.join(missing.looked_in)}." if missing.looked_in else ""
        server = f" --server {environment.server}" if environment.server else ""
        hint = f"Name your copy: dateflicks watch {session.id[:12]}{server} --film FILE"
        raise CliError(Exit.NOT_FOUND, missing.detail, why=why, hint=hint) from None
    if is_address(film.source) and not is_elsewhere and not is_own:
        question = f"{session.host_name or 'Your host'} has named this address: {address_told(film.source)} Open it?"
        environment.agree(printable(question), instead="Say yes beforehand with --yes, or name your copy with --film.")
    return film


async def attend(
    environment: CliEnvironment,
    client: "ServiceClient",
    session: "SessionBody",
    screen: "Screen",
    teller: "Teller",
    settings: "ClientSettings",
    *,
    server: str,
) -> None:
    """Watch an accepted session to its end on a screen that has its film; `server` is where its ticket is kept."""
    from dateflicks.cli.plain import PlainWatch
    from dateflicks.cli.predictions import seals_of
    from dateflicks.client.evening import Evening

    def keep(ticket: str) -> None:
        environment.keep_ticket(client, session.id, ticket, server)

    if isinstance(session.ticket, str):
        keep(session.ticket)
    seals = seals_of(environment)
    evening = await Evening.attend(client, session, screen, settings, keep=keep, sealed=seals.read())
    environment.say(*evening.warnings)
    watch = PlainWatch(evening, teller, sys.stdin, is_interactive=environment.may_ask and sys.stdin.isatty())
    other = session.guest_name if evening.viewer.is_host else session.host_name
    title = session.video.title if session.video and session.video.title else "the film"
    environment.say(f"Watching {title} with {other or 'a guest'}.", watch.help)
    try:
        await watch.run()
    finally:
        if evening.predictions is not None:
            seals.keep(evening.predictions.sealed)


def shell_word(text: str) -> str:
    """A word as a shell takes it; nothing is added where nothing is needed."""
    import shlex

    return shlex.quote(text)
