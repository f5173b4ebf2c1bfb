"""The rules of the timecode service, without a web framework: rooms of listeners around playbacks, told and kept.

Everything that happens to a playback goes through `_tell`: its events go to all listeners in order, its record is put
down once, and the next wake-up is set. Playback goes on from memory while the database is away; what must be kept is
written when it returns (`Records` writes behind). What fails in one session ends that session's room, which comes back
from its record, and nobody else's.
One file, though long: rooms, playbacks and whose turn it is change together, and all of it passes through `_tell`.
"""

import asyncio
import contextlib
import logging
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, Protocol

import msgspec

from dateflicks.core import limits
from dateflicks.core.errors import Conflict, Forbidden, NotFound, RuleError
from dateflicks.core.playback import (
    Member,
    Place,
    PlaybackCollection,
    PlaybackControl,
    PlaybackRules,
    TimecodeEvent,
    TimecodeRecord,
)
from dateflicks.protocol import frames
from dateflicks.protocol.bodies import TimecodeBody
from dateflicks.protocol.timecode import event_frame, milliseconds, record_body, request_of, sync_limits
from dateflicks.server.clock import ServerClock
from dateflicks.server.observe.metrics import Metrics
from dateflicks.server.services.timecode.hints import Hints, PlaybackHints
from dateflicks.server.services.timecode.records import from_document, to_document
from dateflicks.server.services.timecode.room import Listener, Room, Seat
from dateflicks.server.services.timecode.turns import Turns
from dateflicks.server.services.timecode.watch import Watch
from dateflicks.server.websocket.frames import WENT_WRONG, Code

log = logging.getLogger(__name__)

IDLE_SECONDS: Final = 600.0  # a session with nobody there is dropped from memory after this long; its record stays
TELL_SECONDS: Final = limits.EVENT_INTERVAL_SECONDS - 0.25  # so that it has come within the interval on a slow line too
MOVED_SECONDS: Final = 0.25  # all that move at once are told together, and nobody can have more said than this often
RECORD_SECONDS: Final = limits.RECORD_INTERVAL_SECONDS - 0.25
TOLD_TOGETHER_SECONDS: Final = 0.05  # whose turn comes so soon is told with those whose turn it is, for one wake-up
KEPT_TOGETHER_SECONDS: Final = 0.25  # and kept with them: many records that are written together cost little
TURNS_MAX: Final = 100  # at one go, about 5 ms: whoever sends a frame meanwhile is heard before the next hundred
DELETED: Final = "the timecode was deleted"
FAILED: Final = "the playback of %s failed and is dropped from memory"


def check_place(frame: frames.TimecodeClientFrame, *, looks_on: bool) -> None:
    """Whether a connection may say this: who looks on may act, and has no player. Raises Forbidden."""
    if looks_on and isinstance(frame, frames.Report) and frame.cause != "user":
        detail = "This connection only looks on: no player is heard on it. Connect without `looksOn` to take part."
        raise Forbidden(detail, code="looks-on")


class Records(Protocol):
    """Where timecode records are kept."""

    async def get(self, session_id: str) -> Mapping[str, Any] | None:
        """One record, or None. Raises Unavailable."""

    async def insert(self, document: dict[str, Any]) -> bool:
        """Write a new record; False when there is one already. Raises Unavailable."""

    def put(self, document: dict[str, Any]) -> None:
        """Write a record some time soon, and certainly before the end; never waits, never raises."""

    async def delete(self, session_id: str) -> bool:
        """Delete a record; False when there was none. Raises Unavailable."""


