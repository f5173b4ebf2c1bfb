"""Two Syncplay clients, each with its mpv, on a Syncplay server: a room like ours, to be measured beside it.

The programs are those of the packages `syncplay` and `syncplay-server`, with their own defaults but for what a person
would click away (readiness before playing, the shared playlist) and for what would leave this machine: the server
listens on loopback only, and nobody looks for updates. Their settings live in a temporary folder.
"""

import asyncio
import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Final

from benchmarks import kernel
from benchmarks.syncbench.free_players import exist
from benchmarks.syncbench.looking import Look, Observer
from benchmarks.syncbench.room import Setting
from dateflicks.client.players.mpv_ipc import IpcError, connect_path
from dateflicks.client.relay import Relay

START_SECONDS: Final = 20.0
QUIT_SECONDS: Final = 3.0
STEP_SECONDS: Final = 0.6  # a jump by a second and more is a seek to Syncplay, which takes everybody along
REST_SECONDS: Final = 2.5
PYTHON: Final = "/usr/bin/python3"  # the one that the packages are for

_SERVER: Final = """
import functools
from twisted.internet import endpoints
endpoints.TCP4ServerEndpoint = functools.partial(endpoints.TCP4ServerEndpoint, interface="127.0.0.1")
endpoints.TCP6ServerEndpoint = functools.partial(endpoints.TCP6ServerEndpoint, interface="::1")
from syncplay.ep_server import main
main()
"""
_SETTINGS: Final = """[client_settings]
readyatstart = True
unpauseaction = Always
sharedplaylistenabled = False
[general]
language = en
checkforupdatesautomatically = False
"""


def missing() -> str:
    """What is not installed, in words; empty when all is there."""
    gone = [name for name in ("syncplay", "syncplay-server", "mpv") if shutil.which(name) is None]
    return f"not installed: {', '.join(gone)} (apt-get install syncplay syncplay-server)" if gone else ""


def version() -> str:
    """Which Syncplay is installed; empty when none is."""
    command = [PYTHON, "-c", "import syncplay; print('Syncplay', syncplay.version)"]
    return "" if missing() else subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()


class SyncplayPerson:
    """A Syncplay client and the mpv that it started."""

    def __init__(self, name: str, process: asyncio.subprocess.Process, folder: Path) -> None:
        self.name = name
        self.player_pid = 0
        self.log = folder / f"{name}.log"
        self.socket = folder / f"{name}.mpv"
        self._process = process

    @classmethod
    async def start(cls, name: str, port: int, film: Path, folder: Path) -> "SyncplayPerson":
        """Start the client; it starts its player."""
        own = folder / name
        (own / "config").mkdir(parents=True)
        (own / "config" / "syncplay.ini").write_text(_SETTINGS)
        command = ["syncplay", "--no-gui", "--no-store", "--host", f"127.0.0.1:{port}", "--name", name]
        command += ["--room", "bench", "--player-path", shutil.which("mpv") or "mpv", str(film), "--"]
        command += ["--vo=null", "--ao=null", "--ytdl=no", f"--input-ipc-server={folder / name}.mpv"]
        return cls(name, await _start(command, own, folder / f"{name}.log"), folder)

    async def know_player(self) -> None:
        """Wait for the player and learn its process id. Raises RuntimeError when it does not come."""
        await exist(self.socket, seconds=START_SECONDS)
        ipc = await connect_path(self.socket, lambda _: None, lambda _: None)
        self.player_pid = int(await ipc.get("pid"))
        ipc.close()

    async def sees_playing(self, *names: str) -> None:
        """Wait until the client has said that these have the film open. Raises RuntimeError when it does not."""
        for _ in range(int(START_SECONDS / 0.1)):
            said = await asyncio.to_thread(self.log.read_text, errors="replace")
            if all(re.search(rf"\b{name}\W* is playing", said) for name in names):  # in its list a name is *<name>*
                return
            await asyncio.sleep(0.1)
        raise RuntimeError(f"Syncplay of {self.name} did not get ready; it said last: {said[-200:]!r}")

    def frozen(self) -> AbstractContextManager[None]:
        """The player does nothing for as long as the block runs."""
        return kernel.frozen(self.player_pid)

    async def quit(self) -> None:
        """End the player, which ends the client; each by its id when it does not go."""
        with contextlib.suppress(IpcError):
            ipc = await connect_path(self.socket, lambda _: None, lambda _: None)
            await ipc.command("quit")
        await _end(self._process, patience=QUIT_SECONDS)
        for pid in await asyncio.to_thread(_running_with, f"--input-ipc-server={self.socket}"):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


