"""The same session's rooms in other processes: what is written in one is told in all, in the one order of the database.

A hint carries the message, so that a room that knows all before it need not read; whoever has missed one reads on. What
is not kept (somebody writes) or not alone (how far somebody has read) travels as a hint only. While the bus is away
rooms look into the database every second, and now and then in any case.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Final, Protocol

from dateflicks.core.errors import Unavailable
from dateflicks.server.bus.local import Bus
from dateflicks.server.observe.metrics import Metrics
from dateflicks.server.services.messages.room import Room, Seat
from dateflicks.server.storage.records import Document, StorageFault

log = logging.getLogger(__name__)

TOPIC: Final = "messages"
AWAY_SECONDS: Final = 1.0  # between looks while hints are lost
LOOK_SECONDS: Final = 15.0  # between looks while they are not: whatever was lost all the same is found
AT_ONCE: Final = 4  # rooms that look at one time: people write meanwhile, and have to wait for a connection no longer
BEHIND_MAX: Final = 1_000  # rooms that wait for their turn; more are looked after the next time


class Rooms(Protocol):
    """The rooms of this process."""

    def get(self, session_id: str) -> Room | None:
        """One of them, if it is in memory."""

    def with_seats(self) -> list[Room]:
        """Those in which somebody sits."""


class Others:
    """What this process tells the others and hears of them; `begin` starts something in the background, `took` is told
    of somebody who said something elsewhere."""

    def __init__(
        self,
        bus: Bus,
        rooms: Rooms,
        begin: Callable[[Coroutine[Any, Any, None], str], object],
        took: Callable[[str], None],
        metrics: Metrics,
    ) -> None:
        self._repairs = metrics.repairs.labels("messages")
        self._bus = bus
        self._rooms = rooms
        self._begin = begin
        self._took = took
        self._behind: set[str] = set()  # rooms that are about to read on
        self._turns = asyncio.Semaphore(AT_ONCE)

    # --- telling ------------------------------------------------------------------------------------------------

    def takes(self, user_id: str) -> None:
        """Somebody says something here: it counts everywhere, for they may say so much and not more."""
        self._bus.publish(TOPIC, {"took": user_id, "by": self._bus.worker_id})

    def said(self, room: Room, document: Document) -> None:
        """A message was written here."""
        self._tell(room, {"message": document})

    def changed(self, room: Room, number: int) -> None:
        """A message was changed here."""
        self._tell(room, {"changed": number})

    def typing(self, seat: Seat) -> None:
        """Somebody here writes."""
        self._tell(seat.room, {"typing": seat.user_id, "name": seat.name})

    def read(self, room: Room, user_id: str, seq: int) -> None:
        """Somebody here has read so far."""
        self._tell(room, {"read": user_id, "seq": seq})

    def _tell(self, room: Room, what: Mapping[str, Any]) -> None:
        self._bus.publish(TOPIC, {"session": room.session_id, "by": self._bus.worker_id, **what})

    # --- hearing ------------------------------------------------------------------------------------------------

    def hear(self, _: str, hint: Mapping[str, Any]) -> None:
        """A hint of the topic; one that makes no sense is ignored."""
        session_id = hint.get("session")
        if hint.get("by") != self._bus.worker_id and isinstance(user_id := hint.get("took"), str):
            self._took(user_id)
            return
        room = self._rooms.get(session_id) if isinstance(session_id, str) else None
        if room is None or not room.is_loaded or hint.get("by") == self._bus.worker_id:
            return
        try:
            match hint:
                case {"message": {"seq": int(seq)} as document}:
                    self._hear_message(room, document, seq)
                case {"changed": int(number)}:
                    room.doubts.changes.add(number)
                    self._read_on(room)
                case {"typing": str(user_id), "name": str(name)}:
                    room.tell_typing(user_id, name)
                case {"read": str(user_id), "seq": int(seq)}:
                    if room.marks.hear(user_id, seq):
                        room.tell_read(user_id, seq)
        except (KeyError, TypeError, ValueError, StorageFault):
            log.exception("a hint of another process makes no sense", extra={"session": session_id})

    def returned(self) -> None:
        """Hints may have been lost."""
        for room in self._rooms.with_seats():
            self._read_on(room)

    async def run(self) -> None:
        """Look for what was lost, until cancelled."""
        loop = asyncio.get_running_loop()
        looked_at = loop.time()
        while True:
            await asyncio.sleep(AWAY_SECONDS)
            if not self._bus.is_up or loop.time() - looked_at >= LOOK_SECONDS:
                looked_at = loop.time()
                self.returned()

    def _hear_message(self, room: Room, document: Document, seq: int) -> None:
        if seq == room.messages.head + 1:
            room.messages.advance()
            room.tell_message(document)
        elif seq > room.messages.head:
            self._read_on(room)

    def _read_on(self, room: Room) -> None:
        if room.session_id in self._behind or len(self._behind) >= BEHIND_MAX:
            return
        self._behind.add(room.session_id)
        self._begin(self._look(room), f"reading on in {room.session_id}")

    async def _look(self, room: Room) -> None:
        try:
            async with self._turns, room.lock:
                self._behind.discard(room.session_id)
                before = room.messages.head
                await room.read_on()
                self._repairs.inc(max(0, room.messages.head - before))
        except Unavailable:
            log.debug("nobody can read on in %s now", room.session_id)
        except Exception:
            log.exception("nobody can read on", extra={"session": room.session_id})
        finally:
            self._behind.discard(room.session_id)
