"""Who listens to a session's predictions, what each of them is told, and what time brings there.

Everything here happens at once and in memory: a prediction is learned as it was written, told to every seat as its
person may see it, and the room's alarm is set to what comes next. What an alarm wants written it leaves to whoever owns
the rooms (`ring`). A room is there before its predictions are read, so that nothing that is learned meanwhile is lost;
nothing old ever follows something new, because a prediction is known by its version.
"""

import asyncio
import contextvars
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from dateflicks.core.prediction import Prediction, State
from dateflicks.protocol.predictions import PredictionBody, PredictionFrame, PredictionReason
from dateflicks.server.services.prediction.films import Films, moving
from dateflicks.server.services.prediction.records import Kept
from dateflicks.server.services.prediction.room import Listener, Room, Seat, Silence
from dateflicks.server.services.prediction.views import prediction_body
from dateflicks.server.services.prediction.whereabouts import NEVER, Whereabouts

IDLE_SECONDS: Final = 600.0  # a session that nobody listens to is dropped from memory after this long
IDLE_ROOMS_MAX: Final = 1_000  # beyond these the one that was needed longest ago goes; 200 KiB each at the very most
PRESENT_BYTES: Final = 128 * 1024  # half of what a peer may be behind; the rest is found with GET
AGAIN_SECONDS: Final = 1.0  # until what could not be written is tried again
LEAST_SECONDS: Final = 0.002  # an alarm is never set for less: a timer that rings early must not ring without end


