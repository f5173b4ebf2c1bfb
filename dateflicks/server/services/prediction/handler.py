"""The rules of the prediction service, without a web framework: who asks for what, and what is written of it.

Every change is read, asked of the table of transitions, and written by a compare-and-set; whoever else was first, it is
asked again of what is there now. So an action that was carried out already changes nothing when it is repeated, and
nothing scores twice. A write that nobody knows the fate of is looked up when the database is back.
"""

import asyncio
import hashlib
import logging
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from dateflicks.core import limits, scoring
from dateflicks.core.errors import Conflict, FieldProblem, Invalid, NotFound, Unavailable
from dateflicks.core.prediction import Action, Call, Prediction, State
from dateflicks.protocol.ids import id_of, is_id, new_id
from dateflicks.protocol.predictions import (
    DEFAULT_OPTIONS,
    CallRequest,
    PositionFrame,
    PredictionBody,
    PredictionPage,
    PredictionRequest,
    Scores,
)
from dateflicks.protocol.text import clean_line
from dateflicks.server.bus.local import Bus
from dateflicks.server.services.prediction.pages import page_of
from dateflicks.server.services.prediction.records import Kept, from_document, to_fields
from dateflicks.server.services.prediction.rooms import Listener, Room, Rooms, Seat
from dateflicks.server.services.prediction.tables import Tables, session_table
from dateflicks.server.storage.records import Document, Duplicate, Missing, OutcomeUnknown, Stale
from dateflicks.server.storage.table import Table
from dateflicks.server.web.limiter import Limiter

log = logging.getLogger(__name__)

