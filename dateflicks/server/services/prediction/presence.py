"""Who is here, over all processes: somebody is away when they are connected to none of them.

Each process tells the others who of a session is connected to it, when that changes and when one asks; what a process
has told is forgotten when it is gone. What was lost between them is found in the database: every second while the bus
is away, now and then in any case.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from dateflicks.core.errors import Unavailable
from dateflicks.core.limits import PARTICIPANTS_MAX
from dateflicks.server.bus.local import Bus
from dateflicks.server.services.prediction.room import Room
from dateflicks.server.services.prediction.rooms import Rooms

log = logging.getLogger(__name__)

TOPIC: Final = "prediction-here"
AWAY_SECONDS: Final = 1.0
LOOK_SECONDS: Final = 15.0


class Presence:
    """This process's word of its people, and those of the others; `fresh` reads a session's predictions anew."""

    def __init__(self, bus: Bus, rooms: Rooms, fresh: Callable[[str], Awaitable[Room]]) -> None:
        self._bus = bus
        self._rooms = rooms
        self._fresh = fresh
        self._is_behind = False
        rooms.on_here = self._tell
        rooms.on_enter = self._ask
        rooms.on_moved = self._tell_place
        bus.on_gone(self._gone)
        bus.on_return(self._returned)

    def hear(self, _: str, hint: Mapping[str, Any]) -> None:
        """A hint of the topic; one that makes no sense is ignored."""
        session_id, by = hint.get("session"), hint.get("by")
        room = self._rooms.get(session_id) if isinstance(session_id, str) else None
        if room is None or not isinstance(by, str) or by == self._bus.worker_id:
            return
        if hint.get("asks"):
            if room.here:
                self._tell(room)
            return
        if isinstance(user_id := hint.get("moved"), str):
            if user_id not in room.here:
                self._rooms.moved_elsewhere(room, user_id, float(hint["position"]), float(hint["rate"]))
            return
        people = hint.get("people")
        if isinstance(people, list):
            here = frozenset(one for one in people[: 2 * PARTICIPANTS_MAX] if isinstance(one, str))
            if here:
                room.elsewhere[by] = here
            else:
                room.elsewhere.pop(by, None)
            self._rooms.forget_places(room)
            self._rooms.look(room)

    async def run(self) -> None:
        """Look for what was lost, until cancelled."""
        loop = asyncio.get_running_loop()
        looked_at = loop.time()
        while True:
            await asyncio.sleep(AWAY_SECONDS)
            if self._bus.is_up and not self._is_behind and loop.time() - looked_at < LOOK_SECONDS:
                continue
            looked_at, self._is_behind = loop.time(), False
            for room in self._rooms.with_seats():
                try:
                    await self._fresh(room.session_id)
                except Unavailable:
                    self._is_behind = True
                    break
                except Exception:
                    log.exception("predictions could not be read anew", extra={"session": room.session_id})

    def _tell(self, room: Room) -> None:
        self._bus.publish(TOPIC, {"session": room.session_id, "by": self._bus.worker_id, "people": sorted(room.here)})

    def _tell_place(self, room: Room, user_id: str, position: float, rate: float) -> None:
        where = {"moved": user_id, "position": position, "rate": rate}
        self._bus.publish(TOPIC, {"session": room.session_id, "by": self._bus.worker_id, **where})

    def _ask(self, room: Room) -> None:
        self._bus.publish(TOPIC, {"session": room.session_id, "by": self._bus.worker_id, "asks": True})

    def _gone(self, worker_id: str) -> None:
        for room in self._rooms.everywhere():
            if room.elsewhere.pop(worker_id, None) is not None:
                self._rooms.forget_places(room)
                self._rooms.look(room)

    def _returned(self) -> None:
        self._is_behind = True
        for room in self._rooms.with_seats():
            self._tell(room)
            self._ask(room)
