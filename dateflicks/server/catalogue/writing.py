"""What one run of one source yields, written: cleaned at this edge, put aside when it makes no sense, and only what has
changed.

A second run that finds all as it was writes nothing: what tells that is `contentHash`. So `lastSeen` of an offer is the
last run that had a reason to write it, or that came when its facts were half-way to their end; that it is still there
is known from its status, for whatever a complete run has not seen is marked as gone.
"""

import time
from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from heapq import merge
from typing import Final

from dateflicks.core.errors import Unavailable
from dateflicks.server.catalogue.cleaning import content_hash, document_of, expires_at
from dateflicks.server.catalogue.paging import fields_of_those, pages_of, those
from dateflicks.server.catalogue.records import VIDEOS, later, offer_id, stamps
from dateflicks.server.providers.records import Swept, Written
from dateflicks.server.providers.source import Item, Removed
from dateflicks.server.storage.database import Database
from dateflicks.server.storage.records import Document
from dateflicks.server.storage.table import MANY_MAX

REMOVED_SHARE: Final = 0.30  # of a source; more at one time is a source that lies, until somebody confirms it
REMOVED_LEAST: Final = 20  # but so many may always go
_PART: Final = 65_536  # names that are put in order at a time
TRIES: Final = 5  # to write what others write too
_TELLING: Final = ("contentHash", "status", "fieldsExpireAt")  # whether an offer is as it was


