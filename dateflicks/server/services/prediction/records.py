"""What the prediction service keeps: its collections, and predictions as documents.

Beside the predictions there are their outcomes, one document for each pair of people and settled prediction, which a
pair's table is folded from; and the marks of settlements under way, by which outcomes that a crash has kept from being
written are found again. An outcome follows from its prediction alone, so writing it twice changes nothing.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from dateflicks.core.prediction import Call, Prediction, State, VoidReason
from dateflicks.server.storage.records import Collection, Document, Index

DATABASE: Final = "UserPredictionDb"

PREDICTIONS: Final = Collection(DATABASE, "predictions", (Index(("sessionId",)),))
OUTCOMES: Final = Collection(DATABASE, "outcomes", (Index(("pairKey",)), Index(("pairKey", "order"))))
SETTLING: Final = Collection(DATABASE, "settling", (Index(("at",)),))
COLLECTIONS: Final = (PREDICTIONS, OUTCOMES, SETTLING)


@dataclass(frozen=True, slots=True)
class Kept:
    """A prediction as it is stored, at its version; `asked` is the digest of the request that made it."""

    prediction: Prediction
    rev: int
    asked: str = ""


def order_key(at: float, prediction_id: str) -> str:
    """Where a prediction stands among others: by a time, and by id within one millisecond."""
    return f"t{round(at * 1000):014d}:{prediction_id}"


def pair_key(one: str, other: str) -> str:
    """What the outcomes of two people are looked up by."""
    return "pair:" + ":".join(sorted((one, other)))


def outcome_id(prediction_id: str, pair: str) -> str:
    """The one id of the outcome of a prediction for a pair."""
    return f"{prediction_id}:{hashlib.sha256(pair.encode()).hexdigest()[:32]}"


def to_fields(prediction: Prediction) -> dict[str, Any]:
    """A prediction as it is stored, without its id."""
    return {
        "sessionId": prediction.session_id,
        "author": prediction.author,
        "details": prediction.details,
        "outcome": prediction.outcome,
        "status": prediction.state.value,
        "options": list(prediction.options),
        "calls": [_call_fields(call) for call in prediction.calls],
        "createdAt": prediction.created_at,
        "lockedAt": prediction.locked_at,
        "settledAt": prediction.settled_at,
        "atPosition": prediction.at_position,
        "locksAtPosition": prediction.locks_at_position,
        "proposedOutcome": prediction.proposed_outcome,
        "proposedBy": prediction.proposed_by,
        "confirmedBy": list(prediction.confirmations),
        "authorName": prediction.author_name,
        "voidReason": None if prediction.void_reason is None else prediction.void_reason.value,
        "voidedBy": prediction.voided_by,
    }


def from_document(document: Mapping[str, Any]) -> Kept:
    """A stored prediction. Raises KeyError, ValueError or TypeError for what is none."""
    reason = document["voidReason"]
    prediction = Prediction(
        id=document["_id"],
        session_id=document["sessionId"],
        author=document["author"],
        author_name=document["authorName"],
        details=document["details"],
        options=tuple(document["options"]),
        created_at=float(document["createdAt"]),
        at_position=_number(document["atPosition"]),
        locks_at_position=_number(document["locksAtPosition"]),
        state=State(document["status"]),
        calls=tuple(_call(call) for call in document["calls"]),
        locked_at=_number(document["lockedAt"]),
        proposed_outcome=document["proposedOutcome"],
        proposed_by=document["proposedBy"],
        confirmations=tuple(document["confirmedBy"]),
        outcome=document["outcome"],
        settled_at=_number(document["settledAt"]),
        void_reason=None if reason is None else VoidReason(reason),
        voided_by=document["voidedBy"],
    )
    return Kept(prediction, document["rev"], document.get("asked", ""))


def outcome_documents(prediction: Prediction) -> list[Document]:
    """The outcomes of a settled prediction: one for each two of its people of whom one has called, or both."""
    people = sorted(prediction.people)
    callers = {call.user_id for call in prediction.calls}
    pairs = [(one, other) for at, one in enumerate(people) for other in people[at + 1 :]]
    return [_outcome(prediction, pair) for pair in pairs if not callers.isdisjoint(pair)]


def _outcome(prediction: Prediction, pair: tuple[str, str]) -> Document:
    assert prediction.settled_at is not None
    key = pair_key(*pair)
    people = []
    for call in sorted(prediction.calls, key=lambda one: one.user_id):
        score = prediction.score(call)
        if score is not None and call.user_id in pair:
            worth = {"brier": score.brier, "points": score.points, "right": score.is_right}
            people.append({"userId": call.user_id, "name": call.name, **worth})
    return {
        "_id": outcome_id(prediction.id, key),
        "pairKey": key,
        "order": order_key(prediction.settled_at, prediction.id),
        "predictionId": prediction.id,
        "sessionId": prediction.session_id,
        "settledAt": prediction.settled_at,
        "people": people,
    }


def _call_fields(call: Call) -> dict[str, Any]:
    return {
        "author": call.user_id,
        "authorName": call.name,
        "option": call.option,
        "confidence": call.confidence,
        "salt": call.salt,
        "calledAt": call.called_at,
        "atPosition": call.at_position,
        "share": call.share,
    }


def _call(fields: Mapping[str, Any]) -> Call:
    return Call(
        fields["author"],
        fields["authorName"],
        fields["option"],
        float(fields["confidence"]),
        fields["salt"],
        float(fields["calledAt"]),
        _number(fields["atPosition"]),
        float(fields["share"]),
    )


def _number(value: float | None) -> float | None:
    return None if value is None else float(value)
