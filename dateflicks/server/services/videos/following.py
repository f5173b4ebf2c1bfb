"""Keeping the index as the collection is: what was changed is read in the order of its change, page by page, for ever.

Works are written by other processes, whose clocks may be a little behind and whose writes take a while: so each look
begins a little before the newest change that is known. Once a day, and after a start with a file that was there before,
all of the collection is read again; what is not in it any more is taken out. Searches are answered meanwhile, with what
there is.
"""

import asyncio
import contextlib
import logging
import math
import sqlite3
import time
from collections.abc import Callable, Sequence
from typing import Final

from dateflicks.core.errors import Unavailable
from dateflicks.core.limits import PAGE_MAX
from dateflicks.server.services.videos.shelf import Shelf
from dateflicks.server.storage.table import Table

log = logging.getLogger(__name__)

PAGE: Final = 100  # works at a time: few, so that neither the database nor this process is held up
PAUSE_SECONDS: Final = 0.01  # after each full page, for others
OVERLAP_SECONDS: Final = 10.0
ROUND_SECONDS: Final = 86_400.0
ROUND_PAGES: Final = 20  # of it, between two looks at what was changed
AGAIN_SECONDS: Final = 1.0  # after what failed
FAULTS_MAX: Final = 3  # in a row, then the file is made anew


class Following:
    """Reads `works` into the shelf for as long as `run` runs; `now` is Unix time."""

    def __init__(
        self, works: Table, shelf: Shelf, *, poll_seconds: float, now: Callable[[], float] = time.time
    ) -> None:
        self._works = works
        self._shelf = shelf
        self._poll_seconds = poll_seconds
        self._now = now
        self._mark = 0.0  # what was changed before it is in the index
        self._round = 1
        self._round_mark: float | None = None  # how far all of the collection has been read once more
        self._round_began = 0.0
        self._faults = 0
        self._missed: set[str] = set()
        self._woken = asyncio.Event()
        self.as_of: float | None = None  # Unix time up to which the index is known to be as the collection is
        self.is_complete = False  # whether all of the collection was read once

    async def begin(self) -> None:
        """Take up what the file knows. Raises sqlite3.Error."""
        notes = await self._shelf.notes()
        self._round = int(notes.get("round", "1"))
        self._mark = float(notes.get("mark", "0"))
        self.is_complete = "mark" in notes

    async def run(self) -> None:
        """Follow until it is cancelled. What fails is tried again."""
        while True:
            seconds = self._poll_seconds
            try:
                await self._look()
                self._faults = 0
                if self._round_mark is not None:
                    seconds = PAUSE_SECONDS
            except Unavailable:
                seconds = AGAIN_SECONDS
            except (sqlite3.Error, OSError) as error:
                log.error("the index of the videos service cannot be written: %s", error)
                await self._mend(error)
                seconds = AGAIN_SECONDS
            except Exception:
                log.exception("following the collection failed and goes on")
            await self._wait(seconds)

    def wake(self) -> None:
        """Look now: something may have changed."""
        self._woken.set()

    def miss(self, ids: Sequence[str]) -> None:
        """These were found and are not in the collection any more: they are taken out at the next look."""
        if len(self._missed) < PAGE_MAX:
            self._missed.update(ids)
            self.wake()

    async def _look(self) -> None:
        if self._shelf.is_broken:
            await self._anew()
        if self._missed:
            missed = list(self._missed)[:PAGE_MAX]
            there = await self._works.get_many(missed)
            await self._shelf.forget([one for one in missed if one not in there])
            self._missed.difference_update(missed)
        began = self._now()
        mark, is_end = self._mark, False
        while not is_end:
            mark, is_end = await self._page(mark)
        if not self.is_complete:
            self._round_began = began
        self._mark = min(mark, began - OVERLAP_SECONDS)
        await self._shelf.note(mark=str(max(self._mark, 0.0)))
        self.is_complete, self.as_of = True, began
        await self._go_round()

    async def _page(self, mark: float) -> tuple[float, bool]:
        """Take in a page of changes from a mark on: where the next one begins, and whether this was the last."""
        for limit in (PAGE, PAGE_MAX):
            works = await self._works.between("updatedAt", at_least=mark, limit=limit)
            if len(works) < limit or works[-1]["updatedAt"] > mark:
                break
        await self._shelf.put(works, self._round)
        if len(works) < limit:
            return (float(works[-1]["updatedAt"]) if works else mark), True
        await asyncio.sleep(PAUSE_SECONDS)
        following = float(works[-1]["updatedAt"])
        # More than a page of one instant: there is no way to ask for the rest of them.
        return following if following > mark else math.nextafter(mark, math.inf), False

    async def _go_round(self) -> None:
        """Read all of the collection once more, a few pages at a time; at its end, take out what is not there."""
        if self._round_mark is None:
            if self._now() - self._round_began < ROUND_SECONDS:
                return
            self._round += 1
            self._round_mark = 0.0
            self._round_began = self._now()
            await self._shelf.note(round=str(self._round))
        for _ in range(ROUND_PAGES):
            self._round_mark, is_end = await self._page(self._round_mark)
            if is_end:
                await self._sweep()
                self._round_mark = None
                return

    async def _sweep(self) -> None:
        while ids := await self._shelf.unseen(self._round, PAGE):
            there = await self._works.get_many(ids)
            await self._shelf.put(list(there.values()), self._round)
            await self._shelf.forget([one for one in ids if one not in there])
            await asyncio.sleep(PAUSE_SECONDS)

    async def _mend(self, error: Exception) -> None:
        self._faults += 1
        if self._faults >= FAULTS_MAX or not isinstance(error, sqlite3.OperationalError | OSError):
            with contextlib.suppress(sqlite3.Error, OSError):
                await self._anew()

    async def _anew(self) -> None:
        log.warning("the index of the videos service is made anew")
        await self._shelf.renew()
        self._faults, self._round, self._mark, self._round_mark = 0, 1, 0.0, None
        self.is_complete, self.as_of = False, None

    async def _wait(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._woken.wait()
        self._woken.clear()
