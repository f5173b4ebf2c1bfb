"""Live frames of the timecode service and of session events, as msgspec structs; camelCase on the wire.

Times in frames (`at`, `sentAt`, `t1`, `t2`, `deadline`) are milliseconds of the server's clock; positions and
lengths are seconds. Unknown fields are ignored; NaN and infinities do not parse.
"""

from typing import Annotated, Any, Literal

import msgspec

from dateflicks.core.limits import POSITION_MAX_SECONDS

StatusWord = Literal["play", "pause", "stop"]
Role = Literal["host", "guest"]
Cause = Literal["tick", "stall", "resume", "seek", "user"]
Reason = Literal[
    "start", "play", "pause", "stop", "seek", "minimum", "wait", "resume",
    "join", "leave", "restored", "refused", "end",
]  # fmt: skip
Position = Annotated[float, msgspec.Meta(ge=0, le=POSITION_MAX_SECONDS)]
Milliseconds = Annotated[float, msgspec.Meta(ge=0, le=1e15)]
OwnClock = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)] | float  # nanoseconds do not fit into a float
OpaqueId = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]


class Frame(msgspec.Struct, frozen=True, rename="camel", tag_field="type", kw_only=True):
    """Root of all live frames; `type` tells them apart."""


# --- client → timecode service ----------------------------------------------------------------------------------


class Ping(Frame, tag="ping", frozen=True, kw_only=True):
    """Clock exchange; `t0` is the client's own clock, in whatever unit and epoch it likes, and comes back as is."""

    t0: OwnClock


class Report(Frame, tag="report", omit_defaults=True, frozen=True, kw_only=True):
    """The TimecodeRequest, streamed: where this participant's player is, and the status it last asked for."""

    session_id: OpaqueId
    current_position: Position
    status: StatusWord
    is_host: bool
    sent_at: Milliseconds | None = None
    revision: Annotated[int, msgspec.Meta(ge=0, le=2**53)] | None = None
    rate: Annotated[float, msgspec.Meta(ge=0, le=4)] | None = None
    buffering: bool | None = None
    cause: Cause | None = None
    length: Position | None = None


class Seek(Frame, tag="seek", frozen=True, kw_only=True):
    """Ask everyone to move, or confirm what another asked (`to` within half a second of it)."""

    to: Position


class Refuse(Frame, tag="refuse", frozen=True, kw_only=True):
    """Refuse what is pending, or take one's own request back."""


TimecodeClientFrame = Ping | Report | Seek | Refuse


# --- timecode service → client ----------------------------------------------------------------------------------


class Pong(Frame, tag="pong", frozen=True, kw_only=True):
    """Answer to a ping: `t1` received, `t2` sent, server clock; `clockId` names that clock."""

    t0: OwnClock
    t1: float
    t2: float
    clock_id: str


class Pending(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """A change that waits for its confirmation until `deadline`; `from` and `to` are statuses or positions."""

    kind: Literal["status", "seek"]
    by: str
    from_: StatusWord | float = msgspec.field(name="from")
    to: StatusWord | float
    deadline: float


class ParticipantState(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """What all may know of one participant; `drift` is signed seconds ahead of the timeline, null when unknown."""

    role: Role
    connected: bool
    buffering: bool
    status: StatusWord
    position: float | None
    drift: float | None
    name: str = ""
    excused: bool | msgspec.UnsetType = msgspec.UNSET  # true, or not said


class SyncLimits(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """The limits in force, told on connecting."""

    confirm_seconds: float
    band_seconds: float
    wait_seconds: float


class TimecodeFrame(Frame, tag="timecode", frozen=True, kw_only=True):
    """The TimecodeEvent: the one timeline of a session and all that hangs on it."""

    session_id: str
    length: float
    current_position: float
    status: StatusWord
    last_status_change: str
    at: float
    rate: float
    revision: int
    clock_id: str
    reason: Reason
    by: str | None
    waiting_for: list[str]
    pending: Pending | None
    participants: dict[str, ParticipantState]
    limits: SyncLimits | msgspec.UnsetType = msgspec.UNSET  # only in the first one of a connection


class ErrorFrame(Frame, tag="error", omit_defaults=True, frozen=True, kw_only=True):
    """Answers a frame that is wrong in content; the connection stays."""

    code: str
    detail: str
    reply_to: Any = None
    retry_after: float | None = None


TimecodeServerFrame = Pong | TimecodeFrame | ErrorFrame


# --- session service → client -----------------------------------------------------------------------------------
# Their `session` is a `bodies.SessionBody`; see `bodies.InvitationFrame` and `bodies.SessionFrame`.