class TimecodeHandler:
    """All rooms of this process; one instance per service, driven by its feed, its routes and its own `run`."""

    def __init__(
        self,
        records: Records,
        clock: ServerClock,
        rules: PlaybackRules,
        hints: Hints,
        watch: Watch | None = None,
        kind: type[PlaybackControl] = PlaybackControl,
    ) -> None:
        self._records = records
        self._clock = clock
        self._rules = rules
        self._others = PlaybackHints(hints, clock)
        self._watch = watch or Watch(Metrics())
        self._encoder = msgspec.json.Encoder()
        self._playbacks = PlaybackCollection((), clock.now(), rules, kind)
        self._rooms: dict[str, Room] = {}
        self._telling = Turns(TELL_SECONDS)  # where somebody listens
        self._moved = Turns(MOVED_SECONDS)  # where somebody has gone elsewhere in a film that stands
        self._idle = Turns(IDLE_SECONDS)  # where nobody listens
        self._keeping = Turns(RECORD_SECONDS)  # where the film has run when the record was last put down
        self._deleting: Counter[str] = Counter()  # what is written meanwhile would bring the record back
        self._deletions = 0
        self._is_ending = False
        self._earlier = asyncio.Event()
        self._wakes_at = float("-inf")

    def __contains__(self, session_id: str) -> bool:
        """Whether a session's playback is in memory here."""
        return session_id in self._playbacks

    @property
    def clock(self) -> ServerClock:
        """The clock that all frames of this service are stamped with."""
        return self._clock

    # --- REST ---------------------------------------------------------------------------------------------------

    async def create(self, session_id: str, length: float) -> TimecodeBody:
        """A new timecode at stop. Raises Conflict when there is one, Unavailable."""
        control = PlaybackControl(session_id, length, self._clock.now(), self._rules)
        deletions = self._deletions
        inserted = await self._records.insert(to_document(control.to_record(self._clock.now())))
        if not inserted:
            raise Conflict("This session has a timecode already: change its length with PATCH, or connect to it.")
        # Somebody may have connected as soon as the record was there, or deleted it.
        if session_id not in self._playbacks and deletions == self._deletions:
            self._others.begin(self._playbacks.create(session_id, length, self._clock.now()))
            self._idle.begin(session_id, self._clock.now())
            self._plan(session_id)
        return record_body(control.to_timecode_event(self._clock.now()))

    async def read(self, session_id: str) -> TimecodeBody:
        """The present state. Raises NotFound, Unavailable, StorageFault (the record cannot be read)."""
        await self._load(session_id)
        return self._body(session_id)

    async def set_length(self, session_id: str, length: float) -> TimecodeBody:
        """Correct the length. Raises as `read`."""
        control = await self._load(session_id)
        self._tell(control, control.set_length(length, self._clock.now()))
        return self._body(session_id)

    async def delete(self, session_id: str) -> None:
        """Forget a session's playback; whoever listens is told that it is gone. Raises NotFound, Unavailable."""
        self._deleting[session_id] += 1
        is_deleted = False
        try:
            was_there = await self._records.delete(session_id)
            is_deleted = True
        finally:
            self._deleting[session_id] -= 1
            if not self._deleting[session_id]:
                del self._deleting[session_id]
            if not is_deleted and session_id in self._playbacks:
                self._keep(self._playbacks.control(session_id))  # what was not written meanwhile
        self._deletions += 1
        was_there = was_there or session_id in self._playbacks
        self._drop(session_id, Code.NO_SESSION, DELETED)
        if not was_there:
            raise NotFound("No timecode has been created for this session.")

    # --- connections --------------------------------------------------------------------------------------------

    async def load(self, session_id: str) -> None:
        """Make sure that a session's playback is in memory before somebody sits down. Raises as `read`."""
        await self._load(session_id)

    def sit_down(self, session_id: str, member: Member, listener: Listener, *, looks_on: bool = False) -> Seat:
        """Somebody connects; everybody is told, they with the limits. `load` must have succeeded. Raises NotFound."""
        control = self._playbacks.control(session_id)
        room = self._rooms.get(session_id) or Room(session_id)
        seat = Seat(session_id, member, listener, looks_on)
        now = self._clock.now()
        if not looks_on:
            self._enter(control, room, member, now)
        room.seats.append(seat)
        self._rooms[session_id] = room
        self._idle.end(session_id)
        self._telling.begin(session_id, now)
        self._plan(session_id)
        self.greet(seat)
        return seat

    def _enter(self, control: PlaybackControl, room: Room, member: Member, now: float) -> None:
        is_first = room.newest(member.user_id) is None
        try:
            self._tell(control, control.join(member, now) if is_first else control.change_player(member.user_id, now))
        except RuleError:
            raise
        except Exception:
            self._others.interrupted()
            self._drop(room.session_id)
            raise

    def stand_up(self, seat: Seat) -> None:
        """A connection is gone; with the last one of a person, the others are told."""
        room = self._rooms.get(seat.session_id)
        if room is None or seat not in room.seats:
            return
        user_id = seat.member.user_id
        was_newest = room.newest(user_id) is seat
        room.seats.remove(seat)
        now = self._clock.now()
        if not room.seats:
            del self._rooms[seat.session_id]
            self._telling.end(seat.session_id)
            self._moved.end(seat.session_id)
            self._idle.begin(seat.session_id, now)
        if self._is_ending or seat.looks_on:
            return
        with self._apart(seat.session_id):
            control = self._playbacks.control(seat.session_id)
            if room.newest(user_id) is None:
                self._tell(control, control.leave(user_id, now))
            elif was_newest:
                self._tell(control, control.change_player(user_id, now))

    def has(self, seat: Seat) -> bool:
        """Whether this one still counts: with a session that fails, all of its seats go."""
        room = self._rooms.get(seat.session_id)
        return room is not None and seat in room.seats

    def greet(self, seat: Seat) -> None:
        """Tell one seat the present state, with the limits, as if it had just come."""
        control = self._playbacks.control(seat.session_id)
        event = control.to_timecode_event(self._clock.now())
        seat.listener.send(self._encoder.encode(event_frame(event, self._clock.clock_id, sync_limits(self._rules))))

    def hear(self, seat: Seat, frame: frames.TimecodeClientFrame, received_at: float) -> None:
        """A frame of a participant. Raises RuleError for what is wrong with its content."""
        if isinstance(frame, frames.Ping):
            self.answer_ping(seat.listener, frame, received_at)
        else:
            check_place(frame, looks_on=seat.looks_on)
            try:
                self._apply(seat, frame, self._clock.at_monotonic(received_at))
            except RuleError:
                raise
            except Exception:
                log.exception(FAILED, seat.session_id)
                self._give_up(seat.session_id)

    def measured(self, seat: Seat, round_trip: float) -> None:
        """The transport has measured a round trip to this participant, in seconds."""
        if seat.session_id in self._playbacks and not seat.looks_on:
            self._playbacks.control(seat.session_id).measured_one_way(seat.member.user_id, round_trip / 2)

    def rename(self, user_id: str, name: str) -> None:
        """Call somebody otherwise in every playback, and in what is kept of it."""
        for control in tuple(self._playbacks):
            with self._apart(control.state.session_id):
                if control.rename(user_id, name):
                    self._keep(control)

    # --- time ---------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Carry out what time brings, until cancelled."""
        while True:
            self.carry_out(self._clock.now())
            self._wakes_at = self._next_wake()
            self._earlier.clear()
            ahead = self._wakes_at - self._clock.now()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(max(ahead, 0.0) if math.isfinite(ahead) else None):
                    await self._earlier.wait()

    def carry_out(self, now: float) -> None:
        """What is due: of the playbacks; to say again where the film is, and to keep it; to drop what nobody has come
        back to."""
        for control in self._playbacks.take_due(now):
            with self._apart(control.state.session_id):
                self._tell(control, control.advance(now))
        for session_id in self._telling.due(now, TURNS_MAX, TOLD_TOGETHER_SECONDS):
            with self._apart(session_id):
                self._tell_again(session_id, now)
        for session_id in self._moved.due(now, TURNS_MAX):
            with self._apart(session_id):
                self._tell_again(session_id, now)
        for session_id in self._keeping.due(now, TURNS_MAX, KEPT_TOGETHER_SECONDS):
            with self._apart(session_id):
                self._keep_again(session_id, now)
        for session_id in self._idle.due(now, TURNS_MAX):
            self._drop(session_id)

    def let_go(self, session_id: str) -> None:
        """Forget a playback that another process keeps; nobody is closed for it."""
        self._rooms.pop(session_id, None)
        self._forget(session_id)

    def drop_deleted(self, session_id: str) -> None:
        """Forget a playback whose record another process has deleted; whoever listens is told."""
        self._deletions += 1
        self._drop(session_id, Code.NO_SESSION, DELETED)

    def interrupted(self) -> None:
        """Whoever kept a playback has failed: people come back here without having left."""
        self._others.interrupted()

    def end(self) -> None:
        """The service is about to stop: who is cut off from here on has not left, and finds the film going on."""
        self._is_ending = True

    def measure(self) -> None:
        """Set the numbers of this moment."""
        self._watch.look(self._playbacks, self._clock.now())

    def keep_all(self) -> None:
        """Put down where every film is that runs; all others are put down as they are already."""
        for control in tuple(self._playbacks):
            with self._apart(control.state.session_id):
                if control.state.timeline.rate > 0:
                    self._keep(control)

    # --- inside -------------------------------------------------------------------------------------------------

    def _apply(self, seat: Seat, frame: frames.TimecodeClientFrame, now: float) -> None:
        control = self._playbacks.control(seat.session_id)
        user_id = seat.member.user_id
        pending = control.state.status.pending
        try:
            match frame:
                case frames.Report() if seat.looks_on:
                    self._tell(control, control.ask(request_of(frame, user_id), now))
                case frames.Report():
                    if self._rooms[seat.session_id].newest(user_id) is seat:
                        self._watch.heard(control, frame, now)
                        before = control.state.position.places.get(user_id)
                        self._tell(control, control.receive(request_of(frame, user_id), now))
                        self._mind_move(control, user_id, before, now)
                case frames.Seek():
                    self._tell(control, control.seek(user_id, frame.to, now))
                case frames.Refuse():
                    self._tell(control, control.refuse(user_id, now))
                case frames.Ping():
                    raise AssertionError("answered before")
        except RuleError:
            self._plan(seat.session_id)  # what time had brought before it is still to be told
            raise
        if pending is not None and control.state.status.pending not in (None, pending):
            self._keep(control)  # one of several agreements, which is not told

    def answer_ping(self, listener: Listener, ping: frames.Ping, received_at: float) -> None:
        """Say when a ping came (monotonic seconds), on the clock that all frames are stamped with."""
        pong = frames.Pong(
            t0=ping.t0,
            t1=milliseconds(self._clock.at_monotonic(received_at)),
            t2=milliseconds(self._clock.now()),
            clock_id=self._clock.clock_id,
        )
        listener.send(self._encoder.encode(pong))

    def _tell(self, control: PlaybackControl, events: Sequence[TimecodeEvent]) -> None:
        session_id = control.state.session_id
        if events:
            self._broadcast(
                session_id, [self._encoder.encode(event_frame(event, self._clock.clock_id)) for event in events]
            )
            self._watch.told(events)
            self._keep(control)
            self._others.deeds(events)
        wake = self._playbacks.touched(session_id)
        if wake is not None and wake < self._wakes_at:
            self._earlier.set()

    def _mind_move(self, control: PlaybackControl, user_id: str, before: Place | None, now: float) -> None:
        """Have it told soon that somebody is elsewhere now, where the film stands: no change tells the others of it."""
        if control.state.timeline.moves_at(now):
            return
        after = control.state.position.places.get(user_id)
        if after is None or (before is not None and abs(after.position - before.position) <= self._rules.band_seconds):
            return
        session_id = control.state.session_id
        if session_id not in self._moved:
            self._moved.begin(session_id, now)
            self._plan(session_id)

    def _tell_again(self, session_id: str, now: float) -> None:
        """Say where the film is though nothing changed."""
        control = self._playbacks.control(session_id)
        event = control.to_timecode_event(now)
        self._broadcast(session_id, [self._encoder.encode(event_frame(event, self._clock.clock_id))])
        if event.rate > 0:
            self._others.where(control, control.to_record(now))
        self._others.deeds([event])

    def _keep_again(self, session_id: str, now: float) -> None:
        """Put down how far the film has gone, for as long as it goes and somebody is there."""
        record = self._playbacks.control(session_id).to_record(now)
        if record.rate > 0 and session_id in self._rooms:
            self._put(record)
        else:
            self._keeping.end(session_id)

    def _broadcast(self, session_id: str, told: Iterable[bytes]) -> None:
        room = self._rooms.get(session_id)
        if room is None:
            return
        self._telling.begin(session_id, self._clock.now())
        self._moved.end(session_id)
        for encoded in told:
            for seat in tuple(room.seats):
                seat.listener.send(encoded)

    def _plan(self, session_id: str) -> None:
        """Something may be due earlier than `run` sleeps."""
        self._playbacks.touched(session_id)
        if self._next_wake() < self._wakes_at:
            self._earlier.set()

    def _next_wake(self) -> float:
        wake = self._playbacks.next_wake()
        turns = (self._telling, self._moved, self._keeping, self._idle)
        return min(float("inf") if wake is None else wake, *(one.next_due() for one in turns))

    @contextlib.contextmanager
    def _apart(self, session_id: str) -> Iterator[None]:
        """What fails in the block is this session's alone: it leaves memory, and comes back from its record."""
        try:
            yield
        except Exception:
            log.exception(FAILED, session_id)
            self._give_up(session_id)

    def _give_up(self, session_id: str) -> None:
        self._others.interrupted()
        self._drop(session_id)

    def _drop(self, session_id: str, code: int = Code.OUR_FAULT, reason: str = WENT_WRONG) -> None:
        """Forget a session, but for its record; whoever listens is closed."""
        room = self._rooms.pop(session_id, None)
        self._forget(session_id)
        for seat in room.seats if room else ():
            seat.listener.close(code, reason)

    def _forget(self, session_id: str) -> None:
        self._playbacks.forget(session_id)
        self._others.end(session_id)
        self._telling.end(session_id)
        self._moved.end(session_id)
        self._idle.end(session_id)
        self._keeping.end(session_id)

    def _keep(self, control: PlaybackControl) -> None:
        if control.state.session_id in self._deleting:
            return
        record = control.to_record(self._clock.now())
        self._put(record)
        self._others.where(control, record)

    def _put(self, record: TimecodeRecord) -> None:
        if record.session_id not in self._deleting:
            if record.rate > 0:
                self._keeping.begin(record.session_id, self._clock.now())
            else:
                self._keeping.end(record.session_id)
            self._records.put(to_document(record))

    async def _load(self, session_id: str) -> PlaybackControl:
        while session_id not in self._playbacks:
            deletions = self._deletions
            document = await self._records.get(session_id)
            if document is None:
                raise NotFound("No timecode has been created for this session.")
            # Meanwhile somebody else may have loaded it, or it was deleted behind our reading.
            if session_id not in self._playbacks and deletions == self._deletions:
                now = self._clock.now()
                record = from_document(document)
                control = self._playbacks.restore(record, now)
                self._others.begin(control, record.present)
                self._idle.begin(session_id, now)
                self._tell(control, control.advance(now))  # what fell due while it was not in memory
                self._plan(session_id)
        return self._playbacks.control(session_id)

    def _body(self, session_id: str) -> TimecodeBody:
        return record_body(self._playbacks.control(session_id).to_timecode_event(self._clock.now()))
