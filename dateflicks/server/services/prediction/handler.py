"""The rules of the prediction service, without a web framework: who asks for what, and what they are answered."""

import hashlib
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import msgspec

from dateflicks.core import limits, scoring
from dateflicks.core.errors import Conflict, FieldProblem, Invalid
from dateflicks.core.prediction import Action, Call, Prediction
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
from dateflicks.server.services.prediction.keeping import Following, Keeping
from dateflicks.server.services.prediction.pages import page_of
from dateflicks.server.services.prediction.room import Listener, Room, Seat
from dateflicks.server.services.prediction.tables import Tables, session_table
from dateflicks.server.web.limiter import Limiter

CHANGES_PER_WINDOW: Final = 600  # that one person may ask for; far more than anybody bets
WINDOW_SECONDS: Final = 60.0
_SALT_BYTES: Final = 16
_TOO_MANY: Final = (
    f"This session has {limits.PREDICTIONS_PER_SESSION} predictions, and there can be no more. "
    "Go on with those that are open, or in a new session."
)


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody in a session."""

    session_id: str
    user_id: str
    name: str


class PredictionHandler:
    """One process's rules over the predictions of all; `now` is Unix time, `evenly` a clock that is never stepped."""

    def __init__(
        self,
        keeping: Keeping,
        tables: Tables,
        *,
        now: Callable[[], float] = time.time,
        evenly: Callable[[], float] = time.monotonic,
    ) -> None:
        self._keeping = keeping
        self._rooms = keeping.rooms
        self._where = keeping.rooms.where
        self._tables = tables
        self._now = now
        self._evenly = evenly
        self._changing = Limiter(CHANGES_PER_WINDOW, WINDOW_SECONDS, "This is too much at once. Wait a moment.")

    # --- looking ------------------------------------------------------------------------------------------------

    async def list(self, member: Member, cursor: str | None, limit: int) -> PredictionPage:
        """A session's predictions, the newest first. Raises Invalid (the cursor), Unavailable."""
        room = await self._keeping.fresh(member.session_id)
        shown, following = page_of(room.newest_first(), cursor, limit)
        items = [self._rooms.body(room, kept, member.user_id) for kept in shown]
        return PredictionPage(items=items, next=following)

    async def read(self, member: Member, prediction_id: str) -> PredictionBody:
        """One of them. Raises NotFound, Unavailable."""
        room = await self._keeping.load(member.session_id)
        return self._rooms.body(room, await self._keeping.current(room, prediction_id), member.user_id)

    async def session_scores(self, member: Member) -> Scores:
        """What everybody's calls of this session were worth. Raises Unavailable."""
        room = await self._keeping.fresh(member.session_id)
        return session_table([kept.prediction for kept in room.newest_first()])

    async def pair_scores(self, user_id: str, other_id: str) -> Scores:
        """What the calls of two people were worth, over all their sessions. Raises Invalid, Unavailable."""
        if user_id == other_id:
            problem = FieldProblem("with", "must be somebody else")
            raise Invalid("A pair is you and somebody else.", (problem,))
        if not is_id(other_id, "usr"):  # nobody: and not every text can be looked up
            return Scores(items=[], predictions=0)
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
        room = await self._keeping.fresh(member.session_id)
        if (known := room.known.get(prediction_id)) is None:
            if len(room.known) >= limits.PREDICTIONS_PER_SESSION:
                raise Conflict(_TOO_MANY, code="too-many-predictions")
            at_position = self._position(room, member, request.at_position)
            locks_at = request.locks_at_position
            self._check_ahead(room, locks_at, at_position)
            prediction = Prediction(
                id=prediction_id,
                session_id=member.session_id,
                author=member.user_id,
                author_name=member.name,
                details=details,
                options=options,
                created_at=self._now(),
                at_position=at_position,
                locks_at_position=locks_at,
            )
            known = await self._keeping.insert(room, prediction, asked)
        if known.asked != asked:
            raise Conflict("This key was used for another prediction: take a new one.", code="client-id-reused")
        return self._rooms.body(room, known, member.user_id)

    def _check_ahead(self, room: Room, locks_at: float | None, at_position: float | None) -> None:
        """Raise Invalid for a lock that lies behind the film: it would take no calls at all."""
        furthest = self._where.furthest(room)
        film = at_position if furthest is None else furthest
        if locks_at is not None and film is not None and locks_at <= film:
            message = f"must lie ahead of the film, which is at {film:.0f} s"
            problem = FieldProblem("prediction.locksAtPosition", message)
            raise Invalid("The film has passed this position already.", (problem,))

    # --- what is done to one ------------------------------------------------------------------------------------

    async def call(self, member: Member, prediction_id: str, request: CallRequest) -> PredictionBody:
        """Call an option, or something else than before. Raises NotFound, Conflict, Invalid, TooMany, Unavailable."""
        room = await self._keeping.load(member.session_id)
        position, film = self._position(room, member, request.at_position), self._where.film(room)
        # The film may be further than its caller says: the share is of what nobody of them has seen.
        known = [one for one in (position, self._where.film_position(room)) if one is not None]
        call = Call(
            member.user_id,
            member.name,
            _line(request.option),
            request.confidence,
            secrets.token_hex(_SALT_BYTES),
            self._now(),
            position,
            scoring.share_to_come(max(known, default=None), film.length if film else None),
        )
        return await self._act(member, prediction_id, lambda before: before.called(call), request.revision)

    async def propose(self, member: Member, prediction_id: str, outcome: str, revision: int | None) -> PredictionBody:
        """Say what came true, or confirm what another said. Raises as `call`."""
        user_id, option = member.user_id, _line(outcome)
        return await self._act(
            member, prediction_id, lambda before: before.proposed(user_id, option, self._now()), revision
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
        room = await self._keeping.load(member.session_id)
        kept = await self._keeping.current(room, prediction_id)
        if self._where.waits(room, kept.prediction, member.user_id):
            raise Conflict("Your film is not yet where this was predicted: watch on.", code="waits")
        changed = await self._keeping.change(room, kept, following, revision)
        return self._rooms.body(room, changed, member.user_id)

    # --- connections --------------------------------------------------------------------------------------------

    async def load(self, session_id: str) -> None:
        """Make sure that a session's predictions are in memory before somebody sits down. Raises Unavailable."""
        await self._keeping.fresh(session_id)

    def sit_down(self, member: Member, listener: Listener) -> Seat:
        """Somebody connects. `load` must have succeeded."""
        return self._rooms.sit_down(self._rooms.enter(member.session_id), member.user_id, listener)

    def stand_up(self, seat: Seat) -> None:
        """A connection is gone."""
        self._rooms.stand_up(seat)

    def hear(self, seat: Seat, frame: PositionFrame) -> None:
        """Somebody's player is there."""
        self._rooms.moved(seat, frame.position, frame.rate)

    def _position(self, room: Room, member: Member, told: float | None) -> float | None:
        """Where in the film somebody does something: as they say, or as is known of them; to a millisecond."""
        position = self._where.position_of(room, member.user_id) if told is None else told
        return None if position is None else round(position, 3)


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
