"""Who listens to a session's predictions, where each of them is in the film, and what time brings there.

Everything here happens at once and in memory: a prediction is learned as it was written, told to every seat as its
person may see it, and the room's alarm is set to what comes next. What an alarm wants written it names (`due`), and
whoever owns the rooms writes it. A room is there before its predictions are read, so that nothing that is learned
meanwhile is lost; nothing old ever follows something new, because a prediction is known by its version.
"""

import asyncio
import contextvars
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

import msgspec

from dateflicks.core.playback import Timeline
from dateflicks.core.prediction import Prediction, State
from dateflicks.protocol.predictions import PredictionBody, PredictionFrame, PredictionReason
from dateflicks.server.services.prediction.films import Film, Films, moving, reached_at
from dateflicks.server.services.prediction.records import Kept, order_key
from dateflicks.server.services.prediction.views import prediction_body

VEIL_SECONDS: Final = 1.0  # of film: two people in step are never further apart, and a moment earlier spoils nothing
IDLE_SECONDS: Final = 600.0  # a session that nobody listens to is dropped from memory after this long
IDLE_ROOMS_MAX: Final = 1_000  # of them at once, some 200 KiB each at the very most
PRESENT_BYTES: Final = 128 * 1024  # half of what a peer may be behind; the rest is found with GET
AGAIN_SECONDS: Final = 1.0  # until what could not be written is tried again
LEAST_SECONDS: Final = 0.002  # an alarm is never set for less: a timer that rings early must not ring without end


class Listener(Protocol):
    """One connection."""

    def send(self, frame: bytes) -> bool:
        """Send a text frame; False when the peer is gone or too far behind."""


@dataclass(slots=True, eq=False)
class Seat:
    """One connection of one person; `veiled` are the predictions of which they know only that they wait."""

    session_id: str
    user_id: str
    listener: Listener
    veiled: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Silence:
    """When a proposal's time is over: on the even clock, and in Unix seconds to be told."""

    due: float
    deadline: float


@dataclass(slots=True, eq=False)
class Room:
    """One session in memory; `known` are its predictions, `positions` are what people's own clients say."""

    session_id: str
    touched_at: float
    is_loaded: bool = False
    seats: list[Seat] = field(default_factory=list)
    here: Counter[str] = field(default_factory=Counter)
    known: dict[str, Kept] = field(default_factory=dict)
    positions: dict[str, Timeline] = field(default_factory=dict)
    silences: dict[str, Silence] = field(default_factory=dict)
    unveiled: set[tuple[str, str]] = field(default_factory=set)  # by person: what was shown once stays shown
    doubts: dict[str, int] = field(default_factory=dict)  # writes that may have happened: how often to look yet
    is_writing: bool = False  # what is due; nothing more is due until that is over
    not_before: float = 0.0  # nor before this, because the database was away
    alarm: asyncio.TimerHandle | None = None

    def newest_first(self) -> list[Kept]:
        """Its predictions, the newest first."""
        return sorted(self.known.values(), key=creation_key, reverse=True)


def creation_key(kept: Kept) -> str:
    """Where a prediction stands among those of its session."""
    return order_key(kept.prediction.created_at, kept.prediction.id)


