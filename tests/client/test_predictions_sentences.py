"""Predictions in plain sentences: what a person would notice, once, in words."""

import msgspec
import pytest

from dateflicks.client.ledger import Changed, ScoresChanged, Unproven
from dateflicks.client.prediction_sentences import percent, prediction_sentence
from dateflicks.client.predictions import PredictionsLine, PredictionsRefused, PredictionsUpdate
from dateflicks.protocol.predictions import PredictionBody, PredictionReason
from tests.client.prediction_scenes import ME, OTHER, call, prediction, sealed, waiting

LOCKED = prediction(3, call(ME), call(OTHER, "no", 0.6), status="locked")
PROPOSED = msgspec.structs.replace(LOCKED, proposed_outcome="yes", proposed_by=OTHER)
SETTLED = msgspec.structs.replace(
    PROPOSED,
    status="settled",
    outcome="yes",
    calls=[
        msgspec.structs.replace(call(ME), points=127.5),
        msgspec.structs.replace(call(OTHER, "no", 0.6), points=-44.0),
    ],
)


@pytest.mark.parametrize(
    ("reason", "now", "before", "said"),
    [
        ("made", prediction(), None, "bea predicts: The butler did it (yes / no)"),
        ("made", prediction(author=ME), None, "You predict: The butler did it (yes / no)"),
        ("shown", prediction(), waiting(), "bea predicts: The butler did it (yes / no)"),
        ("made", waiting(), None, "A prediction waits: you see it when your film gets to it."),
        ("locked", waiting(2), waiting(1), None),
        ("present", prediction(), None, None),
        ("called", prediction(2, call(ME)), prediction(1), "You call yes (80%): “The butler did it”."),
        (
            "called",
            prediction(2, sealed(call())),
            prediction(1),
            "bea has called: “The butler did it”; sealed until the lock.",
        ),
        (
            "called",
            prediction(3, sealed(call()), call(ME, "no")),
            prediction(2, call(ME), sealed(call())),
            "You call no (80%) anew: “The butler did it”.",
        ),
        ("locked", LOCKED, prediction(2), "Locked: “The butler did it”: you yes (80%), bea no (60%)."),
        (
            "locked",
            prediction(2, status="locked"),
            prediction(1),
            "Locked: “The butler did it”: nobody has called it.",
        ),
        ("proposed", PROPOSED, LOCKED, "Is it yes? “The butler did it”; confirm or object."),
        (
            "proposed",
            msgspec.structs.replace(PROPOSED, proposed_by=ME),
            LOCKED,
            "You say it is yes: “The butler did it”; another has to confirm.",
        ),
        ("confirmed", PROPOSED, PROPOSED, "One more agrees on “The butler did it”."),
        (
            "away",
            PROPOSED,
            PROPOSED,
            "Nobody is here to confirm “The butler did it”: if they stay away it is void in a minute.",
        ),
        ("back", PROPOSED, PROPOSED, "Somebody is here again to confirm “The butler did it”."),
        ("settled", SETTLED, PROPOSED, "Settled: “The butler did it”: yes. Points: you +128, bea -44."),
        (
            "void",
            prediction(4, status="void", void_reason="objection"),
            PROPOSED,
            "Void: “The butler did it”: they did not agree on the outcome.",
        ),
        (
            "void",
            prediction(4, status="void", void_reason="eaten"),
            PROPOSED,
            "Void: “The butler did it”: it does not count.",
        ),
    ],
)
def test_each_change_is_a_sentence(
    reason: PredictionReason, now: PredictionBody, before: PredictionBody | None, said: str | None
) -> None:
    assert prediction_sentence(Changed(now, reason, before), ME) == said


@pytest.mark.parametrize(
    ("update", "said"),
    [
        (
            Unproven(prediction(), OTHER, "bea", "it is gone"),
            "Not proven: the call of bea on “The butler did it”: it is gone. Talk before you settle it.",
        ),
        (ScoresChanged(()), None),
        (PredictionsLine(True), None),
        (PredictionsLine(False, "the line is gone", 0.0), None),
        (
            PredictionsLine(False, "the line is gone", 4.0),
            "No predictions for the moment (the line is gone); trying again in 4 s.",
        ),
        (PredictionsRefused("invalid", "No such position."), "No such position."),
    ],
)
def test_everything_else_is_said_when_it_matters(update: PredictionsUpdate, said: str | None) -> None:
    assert prediction_sentence(update, ME) == said


@pytest.mark.parametrize(("confidence", "text"), [(0.8, "80%"), (0.6667, "66.67%"), (1.0, "100%"), (0.125, "12.5%")])
def test_a_confidence_is_said_in_percent(confidence: float, text: str) -> None:
    assert percent(confidence) == text
