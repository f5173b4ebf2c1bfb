"""The index in threads: one that writes, a few that read, and nobody in the loop who waits for either."""

import asyncio
import contextlib
import fcntl
import logging
import os
import sqlite3
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final, TypeVar

from dateflicks.core.errors import Unavailable
from dateflicks.server.services.videos.entries import entry_of
from dateflicks.server.services.videos.index import Reader, SearchTooLong, Writer, remove
from dateflicks.server.services.videos.matching import Wanted
from dateflicks.server.services.videos.searching import Answers, Spot, answers, count_of
from dateflicks.server.storage.records import Document

log = logging.getLogger(__name__)

T = TypeVar("T")

READERS: Final = 2  # searches at one time; more would only take the processors from those who watch
WAITING_MAX: Final = 64
FILE_NAME: Final = "index.sqlite3"
LOCK_NAME: Final = "index.lock"
_TOO_LONG: Final = "This search takes too long. Ask for more of the title, or for fewer years."
_BROKEN: Final = "The index is being made anew. Try again in a moment."
_BUSY: Final = "Too many searches at once. Try again in a moment."


class Shelf:
    """The index in `folder`; in one that goes with it, when there is none or another process has it."""

    def __init__(self, folder: Path | None) -> None:
        self._wished = folder
        self._writing = ThreadPoolExecutor(1, thread_name_prefix="videos-index")
        self._reading = ThreadPoolExecutor(READERS, thread_name_prefix="videos-search")
        self._idle: list[Reader] = []
        self._readers: list[Reader] = []
        self._waiting = 0
        self._open = contextlib.ExitStack()
        self._path = Path()
        self._writer: Writer | None = None
        self.is_broken = False

    async def open(self) -> None:
        """Open the file. Raises OSError, sqlite3.Error."""
        await self._write(self._begin)

    async def close(self) -> None:
        """Let go of everything; what runs is given up."""
        for reader in self._readers:
            reader.give_up()
        await asyncio.to_thread(self._reading.shutdown, cancel_futures=True)
        await self._write(self._end)
        await asyncio.to_thread(self._writing.shutdown)

    async def find(self, wanted: Wanted, spot: Spot | None, limit: int) -> Answers:
        """One page of answers. Raises Unavailable."""
        return await self._read(lambda reader: answers(reader, wanted, spot, limit))

    async def put(self, works: Sequence[Document], round_number: int) -> int:
        """Take works in, and out those that nobody offers any more; how many were new or different.

        Raises sqlite3.Error.
        """
        return await self._write(lambda writer: self._put(writer, works, round_number))

    async def forget(self, ids: Sequence[str]) -> None:
        """Take works out. Raises sqlite3.Error."""
        await self._write(lambda writer: writer.forget(ids))

    async def unseen(self, round_number: int, limit: int) -> list[str]:
        """Works that were not seen in this round. Raises sqlite3.Error."""
        return await self._write(lambda writer: writer.unseen(round_number, limit))

    async def note(self, **values: str) -> None:
        """Keep a word about the index. Raises sqlite3.Error."""
        await self._write(lambda writer: writer.note(**values))

    async def notes(self) -> dict[str, str]:
        """What was kept. Raises sqlite3.Error."""
        return await self._write(lambda writer: writer.notes())

    async def count_of(self, source: str) -> int:
        """How many works this source offers. Raises Unavailable."""
        return await self._read(lambda reader: count_of(reader, source))

    @property
    def count(self) -> int:
        """How many works there are."""
        return self._writer.count if self._writer is not None else 0

    async def renew(self) -> None:
        """Begin with an empty file. Raises OSError, sqlite3.Error."""
        await self._write(self._renew)
        self.is_broken = False

    # --- in the writing thread ----------------------------------------------------------------------------------

    async def _write(self, work: Callable[[Writer], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._writing, self._with_writer, work)

    def _with_writer(self, work: Callable[[Any], T]) -> T:
        return work(self._writer)

    def _put(self, writer: Writer, works: Sequence[Document], round_number: int) -> int:
        offered = [work for work in works if work.get("status", "active") == "active"]
        there = {work["_id"] for work in offered}
        writer.forget(work["_id"] for work in works if work["_id"] not in there)
        return writer.put(map(entry_of, offered), round_number)

    def _begin(self, _: Writer | None) -> None:
        folder = self._claimed(self._wished) if self._wished is not None else None
        if folder is None:
            folder = Path(self._open.enter_context(tempfile.TemporaryDirectory(prefix="dateflicks-videos-")))
        self._path = folder / FILE_NAME
        self._writer = Writer(self._path)

    def _claimed(self, folder: Path) -> Path | None:
        """The folder, private and ours alone; None when another process has it."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.chmod(0o700)
        lock = os.open(folder / LOCK_NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._open.callback(os.close, lock)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            log.warning("another process has the index in %s; this one makes its own", folder)
            return None
        return folder

    def _renew(self, writer: Writer) -> None:
        writer.close()
        remove(self._path)
        # Whoever searches meanwhile ends with the file that was; nobody takes its connection again.
        idle, self._idle, self._readers = self._idle, [], []
        while idle:
            idle.pop().close()
        self._writer = Writer(self._path)

    def _end(self, writer: Writer | None) -> None:
        for reader in self._readers:
            reader.close()
        if writer is not None:
            writer.close()
        self._open.close()

    # --- in a reading thread ------------------------------------------------------------------------------------

    async def _read(self, work: Callable[[Reader], T]) -> T:
        if self._waiting >= WAITING_MAX:
            raise Unavailable(_BUSY)
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._reading, self._with_reader, work)
        except SearchTooLong:
            raise Unavailable(_TOO_LONG) from None
        except sqlite3.Error as error:
            log.error("a search failed: %s", error)
            if not isinstance(error, sqlite3.OperationalError):  # else it is busy, and as good as it was
                self.is_broken = True
            raise Unavailable(_BROKEN) from error
        finally:
            self._waiting -= 1

    def _with_reader(self, work: Callable[[Reader], T]) -> T:
        readers = self._readers
        try:
            reader = self._idle.pop()
        except IndexError:
            reader = Reader(self._path)
            readers.append(reader)
        try:
            return work(reader)
        finally:
            if readers is self._readers:
                self._idle.append(reader)
            else:
                reader.close()
