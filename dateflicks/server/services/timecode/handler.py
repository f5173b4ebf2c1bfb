"""The rules of the timecode service, without a web framework: rooms of listeners around playbacks, told and kept.

A room is one session with its playback and whoever listens. Everything that happens to a playback goes through `_tell`:
its events go to all listeners in order, its record is put down once, and the next wake-up is set. Playback goes on from
memory while the database is away; what must be kept is written when it returns (`Records` writes behind).
"""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

import msgspec

from dateflicks.core import limits
from dateflicks.core.errors import Conflict, NotFound
from dateflicks.core.playback import Member, PlaybackCollection, PlaybackControl, PlaybackRules, TimecodeEvent
from dateflicks.protocol import frames
from dateflicks.protocol.bodies import TimecodeBody
from dateflicks.protocol.timecode import event_frame, milliseconds, record_body, request_of, sync_limits
from dateflicks.server.clock import ServerClock
from dateflicks.server.services.timecode.records import from_document, to_document

IDLE_SECONDS: Final = 600.0  # a session with nobody there is dropped from memory after this long; its record stays
SWEEP_SECONDS: Final = 0.5  # how often rooms are looked through for what is said and kept regularly
PLAYBACK_TOPIC: Final = "playback"


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


class Hints(Protocol):
    """Where others in this deployment may learn what happened, without being asked."""

    def publish(self, topic: str, body: Mapping[str, Any]) -> None:
        """Tell whoever listens; nobody has to."""


class Listener(Protocol):
    """One connection of one participant."""

    def send(self, frame: bytes) -> bool:
        """Send a text frame; False when the peer is gone or too far behind."""

    def close(self, code: int, reason: str = "") -> None:
        """End the connection."""


@dataclass(slots=True)
class Seat:
    """A listener and whose it is."""

    session_id: str
    member: Member
    listener: Listener


@dataclass(slots=True)
class Room:
    """One session: its seats, the newest of a person last, and when it was last told and kept."""

    session_id: str
    seats: list[Seat] = field(default_factory=list)
    told_at: float = float("-inf")
    empty_since: float | None = None


