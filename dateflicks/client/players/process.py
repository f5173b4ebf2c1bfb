"""An mpv of our own: started with the flags a session needs, tied to us so that it never outlives us.

Our connection is a socket pair whose other end mpv inherits: it needs no name in a file system, and mpv quits when it
closes, however we end. A socket with a name, in a folder only its user can enter, is made on request: whoever can write
to it can run programs.
"""

import asyncio
import contextlib
import os
import shutil
import socket
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from dateflicks.client.players.base import PlayerError
from dateflicks.client.players.mpv_ipc import IpcError, IpcEvent, MpvIpc, connect_socket

ANSWER_SECONDS: Final = 10.0  # a cold start from a slow disk
QUIT_SECONDS: Final = 2.0
LOOK_SECONDS: Final = 0.01


@dataclass(frozen=True, slots=True)
class MpvOptions:
    """How to start mpv. `arguments` are its user's own, from settings; nothing of another person's goes in."""

    program: str = "mpv"
    arguments: tuple[str, ...] = ()
    null_outputs: bool = False  # neither picture nor sound: for demos and tests
    user_config: bool = False  # read the user's own mpv.conf and scripts
    named_socket: bool = False  # others of the same user (an observer) may connect too


@dataclass(slots=True)
class MpvProcess:
    """A running mpv and the connection to it."""

    process: asyncio.subprocess.Process
    ipc: MpvIpc
    socket_path: Path | None = None
    _folder: Path | None = field(default=None)

    async def wait(self, timeout: float) -> int | None:
        """Its exit status, or None when it still runs after `timeout` seconds."""
        try:
            async with asyncio.timeout(timeout):
                return await self.process.wait()
        except TimeoutError:
            return None

    async def end(self) -> None:
        """Ask it to quit, and kill it when it does not."""
        try:
            self.ipc.close()  # mpv quits when its connection closes
            if await self.wait(QUIT_SECONDS) is None:
                with contextlib.suppress(ProcessLookupError):
                    self.process.kill()
                await self.wait(QUIT_SECONDS)
        finally:
            if self._folder is not None:
                shutil.rmtree(self._folder, ignore_errors=True)


def command_line(options: MpvOptions, *, fd: int, socket_path: Path | None, has_display: bool) -> list[str]:
    """mpv's arguments; the film is never among them."""
    arguments = [] if options.user_config else ["--no-config", "--load-scripts=no", "--input-builtin-bindings=no"]
    arguments += [
        "--idle=yes",
        "--pause=yes",
        "--keep-open=yes",
        "--keep-open-pause=no",  # a pause at the end would look like its user's
        "--audio-pitch-correction=no",
        "--hr-seek=yes",
        "--no-terminal",
        "--no-resume-playback",
        "--ytdl=no",  # it would hand web addresses to another program
        "--load-unsafe-playlists=no",
    ]
    if options.null_outputs:
        arguments += ["--vo=null", "--ao=null"]
    elif has_display:
        arguments += ["--force-window=yes"]
    arguments += options.arguments
    if socket_path is not None:
        arguments.append(f"--input-ipc-server={socket_path}")
    arguments.append(f"--input-ipc-client=fd://{fd}")
    return arguments


def has_display(environment: Mapping[str, str]) -> bool:
    """Whether there is somewhere to open a window."""
    return sys.platform == "darwin" or bool(environment.get("DISPLAY") or environment.get("WAYLAND_DISPLAY"))


async def _named(path: Path | None) -> None:
    """Wait until the named socket is there, which mpv makes some time after it answers on ours. Raises TimeoutError."""
    async with asyncio.timeout(ANSWER_SECONDS):
        while path is not None and not path.exists():  # noqa: ASYNC110, ASYNC240 - a file tells nobody that it is there
            await asyncio.sleep(LOOK_SECONDS)


async def start_mpv(
    options: MpvOptions, on_event: Callable[[IpcEvent], None], on_lost: Callable[[str], None]
) -> MpvProcess:
    """Start mpv and wait until it answers. Raises PlayerError when it is not there or does not start."""
    folder = Path(tempfile.mkdtemp(prefix="dateflicks-")) if options.named_socket else None
    ours, theirs = socket.socketpair()
    started: asyncio.subprocess.Process | None = None
    try:
        path = None if folder is None else folder / "mpv"
        arguments = command_line(options, fd=theirs.fileno(), socket_path=path, has_display=has_display(os.environ))
        try:
            started = await asyncio.create_subprocess_exec(
                options.program,
                *arguments,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.DEVNULL,
                pass_fds=(theirs.fileno(),),
                start_new_session=True,  # Ctrl+C in the terminal is for us to handle, not for the film
            )
        except OSError as error:
            raise PlayerError(
                f"{options.program} could not be started ({error.strerror}). Install mpv, or choose another player."
            ) from None
        theirs.close()
        ours.setblocking(False)
        mpv = MpvProcess(started, await connect_socket(ours, on_event, on_lost), path, folder)
        try:
            await mpv.ipc.command("get_property", "mpv-version", timeout=ANSWER_SECONDS)
            await _named(path)
        except (IpcError, TimeoutError):
            code = await mpv.wait(0.5)
            raise PlayerError(
                f"{options.program} did not start"
                + (f" (it ended with {code}). " if code is not None else ". ")
                + "Try it by hand, and check the arguments set for it."
            ) from None
        return mpv
    except BaseException:
        ours.close()
        theirs.close()
        if started is not None and started.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                started.kill()
            await started.wait()
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)
        raise
