"""Catching up: telling one seat what it has missed, page by page, as fast as it reads and no faster.

Whatever happens meanwhile is in the database too, so the same loop finds it: everything is told once and in order. The
seat is live from the moment at which there is nothing left to find, and between that look and the word `resumed` nobody
else has a turn. What waits for the peer is bounded by the connection; what is read at a time, by a page.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final

from dateflicks.core.errors import DateflicksError, Unavailable
from dateflicks.protocol.chat import MessageFrame, ResumedFrame, ResumeFrame
from dateflicks.server.services.messages.records import change_of, message_of
from dateflicks.server.services.messages.room import Seat
from dateflicks.server.websocket.frames import WENT_WRONG, Code

log = logging.getLogger(__name__)

PAGE: Final = 100  # messages at a time: at most 1.6 MB, and 50 KB in the usual case
READS_AT_ONCE: Final = 4  # pages, over all who catch up: the rest of the database's time is for what is new
AGAIN_SECONDS: Final = 0.2


class CatchingUp:
    """All who catch up in this process; `wait_up` waits until the database answers.

    `is_alone` says that no other process writes to the same talks.
    """

    def __init__(self, wait_up: Callable[[], Awaitable[None]], *, is_alone: bool) -> None:
        self._wait_up = wait_up
        self._is_alone = is_alone
        self._reading = asyncio.Semaphore(READS_AT_ONCE)
        self._unasked: set[Seat] = set()  # who did not resume, and gets no answer to it

    def ask(self, seat: Seat, asked: ResumeFrame) -> bool:
        """Somebody resumes, perhaps once more; True when nobody runs `run` for this seat yet."""
        is_idle = not seat.is_catching_up
        seat.is_catching_up = True
        seat.is_new = False
        self._unasked.discard(seat)
        seat.asked = asked
        seat.told = asked.after
        seat.told_changes = seat.room.changes.head if asked.changes is None else asked.changes
        return is_idle

    def settle(self, seat: Seat) -> bool:
        """A new seat that did not resume is live; True when `run` has to tell it first what was kept from it."""
        seat.is_new = False
        if seat.told == seat.room.messages.head and seat.told_changes == seat.room.changes.head:
            return False
        seat.is_catching_up = True
        seat.asked = ResumeFrame(after=seat.told, changes=seat.told_changes)
        self._unasked.add(seat)
        return True

    async def run(self, seat: Seat) -> None:
        """Tell all of it; while the database is away, wait."""
        try:
            while seat.asked is not None and seat.listener.is_open:
                try:
                    await self._tell_rest(seat, seat.asked)
                except Unavailable:
                    await asyncio.sleep(AGAIN_SECONDS)
                    await self._wait_up()
        except DateflicksError:
            log.exception("somebody cannot catch up", extra={"session": seat.room.session_id})
            seat.listener.close(Code.OUR_FAULT, WENT_WRONG)
        finally:
            seat.is_catching_up = False
            self._unasked.discard(seat)

    async def _tell_rest(self, seat: Seat, asked: ResumeFrame) -> None:
        """Until all is told, or something else is asked for, or the peer is gone."""
        room = seat.room
        if not (self._is_alone and room.knows(seat.told, seat.told_changes)):
            async with room.lock:
                await room.read_on()
        if seat.asked is not asked:
            return
        # Who knows of more than there is has seen another database, or an older one of this.
        seat.told = min(seat.told, room.messages.head)
        seat.told_changes = min(seat.told_changes, room.changes.head)
        while seat.told < room.messages.head or seat.told_changes < room.changes.head:
            if seat.told < room.messages.head:
                goes_on = await self._tell_messages(seat, asked)
            else:
                goes_on = await self._tell_changes(seat, asked)
            if not goes_on:
                return
        seat.asked = None
        if seat in self._unasked:
            return
        seat.send(ResumedFrame(seq=seat.told, changes=seat.told_changes))
        room.tell_marks(seat)

    async def _tell_messages(self, seat: Seat, asked: ResumeFrame) -> bool:
        first = seat.told + 1
        last = min(seat.told + PAGE, seat.room.messages.head)
        async with self._reading:
            page = await seat.room.messages.page(first, last)
        for document in page:
            if not await self._may_tell(seat, asked):
                return False
            seat.send(MessageFrame(message=message_of(document)))
            seat.told = document["seq"]
        if not self._is_asked(seat, asked):
            return False
        if len(page) < last - first + 1:
            _log_missing(seat, "messages", first, last)
            seat.told = last  # or they would be looked for without end
        return True

    async def _tell_changes(self, seat: Seat, asked: ResumeFrame) -> bool:
        room = seat.room
        first = seat.told_changes + 1
        last = min(seat.told_changes + PAGE, room.changes.head)
        async with self._reading:
            entries = await room.changes.page(first, last)
            newest = {entry["message"]: entry["seq"] for entry in entries}
            found = await room.messages.several(sorted(newest))
        # As each is now: what changed twice is told once, with the number of its last change here.
        for number, document in sorted((newest[one["seq"]], one) for one in found):
            if not await self._may_tell(seat, asked):
                return False
            if (frame := change_of(document, number)) is not None:
                seat.send(frame)
            seat.told_changes = number
        if not self._is_asked(seat, asked):
            return False
        if len(entries) < last - first + 1:
            _log_missing(seat, "changes", first, last)
        seat.told_changes = last
        return True

    async def _may_tell(self, seat: Seat, asked: ResumeFrame) -> bool:
        return await seat.listener.drained() and self._is_asked(seat, asked)

    def _is_asked(self, seat: Seat, asked: ResumeFrame) -> bool:
        return seat.asked is asked and seat.listener.is_open


def _log_missing(seat: Seat, what: str, first: int, last: int) -> None:
    log.error("%s are missing between %d and %d in %s", what, first, last, seat.room.session_id)
