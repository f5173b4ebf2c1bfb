"""Timecodes for tests of the client: what a service might say, with only what matters named."""

from typing import Any

from dateflicks.protocol.frames import ParticipantState, Pending, Role, StatusWord, TimecodeFrame

SESSION = "ses_x"
ME = "usr_me"
OTHER = "usr_other"
CLOCK = "clk_x"


def participant(role: Role, name: str = "", *, status: StatusWord = "play", excused: bool = False) -> ParticipantState:
    return ParticipantState(
        role=role, connected=True, buffering=False, status=status, position=None, drift=None, excused=excused, name=name
    )


def timecode(revision: int, **changes: Any) -> TimecodeFrame:
    """A film that plays from 100 s on at the server's second 5,000, unless told otherwise."""
    values: dict[str, Any] = {
        "session_id": SESSION,
        "length": 3_600.0,
        "current_position": 100.0,
        "status": "play",
        "last_status_change": "2026-11-24T01:43:00.123Z",
        "at": 5_000_000.0,
        "rate": 1.0,
        "revision": revision,
        "clock_id": CLOCK,
        "reason": "play",
        "by": OTHER,
        "waiting_for": [],
        "pending": None,
        "participants": {ME: participant("host", "Ana"), OTHER: participant("guest", "Bea")},
    }
    return TimecodeFrame(**{**values, **changes})


def asked(to: StatusWord | float, *, by: str = OTHER, deadline: float = 5_060_000.0) -> Pending:
    """A change that waits for its answer."""
    if isinstance(to, str):
        return Pending(kind="status", by=by, from_="play", to=to, deadline=deadline)
    return Pending(kind="seek", by=by, from_=100.0, to=to, deadline=deadline)