class Writer:
    """Writes one run of one source: `write` and `remove` in any order, `sweep` at the end of a complete one.

    `now` is Unix time. All raise Unavailable when the database is away: what was written before stays, and all of it
    may be written again. `touched` counts what was written, so that films are made anew only when there is something.
    """

    def __init__(
        self,
        database: Database,
        source: str,
        run_id: str,
        *,
        removed_share: float = REMOVED_SHARE,
        removed_least: int = REMOVED_LEAST,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._videos = database.table(VIDEOS)
        self._source = source
        self._run_id = run_id
        self._removed_share = removed_share
        self._removed_least = removed_least
        self._now = now
        self._seen = array("Q")  # eight bytes of each name: what fits into memory for a million of them
        self._stamp = 0.0
        self.touched = 0

    async def write(self, items: Sequence[Item]) -> Written:
        """Up to 500 offers, each new or over the one before; of two of one name the later counts."""
        if len(items) > MANY_MAX:
            raise ValueError(f"at most {MANY_MAX} offers at a time, not {len(items)}")
        now = self._now()
        wanted = {offer_id(self._source, one.source_id, one.region): one for one in items}
        self._seen.extend(map(_short, wanted))
        counts: Counter[str] = Counter()
        left = sorted(wanted)  # as the indexes have them: neighbours go onto one page
        for _ in range(TRIES):
            there = await fields_of_those(self._videos, left, _TELLING)
            same = {key for key, stored in there.items() if _is_same(stored, wanted[key], now)}
            counts.update("quarantined" if there[key]["status"] == "quarantined" else "unchanged" for key in same)
            known = await those(self._videos, [key for key in there if key not in same])
            fresh: list[Document] = []
            over: list[Document] = []
            for key in left:
                if key in same:
                    continue
                document = _to_write(known.get(key), self._source, wanted[key], now, counts)
                if document is not None:
                    (over if key in known else fresh).append(document)
            left = await self._put(fresh, over)
            for outcome, written in (("new", fresh), ("changed", over)):
                for one in written:
                    if one["_id"] not in left:
                        counts["quarantined" if one["status"] == "quarantined" else outcome] += 1
            if not left:
                return Written(**counts)
        raise Unavailable(f"Others keep changing what {self._source} offers. Try again in a moment.")

    async def remove(self, gone: Sequence[Removed]) -> int:
        """Mark these as gone; how many were there."""
        keys = [offer_id(self._source, one.source_id, one.region) for one in gone]
        return await self._bury(list(dict.fromkeys(keys)))

    async def sweep(self, *, is_confirmed: bool = False) -> Swept:
        """Mark all offers of the source as gone that this run has not written.

        For a run that was complete, from the beginning and without a failure. When they are too many to be believed
        none is, unless somebody has confirmed it.
        """
        self._seen = _sorted(self._seen)
        total = missing = 0
        async for page in self._pages():
            total += len(page)
            missing += sum(not self._has_seen(key) for key in page)
        if missing > max(self._removed_least, self._removed_share * total) and not is_confirmed:
            return Swept(held=missing)
        removed = 0
        if missing:
            async for page in self._pages():
                removed += await self._bury([key for key in page if not self._has_seen(key)])
        return Swept(removed=removed)

    # --- inside -------------------------------------------------------------------------------------------------

    async def _put(self, fresh: Sequence[Document], over: Sequence[Document]) -> list[str]:
        """Write these, and tell which ones somebody else was quicker with."""
        marked = [{**one, "lastSeenRun": self._run_id} for one in (*fresh, *over)]
        for one, stamp in zip(marked, stamps(self._now(), self._stamp, len(marked)), strict=True):
            one["changedAt"] = later(stamp, one["changedAt"])
            self._stamp = stamp
        left = await self._videos.insert_many(marked[: len(fresh)])
        left += await self._videos.replace_many(marked[len(fresh) :])
        self.touched += len(marked) - len(left)
        return left

    async def _bury(self, keys: Sequence[str]) -> int:
        now, removed = self._now(), 0
        left = [*keys]
        for _ in range(TRIES):
            known = await those(self._videos, left)
            over = [_buried(one, now) for one in known.values() if one["status"] == "active"]
            left = await self._put([], over)
            removed += len(over) - len(left)
            if not left:
                return removed
        raise Unavailable(f"Others keep changing what {self._source} offers. Try again in a moment.")

    async def _pages(self) -> AsyncIterator[list[str]]:
        """The ids of what the source is known to offer."""
        async for page in pages_of(self._videos, self._source, only=("offerId", "status")):
            yield [one["_id"] for one in page if one["status"] == "active"]

    def _has_seen(self, key: str) -> bool:
        short = _short(key)
        at = bisect_left(self._seen, short)
        return at < len(self._seen) and self._seen[at] == short


def _to_write(stored: Document | None, source: str, item: Item, now: float, counts: Counter[str]) -> Document | None:
    """What is to be written of an item that is not as it was; None for nothing, which is counted."""
    document = document_of(source, item, now)
    if stored is None:
        return document
    if document["status"] == "quarantined" and stored["status"] != "quarantined":
        counts["quarantined"] += 1
        return None  # what was known before still makes sense
    kept = {name: stored[name] for name in ("firstSeen", "workId", "linkKeys", "changedAt")}
    return {**document, **kept, "rev": stored["rev"] + 1}


def _is_same(stored: Document, item: Item, now: float) -> bool:
    """Whether there is nothing to write, by what tells it of the offer as it is stored."""
    if stored["status"] == "gone" or stored["contentHash"] != content_hash(item):
        return False
    return not _needs_renewal(stored, item, now)


def _needs_renewal(stored: Document, item: Item, now: float) -> bool:
    """Whether half of the time is over for which its facts may be kept."""
    wanted = expires_at(item, now)
    if wanted is None or stored["fieldsExpireAt"] is None:
        return False
    return bool(stored["fieldsExpireAt"] - now < (wanted - now) / 2)


def _buried(stored: Document, now: float) -> Document:
    return {**stored, "status": "gone", "removedAt": now, "rev": stored["rev"] + 1}


def _sorted(numbers: "array[int]") -> "array[int]":
    """The same in order, a part at a time: as a list a million of them would take five times the memory."""
    whole = memoryview(numbers)
    parts = [whole[start : start + _PART] for start in range(0, len(numbers), _PART)]
    for part in parts:
        part[:] = memoryview(array("Q", sorted(part)))
    return array("Q", merge(*parts))


def _short(key: str) -> int:
    return int(key[4:20], 16)
