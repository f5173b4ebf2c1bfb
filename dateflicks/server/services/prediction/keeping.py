"""How predictions are read and written, and what time brings is carried out: nothing scores twice.

Every change is read, asked of the table of transitions, and written by a compare-and-set; whoever else was first, it is
asked again of what is there now. So an action that was carried out already changes nothing when it is repeated. A write
that nobody knows the fate of is looked up when the database is back. Other processes on the same database are agreed
with, and heard of on the bus.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

from dateflicks.core import limits
from dateflicks.core.errors import Conflict, NotFound, Unavailable
from dateflicks.core.prediction import Prediction, State
from dateflicks.protocol.ids import is_id, new_id
from dateflicks.server.bus.local import Bus
from dateflicks.server.ending import end
from dateflicks.server.services.prediction.records import Kept, from_document, to_fields
from dateflicks.server.services.prediction.room import Room
from dateflicks.server.services.prediction.rooms import Rooms
from dateflicks.server.services.prediction.tables import Tables
from dateflicks.server.storage.records import Document, Duplicate, Missing, OutcomeUnknown, Stale
from dateflicks.server.storage.table import Table

log = logging.getLogger(__name__)

CHANGED_TOPIC: Final = "prediction"
TRIES: Final = 16  # at one change: twice as many as a full party can make at once
LOOKS: Final = 5  # at what may have been written, a second apart: it may be carried out after the outage
NO_PREDICTION: Final = "There is no such prediction in this session."

Following = Callable[[Prediction], Prediction]


class Keeping:
    """One process's predictions, in its rooms and in the database; `now` is Unix time."""

    def __init__(
        self,
        predictions: Table,
        tables: Tables,
        confirm_seconds: float,
        bus: Bus,
        *,
        now: Callable[[], float] = time.time,
        evenly: Callable[[], float] = time.monotonic,
    ) -> None:
        self._predictions = predictions
        self._tables = tables
        self._bus = bus
        self._now = now
        self._tasks: set[asyncio.Task[None]] = set()
        self.rooms = Rooms(now, evenly, confirm_seconds, self._rang)

    async def stop(self) -> None:
        """Plan nothing more, and leave what is being written to whoever comes next."""
        self.rooms.end()
        await end(self._tasks)

    # --- reading ------------------------------------------------------------------------------------------------

    async def load(self, session_id: str) -> Room:
        """The session's room, with its predictions in memory. Raises Unavailable."""
        room = self.rooms.enter(session_id)
        return room if room.is_loaded else await self.fresh(session_id)

    async def fresh(self, session_id: str) -> Room:
        """The same, as the database has it now, with what the film has passed locked: others may write there too."""
        self.rooms.enter(session_id)  # before it is read: what is learned meanwhile is not lost
        documents = await self._predictions.find("sessionId", session_id, limit=limits.PAGE_MAX)
        room = self.rooms.enter(session_id)
        for document in documents:
            try:
                self._learn(room, document)
            except (KeyError, TypeError, ValueError):
                log.exception("a prediction cannot be read and is passed over", extra={"prediction": document["_id"]})
        room.is_loaded = True
        for kept in tuple(room.known.values()):
            await self._locked_by_film(room, kept)
        # So many others may have come meanwhile that this one had to go.
        return room if self.rooms.get(session_id) is room else await self.fresh(session_id)

    async def current(self, room: Room, prediction_id: str) -> Kept:
        """One as it is now, locked if the film has passed where that should be. Raises NotFound, Unavailable."""
        document = await self._predictions.get(prediction_id) if is_id(prediction_id, "prd") else None
        if document is None or document["sessionId"] != room.session_id:
            raise NotFound(NO_PREDICTION)
        return await self._locked_by_film(room, self._learn(room, document))

    # --- writing ------------------------------------------------------------------------------------------------

    async def insert(self, room: Room, prediction: Prediction, asked: str) -> Kept:
        """Write a new one; the one that is there, when there is one of this id. Raises Unavailable."""
        document = {"_id": prediction.id, **to_fields(prediction), "asked": asked}
        try:
            return self._written(room, await self._predictions.insert(document))
        except Duplicate:
            found = await self._predictions.get(prediction.id)
        except OutcomeUnknown:
            self._doubt(room, prediction.id)
            raise
        if found is None:
            raise Unavailable("The prediction could not be read. Try again in a moment.")
        return self._learn(room, found)

    async def change(self, room: Room, kept: Kept, following: Following, revision: int | None = None) -> Kept:
        """Change one by the rules, which are asked again whenever somebody else was first.

        Raises what `following` does, Conflict when it is not at `revision`, NotFound, Unavailable.
        """
        command = new_id("req")
        for _ in range(TRIES):
            after = following(kept.prediction)
            if after is kept.prediction:
                return kept
            if revision is not None and revision != kept.rev:
                raise Conflict("The prediction has changed meanwhile: look at it again.", code="moved-on")
            is_settling = after.state is State.SETTLED
            if is_settling:
                await self._tables.about_to_settle(after.id)
            try:
                stored = await self._predictions.compare_and_set(after.id, kept.rev, to_fields(after), command=command)
            except Stale as stale:
                kept = self._learn(room, stale.current)
                continue
            except Missing:
                self.rooms.forget(room, after.id)
                raise NotFound(NO_PREDICTION) from None
            except OutcomeUnknown:
                self._doubt(room, after.id)
                raise
            kept = self._written(room, stored)
            if is_settling:
                await self._tables.settled(after)
            return kept
        raise Unavailable("Too much happens to this prediction at once. Try again in a moment.")

    # --- what time brings, and others ---------------------------------------------------------------------------

    def hear_change(self, _: str, hint: Mapping[str, Any]) -> None:
        """Another process of this service has changed a prediction: it is looked up for whoever listens here."""
        room = self.rooms.get(hint["sessionId"])
        if room is None:
            return
        known = room.known.get(hint["id"])
        if known is None or known.rev < hint["revision"]:
            self._doubt(room, hint["id"])

    def _rang(self, room: Room) -> None:
        """Something is due in this room: see to it beside everything else, one such task at a time."""
        task = asyncio.create_task(self._see_to(room), name=f"predictions of {room.session_id}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _see_to(self, room: Room) -> None:
        is_done = False
        try:
            for kept in tuple(room.known.values()):
                await self._locked_by_film(room, kept)
                if self.rooms.is_silent(room, kept.prediction):
                    await self._void_by_silence(room, kept)
            await self._settle_doubts(room)
            is_done = not room.doubts
        except Unavailable:
            pass  # the room tries again in a moment
        except Exception:
            log.exception("what was due in a session could not be written", extra={"session": room.session_id})
        finally:
            self.rooms.written(room, is_done=is_done)

    async def _locked_by_film(self, room: Room, kept: Kept) -> Kept:
        """Locked, if the film has passed where that should be: before anything else is done to it."""
        if not self.rooms.where.has_passed(room, kept.prediction):
            return kept
        return await self.change(
            room, kept, lambda before: before.locked(self._now()) if before.state is State.OPEN else before
        )

    async def _void_by_silence(self, room: Room, kept: Kept) -> None:
        def following(before: Prediction) -> Prediction:
            return before.silenced() if self.rooms.is_silent(room, before) else before

        await self.change(room, kept, following)

    async def _settle_doubts(self, room: Room) -> None:
        """Look up what became of writes whose fate is unknown."""
        for prediction_id in tuple(room.doubts):
            document = await self._predictions.get(prediction_id)
            room.doubts[prediction_id] -= 1
            before = room.known.get(prediction_id)
            if document is not None:
                self._learn(room, document)
            if room.known.get(prediction_id) is not before or room.doubts[prediction_id] <= 0:
                del room.doubts[prediction_id]

    def _doubt(self, room: Room, prediction_id: str) -> None:
        room.doubts[prediction_id] = LOOKS
        self.rooms.look(room)

    # --- inside -------------------------------------------------------------------------------------------------

    def _learn(self, room: Room, document: Document) -> Kept:
        """Take it into memory and tell everybody; the newest that is known, which may be newer than this."""
        kept = from_document(document)
        room = self.rooms.get(room.session_id) or room
        self.rooms.learn(room, kept)
        return max(room.known.get(kept.prediction.id, kept), kept, key=lambda one: one.rev)

    def _written(self, room: Room, document: Document) -> Kept:
        """The same, for what was written here: other processes are told too."""
        kept = self._learn(room, document)
        hint = {"sessionId": room.session_id, "id": document["_id"], "revision": document["rev"]}
        self._bus.publish(CHANGED_TOPIC, hint)
        return kept
