"""What goes into and comes out of the playback core: closed sets of words, requests, events, and the record.

All times are seconds of the server's clock, all positions seconds of film. Nothing here decides anything.
"""

from collections.abc import Mapping
from enum import StrEnum

from dateflicks.core import limits
from dateflicks.core.values import named_value, value


class Status(StrEnum):
    """What a session's film does; a new session is at stop."""

    PLAY = "play"
    PAUSE = "pause"
    STOP = "stop"

    @property
    def moves(self) -> bool:
        """Whether the film runs under this status."""
        return self is Status.PLAY


class Role(StrEnum):
    """The two names that the wire keeps; in a small party every further member is a guest."""

    HOST = "host"
    GUEST = "guest"


class Cause(StrEnum):
    """Why a report was sent."""

    TICK = "tick"
    STALL = "stall"
    RESUME = "resume"
    SEEK = "seek"
    USER = "user"


class Reason(StrEnum):
    """Why an event was sent."""

    START = "start"
    PLAY = "play"
    PAUSE = "pause"
    STOP = "stop"
    SEEK = "seek"
    MINIMUM = "minimum"
    WAIT = "wait"
    RESUME = "resume"
    JOIN = "join"
    LEAVE = "leave"
    RESTORED = "restored"
    REFUSED = "refused"
    END = "end"


class OnLeave(StrEnum):
    """What the others do when a link is lost: go on, or hold for a while."""

    CONTINUE = "continue"
    HOLD = "hold"


@named_value
class PlaybackRules:
    """The numbers that a deployment may set; the defaults and their reasons are in `core/limits.py`."""

    confirm_seconds: float = limits.CONFIRM_SECONDS
    band_seconds: float = limits.BAND_SECONDS
    wait_seconds: float = limits.WAIT_SECONDS
    on_leave: OnLeave = OnLeave.CONTINUE


@named_value
class TimecodeRequest:
    """What a client streams: where its player is, and the status that its user last asked for or agreed to.

    `current_position` held at `sent_at` (the time of arrival when None) while the player moved at `rate` (what the
    timeline does when None). `revision` is the newest one the client had seen.
    """

    session_id: str
    user_id: str
    current_position: float
    status: Status
    is_host: bool
    sent_at: float | None = None
    revision: int | None = None
    rate: float | None = None
    buffering: bool = False
    cause: Cause | None = None
    length: float | None = None


@value
class StatusChange:
    """A status that one asked for: `origin` comes back unless all of `awaited` say `target` before `deadline`."""

    by: str
    origin: Status
    target: Status
    deadline: float
    awaited: frozenset[str]


@value
class SeekChange:
    """A move of the film that one asked for; forgotten unless all of `awaited` ask the same before `deadline`."""

    by: str
    origin: float
    target: float
    deadline: float
    awaited: frozenset[str]


Change = StatusChange | SeekChange


@value
class ParticipantView:
    """What all may know of one participant; `drift` is signed seconds ahead of the timeline."""

    role: Role
    name: str
    connected: bool
    buffering: bool
    excused: bool
    status: Status
    position: float | None
    drift: float | None


@named_value
class TimecodeEvent:
    """What the service answers: the one timeline of a session, and all that hangs on it.

    `current_position` holds at `at`, which may lie ahead; from then on it moves at `rate`.
    """

    session_id: str
    length: float
    current_position: float
    status: Status
    last_status_change: float
    at: float
    rate: float
    revision: int
    reason: Reason
    by: str | None
    waiting_for: tuple[str, ...]
    pending: Change | None
    participants: Mapping[str, ParticipantView]


@value
class Member:
    """One who belongs to a session's playback, present or not."""

    user_id: str
    role: Role
    name: str = ""


@named_value
class TimecodeRecord:
    """A picture of one playback as it is kept: enough to go on after the service has died at any moment.

    `at` is when the picture was taken; `present` are the user ids that were connected then.
    """

    session_id: str
    length: float
    current_position: float = 0.0
    status: Status = Status.STOP
    last_status_change: float
    at: float
    rate: float = 0.0
    revision: int = 0
    settled: Status = Status.STOP
    pending: Change | None = None
    members: tuple[Member, ...] = ()
    present: tuple[str, ...] = ()
