"""Which process keeps a session's playback: one at a time, by its name and an epoch in the record.

The keeper has the playback in memory and writes its record; every other process sends it what its own people say. Who
finds a record whose keeper is gone takes it over by compare-and-set, with the next epoch. So a keeper that was frozen
or cut off, and is overtaken meanwhile, cannot write any more: that is how it learns of it. No more can one whose record
was deleted, which nobody writes but by making it anew.
"""

import time
from collections.abc import Callable
from typing import Any, Final

from dateflicks.core.errors import DateflicksError, Unavailable
from dateflicks.core.limits import PAGE_MAX
from dateflicks.server.bus.local import Bus
from dateflicks.server.storage.outbox import WriteBehind
from dateflicks.server.storage.records import Document
from dateflicks.server.storage.table import Table

TRIES: Final = 8


class KeptElsewhere(DateflicksError):
    """Another process, which is there, keeps this playback."""

    def __init__(self, session_id: str, keeper: str) -> None:
        super().__init__(f"{session_id} is kept by {keeper}")
        self.session_id = session_id
        self.keeper = keeper


class KeptRecords:
    """The records of the playbacks that this process keeps; `async with` runs what writes them.

    `overtaken` is called with a session that another process keeps now, or has deleted.
    """

    def __init__(self, table: Table, bus: Bus, overtaken: Callable[[str], None]) -> None:
        self._table = table
        self._bus = bus
        self._overtaken = overtaken
        self._epochs: dict[str, int] = {}
        self._outbox = WriteBehind(table, may_write=_is_ours, refused=self._refused)

    async def __aenter__(self) -> "KeptRecords":
        await self._outbox.__aenter__()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._outbox.__aexit__(*exc)

    async def get(self, session_id: str) -> Document | None:
        """A record, kept by this process from now on; None when there is none. Raises KeptElsewhere, Unavailable."""
        for _ in range(TRIES):
            is_ours = session_id in self._epochs
            # What an earlier keeper has not written yet is none of the truth any more, though that was this process.
            document = await (self._outbox if is_ours else self._table).get(session_id)
            if document is None:
                return None
            if is_ours is not (session_id in self._epochs):
                continue  # somebody else here has taken it meanwhile, or lost it
            keeper = document.get("keeper")
            if is_ours and keeper == self._bus.worker_id:
                return document
            if isinstance(keeper, str) and keeper != self._bus.worker_id and self._bus.is_there(keeper):
                raise KeptElsewhere(session_id, keeper)
            epoch = epoch_of(document) + 1
            claimed = document | {"keeper": self._bus.worker_id, "epoch": epoch}
            if (taken := await self._outbox.replace(claimed)) is not None:
                self._epochs[session_id] = epoch
                return taken
        raise Unavailable("Several processes reach for this session at once. Try again in a moment.")

    async def look(self, session_id: str) -> Document | None:
        """A record as it is, whoever keeps it. Raises Unavailable."""
        return await self._table.get(session_id)

    async def insert(self, document: dict[str, Any]) -> bool:
        """Write a new record, kept by this process; False when there is one already. Raises Unavailable."""
        # No version that a record of this session had before: a keeper of that one may still write over what it knows.
        rev = time.time_ns() // 1_000_000
        inserted = await self._outbox.insert(document | {"keeper": self._bus.worker_id, "epoch": 1, "rev": rev})
        if inserted:
            self._epochs.setdefault(document["_id"], 1)  # who was faster to find it here has its next one
        return inserted

    def put(self, document: dict[str, Any]) -> None:
        """Write a record some time soon, while this process keeps it; never waits, never raises."""
        epoch = self._epochs.get(document["_id"])
        if epoch is not None:
            self._outbox.put(document | {"keeper": self._bus.worker_id, "epoch": epoch})

    async def delete(self, session_id: str) -> bool:
        """Delete a record, whoever keeps it; False when there was none. Raises Unavailable."""
        was_there = await self._outbox.delete(session_id)
        self._epochs.pop(session_id, None)
        return was_there

    async def flush(self, seconds: float) -> int:
        """Wait until all is written, this long at most; how many are not."""
        return await self._outbox.flush(seconds)

    async def look_again(self) -> None:
        """See of all records whether they are still kept here; `overtaken` is called for others. Raises Unavailable."""
        kept = list(self._epochs.items())
        for start in range(0, len(kept), PAGE_MAX):
            page = dict(kept[start : start + PAGE_MAX])
            stored = await self._table.get_many(list(page))
            for session_id, epoch in page.items():
                ours = {"epoch": epoch, "keeper": self._bus.worker_id}
                if self._epochs.get(session_id) == epoch and not _is_ours(stored.get(session_id), ours):
                    self._lose(session_id)

    def keeps(self, session_id: str) -> bool:
        """Whether this process keeps it, as far as it knows."""
        return session_id in self._epochs

    def epoch(self, session_id: str) -> int:
        """The epoch in which this process keeps it; 0 when it does not."""
        return self._epochs.get(session_id, 0)

    def let_go(self, session_id: str) -> None:
        """Keep it no more; what waits to be written is written, unless somebody else keeps it by then."""
        self._epochs.pop(session_id, None)

    def _refused(self, document: Document) -> None:
        if epoch_of(document) == self.epoch(document["_id"]):  # else it was put down in an earlier one, which is over
            self._lose(document["_id"])

    def _lose(self, session_id: str) -> None:
        if self._epochs.pop(session_id, None) is not None:
            self._overtaken(session_id)


def epoch_of(document: Document) -> int:
    """How often it has changed hands."""
    epoch = document.get("epoch")
    return epoch if isinstance(epoch, int) and not isinstance(epoch, bool) else 0


def _is_ours(stored: Document | None, document: Document) -> bool:
    if stored is None:
        return False
    before, now = epoch_of(stored), epoch_of(document)
    return before < now or (before == now and stored.get("keeper") == document["keeper"])