class Rooms:
    """All rooms of this process. `now` is Unix time, `evenly` a clock that is never stepped; `ring` is called, at once
    or by a timer, when something is due that has to be written, and answered by `written`."""

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
        self.where = Whereabouts(self._films, evenly)
        self._rooms: dict[str, Room] = {}
        self._is_ending = False
        self.on_here: Callable[[Room], None] = _nothing
        self.on_enter: Callable[[Room], None] = _nothing
        self.on_moved: Callable[[Room, str, float, float], None] = _nothing
        self._encode = msgspec.json.Encoder().encode

    def __len__(self) -> int:
        return len(self._rooms)

    def get(self, session_id: str) -> Room | None:
        """A session's room, or None while it is not in memory."""
        return self._rooms.get(session_id)

    def enter(self, session_id: str) -> Room:
        """A session's room, which may have to be loaded yet."""
        known = self._rooms.pop(session_id, None)
        room = known or Room(session_id, self._evenly())
        room.touched_at = self._evenly()
        self._rooms[session_id] = room  # at the end: the ones that nobody needed for longest come first
        if known is None:
            self.on_enter(room)
        if len(self._rooms) > IDLE_ROOMS_MAX:
            self._drop_idle(room)
        self._plan(room)
        return room

    def everywhere(self) -> list[Room]:
        """All rooms that are in memory."""
        return list(self._rooms.values())

    def with_seats(self) -> list[Room]:
        """Those in which somebody sits."""
        return [room for room in self._rooms.values() if room.seats]

    def end(self) -> None:
        """The service is about to stop: who is cut off from here on has not gone away, and nothing is planned."""
        self._is_ending = True
        for room in self._rooms.values():
            self._cancel(room)

    # --- seats --------------------------------------------------------------------------------------------------

    def sit_down(self, room: Room, user_id: str, listener: Listener) -> Seat:
        """Somebody connects, and is told everything: what is live first, and the newest first of each."""
        room.here[user_id] += 1
        self.on_here(room)
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
            if not self._is_ending:
                self.on_here(room)
            room.positions.pop(seat.user_id, None)
        room.touched_at = self._evenly()
        self.look(room)

    def moved(self, seat: Seat, position: float, rate: float) -> None:
        """Somebody's own client says where its player is, and how fast it goes."""
        room = self._rooms.get(seat.session_id)
        if room is None or seat not in room.seats:
            return
        self._move(room, seat.user_id, position, rate)
        self.on_moved(room, seat.user_id, position, rate)

    def moved_elsewhere(self, room: Room, user_id: str, position: float, rate: float) -> None:
        """The same of somebody who is connected to another process."""
        self._move(room, user_id, position, rate)

    def forget_places(self, room: Room) -> None:
        """Forget where those are who are not here any more."""
        for user_id in [one for one in room.positions if not room.is_here(one)]:
            del room.positions[user_id]

    def _move(self, room: Room, user_id: str, position: float, rate: float) -> None:
        film = self.where.film(room)
        room.positions[user_id] = moving(position, self._evenly(), rate, film.length if film else 0.0)
        self.look(room)

    def body(self, room: Room, kept: Kept, user_id: str) -> PredictionBody:
        """A prediction as this person may see it now."""
        silence = room.silences.get(kept.prediction.id)
        waits = self.where.waits(room, kept.prediction, user_id)
        return prediction_body(kept, user_id, waits=waits, deadline=silence.deadline if silence else None)

    # --- what happens -------------------------------------------------------------------------------------------

    def hear(self, _: str, hint: Mapping[str, Any]) -> None:
        """A hint of where a film is."""
        session_id = self._films.hear(hint, self._now(), self._evenly())
        if session_id is not None and (room := self._rooms.get(session_id)) is not None:
            room.touched_at = self._evenly()
            self.look(room)

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
            was_silent = kept.prediction.id in room.silences
            if (was_silent or kept.prediction.is_proposed) and self._listen_for_silence(room, kept.prediction):
                self._tell(room, kept, "back" if was_silent else "away")
        for seat in tuple(room.seats):
            for prediction_id in tuple(seat.veiled):
                kept = room.known[prediction_id]
                if not self.where.waits(room, kept.prediction, seat.user_id):
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

    def _listen_for_silence(self, room: Room, prediction: Prediction) -> bool:
        """Begin or end the time that a proposal has while whoever should answer is away; whether that changed."""
        is_waiting = prediction.is_proposed and _is_away(room, prediction)
        if is_waiting == (prediction.id in room.silences):
            return False
        if is_waiting:
            seconds = self._confirm_seconds
            room.silences[prediction.id] = Silence(self._evenly() + seconds, self._now() + seconds)
        else:
            del room.silences[prediction.id]
        return True

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
        shows = (
            self.where.unveils_at(room, room.known[prediction_id].prediction, seat.user_id, now)
            for seat in room.seats
            for prediction_id in seat.veiled
        )
        at = min(self._writes_at(room, now), min(shows, default=NEVER))
        if not room.is_needed:
            at = min(at, room.touched_at + IDLE_SECONDS)
        if at < NEVER:
            # Not in the context of whoever is calling, which would keep their request for as long.
            room.alarm = asyncio.get_running_loop().call_later(
                max(at - now, LEAST_SECONDS), self._rang, room, context=contextvars.Context()
            )

    def _writes_at(self, room: Room, now: float) -> float:
        """When something has to be written."""
        if room.is_writing:
            return NEVER
        locks = min((self.where.passes_at(room, kept.prediction, now) for kept in room.known.values()), default=NEVER)
        ends = min((silence.due for silence in room.silences.values()), default=NEVER)
        return max(now if room.doubts else min(locks, ends), room.not_before)

    def _rang(self, room: Room) -> None:
        room.alarm = None
        if not room.is_needed and self._evenly() >= room.touched_at + IDLE_SECONDS:
            self._drop(room)
        else:
            self.look(room)

    def _cancel(self, room: Room) -> None:
        if room.alarm is not None:
            room.alarm.cancel()
            room.alarm = None

    def _drop_idle(self, newest: Room) -> None:
        for room in tuple(self._rooms.values()):
            if room is not newest and not room.is_needed:
                self._drop(room)
                return

    def _drop(self, room: Room) -> None:
        self._cancel(room)
        if self._rooms.get(room.session_id) is room:
            del self._rooms[room.session_id]


def _nothing(*_: object) -> None:
    """Nobody wants to know."""


def _is_away(room: Room, prediction: Prediction) -> bool:
    """Whether somebody who has to answer is not here; when nobody else has called, whether nobody else is."""
    if prediction.awaited:
        return not all(room.is_here(user_id) for user_id in prediction.awaited)
    return not room.everybody - {prediction.proposed_by}


def _reason(before: Prediction | None, after: Prediction) -> PredictionReason:
    """What was done, seen by what is different."""
    if before is None:
        return "made"
    if before.state is not after.state:
        return "settled" if after.state is State.SETTLED else "void" if after.state is State.VOID else "locked"
    if before.proposed_by != after.proposed_by:
        return "proposed"
    return "confirmed" if before.confirmations != after.confirmations else "called"
