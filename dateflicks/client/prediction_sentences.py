"""What happened to a session's predictions, as one plain sentence each.

Names, predictions and options are other people's own words: whoever prints a sentence cleans it first.
"""

from collections.abc import Mapping
from typing import Final

from dateflicks.client.ledger import Changed, Unproven
from dateflicks.client.predictions import PredictionsLine, PredictionsRefused, PredictionsUpdate
from dateflicks.protocol.predictions import CallBody, PredictionBody

_VOID: Final[Mapping[str | None, str]] = {
    "objection": "they did not agree on the outcome",
    "silence": "nobody was there to confirm",
    "called-off": "it was called off",
}


def percent(confidence: float) -> str:
    """A confidence as people say it: 80%, 66.67%."""
    return f"{confidence * 100:.2f}".rstrip("0").rstrip(".") + "%"


def prediction_sentence(update: PredictionsUpdate, user_id: str) -> str | None:
    """What to say of this to a person, or None where there is nothing that they would notice."""
    match update:
        case Changed():
            return _changed(update, user_id)
        case Unproven(prediction=prediction, author_name=name, why=why):
            return f"Not proven: the call of {name} on {_what(prediction)}: {why}. Talk before you settle it."
        case PredictionsLine(is_open=False, why=why, retry_in=retry_in) if retry_in >= 0.5:
            return f"No predictions for the moment ({why}); trying again in {retry_in:.0f} s."
        case PredictionsRefused(detail=detail):
            return detail
        case _:
            return None


def _changed(update: Changed, user_id: str) -> str | None:
    prediction, before = update.prediction, update.before
    if prediction.waits:
        return None if before is not None else "A prediction waits: you see it when your film gets to it."
    who = "You" if prediction.author == user_id else prediction.author_name
    match update.reason:
        case "made" | "shown":
            verb = "predict" if who == "You" else "predicts"
            return f"{who} {verb}: {prediction.details} ({' / '.join(prediction.options)})"
        case "called":
            return _called(update, user_id)
        case "locked":
            calls = ", ".join(f"{_name(call, user_id)} {said(call)}" for call in prediction.calls)
            return f"Locked: {_what(prediction)}: {calls or 'nobody has called it'}."
        case "proposed":
            return _proposed(prediction, user_id)
        case "away":
            return f"Nobody is here to confirm {_what(prediction)}: if they stay away it is void in a minute."
        case "back":
            return f"Somebody is here again to confirm {_what(prediction)}."
        case "confirmed":
            return f"One more agrees on {_what(prediction)}."
        case "settled":
            points = ", ".join(f"{_name(call, user_id)} {call.points or 0:+.0f}" for call in prediction.calls)
            return f"Settled: {_what(prediction)}: {prediction.outcome}." + (f" Points: {points}." if points else "")
        case "void":
            return f"Void: {_what(prediction)}: {_VOID.get(prediction.void_reason, 'it does not count')}."
        case _:
            return None


def _called(update: Changed, user_id: str) -> str | None:
    before = {call.author: call.commitment for call in update.before.calls} if update.before else {}
    for call in update.prediction.calls:
        if before.get(call.author) != call.commitment:
            again = " anew" if call.author in before else ""
            if call.author == user_id:
                return f"You call {said(call)}{again}: {_what(update.prediction)}."
            return f"{call.author_name} has called{again}: {_what(update.prediction)}; sealed until the lock."
    return None


def _proposed(prediction: PredictionBody, user_id: str) -> str:
    if prediction.proposed_by == user_id:
        return f"You say it is {prediction.proposed_outcome}: {_what(prediction)}; another has to confirm."
    return f"Is it {prediction.proposed_outcome}? {_what(prediction)}; confirm or object."


def _what(prediction: PredictionBody) -> str:
    return f"“{prediction.details}”"


def _name(call: CallBody, user_id: str) -> str:
    return "you" if call.author == user_id else call.author_name


def said(call: CallBody) -> str:
    """What somebody called, as far as it can be seen: yes (80%)."""
    if call.option is None:
        return "sealed"
    return call.option if call.confidence is None else f"{call.option} ({percent(call.confidence)})"
