"""Predictions as one of their people may see them: what others called is sealed until the lock, and what was predicted
further on in the film than one has seen is not shown at all."""

from typing import Final

from dateflicks.core.prediction import Call, Prediction
from dateflicks.core.scoring import Standing
from dateflicks.protocol.predictions import CallBody, PredictionBody, ScoreBody, commitment
from dateflicks.protocol.times import rfc3339_from_unix, rfc3339_if_known
from dateflicks.server.services.prediction.records import Kept

POINTS_DECIMALS: Final = 2
BRIER_DECIMALS: Final = 4


def prediction_body(kept: Kept, viewer_id: str, *, waits: bool, deadline: float | None) -> PredictionBody:
    """As this person may see it; `deadline` in Unix seconds."""
    prediction = kept.prediction
    return PredictionBody(
        id=prediction.id,
        session_id=prediction.session_id,
        author=prediction.author,
        author_name=prediction.author_name,
        details="" if waits else prediction.details,
        outcome=None if waits else prediction.outcome,
        status=prediction.state.value,
        options=[] if waits else list(prediction.options),
        calls=[] if waits else [_call_body(prediction, call, viewer_id) for call in prediction.calls],
        created_at=rfc3339_from_unix(prediction.created_at),
        locked_at=rfc3339_if_known(prediction.locked_at),
        settled_at=rfc3339_if_known(prediction.settled_at),
        at_position=prediction.at_position,
        locks_at_position=prediction.locks_at_position,
        proposed_outcome=None if waits else prediction.proposed_outcome,
        proposed_by=None if waits else prediction.proposed_by,
        confirmed_by=None if waits or not prediction.confirmations else prediction.confirmations[-1],
        void_reason=None if prediction.void_reason is None else prediction.void_reason.value,
        deadline=None if waits else rfc3339_if_known(deadline),
        revision=kept.rev,
        waits=waits,
    )


def score_body(user_id: str, name: str, standing: Standing) -> ScoreBody:
    """One person's standing."""
    return ScoreBody(
        user_id=user_id,
        name=name,
        points=round(standing.points, POINTS_DECIMALS),
        calls=standing.calls,
        right=standing.right,
        brier=None if standing.brier is None else round(standing.brier, BRIER_DECIMALS),
    )


def _call_body(prediction: Prediction, call: Call, viewer_id: str) -> CallBody:
    told = CallBody(
        author=call.user_id,
        author_name=call.name,
        commitment=commitment(call.salt, prediction.id, call.user_id, call.option, call.confidence),
        called_at=rfc3339_from_unix(call.called_at),
    )
    if prediction.is_sealed and call.user_id != viewer_id:
        return told
    score = prediction.score(call)
    return CallBody(
        author=told.author,
        author_name=told.author_name,
        commitment=told.commitment,
        called_at=told.called_at,
        at_position=call.at_position,
        option=call.option,
        confidence=call.confidence,
        salt=call.salt,
        brier=None if score is None else round(score.brier, BRIER_DECIMALS),
        points=None if score is None else round(score.points, POINTS_DECIMALS),
    )
