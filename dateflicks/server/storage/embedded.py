"""The embedded engine: nx-27017 as a child process on a private Unix socket, started, watched and stopped with us.

The listening socket is ours and handed down, so there is no moment without one: a connection made while the child is
being replaced waits until the next one answers. The child sits in a session of its own, away from the terminal's
Ctrl-C, and ends when the pipe on its standard input does.

Several processes may use one folder: the first one runs the engine, the others connect to its socket. When whoever runs
it is gone, one of the others takes over, on the same socket, so that their connections find it again within a second.
"""

import asyncio
import contextlib
import logging
import os
import socket
import sys
import time
import urllib.parse
from pathlib import Path
from typing import Final, Literal

from dateflicks.server.ending import end
from dateflicks.server.storage.folder import EngineFolder, FolderInUse

log = logging.getLogger(__name__)

_PROGRAM: Final = Path(__file__).with_name("nxchild.py")
STOP_SECONDS: Final = 4.0
FIRST_PAUSE_SECONDS: Final = 0.05
LONGEST_PAUSE_SECONDS: Final = 5.0
STEADY_SECONDS: Final = 10.0  # a child that lived this long is replaced at once, whatever came before
HANG_SECONDS: Final = 15.0  # no answer for this long: end it, the next one will answer
LOOK_SECONDS: Final = 0.2  # how often those who use an engine of others look whether it is left to them

Role = Literal["service", "worker", "guest"]
"""Who opens a folder: services, one process of them; a worker beside them, which runs the engine when nobody does; a
guest, which never does."""


class EmbeddedEngine:
    """One engine for one data folder; `uri` is where it is."""

    def __init__(self, data: Path, role: Role = "service") -> None:
        self._folder = EngineFolder(data)
        self._role = role
        self._seat: int | None = None
        self._lock: int | None = None
        self._listener: socket.socket | None = None
        self._socket_path: Path | None = None
        self._child: asyncio.subprocess.Process | None = None
        self._watch: asyncio.Task[None] | None = None
        self._replaced_at = 0.0

    @property
    def uri(self) -> str:
        """The connection string of the running engine."""
        assert self._socket_path is not None
        return f"mongodb://{urllib.parse.quote(os.fspath(self._socket_path), safe='')}/"

    @property
    def pid(self) -> int | None:
        """The process that is running now, if one is and it is ours."""
        return None if self._child is None or self._child.returncode is not None else self._child.pid

    async def start(self) -> None:
        """Run the engine, or use the one that runs; it answers a moment later. Raises FolderInUse, OSError."""
        if self._role == "service":
            self._seat = await self._folder.claim_seat()
        try:
            if self._role == "guest":
                await self._join(FolderInUse("Nobody runs the database of this folder."))
                return
            try:
                self._lock = await self._folder.claim()
            except FolderInUse as taken:
                await self._join(taken)
                self._watch = asyncio.create_task(self._take_over(), name="embedded database of others")
                return
            self._listener, self._socket_path = self._folder.listen(self._socket_path)
            self._child = await self._spawn()
        except BaseException:
            self._release()
            raise
        self._watch = asyncio.create_task(self._keep_running(), name="embedded database")

    async def _join(self, otherwise: FolderInUse) -> None:
        self._socket_path = await self._folder.running()
        if self._socket_path is None:
            raise otherwise

    async def _take_over(self) -> None:
        """Wait until the engine that others run is gone, then run it where it was."""
        while (lock := self._folder.claim_at_once()) is None:  # noqa: ASYNC110 - a lock tells nobody that it is free
            await asyncio.sleep(LOOK_SECONDS)
        self._lock = lock
        log.info("the embedded database was left to this process, which runs it now")
        await self._listen_where_it_was()
        await self._replace()
        await self._keep_running()

    async def _listen_where_it_was(self) -> None:
        while self._listener is None:
            try:
                self._listener, self._socket_path = self._folder.listen(self._socket_path)
            except OSError as error:  # a full disk, until there is room again
                log.error("the embedded database cannot be taken over yet: %s", error)
                await asyncio.sleep(LONGEST_PAUSE_SECONDS)

    async def stop(self) -> None:
        """Let the child write what is under way and end, then give the folder back."""
        try:
            if self._watch is not None:
                await end([self._watch])
            if self._child is not None:
                await self._end(self._child)
        finally:
            self._watch = self._child = None
            self._release()

    def silent_for(self, seconds: float) -> None:
        """The database has not answered for so long: a child that hangs is killed, and replaced by the watch."""
        now = time.monotonic()
        if seconds > HANG_SECONDS and now - self._replaced_at > HANG_SECONDS and self.pid is not None:
            log.error("the embedded database has not answered for %.0f s and is restarted", seconds)
            self._replaced_at = now
            assert self._child is not None
            self._child.kill()

    def last_words(self) -> str:
        """The last line of its log."""
        return self._folder.last_words()

    async def _spawn(self) -> asyncio.subprocess.Process:
        assert self._listener is not None
        assert self._lock is not None
        handle = self._listener.fileno()
        output = self._folder.open_log()
        try:
            child = await asyncio.create_subprocess_exec(
                *(sys.executable, "-P", os.fspath(_PROGRAM)),
                *("--data", os.fspath(self._folder.databases), "--socket", str(handle)),
                stdin=asyncio.subprocess.PIPE,
                stdout=output,
                stderr=output,
                cwd=self._folder.path,
                pass_fds=(handle, self._lock),
                start_new_session=True,
            )
        finally:
            os.close(output)
        with contextlib.suppress(OSError):  # a note for people: a full disk must not cost us the child
            self._folder.write_pid(child.pid)
        return child

    async def _keep_running(self) -> None:
        pause = 0.0
        while True:
            assert self._child is not None
            started = time.monotonic()
            code = await self._child.wait()
            if time.monotonic() - started > STEADY_SECONDS:
                pause = 0.0
            log.error("the embedded database ended (%s) and is started again; its log is %s", code, self._folder.log)
            await asyncio.sleep(pause)
            pause = min(max(pause * 2, FIRST_PAUSE_SECONDS), LONGEST_PAUSE_SECONDS)
            await self._replace()

    async def _replace(self) -> None:
        pause = FIRST_PAUSE_SECONDS
        while True:
            try:
                self._child = await self._spawn()
            except OSError as error:
                log.error("the embedded database cannot be started: %s", error)
                await asyncio.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
            else:
                return

    async def _end(self, child: asyncio.subprocess.Process) -> None:
        assert child.stdin is not None
        child.stdin.close()
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await child.wait()
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                child.kill()
            await child.wait()

    def _release(self) -> None:
        if self._listener is not None:
            self._listener.close()
            self._listener = None
        if self._lock is not None:
            if self._socket_path is not None:
                self._folder.tidy(self._socket_path)
            os.close(self._lock)
            self._lock = None
        if self._seat is not None:
            os.close(self._seat)
            self._seat = None
