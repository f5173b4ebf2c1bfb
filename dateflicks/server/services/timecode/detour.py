"""Letters between processes through the database, while the bus is away: slower, and enough to pause and to go on.

What people ask for goes into the collection that keepers look into a few times a second; what everybody is told is read
from the records, which are written at every change; what was refused is told in a letter. Of reports only each one's
newest goes, so that a keeper knows that they are there and where. Who does not take its letters is taken as gone: the
bus can not tell that somebody has died, and what it keeps would wait for the bus.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import msgspec

from dateflicks.core.errors import Unavailable
from dateflicks.core.limits import EVENT_INTERVAL_SECONDS, PAGE_MAX
from dateflicks.protocol.ids import new_id
from dateflicks.protocol.timecode import event_frame
from dateflicks.server.bus.local import Bus, LocalBus
from dateflicks.server.clock import ServerClock
from dateflicks.server.services.timecode.records import recorded_event
from dateflicks.server.storage.records import StorageFault
from dateflicks.server.storage.table import Table

if TYPE_CHECKING:
    from dateflicks.server.services.timecode.chair import Chair
    from dateflicks.server.services.timecode.house import House

log = logging.getLogger(__name__)

Letter = Mapping[str, Any]

LOOK_SECONDS: Final = 0.4
CALM_SECONDS: Final = 0.5  # how often to see whether the bus is away
CHECK_SECONDS: Final = 2.0  # how often to look for letters of those who cannot reach the bus, while we can
WAITING_MAX: Final = 5_000
# For a letter to be taken: several looks of whoever is well. Who is only slow is overtaken, which harms nobody.
TAKEN_SECONDS: Final = 5.0
OLD_SECONDS: Final = 30.0  # a letter that nobody took for so long is of another evening
_ERROR: Final = '{"type":"error"'


class Detour:
    """This process's way around the bus; `letters` is the collection, `timecodes` that of the records."""

    def __init__(self, letters: Table, timecodes: Table, bus: Bus, clock: ServerClock) -> None:
        self._letters = letters
        self._timecodes = timecodes
        self._bus = bus
        self._clock = clock
        self._acts: deque[dict[str, Any]] = deque(maxlen=WAITING_MAX)  # of more the oldest go: they are past soonest
        self._reports: dict[str, dict[str, Any]] = {}
        self._told: dict[str, tuple[int, float]] = {}  # by session: the revision, and when
        self._untaken: dict[str, tuple[str, float]] = {}  # by process: a letter to it, and since when it lies there
        self._number = 0
        self._encode = msgspec.json.Encoder().encode

    def post(self, worker_id: str, letter: Letter) -> None:
        """Send a letter; never waits, never raises."""
        if letter["do"] == "measured" or (letter["do"] == "say" and not str(letter["frame"]).startswith(_ERROR)):
            return  # not needed, or found in the record
        self._number += 1
        document = {
            "_id": new_id("req"),
            "to": worker_id,
            "order": f"t{self._clock.now():020.6f}:{self._number:09d}",
            "at": self._clock.now(),
            "letter": self._encode(letter).decode(),
        }
        if letter["do"] == "hear" and _is_report(str(letter["frame"])):
            self._reports[str(letter["chair"])] = document
        else:
            self._acts.append(document)

    async def run(self, house: "House") -> None:
        """Carry letters while the bus is away, until cancelled; and take those of others who cannot hear us."""
        if isinstance(self._bus, LocalBus):
            return
        was_away, checked_at = False, 0.0
        while True:
            is_away, now = not self._bus.is_up, asyncio.get_running_loop().time()
            if is_away or was_away or now - checked_at >= CHECK_SECONDS:
                checked_at = now
                try:
                    await self._carry(house, is_away=is_away)
                except (Unavailable, StorageFault) as error:
                    log.debug("no way around the bus: %s", error)
                except Exception:
                    log.exception("the way around the bus failed")
            if not is_away:
                self._told.clear()
                self._untaken.clear()
            was_away = is_away
            await asyncio.sleep(LOOK_SECONDS if is_away else CALM_SECONDS)

    async def _carry(self, house: "House", *, is_away: bool) -> None:
        sent = await self._send()
        await self._take(house)
        if not is_away:
            return
        await self._see_who_takes(sent)
        chairs = house.far_chairs()
        sessions = list(chairs)
        for start in range(0, len(sessions), PAGE_MAX):
            found = await self._timecodes.get_many(sessions[start : start + PAGE_MAX])
            for session_id, document in found.items():
                try:
                    self._tell(chairs[session_id], document)
                except StorageFault:
                    if session_id not in self._told:  # once in an outage
                        log.exception("nobody here can be told where a film is", extra={"session": session_id})
                    self._told[session_id] = (-1, 0.0)

    async def _send(self) -> Sequence[Letter]:
        """Write what waits, and return it; what could not be written waits on."""
        waiting = [*self._acts, *self._reports.values()]
        for start in range(0, len(waiting), PAGE_MAX):
            page = waiting[start : start + PAGE_MAX]
            await self._letters.insert_many(page)
            written = {one["_id"] for one in page}
            while self._acts and self._acts[0]["_id"] in written:
                self._acts.popleft()
            self._reports = {chair: one for chair, one in self._reports.items() if one["_id"] not in written}
        return waiting

    async def _take(self, house: "House") -> None:
        page = await self._addressed_to(self._bus.worker_id)
        if not page:
            return
        await self._letters.delete_many([one["_id"] for one in page])
        now = self._clock.now()
        for one in page:
            try:
                if now - float(one["at"]) <= OLD_SECONDS:
                    house.deliver(msgspec.json.decode(one["letter"]))
            except Exception:  # those behind it are deleted, too, and would be lost
                log.exception("a letter that came through the database was not taken in")

    async def _addressed_to(self, worker_id: str) -> Sequence[Mapping[str, Any]]:
        return await self._letters.page("to", worker_id, order_by="order", descending=False, limit=PAGE_MAX)

    async def _see_who_takes(self, sent: Sequence[Mapping[str, Any]]) -> None:
        """Look after one letter to each process; whose lies there for too long is taken as gone."""
        now = asyncio.get_running_loop().time()
        known = dict(list(self._untaken.items())[:PAGE_MAX])
        there = await self._letters.get_many([letter_id for letter_id, _ in known.values()])
        for worker_id, (letter_id, since) in known.items():
            if letter_id not in there:
                del self._untaken[worker_id]
            elif now - since > TAKEN_SECONDS:
                del self._untaken[worker_id]
                log.warning("a process does not take its letters and is taken as gone", extra={"worker": worker_id})
                self._bus.take_as_gone(worker_id)
                await self._letters.delete_many([str(one["_id"]) for one in await self._addressed_to(worker_id)])
        for one in sent:
            self._untaken.setdefault(str(one["to"]), (str(one["_id"]), now))

    def _tell(self, chairs: "Sequence[Chair]", document: Mapping[str, Any]) -> None:
        """What a record says, if it says something new or has not been said for long."""
        now = self._clock.now()
        event = recorded_event(document, now)
        revision, told_at = self._told.get(event.session_id, (-1, 0.0))
        if event.revision == revision and now - told_at < EVENT_INTERVAL_SECONDS:
            return
        self._told[event.session_id] = (event.revision, now)
        frame = self._encode(event_frame(event, self._clock.clock_id))
        for chair in chairs:
            chair.tell(frame)


class _Heard(msgspec.Struct):
    type: str
    cause: str | None = None


def _is_report(frame: str) -> bool:
    heard = msgspec.json.decode(frame, type=_Heard)
    return heard.type == "report" and heard.cause != "user"
