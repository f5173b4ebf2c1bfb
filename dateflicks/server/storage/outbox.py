"""Writes that must survive an outage of the database: kept in memory, the latest per id, written when it is back.

A document in the outbox is as good as written for whoever put it there, up to the life of this process. Each write
names the version that it replaces, so that a write which was given up as unanswered and is carried out late cannot
undo a newer one. One writer per document is assumed: with several, the last to write stays, unless `may_write` says
which of them it is. Those that wait together are written by one command: each by its own takes ten times as much of us
and of the database.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from dateflicks.core.errors import DateflicksError, Unavailable
from dateflicks.server.ending import end
from dateflicks.server.storage.records import Document, Duplicate, StorageFault
from dateflicks.server.storage.table import PIECE, Table

log = logging.getLogger(__name__)

CAPACITY: Final = 10_000  # ids; a timecode document is about 1 KiB, so 10 MB of an outage at most
PARALLEL: Final = 8  # that are written one by one, since nobody knows which version they replace
TRIES: Final = 5  # at finding the version to replace, when somebody else writes the same document
FIRST_PAUSE_SECONDS: Final = 0.1
LONGEST_PAUSE_SECONDS: Final = 2.0
CLOSE_SECONDS: Final = 3.0


class WriteBehind:
    """An outbox before one table; `async with` runs it and, at the end, writes what is left as far as it can.

    When it is full, the document that has waited longest is dropped, counted and logged: the newest state matters most.
    """

    def __init__(
        self,
        table: Table,
        *,
        capacity: int = CAPACITY,
        may_write: Callable[[Document | None, Document], bool] | None = None,
        refused: Callable[[Document], None] | None = None,
    ) -> None:
        """`may_write` is asked with what is stored, if anything is, and what would be written; `refused` is told of it
        where that says no. Where one of them fails, that document is dropped, and no other."""
        self._table = table
        self._capacity = capacity
        self._waiting: dict[str, Document] = {}
        self._writing: dict[str, Document] = {}
        self._revs: dict[str, int] = {}
        self._may_write = may_write
        self._refused = refused
        self._put = asyncio.Event()
        self._settled = asyncio.Event()  # set, and another one, whenever something is not being written any more
        self._task: asyncio.Task[None] | None = None
        self.dropped_count = 0

    async def __aenter__(self) -> "WriteBehind":
        self._task = asyncio.create_task(self._run(), name=f"outbox of {self._table.collection.name}")
        return self

    async def __aexit__(self, *exc: object) -> None:
        left = await self.flush(CLOSE_SECONDS)
        if self._task is not None:
            await end([self._task])
            self._task = None
        if left:
            log.error("%d documents of %s could not be written before the end", left, self._table.collection.name)

    @property
    def waiting_count(self) -> int:
        """How many documents are not written yet."""
        return len(self._waiting.keys() | self._writing.keys())

    def put(self, document: Mapping[str, Any]) -> None:
        """Write this document soon, over any older one with its id; never waits, never raises."""
        id = document["_id"]  # noqa: A001
        self._waiting.pop(id, None)
        self._waiting[id] = dict(document)
        self._drop_excess()
        self._put.set()

    async def get(self, id: str) -> Document | None:  # noqa: A002
        """The document as put last, written or not. Raises Unavailable."""
        if (document := self._waiting.get(id) or self._writing.get(id)) is not None:
            return dict(document)
        return await self._table.get(id)

    async def insert(self, document: Mapping[str, Any]) -> bool:
        """Write a new document now; False when there is one already. Raises Unavailable, Duplicate (another field)."""
        if document["_id"] in self._waiting or document["_id"] in self._writing:
            return False
        try:
            stored = await self._table.insert(document)
        except Duplicate as error:
            if error.field != "_id":
                raise
            return False
        self._remember(stored["_id"], stored["rev"])
        return True

    async def replace(self, document: Mapping[str, Any]) -> Document | None:
        """Write now over the version that `document` has as its `rev`; None when that is not the stored one any more.

        What was put before and is not written yet is asked about then as anything is. Raises Unavailable.
        """
        written = dict(document)
        if not await self._replaced(written, written.get("rev", 0)):
            return None
        if written["_id"] in self._waiting or written["_id"] in self._writing:
            del self._revs[written["_id"]]
        return written | {"rev": written.get("rev", 0) + 1}

    async def delete(self, id: str) -> bool:  # noqa: A002
        """Delete a document, put or written. Raises Unavailable."""
        was_put = self._waiting.pop(id, None) is not None
        while id in self._writing:
            await self._settled.wait()
        was_put = self._waiting.pop(id, None) is not None or was_put
        self._revs.pop(id, None)
        return await self._table.delete(id) or was_put

    async def flush(self, seconds: float) -> int:
        """Wait until all is written, this long at most; how many are not."""
        self._put.set()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while self._waiting or self._writing:
                    await self._settled.wait()
        return self.waiting_count

    # --- inside -------------------------------------------------------------------------------------------------

    async def _run(self) -> None:
        pause = FIRST_PAUSE_SECONDS
        while True:
            await self._put.wait()
            self._put.clear()
            if await self._write_some():
                pause = FIRST_PAUSE_SECONDS
            else:
                await asyncio.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
            if self._waiting:
                self._put.set()

    async def _write_some(self) -> bool:
        """Write the longest waiting few; False when the database is away."""
        for id in list(self._waiting)[:PIECE]:  # noqa: A001
            self._writing[id] = self._waiting.pop(id)
        batch = dict(self._writing)
        try:
            for id in await self._written(list(batch.values())):  # noqa: A001
                del self._writing[id]
            is_done = not self._writing
        finally:
            unwritten = {id: one for id, one in self._writing.items() if id not in self._waiting}  # noqa: A001
            self._writing.clear()
            self._waiting = unwritten | self._waiting
            self._drop_excess()
            self._settled.set()
            self._settled = asyncio.Event()
        return is_done

    async def _written(self, documents: Sequence[Document]) -> list[str]:
        """Write these; the ids of those that need no more of it."""
        try:
            done = await self._write_together([one for one in documents if self._revs.get(one["_id"])])
        except Unavailable:
            return []
        rest = [one for one in documents if one["_id"] not in done]
        for start in range(0, len(rest), PARALLEL):
            few = rest[start : start + PARALLEL]
            are_written = await asyncio.gather(*(self._write(document) for document in few))
            done += [one["_id"] for one, is_written in zip(few, are_written, strict=True) if is_written]
            if not all(are_written):
                break
        return done

    async def _write_together(self, documents: Sequence[Document]) -> list[str]:
        """Write these, whose versions are known, by one command; what could not be is written one by one.

        Raises Unavailable.
        """
        if len(documents) < 2:
            return []
        following = [one | {"rev": self._revs.pop(one["_id"]) + 1} for one in documents]
        try:
            left = await self._table.replace_many(following, seconds=None)
        except Unavailable:
            raise
        except Exception:  # one by one it shows which of them cannot be written, and whether any can
            log.debug("what waited together is written one by one", exc_info=True)
            return []
        written = [one for one in following if one["_id"] not in left]
        for one in written:
            self._remember(one["_id"], one["rev"])
        return [one["_id"] for one in written]

    def _drop_excess(self) -> None:
        while len(self._waiting) > self._capacity:
            longest = next(iter(self._waiting))
            del self._waiting[longest]
            self.dropped_count += 1
            log.error("the outbox of %s is full: %s was dropped", self._table.collection.name, longest)

    async def _write(self, document: Document) -> bool:
        try:
            await self._write_over(document)
        except Unavailable:
            self._revs.pop(document["_id"], None)
            return False
        except DateflicksError as error:
            self.dropped_count += 1
            log.error("a document of %s cannot be written: %s", self._table.collection.name, error)
        except Exception:
            self.dropped_count += 1
            log.exception("%s of %s was dropped", document["_id"], self._table.collection.name)
        return True

    async def _write_over(self, document: Document) -> None:
        id = document["_id"]  # noqa: A001
        for _ in range(TRIES):
            rev = self._revs.pop(id, None)
            if rev is None:
                stored = await self._table.get(id)
                if self._may_write is not None and not self._may_write(stored, document):
                    if self._refused is not None:
                        self._refused(document)
                    return
                rev = None if stored is None else stored.get("rev", 0)
            if await self._replaced(document, rev):
                return
        raise StorageFault(f"{id} is written by somebody else all the time")

    async def _replaced(self, document: Document, rev: int | None) -> bool:
        following = document | {"rev": 1 if rev is None else rev + 1}
        if rev is None:
            try:
                await self._table.insert(following)
            except Duplicate as error:
                if error.field != "_id":
                    raise
                return False
        elif rev == 0:  # written by something that does not count versions
            await self._table.upsert(following)
        elif not await self._table.replace(following, rev):
            return False
        self._remember(document["_id"], following["rev"])
        return True

    def _remember(self, id: str, rev: int) -> None:  # noqa: A002
        if len(self._revs) >= self._capacity:
            del self._revs[next(iter(self._revs))]
        self._revs[id] = rev
