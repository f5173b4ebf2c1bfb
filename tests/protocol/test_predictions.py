"""What travels of predictions: the commitment that anybody can check, and what does not fit."""

import hashlib
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dateflicks.core import limits
from dateflicks.protocol.predictions import (
    CallBody,
    CallRequest,
    ChangeRequest,
    CreatePrediction,
    PairQuery,
    PositionFrame,
    PredictionBody,
    PredictionFrame,
    ProposeRequest,
    commitment,
)

SALT = "00112233445566778899aabbccddeeff"


def test_a_commitment_is_the_hash_of_its_parts_by_lines() -> None:
    text = f"{SALT}\nprd_a\nusr_a\nthe cook\n0.7500"
    assert commitment(SALT, "prd_a", "usr_a", "the cook", 0.75) == hashlib.sha256(text.encode()).hexdigest()


lines = st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=20)
calls = st.tuples(lines, st.integers(1_667, 10_000).map(lambda each: each / 10_000))


@given(calls, calls)
def test_different_calls_have_different_commitments(one: tuple[str, float], other: tuple[str, float]) -> None:
    first = commitment(SALT, "prd_a", "usr_a", *one)
    assert (first == commitment(SALT, "prd_a", "usr_a", *other)) == (one == other)
    assert first != commitment(SALT[::-1], "prd_a", "usr_a", *one)
    assert first != commitment(SALT, "prd_a", "usr_b", *one)


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (CreatePrediction, {"prediction": {"details": "x"}}),
        (CreatePrediction, {"prediction": {"details": "x", "options": ["a", "b"], "locksAtPosition": 9, "new": 1}}),
        (CallRequest, {"option": "yes", "confidence": 1}),
        (CallRequest, {"option": "yes", "confidence": 0.5, "atPosition": 0, "revision": 1}),
        (ProposeRequest, {"outcome": "yes"}),
        (ChangeRequest, {}),
        (ChangeRequest, {"revision": 7}),
        (PositionFrame, {"type": "position", "position": 12.5}),
        (PositionFrame, {"type": "position", "position": 12.5, "rate": 1}),
        (PairQuery, {"with": "usr_a"}),
    ],
)
def test_what_fits(kind: type[msgspec.Struct], body: Any) -> None:
    assert isinstance(msgspec.json.decode(msgspec.json.encode(body), type=kind), kind)


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (CreatePrediction, {"details": "x"}),
        (CreatePrediction, {"prediction": {"details": ""}}),
        (CreatePrediction, {"prediction": {"details": "x" * (4 * limits.PREDICTION_MAX_CHARACTERS + 1)}}),
        (CreatePrediction, {"prediction": {"details": "x", "options": ["a"]}}),
        (CreatePrediction, {"prediction": {"details": "x", "options": ["a"] * 7}}),
        (CreatePrediction, {"prediction": {"details": "x", "options": ["a", ""]}}),
        (CreatePrediction, {"prediction": {"details": "x", "locksAtPosition": limits.POSITION_MAX_SECONDS + 1}}),
        (CallRequest, {"option": "yes", "confidence": 0}),
        (CallRequest, {"option": "yes", "confidence": 1.0001}),
        (CallRequest, {"confidence": 0.5}),
        (CallRequest, {"option": "yes", "confidence": 0.5, "revision": 0}),
        (ProposeRequest, {}),
        (ChangeRequest, {"revision": "1"}),
        (PositionFrame, {"type": "position"}),
        (PositionFrame, {"type": "position", "position": 1, "rate": -1}),
        (PairQuery, {"with": ""}),
    ],
)
def test_what_does_not_fit(kind: type[msgspec.Struct], body: Any) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(msgspec.json.encode(body), type=kind)


def test_a_sealed_call_has_four_fields_on_the_wire() -> None:
    sealed = CallBody(author="usr_a", author_name="ana", commitment="c", called_at="t")
    assert msgspec.to_builtins(sealed) == {"author": "usr_a", "authorName": "ana", "commitment": "c", "calledAt": "t"}


def test_a_frame_has_its_type_and_why_it_is_told_and_the_prediction_in_camel_case() -> None:
    body = PredictionBody(
        id="prd_a", session_id="ses_a", author="usr_a", author_name="ana", details="x", outcome=None, status="open",
        options=["yes", "no"], calls=[], created_at="t", locked_at=None, settled_at=None, at_position=1.0,
        locks_at_position=None, proposed_outcome=None, proposed_by=None, confirmed_by=None, void_reason=None,
        deadline=None, revision=1,
    )  # fmt: skip
    frame = msgspec.to_builtins(PredictionFrame(reason="made", prediction=body))
    assert (frame["type"], frame["reason"]) == ("prediction", "made")
    assert frame["prediction"]["sessionId"] == "ses_a"
    assert frame["prediction"]["waits"] is False
    assert frame["prediction"]["locksAtPosition"] is None