CHANGED_TOPIC: Final = "prediction"
TRIES: Final = 16  # at one change: twice as many as a full party can make at once
LOOKS: Final = 5  # at what may have been written, a second apart: it may be carried out after the outage
CHANGES_PER_WINDOW: Final = 600  # that one person may ask for; far more than anybody bets
WINDOW_SECONDS: Final = 60.0
_SALT_BYTES: Final = 16
_NO_PREDICTION: Final = "There is no such prediction in this session."


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody in a session."""

    session_id: str
    user_id: str
    name: str


Following = Callable[[Prediction], Prediction]


class PredictionHandler:
    """One process's rules over the predictions of all; `now` is Unix time, `evenly` a clock that is never stepped."""

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
        self._evenly = evenly
        self._changing = Limiter(CHANGES_PER_WINDOW, WINDOW_SECONDS, "This is too much at once. Wait a moment.")
        self._tasks: set[asyncio.Task[None]] = set()
        self.rooms = Rooms(now, evenly, confirm_seconds, self._rang)

    async def stop(self) -> None:
        """Plan nothing more, and leave what is being written to whoever comes next."""
        self.rooms.end()
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    # --- looking ------------------------------------------------------------------------------------------------

    async def list(self, member: Member, cursor: str | None, limit: int) -> PredictionPage:
        """A session's predictions, the newest first. Raises Invalid (the cursor), Unavailable."""
        room = await self._fresh(member.session_id)
        shown, following = page_of(room.newest_first(), cursor, limit)
        items = [self.rooms.body(room, kept, member.user_id) for kept in shown]
        return PredictionPage(items=items, next=following)

    async def read(self, member: Member, prediction_id: str) -> PredictionBody:
        """One of them. Raises NotFound, Unavailable."""
        room = await self._load(member.session_id)
        kept = await self._current(room, await self._get(member, prediction_id))
        return self.rooms.body(room, kept, member.user_id)

    async def session_scores(self, member: Member) -> Scores:
        """What everybody's calls of this session were worth. Raises Unavailable."""
        room = await self._fresh(member.session_id)
        return session_table([kept.prediction for kept in room.newest_first()])

    async def pair_scores(self, user_id: str, other_id: str) -> Scores:
        """What the calls of two people were worth, over all their sessions. Raises Invalid, Unavailable."""
        if user_id == other_id:
            problem = FieldProblem("with", "must be somebody else")
            raise Invalid("A pair is you and somebody else.", (problem,))
        return await self._tables.pair(user_id, other_id)

    # --- making one ---------------------------------------------------------------------------------------------

    async def create(self, member: Member, request: PredictionRequest, key: str | None) -> PredictionBody:
        """A new prediction, or the one that the same request made before.

        Raises Invalid, Conflict (too many of them, or the key was used for another), TooMany, Unavailable.
        """
        self._changing.take(member.user_id, self._evenly())
        details, options = _checked(request)
        asked = hashlib.sha256(msgspec.json.encode([details, options, request.locks_at_position])).hexdigest()
        own_key = request.client_id or key
        prediction_id = new_id("prd") if own_key is None else _id_of(member, own_key)
        room = await self._fresh(member.session_id)
        if (known := room.known.get(prediction_id)) is None:
            prediction = self._new(room, member, prediction_id, details, options, request)
            known = await self._inserted(room, prediction, asked)
        if known.asked != asked:
            raise Conflict("This key was used for another prediction: take a new one.", code="client-id-reused")
        return self.rooms.body(room, known, member.user_id)

    def _new(
        self,
        room: Room,
        member: Member,
        prediction_id: str,
        details: str,
        options: tuple[str, ...],
        request: PredictionRequest,
    ) -> Prediction:
        if len(room.known) >= limits.PREDICTIONS_PER_SESSION:
            raise Conflict(
                f"This session has {limits.PREDICTIONS_PER_SESSION} predictions, and there can be no more. "
                "Go on with those that are open, or in a new session.",
                code="too-many-predictions",
            )
        here, film = self.rooms.position_of(room, member.user_id), self.rooms.film_position(room.session_id)
        locks_at = request.locks_at_position
        if locks_at is not None and film is not None and locks_at <= film:
            problem = FieldProblem(
                "prediction.locksAtPosition", f"must lie ahead of the film, which is at {film:.0f} s"
            )
            raise Invalid("The film has passed this position already.", (problem,))
        return Prediction(
            id=prediction_id,
            session_id=member.session_id,
            author=member.user_id,
            author_name=member.name,
            details=details,
            options=options,
            created_at=self._now(),
            at_position=_rounded(_first(request.at_position, here, film)),
            locks_at_position=locks_at,
        )

    async def _inserted(self, room: Room, prediction: Prediction, asked: str) -> Kept:
        document = {"_id": prediction.id, **to_fields(prediction), "asked": asked}
        try:
            stored = await self._predictions.insert(document)
        except Duplicate:
            found = await self._predictions.get(prediction.id)
            if found is None:
                raise Unavailable("The prediction could not be read. Try again in a moment.") from None
            stored = found
        except OutcomeUnknown:
            room.doubts[prediction.id] = LOOKS
            self.rooms.look(room)
            raise
        return self._written(room, stored)

    # --- what is done to one ------------------------------------------------------------------------------------

    async def call(self, member: Member, prediction_id: str, request: CallRequest) -> PredictionBody:
        """Call an option, or something else than before. Raises NotFound, Conflict, Invalid, TooMany, Unavailable."""
        room = await self._load(member.session_id)
        film = self.rooms.film(member.session_id)
        at_film = self.rooms.film_position(member.session_id)
        position = _first(request.at_position, self.rooms.position_of(room, member.user_id), at_film)
        # The film may be further than its caller says: the share is of what nobody of them has seen.
        furthest = max((one for one in (position, at_film) if one is not None), default=None)
        call = Call(
            member.user_id,
            member.name,
            _line(request.option),
            request.confidence,
            secrets.token_hex(_SALT_BYTES),
            self._now(),
            _rounded(position),
            scoring.share_to_come(furthest, film.length if film else None),
        )
        return await self._act(member, prediction_id, lambda before: before.called(call), request.revision)

    async def propose(self, member: Member, prediction_id: str, outcome: str, revision: int | None) -> PredictionBody:
        """Say what came true, or confirm what another said. Raises as `call`."""
        option = _line(outcome)
        return await self._act(
            member, prediction_id, lambda before: before.proposed(member.user_id, option, self._now()), revision
        )

    async def act(self, member: Member, prediction_id: str, action: Action, revision: int | None) -> PredictionBody:
        """Lock, confirm, object or void. Raises Forbidden, and as `call`."""
        user_id = member.user_id
        following: Mapping[Action, Following] = {
            Action.LOCK: lambda before: before.locked(self._now(), user_id),
            Action.CONFIRM: lambda before: before.confirmed(user_id, self._now()),
            Action.OBJECT: lambda before: before.objected(user_id),
            Action.VOID: lambda before: before.called_off(user_id),
        }
        return await self._act(member, prediction_id, following[action], revision)

    async def _act(
        self, member: Member, prediction_id: str, following: Following, revision: int | None
    ) -> PredictionBody:
        self._changing.take(member.user_id, self._evenly())
        room = await self._load(member.session_id)
        kept = await self._current(room, await self._get(member, prediction_id))
        if self.rooms.waits(room, kept.prediction, member.user_id):
            raise Conflict("Your film is not yet where this was predicted: watch on.", code="waits")
        changed = await self._change(room, kept, following, revision)
        return self.rooms.body(room, changed, member.user_id)

    # --- connections --------------------------------------------------------------------------------------------

    async def load(self, session_id: str) -> None:
        """Make sure that a session's predictions are in memory before somebody sits down. Raises Unavailable."""
        await self._fresh(session_id)

    def sit_down(self, member: Member, listener: Listener) -> Seat:
        """Somebody connects. `load` must have succeeded."""
        return self.rooms.sit_down(self.rooms.enter(member.session_id), member.user_id, listener)

    def stand_up(self, seat: Seat) -> None:
        """A connection is gone."""
        self.rooms.stand_up(seat)

    def hear(self, seat: Seat, frame: PositionFrame) -> None:
        """Somebody's player is there."""
        self.rooms.moved(seat, frame.position, frame.rate)

    def hear_change(self, _: str, hint: Mapping[str, Any]) -> None:
        """Another process of this service has changed a prediction: it is looked up for whoever listens here."""
        room = self.rooms.get(hint["sessionId"])
        if room is None:
            return
        known = room.known.get(hint["id"])
        if known is None or known.rev < hint["revision"]:
            room.doubts[hint["id"]] = LOOKS
            self.rooms.look(room)

    # --- what time brings ---------------------------------------------------------------------------------------

    def _rang(self, room: Room) -> None:
        """Something is due in this room: see to it beside everything else, one such task at a time."""
        task = asyncio.create_task(self._see_to(room), name=f"predictions of {room.session_id}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _see_to(self, room: Room) -> None:
        is_done = False
        try:
            for kept in tuple(room.known.values()):
                await self._carry_out(room, kept)
            await self._settle_doubts(room)
            is_done = not room.doubts
        except Unavailable:
            pass  # the room tries again in a moment
        except Exception:
            log.exception("what was due in a session could not be written", extra={"session": room.session_id})
        finally:
            self.rooms.written(room, is_done=is_done)

    async def _carry_out(self, room: Room, kept: Kept) -> None:
        if self.rooms.has_passed(room, kept.prediction):
            await self._lock_by_film(room, kept)
        elif self.rooms.is_silent(room, kept.prediction):
            await self._change(
                room, kept, lambda before: before.silenced() if self.rooms.is_silent(room, before) else before
            )

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

    # --- inside -------------------------------------------------------------------------------------------------

    async def _load(self, session_id: str) -> Room:
        """The session's room, with its predictions in memory."""
        room = self.rooms.enter(session_id)
        return room if room.is_loaded else await self._fresh(session_id)

    async def _fresh(self, session_id: str) -> Room:
        """The same, as the database has it now, with what the film has passed locked: others may write there too."""
        documents = await self._predictions.find("sessionId", session_id, limit=limits.PAGE_MAX)
        room = self.rooms.enter(session_id)
        for document in documents:
            try:
                self._learn(room, document)
            except (KeyError, TypeError, ValueError):
                log.exception("a prediction cannot be read and is passed over", extra={"prediction": document["_id"]})
        room.is_loaded = True
        for kept in tuple(room.known.values()):
            if self.rooms.has_passed(room, kept.prediction):
                await self._lock_by_film(room, kept)
        return room

    async def _get(self, member: Member, prediction_id: str) -> Document:
        document = await self._predictions.get(prediction_id) if is_id(prediction_id, "prd") else None
        if document is None or document["sessionId"] != member.session_id:
            raise NotFound(_NO_PREDICTION)
        return document

    async def _current(self, room: Room, document: Document) -> Kept:
        """What was read, locked if the film has passed where that should be: before anything else is done to it."""
        kept = self._learn(room, document)
        return await self._lock_by_film(room, kept) if self.rooms.has_passed(room, kept.prediction) else kept

    async def _lock_by_film(self, room: Room, kept: Kept) -> Kept:
        def following(before: Prediction) -> Prediction:
            return before.locked(self._now()) if before.state is State.OPEN else before

        return await self._change(room, kept, following)

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

    async def _change(self, room: Room, kept: Kept, following: Following, revision: int | None = None) -> Kept:
        """Change a prediction by the rules, which are asked again whenever somebody else was first."""
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
                raise NotFound(_NO_PREDICTION) from None
            except OutcomeUnknown:
                room.doubts[after.id] = LOOKS
                self.rooms.look(room)
                raise
            kept = self._written(room, stored)
            if is_settling:
                await self._tables.settled(after)
            return kept
        raise Unavailable("Too much happens to this prediction at once. Try again in a moment.")


def _checked(request: PredictionRequest) -> tuple[str, tuple[str, ...]]:
    """Details and options, cleaned. Raises Invalid, with every field that is wrong."""
    problems: list[FieldProblem] = []
    details = _line(request.details)
    if not 1 <= len(details) <= limits.PREDICTION_MAX_CHARACTERS:
        problems.append(FieldProblem("prediction.details", _length(limits.PREDICTION_MAX_CHARACTERS)))
    options = tuple(_line(option) for option in request.options or DEFAULT_OPTIONS)
    for number, option in enumerate(options):
        if not 1 <= len(option) <= limits.OPTION_MAX_CHARACTERS:
            problems.append(FieldProblem(f"prediction.options.{number}", _length(limits.OPTION_MAX_CHARACTERS)))
    if len({option.casefold() for option in options}) < len(options):
        problems.append(FieldProblem("prediction.options", "must differ from one another; case does not count"))
    if problems:
        raise Invalid("The body does not fit.", tuple(problems))
    return details, options


def _length(most: int) -> str:
    return f"must have 1 to {most} characters that can be seen"


def _line(text: str) -> str:
    """Other people's text as one line, whole: what is too long is refused, not cut."""
    return clean_line(text, len(text) + 1)


def _id_of(member: Member, key: str) -> str:
    """The id of whatever this person makes in this session under this key of theirs."""
    words = "\n".join((member.session_id, member.user_id, key))
    return id_of("prd", hashlib.sha256(words.encode()).digest())


def _first(*positions: float | None) -> float | None:
    return next((position for position in positions if position is not None), None)


def _rounded(position: float | None) -> float | None:
    return None if position is None else round(position, 3)
