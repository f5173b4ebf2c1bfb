"""Predictions for tests of the client: what a service might say, with only what matters named."""

from typing import Any

from dateflicks.protocol.predictions import CallBody, PredictionBody, commitment

SESSION = "ses_" + "a" * 26
ID = "prd_" + "k" * 26
ME = "usr_me"
OTHER = "usr_other"
NAMES = {ME: "ana", OTHER: "bea"}


def prediction(revision: int = 1, *calls: CallBody, **changes: Any) -> PredictionBody:
    """An open one by the other, yes or no."""
    values: dict[str, Any] = {
        "id": ID,
        "session_id": SESSION,
        "author": OTHER,
        "author_name": NAMES[OTHER],
        "details": "The butler did it",
        "outcome": None,
        "status": "open",
        "options": ["yes", "no"],
        "calls": list(calls),
        "created_at": "2026-11-24T01:43:00.123Z",
        "locked_at": None,
        "settled_at": None,
        "at_position": None,
        "locks_at_position": None,
        "proposed_outcome": None,
        "proposed_by": None,
        "confirmed_by": None,
        "void_reason": None,
        "deadline": None,
        "revision": revision,
    }
    return PredictionBody(**{**values, **changes})


def waiting(revision: int = 1, **changes: Any) -> PredictionBody:
    """One that the film has not come to."""
    return prediction(revision, waits=True, details="", options=[], **changes)


def call(
    author: str = OTHER, option: str = "yes", confidence: float = 0.8, *, second: int = 1, salt: str = "5a17"
) -> CallBody:
    """A call for all to see."""
    return CallBody(
        author=author,
        author_name=NAMES[author],
        commitment=commitment(salt, ID, author, option, confidence),
        called_at=f"2026-11-24T01:44:{second:02d}.000Z",
        option=option,
        confidence=confidence,
        salt=salt,
    )


def sealed(one: CallBody) -> CallBody:
    """The same, as others see it before the lock."""
    return CallBody(author=one.author, author_name=one.author_name, commitment=one.commitment, called_at=one.called_at)