class TimecodeHandler:
    """All rooms of this process; one instance per service, driven by its feed, its routes and its own `run`."""

    def __init__(self, records: Records, clock: ServerClock, rules: PlaybackRules, hints: Hints) -> None:
        self._records = records
        self._clock = clock
        self._rules = rules
        self._hints = hints
        self._encoder = msgspec.json.Encoder()
        self._playbacks = PlaybackCollection((), clock.now(), rules)
        self._rooms: dict[str, Room] = {}
        self._earlier = asyncio.Event()
        self._wakes_at = float("-inf")

    @property
    def clock(self) -> ServerClock:
        """The clock that all frames of this service are stamped with."""
        return self._clock

    # --- REST ---------------------------------------------------------------------------------------------------

    async def create(self, session_id: str, length: float) -> TimecodeBody:
        """A new timecode at stop. Raises Conflict when there is one, Unavailable."""
        control = PlaybackControl(session_id, length, self._clock.now(), self._rules)
        inserted = await self._records.insert(to_document(control.to_record(self._clock.now())))
        if not inserted:
            raise Conflict("This session has a timecode already: change its length with PATCH, or connect to it.")
        if session_id not in self._playbacks:  # somebody may have connected as soon as the record was there
            self._playbacks.create(session_id, length, self._clock.now())
            self._rooms.setdefault(session_id, Room(session_id, empty_since=self._clock.now()))
        return self._body(session_id)

    async def read(self, session_id: str) -> TimecodeBody:
        """The present state. Raises NotFound, Unavailable."""
        await self._load(session_id)
        return self._body(session_id)

    async def set_length(self, session_id: str, length: float) -> TimecodeBody:
        """Correct the length. Raises NotFound, Unavailable."""
        control = await self._load(session_id)
        self._tell(control, control.set_length(length, self._clock.now()))
        return self._body(session_id)

    async def delete(self, session_id: str) -> None:
        """Forget a session's playback; whoever listens is told that it is gone. Raises NotFound, Unavailable."""
        deleted = await self._records.delete(session_id)
        room = self._rooms.pop(session_id, None)
        known = session_id in self._playbacks
        self._playbacks.forget(session_id)
        for seat in room.seats if room else ():
            seat.listener.close(4404, "the timecode was deleted")
        if not deleted and not known:
            raise NotFound("No timecode has been created for this session.")

    # --- connections --------------------------------------------------------------------------------------------

    async def load(self, session_id: str) -> None:
        """Make sure that a session's playback is in memory before somebody sits down. Raises NotFound, Unavailable."""
        await self._load(session_id)

    def sit_down(self, session_id: str, member: Member, listener: Listener) -> Seat:
        """Somebody connects; everybody is told, they with the limits. `load` must have succeeded. Raises NotFound."""
        control = self._playbacks.control(session_id)
        room = self._rooms.setdefault(session_id, Room(session_id))
        room.empty_since = None
        seat = Seat(session_id, member, listener)
        is_first = all(other.member.user_id != member.user_id for other in room.seats)
        now = self._clock.now()
        if is_first:
            self._tell(control, control.join(member, now))
        room.seats.append(seat)
        greeting = event_frame(control.to_timecode_event(now), self._clock.clock_id, sync_limits(self._rules))
        listener.send(self._encoder.encode(greeting))
        return seat

    def stand_up(self, seat: Seat) -> None:
        """A connection is gone; with the last one of a person, the others are told."""
        room = self._rooms.get(seat.session_id)
        if room is None or seat not in room.seats:
            return
        room.seats.remove(seat)
        now = self._clock.now()
        if not room.seats:
            room.empty_since = now
        if all(other.member.user_id != seat.member.user_id for other in room.seats):
            control = self._playbacks.control(seat.session_id)
            self._tell(control, control.leave(seat.member.user_id, now))

    def hear(self, seat: Seat, frame: frames.TimecodeClientFrame, received_at: float) -> None:
        """A frame of a participant. Raises RuleError for what is wrong with its content."""
        if isinstance(frame, frames.Ping):
            self._answer_ping(seat, frame, received_at)
        else:
            self._apply(seat, frame, self._clock.at_monotonic(received_at))

    def measured(self, seat: Seat, round_trip: float) -> None:
        """The transport has measured a round trip to this participant, in seconds."""
        if seat.session_id in self._playbacks:
            self._playbacks.control(seat.session_id).measured_one_way(seat.member.user_id, round_trip / 2)

    # --- time ---------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Carry out what time brings, until cancelled."""
        while True:
            now = self._clock.now()
            for control, events in self._playbacks.advance(now):
                self._tell(control, events)
            self._tell_regularly(now)
            self._wakes_at = min(self._next_wake(), now + SWEEP_SECONDS)
            self._earlier.clear()
            try:
                await asyncio.wait_for(self._earlier.wait(), max(self._wakes_at - self._clock.now(), 0.0))
            except TimeoutError:
                continue

    def keep_all(self) -> None:
        """Put down the record of every playback: the service is about to stop."""
        for control in self._playbacks:
            self._keep(control)

    # --- inside -------------------------------------------------------------------------------------------------

    def _apply(self, seat: Seat, frame: frames.TimecodeClientFrame, now: float) -> None:
        control = self._playbacks.control(seat.session_id)
        user_id = seat.member.user_id
        match frame:
            case frames.Report():
                if self._newest(seat):
                    self._tell(control, control.receive(request_of(frame, user_id), now))
            case frames.Seek():
                self._tell(control, control.seek(user_id, frame.to, now))
            case frames.Refuse():
                self._tell(control, control.refuse(user_id, now))
            case frames.Ping():
                raise AssertionError("answered before")

    def _answer_ping(self, seat: Seat, ping: frames.Ping, received_at: float) -> None:
        pong = frames.Pong(
            t0=ping.t0,
            t1=milliseconds(self._clock.at_monotonic(received_at)),
            t2=milliseconds(self._clock.now()),
            clock_id=self._clock.clock_id,
        )
        seat.listener.send(self._encoder.encode(pong))

    def _newest(self, seat: Seat) -> bool:
        """Whether this is the newest connection of its person: only that one's player is followed."""
        room = self._rooms[seat.session_id]
        return next(one for one in reversed(room.seats) if one.member.user_id == seat.member.user_id) is seat

    def _tell(self, control: PlaybackControl, events: Iterable[TimecodeEvent]) -> None:
        session_id = control.state.session_id
        told = [self._encoder.encode(event_frame(event, self._clock.clock_id)) for event in events]
        if told:
            self._broadcast(session_id, told)
            self._keep(control)
        self._playbacks.touched(session_id)
        if self._next_wake() < self._wakes_at:
            self._earlier.set()

    def _broadcast(self, session_id: str, told: Iterable[bytes]) -> None:
        room = self._rooms.get(session_id)
        if room is None:
            return
        room.told_at = self._clock.now()
        for encoded in told:
            for seat in tuple(room.seats):
                seat.listener.send(encoded)

    def _tell_regularly(self, now: float) -> None:
        """Say again where the film is, and keep it; drop from memory what nobody has come back to."""
        for room in tuple(self._rooms.values()):
            if room.seats and now >= room.told_at + limits.EVENT_INTERVAL_SECONDS:
                control = self._playbacks.control(room.session_id)
                event = control.to_timecode_event(now)
                self._broadcast(room.session_id, [self._encoder.encode(event_frame(event, self._clock.clock_id))])
                if event.rate > 0:
                    self._keep(control)
            elif room.empty_since is not None and now >= room.empty_since + IDLE_SECONDS:
                self._keep(self._playbacks.control(room.session_id))
                self._playbacks.forget(room.session_id)
                del self._rooms[room.session_id]

    def _next_wake(self) -> float:
        wake = self._playbacks.next_wake()
        return float("inf") if wake is None else wake

    def _keep(self, control: PlaybackControl) -> None:
        record = control.to_record(self._clock.now())
        self._records.put(to_document(record))
        hint = {"sessionId": record.session_id, "position": record.current_position, "length": record.length}
        self._hints.publish(PLAYBACK_TOPIC, hint)

    async def _load(self, session_id: str) -> PlaybackControl:
        if session_id in self._playbacks:
            return self._playbacks.control(session_id)
        document = await self._records.get(session_id)
        if document is None:
            raise NotFound("No timecode has been created for this session.")
        if session_id not in self._playbacks:  # somebody else may have loaded it meanwhile
            self._playbacks.restore(from_document(document), self._clock.now())
            self._rooms.setdefault(session_id, Room(session_id, empty_since=self._clock.now()))
        return self._playbacks.control(session_id)

    def _body(self, session_id: str) -> TimecodeBody:
        return record_body(self._playbacks.control(session_id).to_timecode_event(self._clock.now()))