class SyncplayRoom:
    """Both connected, with the film open; made by `syncplay_room`."""

    def __init__(self, folder: Path, port: int, server: asyncio.subprocess.Process) -> None:
        self.folder = folder
        self.port = port
        self.server = server
        self.relays: tuple[Relay, Relay]
        self.host: SyncplayPerson
        self.guest: SyncplayPerson
        self.observer: Observer

    async def play(self) -> float:
        """From stillness to a film that both play; the instant at which the later one was let go."""
        return await self._set_pause(False)

    async def pause(self) -> float:
        """From motion to stillness; the instant at which the later one stood."""
        return await self._set_pause(True)

    async def _set_pause(self, wanted: bool) -> float:
        asked = time.monotonic()
        ipc = self.observer.host.ipc
        assert ipc is not None
        await ipc.set("pause", wanted)
        looks = (self.observer.host, self.observer.guest)
        for _ in range(int(START_SECONDS / 0.02)):
            found = [_pause(look) for look in looks]
            if all(is_paused is wanted for _, is_paused in found):
                return max(asked, *(at for at, _ in found))
            await asyncio.sleep(0.02)
        raise RuntimeError(f"both of Syncplay's players were not {'paused' if wanted else 'let go'}")

    async def put_apart(self, seconds: float) -> float:
        """Put the guest so far behind the host; the instant of it."""
        ipc = self.observer.guest.ipc
        assert ipc is not None
        await asyncio.sleep(REST_SECONDS)
        while True:
            present = self.observer.apart(time.monotonic() - 0.5)
            if not present:
                raise RuntimeError("it cannot be seen how far apart Syncplay's players are")
            step = -seconds - present[-1].seconds
            now = time.monotonic()
            await ipc.command("seek", max(-STEP_SECONDS, min(STEP_SECONDS, step)), "relative+exact")
            if abs(step) <= STEP_SECONDS:
                return now
            await asyncio.sleep(REST_SECONDS)

    async def kill_service(self) -> None:
        """Take the server away without a word."""
        self.server.kill()
        await self.server.wait()

    async def restart_service(self) -> float:
        """Start the server again on the same port; the instant at which it listened."""
        self.server = await _serve(self.folder, self.port)
        return time.monotonic()


def _pause(look: Look) -> tuple[float, bool | None]:
    """Since when the player is paused, or is not, as was last told."""
    told = [one for one in look.changes if one.name == "pause"]
    return (told[-1].at, bool(told[-1].value)) if told else (0.0, None)


@contextlib.asynccontextmanager
async def syncplay_room(setting: Setting) -> AsyncIterator[SyncplayRoom]:
    """A room for as long as the block runs. Raises RuntimeError when somebody does not get ready."""
    if gone := missing():
        raise RuntimeError(gone)
    folder = Path(tempfile.mkdtemp(prefix="dateflicks-syncplay-"))
    try:
        async with contextlib.AsyncExitStack() as stack:
            port = _free_port()
            here = SyncplayRoom(folder, port, await _serve(folder, port))
            stack.push_async_callback(lambda: _end(here.server))
            here.relays = (
                await stack.enter_async_context(Relay(port, setting.host_line, setting.seed)),
                await stack.enter_async_context(Relay(port, setting.guest_line, setting.seed + 1)),
            )
            people = []
            for name, relay in zip(("host", "guest"), here.relays, strict=True):
                people.append(await SyncplayPerson.start(name, relay.port, setting.film, folder))
                stack.push_async_callback(people[-1].quit)
            here.host, here.guest = people
            for person in people:
                await person.know_player()
            for person in people:
                await person.sees_playing("host", "guest")
            here.observer = await stack.enter_async_context(Observer(here.host.socket, here.guest.socket))
            await asyncio.sleep(1.0)  # the first words about the room
            yield here
    finally:
        shutil.rmtree(folder, ignore_errors=True)


# --- processes --------------------------------------------------------------------------------------------------


@contextlib.asynccontextmanager
async def server_program(folder: Path, *, isolated: bool) -> AsyncIterator[tuple[int, int]]:
    """The server alone for as long as the block runs, with its files in a folder: its port, and its process id."""
    port = _free_port()
    process = await _serve(folder, port, *(["--isolate-rooms"] if isolated else []))
    try:
        yield port, process.pid
    finally:
        await _end(process)


async def _serve(folder: Path, port: int, *flags: str) -> asyncio.subprocess.Process:
    """Start the server and wait until it listens."""
    own = folder / "server"
    own.mkdir(exist_ok=True)
    command = [PYTHON, "-c", _SERVER, "--port", str(port), "--salt", "bench", *flags]
    process = await _start(command, own, folder / "server.log")
    for _ in range(int(START_SECONDS / 0.1)):
        with contextlib.suppress(OSError):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.transport.abort()
            return process
        await asyncio.sleep(0.1)
    await _end(process)
    raise RuntimeError("Syncplay's server did not start")


async def _start(command: list[str], home: Path, log: Path) -> asyncio.subprocess.Process:
    environ = {
        "PATH": os.environ.get("PATH", os.defpath),
        "LANG": "C.UTF-8",
        "PYTHONUNBUFFERED": "1",
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home / "config"),
        "XDG_CACHE_HOME": str(home / "cache"),
        "XDG_DATA_HOME": str(home / "data"),
        "XDG_STATE_HOME": str(home / "state"),
    }
    with log.open("ab") as output:
        return await asyncio.create_subprocess_exec(
            *command, env=environ, cwd=home, stdin=asyncio.subprocess.DEVNULL, stdout=output, stderr=output
        )


async def _end(process: asyncio.subprocess.Process, *, patience: float = 0.0) -> None:
    """Wait for the process to end, then ask, then force it."""
    for seconds, end in ((patience, process.terminate), (QUIT_SECONDS, process.kill)):
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await process.wait()
                return
        with contextlib.suppress(ProcessLookupError):
            end()
    await process.wait()


def _running_with(argument: str) -> list[int]:
    """The ids of the processes that were started with this argument."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if argument.encode() in (folder / "cmdline").read_bytes().split(b"\0"):
                found.append(int(folder.name))
    return found


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])
