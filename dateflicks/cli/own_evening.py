"""The server of an evening that is hosted from this home: where it is while it runs, so that other commands find it as
`--server evening`; and started again for one of them when the evening is over.
"""

import contextlib
import os
from collections.abc import AsyncIterator, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from dateflicks.cli.exits import Exit
from dateflicks.cli.failures import CliError

if TYPE_CHECKING:
    from dateflicks.cli.environment import CliEnvironment
    from dateflicks.client.http import ServiceClient
    from dateflicks.client.own_server import OwnServer

R = TypeVar("R")
EVENING: Final = "evening"
# What asks a server as whoever is signed in there; all else signs in by itself, or starts a server.
COMMANDS: Final = ("session", "remote", "chat", "predict", "videos", "recommendations", "recs", "friends", "whoami")


def check_command(name: str | None) -> None:
    """Raises CliError for a command that has no use for `--server evening`."""
    if name not in (*COMMANDS, "help"):
        hint = f"It is for {', '.join(COMMANDS[:-1])} and {COMMANDS[-1]}; the evening itself: dateflicks watch --resume"
        raise CliError(Exit.USAGE, f"--server evening is of no use to '{name or 'the lobby'}'.", hint=hint)


def data_of(home: Path) -> Path:
    """Where evenings keep their data."""
    return home.absolute() / "evening"


def kept_as(home: Path) -> str:
    """The name under which the host's sign-in is kept, whatever the server's port is today."""
    return data_of(home).as_uri()


def address_of(home: Path) -> str | None:
    """Where the evening's server listens; None while none runs."""
    try:
        pid, url = _file(home).read_text(encoding="utf-8").split()
        os.kill(int(pid), 0)
    except (OSError, ValueError, OverflowError):
        return None
    return url


@contextlib.asynccontextmanager
async def evening_server(
    environment: "CliEnvironment", host: str, port: int | None, login: str
) -> "AsyncIterator[tuple[OwnServer, ServiceClient]]":
    """It runs for as long as the block does, and is found; the client acts for last evening's account, or a new one.

    Raises ServerFailed.
    """
    from dateflicks.client.hosting import own_account
    from dateflicks.client.http import ServiceClient
    from dateflicks.client.own_server import own_server
    from dateflicks.client.private_file import replace_private

    home, data = environment.home, data_of(environment.home)
    async with (
        own_server(data, home / "evening.log", host=host, port=port, environ=environment.for_children()) as server,
        ServiceClient(server.url, timeout=environment.client.timeout_seconds) as client,
    ):
        await own_account(client, environment.credentials, kept_as(home), login)
        mine = f"{os.getpid()} {server.url}\n".encode()
        replace_private(_file(home), mine)
        try:
            yield server, client
        finally:
            with contextlib.suppress(OSError):
                if _file(home).read_bytes() == mine:
                    _file(home).unlink()


def look_back(session_id: str) -> str:
    """How to read what was said, also once the evening is over."""
    return f"What was said stays here: dateflicks chat export {session_id[:12]} --server {EVENING}"


async def within_evening(environment: "CliEnvironment", work: Coroutine[Any, Any, R]) -> R:
    """Do it while the evening's server runs, which is started for it once the evening is over. Raises CliError."""
    from dateflicks.cli.attending import login_name

    try:
        environment.__dict__.pop("server_address", None)  # which it had for what was done before
        if address_of(environment.home) is not None:
            return await work
        if not data_of(environment.home).is_dir():
            what = "No evening with a server of its own was hosted from here."
            raise CliError(Exit.NOT_FOUND, what, hint="Host one: dateflicks host FILM")
        environment.say("That evening is over: its server is started for this, and ends with it.")
        async with evening_server(environment, "127.0.0.1", 0, login_name(environment)):
            return await work
    finally:
        work.close()


def _file(home: Path) -> Path:
    return home / "evening.at"