class Rooms:
    """All rooms of this process. `now` is Unix time, `evenly` a clock that is never stepped; `ring` is called, at once
    or by a timer, when something is due that has to be written."""

    def __init__(
        self,
        now: Callable[[], float],
        evenly: Callable[[], float],
        confirm_seconds: float,
        ring: Callable[[Room], None],
    ) -> None:
        self._now = now
        self._evenly = evenly
        self._confirm_seconds = confirm_seconds
        self._ring = ring
        self._films = Films()
        self._rooms: dict[str, Room] = {}
        self._is_ending = False
        self._encode = msgspec.json.Encoder().encode

    def __len__(self) -> int:
        return len(self._rooms)

    def __iter__(self) -> Iterator[Room]:
        return iter(tuple(self._rooms.values()))

    def get(self, session_id: str) -> Room | None:
        """A session's room, or None while it is not in memory."""
        return self._rooms.get(session_id)

    def enter(self, session_id: str) -> Room:
        """A session's room, which may have to be loaded yet."""
        room = self._rooms.pop(session_id, None) or Room(session_id, self._evenly())
        room.touched_at = self._evenly()
        self._rooms[session_id] = room  # at the end: the ones that nobody needed for longest come first
        if len(self._rooms) > IDLE_ROOMS_MAX:
            self._drop_idle(room)
        self._plan(room)
        return room

    def end(self) -> None:
        """The service is about to stop: who is cut off from here on has not gone away, and nothing is planned."""
        self._is_ending = True
        for room in self._rooms.values():
            self._cancel(room)

    # --- where the film is --------------------------------------------------------------------------------------

    def hear(self, _: str, hint: Mapping[str, Any]) -> None:
        """A hint of where a film is."""
        session_id = self._films.hear(hint, self._now(), self._evenly())
        if session_id is not None and (room := self._rooms.get(session_id)) is not None:
            room.touched_at = self._evenly()
            self.look(room)

    def film(self, session_id: str) -> Film | None:
        """What the bus said of this film, or None."""
        return self._films.get(session_id)

    def film_position(self, session_id: str) -> float | None:
        """Where the film is now, as far as the bus said."""
        film = self._films.get(session_id)
        return None if film is None else film.timeline.position_at(self._evenly())

    def moved(self, seat: Seat, position: float, rate: float) -> None:
        """Somebody's own client says where its player is."""
        room = self._rooms.get(seat.session_id)
        if room is None or seat not in room.seats:
            return
        film = self._films.get(seat.session_id)
        room.positions[seat.user_id] = moving(position, self._evenly(), rate, film.length if film else 0.0)
        self.look(room)

    def position_of(self, room: Room, user_id: str) -> float | None:
        """Where this person is in the film now: as they say, as the bus says of them, or where the film is."""
        timeline = self._timeline_of(room, user_id)
        return None if timeline is None else timeline.position_at(self._evenly())

    def has_passed(self, room: Room, prediction: Prediction) -> bool:
        """Whether the film has got to where this prediction locks."""
        return self._passes_at(room, prediction, self._evenly()) <= self._evenly()

    # --- what each may see --------------------------------------------------------------------------------------

    def waits(self, room: Room, prediction: Prediction, user_id: str) -> bool:
        """Whether this person is told only that there is a prediction: their film is not yet where it was made."""
        shown = (user_id, prediction.id)
        if shown in room.unveiled or prediction.at_position is None or user_id in prediction.people:
            return False
        if self._unveils_at(room, prediction, user_id, self._evenly()) > self._evenly():
            return True
        room.unveiled.add(shown)
        return False

    def body(self, room: Room, kept: Kept, user_id: str) -> PredictionBody:
        """A prediction as this person may see it now."""
        silence = room.silences.get(kept.prediction.id)
        waits = self.waits(room, kept.prediction, user_id)
        return prediction_body(kept, user_id, waits=waits, deadline=silence.deadline if silence else None)

    # --- seats --------------------------------------------------------------------------------------------------

    def sit_down(self, room: Room, user_id: str, listener: Listener) -> Seat:
        """Somebody connects, and is told everything: what is live first, and the newest first of each."""
        room.here[user_id] += 1
        self.look(room)  # the others are told that they are back
        seat = Seat(room.session_id, user_id, listener)
        room.seats.append(seat)
        size = 0
        for kept in sorted(room.newest_first(), key=lambda one: not one.prediction.is_live):
            frame = self._frame(room, kept, seat, "present")
            size += len(frame)
            if size > PRESENT_BYTES:
                break
            listener.send(frame)
        self._plan(room)
        return seat

    def stand_up(self, seat: Seat) -> None:
        """A connection is gone; with the last one of a person, what waits for them has its time."""
        room = self._rooms.get(seat.session_id)
        if room is None or seat not in room.seats:
            return
        room.seats.remove(seat)
        room.here[seat.user_id] -= 1
        if room.here[seat.user_id] <= 0:
            del room.here[seat.user_id]
            room.positions.pop(seat.user_id, None)
        room.touched_at = self._evenly()
        if not self._is_ending:
            self.look(room)

    # --- what happens -------------------------------------------------------------------------------------------

    def learn(self, room: Room, kept: Kept) -> None:
        """A prediction is now like this: everybody is told, unless it is known already."""
        prediction = kept.prediction
        before = room.known.get(prediction.id)
        if before is not None and before.rev >= kept.rev:
            return
        room.known[prediction.id] = kept
        self._listen_for_silence(room, prediction)
        self._tell(room, kept, _reason(before.prediction if before else None, prediction))
        self._plan(room)

    def forget(self, room: Room, prediction_id: str) -> None:
        """Somebody has taken it out of the database."""
        room.known.pop(prediction_id, None)
        room.silences.pop(prediction_id, None)
        for seat in room.seats:
            seat.veiled.discard(prediction_id)

    def look(self, room: Room) -> None:
        """See what has changed with time, with where the film is, or with who is here; and set the alarm anew."""
        if self._is_ending:
            return
        for kept in tuple(room.known.values()):
            if kept.prediction.is_proposed or kept.prediction.id in room.silences:
                was = kept.prediction.id in room.silences
                if self._listen_for_silence(room, kept.prediction):
                    self._tell(room, kept, "back" if was else "away")
        for seat in tuple(room.seats):
            for prediction_id in tuple(seat.veiled):
                kept = room.known[prediction_id]
                if not self.waits(room, kept.prediction, seat.user_id):
                    seat.listener.send(self._frame(room, kept, seat, "shown"))
        now = self._evenly()
        if self._writes_at(room, now) <= now:
            room.is_writing = True
            self._ring(room)
        self._plan(room)

    def is_silent(self, room: Room, prediction: Prediction) -> bool:
        """Whether nobody has answered this proposal in time."""
        silence = room.silences.get(prediction.id)
        return silence is not None and self._evenly() >= silence.due

    def written(self, room: Room, *, is_done: bool) -> None:
        """What was due is written, or the database is away and it is tried again later."""
        room.is_writing = False
        room.not_before = 0.0 if is_done else self._evenly() + AGAIN_SECONDS
        self._plan(room)

    # --- inside -------------------------------------------------------------------------------------------------

    def _timeline_of(self, room: Room, user_id: str) -> Timeline | None:
        own = room.positions.get(user_id)
        if own is not None:
            return own
        film = self._films.get(room.session_id)
        return None if film is None else film.people.get(user_id, film.timeline)

    def _film_timelines(self, room: Room, now: float) -> list[Timeline]:
        """What a film is believed by: the bus while it speaks, else whoever of its people is furthest."""
        film = self._films.get(room.session_id)
        if film is not None and (film.is_fresh(now) or not room.positions):
            return [film.timeline]
        return list(room.positions.values())

    def _passes_at(self, room: Room, prediction: Prediction, now: float) -> float:
        if prediction.state is not State.OPEN or prediction.locks_at_position is None:
            return float("inf")
        place = prediction.locks_at_position
        return min((reached_at(one, place, now) for one in self._film_timelines(room, now)), default=float("inf"))

    def _unveils_at(self, room: Room, prediction: Prediction, user_id: str, now: float) -> float:
        timeline = self._timeline_of(room, user_id)
        if timeline is None or prediction.at_position is None:
            return now
        return reached_at(timeline, prediction.at_position - VEIL_SECONDS, now)

    def _writes_at(self, room: Room, now: float) -> float:
        """When something has to be written."""
        if room.is_writing:
            return float("inf")
        locks = (self._passes_at(room, kept.prediction, now) for kept in room.known.values())
        ends = (silence.due for silence in room.silences.values())
        at = now if room.doubts else min(*locks, *ends, float("inf"), float("inf"))
        return max(at, room.not_before)

    def _listen_for_silence(self, room: Room, prediction: Prediction) -> bool:
        """Begin or end the time that a proposal has while whoever should answer is away; whether that changed."""
        is_waiting = prediction.is_proposed and self._is_away(room, prediction)
        if is_waiting == (prediction.id in room.silences):
            return False
        if is_waiting:
            seconds = self._confirm_seconds
            room.silences[prediction.id] = Silence(self._evenly() + seconds, self._now() + seconds)
        else:
            del room.silences[prediction.id]
        return True

    def _is_away(self, room: Room, prediction: Prediction) -> bool:
        """Whether somebody who has to answer is not here; when nobody else has called, whether nobody else is."""
        if prediction.awaited:
            return any(user_id not in room.here for user_id in prediction.awaited)
        return not any(user_id != prediction.proposed_by for user_id in room.here)

    def _tell(self, room: Room, kept: Kept, reason: PredictionReason) -> None:
        for seat in tuple(room.seats):
            seat.listener.send(self._frame(room, kept, seat, reason))

    def _frame(self, room: Room, kept: Kept, seat: Seat, reason: PredictionReason) -> bytes:
        body = self.body(room, kept, seat.user_id)
        if body.waits:
            seat.veiled.add(body.id)
        else:
            seat.veiled.discard(body.id)
        return self._encode(PredictionFrame(reason=reason, prediction=body))

    def _plan(self, room: Room) -> None:
        """Set the room's alarm to what comes next."""
        self._cancel(room)
        if self._is_ending or self._rooms.get(room.session_id) is not room:
            return
        now = self._evenly()
        at = self._next(room, now)
        if not self._is_needed(room):
            at = min(at, room.touched_at + IDLE_SECONDS)
        if at < float("inf"):
            # Not in the context of whoever is calling, which would keep their request for as long.
            room.alarm = asyncio.get_running_loop().call_later(
                max(at - now, LEAST_SECONDS), self._rang, room, context=contextvars.Context()
            )

    def _next(self, room: Room, now: float) -> float:
        shows = (
            self._unveils_at(room, room.known[prediction_id].prediction, seat.user_id, now)
            for seat in room.seats
            for prediction_id in seat.veiled
        )
        return min(self._writes_at(room, now), min(shows, default=float("inf")))

    def _rang(self, room: Room) -> None:
        room.alarm = None
        if not self._is_needed(room) and self._evenly() >= room.touched_at + IDLE_SECONDS:
            self._drop(room)
        else:
            self.look(room)

    def _is_needed(self, room: Room) -> bool:
        """Whether it stays in memory however long nobody has asked for it."""
        return bool(room.seats or room.silences or room.doubts or room.is_writing)

    def _cancel(self, room: Room) -> None:
        if room.alarm is not None:
            room.alarm.cancel()
            room.alarm = None

    def _drop_idle(self, newest: Room) -> None:
        for room in tuple(self._rooms.values()):
            if room is not newest and not room.seats:
                self._drop(room)
                return

    def _drop(self, room: Room) -> None:
        self._cancel(room)
        if self._rooms.get(room.session_id) is room:
            del self._rooms[room.session_id]


def _reason(before: Prediction | None, after: Prediction) -> PredictionReason:
    """What was done, seen by what is different."""
    if before is None:
        return "made"
    if before.state is not after.state:
        return "settled" if after.state is State.SETTLED else "void" if after.state is State.VOID else "locked"
    if before.proposed_by != after.proposed_by:
        return "proposed"
    return "confirmed" if before.confirmations != after.confirmations else "called"
