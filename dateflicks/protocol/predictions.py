"""What travels of a session's predictions: frames and bodies of the prediction service, as msgspec structs.

Positions are seconds of film, times are record times. What somebody called is sealed until the lock: until then
others see the commitment alone, afterwards the call and the salt with which they can check it (`commitment`).
"""

import hashlib
from typing import Annotated, Final, Literal

import msgspec

from dateflicks.core import limits
from dateflicks.protocol.bodies import Body
from dateflicks.protocol.frames import ErrorFrame, Frame, OpaqueId, Position

PredictionStatus = Literal["open", "locked", "settled", "void"]
PredictionReason = Literal[
    "present", "made", "called", "locked", "proposed", "confirmed", "settled", "void", "shown", "away", "back",
]  # fmt: skip
Option = Annotated[str, msgspec.Meta(min_length=1, max_length=4 * limits.OPTION_MAX_CHARACTERS)]
Details = Annotated[str, msgspec.Meta(min_length=1, max_length=4 * limits.PREDICTION_MAX_CHARACTERS)]
Confidence = Annotated[float, msgspec.Meta(gt=0, le=1)]
Revision = Annotated[int, msgspec.Meta(ge=1, le=2**53)]
DEFAULT_OPTIONS: Final = ("yes", "no")


def commitment(salt: str, prediction_id: str, author: str, option: str, confidence: float) -> str:
    """What is shown of a sealed call: the SHA-256, in hex, of its parts joined by newlines, in UTF-8.

    The confidence is written with four decimals. Anybody can compute it again once salt and call are shown.
    """
    parts = (salt, prediction_id, author, option, f"{confidence:.4f}")
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


class CallBody(Body, omit_defaults=True, frozen=True, kw_only=True):
    """One person's call; all but the first four fields are there for its author alone, and for all once it is locked.

    `brier` and `points` are there once it is settled.
    """

    author: str
    author_name: str
    commitment: str
    called_at: str
    at_position: float | None = None
    option: str | None = None
    confidence: float | None = None
    salt: str | None = None
    brier: float | None = None
    points: float | None = None


class PredictionBody(Body, frozen=True, kw_only=True):
    """A prediction as one participant may see it.

    With `waits` the film is not yet where it was made: that there is one is told, and nothing of what it says.
    """

    id: str
    session_id: str
    author: str
    author_name: str
    details: str
    outcome: str | None
    status: PredictionStatus
    options: list[str]
    calls: list[CallBody]
    created_at: str
    locked_at: str | None
    settled_at: str | None
    at_position: float | None
    locks_at_position: float | None
    proposed_outcome: str | None
    proposed_by: str | None
    confirmed_by: str | None
    void_reason: str | None
    deadline: str | None  # when silence makes it void, while the one who has to confirm is away
    revision: int
    waits: bool = False


# --- frames -----------------------------------------------------------------------------------------------------


class PositionFrame(Frame, tag="position", omit_defaults=True, frozen=True, kw_only=True):
    """Where my player is, and how fast it goes: told when that changes, not all the time."""

    position: Position
    rate: Annotated[float, msgspec.Meta(ge=0, le=4)] = 0.0


class PredictionFrame(Frame, tag="prediction", frozen=True, kw_only=True):
    """A prediction as it is now, for this receiver; one with an older `revision` than known is to be ignored.

    `present` on connecting, `shown` when the film has got to one that waited; `away` and `back` say that its `deadline`
    runs or does not, at the same revision; `confirmed` is one of several yeses; the others say what was done.
    """

    reason: PredictionReason
    prediction: PredictionBody


PredictionClientFrame = PositionFrame
PredictionServerFrame = PredictionFrame | ErrorFrame


# --- REST -------------------------------------------------------------------------------------------------------


class PredictionRequest(Body, frozen=True, kw_only=True):
    """What is predicted; without `options` it is yes or no. A repeated `clientId` makes no second one."""

    details: Details
    options: Annotated[list[Option], msgspec.Meta(min_length=2, max_length=limits.OPTIONS_MAX)] | None = None
    locks_at_position: Position | None = None
    at_position: Position | None = None
    client_id: OpaqueId | None = None


class CreatePrediction(Body, frozen=True, kw_only=True):
    """`POST /predictions/{sessionId}`."""

    prediction: PredictionRequest


class CallRequest(Body, frozen=True, kw_only=True):
    """`POST …/call`: an option, and how sure, from 1/number of options to 1."""

    option: Option
    confidence: Confidence
    at_position: Position | None = None
    revision: Revision | None = None


class ProposeRequest(Body, frozen=True, kw_only=True):
    """`POST …/propose`: the option that came true."""

    outcome: Option
    revision: Revision | None = None


class ChangeRequest(Body, frozen=True, kw_only=True):
    """`POST …/lock`, `/confirm`, `/object`, `/void`: with `revision`, only if the prediction is still at it."""

    revision: Revision | None = None


class PredictionAnswer(Body, frozen=True, kw_only=True):
    """One prediction, wrapped."""

    prediction: PredictionBody


class PredictionPage(Body, frozen=True, kw_only=True):
    """A session's predictions, the newest first."""

    items: list[PredictionBody]
    next: str | None


class PairQuery(msgspec.Struct, frozen=True, kw_only=True):
    """`?with=USER`: the other one of the pair."""

    with_: OpaqueId = msgspec.field(name="with")


class ScoreBody(Body, frozen=True, kw_only=True):
    """One person's standing: `brier` is the mean over their settled calls (0 is perfect, 2 the worst)."""

    user_id: str
    name: str
    points: float
    calls: int
    right: int
    brier: float | None


class Scores(Body, frozen=True, kw_only=True):
    """Standings, the best first, and over how many settled predictions."""

    items: list[ScoreBody]
    predictions: int
