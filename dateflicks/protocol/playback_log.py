"""A session's playback as a log: each thing that was said to it, and when, so that it can be played again.

A line of JSON each. The first says what the playback was when the log begins; the others are inputs, in the order in
which they came. All times are seconds of the server's clock, positions seconds of film; names in the lines are those of
the wire. Who the people are is not in it but for their ids, and nothing that they wrote.

    {"format":"dateflicks-playback","version":1,"sessionId":"ses_a","at":10.0,"length":5400.0}
    {"input":"join","at":10.5,"userId":"usr_a","role":"host"}
    {"input":"report","at":11.0,"userId":"usr_a","currentPosition":0.0,"status":"play","isHost":true,"cause":"user"}

A line with `format` in the middle begins anew, as after a restart of the service. Fields that are not known are passed
over; a line of a later `version`, or of an input that is not known, can not be played.
"""

from typing import Annotated, Final, Literal

import msgspec

from dateflicks.core.errors import DateflicksError
from dateflicks.core.playback import (
    Cause,
    Change,
    Member,
    OnLeave,
    PlaybackControl,
    PlaybackRules,
    Role,
    SeekChange,
    Status,
    StatusChange,
    TimecodeRecord,
    TimecodeRequest,
)
from dateflicks.protocol.decoding import UNREADABLE
from dateflicks.protocol.frames import Position
from dateflicks.protocol.printable import printable

FORMAT: Final = "dateflicks-playback"
VERSION: Final = 1
LINE_MAX_BYTES: Final = 64 * 1024

Time = Annotated[float, msgspec.Meta(ge=0, le=1e11)]
UserId = Annotated[str, msgspec.Meta(min_length=1, max_length=100)]


class LoggedRules(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """The rules that were in force, within the bounds of the settings."""

    confirm_seconds: Annotated[float, msgspec.Meta(ge=0.1, le=3_600)] = PlaybackRules().confirm_seconds
    band_seconds: Annotated[float, msgspec.Meta(ge=0.01, le=10)] = PlaybackRules().band_seconds
    wait_seconds: Annotated[float, msgspec.Meta(ge=0, le=600)] = PlaybackRules().wait_seconds
    on_leave: OnLeave = OnLeave.CONTINUE

    @classmethod
    def of(cls, rules: PlaybackRules) -> "LoggedRules":
        """As they are written."""
        return cls(
            confirm_seconds=rules.confirm_seconds,
            band_seconds=rules.band_seconds,
            wait_seconds=rules.wait_seconds,
            on_leave=rules.on_leave,
        )

    def rules(self) -> PlaybackRules:
        """As the core takes them."""
        return PlaybackRules(
            confirm_seconds=self.confirm_seconds,
            band_seconds=self.band_seconds,
            wait_seconds=self.wait_seconds,
            on_leave=self.on_leave,
        )


class LoggedChange(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """What was pending."""

    by: UserId
    from_: Status | float = msgspec.field(name="from")
    to: Status | float
    deadline: Time
    awaited: list[str]

    @classmethod
    def of(cls, change: Change) -> "LoggedChange":
        """As it is written."""
        origin, target = change.origin, change.target
        return cls(by=change.by, from_=origin, to=target, deadline=change.deadline, awaited=sorted(change.awaited))

    def change(self) -> Change:
        """As the core takes it."""
        awaited = frozenset(self.awaited)
        if isinstance(self.from_, Status) and isinstance(self.to, Status):
            return StatusChange(self.by, self.from_, self.to, self.deadline, awaited)
        if isinstance(self.from_, Status) or isinstance(self.to, Status):
            raise ValueError("what is pending leads from a status to a position")
        return SeekChange(self.by, self.from_, self.to, self.deadline, awaited)


class LoggedMember(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """One who was there before."""

    user_id: UserId
    role: Role


class LoggedRecord(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """The record that a playback came back from."""

    at: Time
    current_position: Position
    status: Status
    settled: Status
    last_status_change: Time
    rate: float
    revision: int
    pending: LoggedChange | None = None
    members: list[LoggedMember] = []
    present: list[str] = []

    @classmethod
    def of(cls, record: TimecodeRecord) -> "LoggedRecord":
        """As it is written."""
        return cls(
            at=record.at,
            current_position=record.current_position,
            status=record.status,
            settled=record.settled,
            last_status_change=record.last_status_change,
            rate=record.rate,
            revision=record.revision,
            pending=None if record.pending is None else LoggedChange.of(record.pending),
            members=[LoggedMember(user_id=one.user_id, role=one.role) for one in record.members],
            present=list(record.present),
        )


class Header(msgspec.Struct, frozen=True, rename="camel", kw_only=True, omit_defaults=True):
    """What the playback was when the log begins; `wakes` says that what time brought is in the log as well."""

    format: Literal["dateflicks-playback"]
    version: int
    session_id: str
    at: Time
    length: Position
    rules: LoggedRules = LoggedRules()
    wakes: bool = False
    record: LoggedRecord | None = None

    def control(self) -> PlaybackControl:
        """The playback as it was then."""
        kept = self.record
        if kept is None:
            return PlaybackControl(self.session_id, self.length, self.at, self.rules.rules())
        record = TimecodeRecord(
            session_id=self.session_id,
            length=self.length,
            current_position=kept.current_position,
            status=kept.status,
            last_status_change=kept.last_status_change,
            at=kept.at,
            rate=kept.rate,
            revision=kept.revision,
            settled=kept.settled,
            pending=None if kept.pending is None else kept.pending.change(),
            members=tuple(Member(one.user_id, one.role) for one in kept.members),
            present=tuple(kept.present),
        )
        return PlaybackControl.from_record(record, self.at, self.rules.rules())


class Input(
    msgspec.Struct, frozen=True, rename="camel", kw_only=True, omit_defaults=True, tag_field="input", tag=str.lower
):
    """Something that was said to the playback at an instant."""

    at: Time


class Advance(Input, frozen=True, kw_only=True):
    """Time brought what was due."""


class Length(Input, frozen=True, kw_only=True):
    """The film's length became known."""

    length: Position


class ByUser(Input, frozen=True, kw_only=True):
    """Something that somebody did."""

    user_id: UserId


class Join(ByUser, frozen=True, kw_only=True):
    """They connected."""

    role: Role


class Leave(ByUser, frozen=True, kw_only=True):
    """Their last connection was gone."""


class Player(ByUser, frozen=True, kw_only=True):
    """Another connection of theirs counts from here on."""


class Seek(ByUser, frozen=True, kw_only=True):
    """They asked everyone to move, or agreed to it."""

    to: Position


class Refuse(ByUser, frozen=True, kw_only=True):
    """They refused what was pending."""


class Delay(ByUser, frozen=True, kw_only=True):
    """How long a frame took to or from them."""

    seconds: float


class Report(ByUser, frozen=True, kw_only=True):
    """They said where their player was."""

    current_position: Position
    status: Status
    is_host: bool
    sent_at: Time | None = None
    revision: int | None = None
    rate: float | None = None
    buffering: bool = False
    cause: Cause | None = None
    length: Position | None = None

    def request(self, session_id: str) -> TimecodeRequest:
        """As the core takes it."""
        return TimecodeRequest(
            session_id=session_id,
            user_id=self.user_id,
            current_position=self.current_position,
            status=self.status,
            is_host=self.is_host,
            sent_at=self.sent_at,
            revision=self.revision,
            rate=self.rate,
            buffering=self.buffering,
            cause=self.cause,
            length=self.length,
        )


class Act(Report, frozen=True, kw_only=True):
    """They asked for a status without a player."""


AnyInput = Advance | Length | Join | Leave | Player | Seek | Refuse | Delay | Report | Act


def reported(request: TimecodeRequest, at: float, *, is_act: bool = False) -> Report:
    """A request as it is written."""
    return (Act if is_act else Report)(
        at=at,
        user_id=request.user_id,
        current_position=request.current_position,
        status=request.status,
        is_host=request.is_host,
        sent_at=request.sent_at,
        revision=request.revision,
        rate=request.rate,
        buffering=request.buffering,
        cause=request.cause,
        length=request.length,
    )


class BrokenLog(DateflicksError):
    """A line that can not be played; `line` is its number, from 1."""

    def __init__(self, line: int, why: str) -> None:
        super().__init__(f"Line {line} can not be played: {why}.")
        self.line = line


class _HasFormat(msgspec.Struct, frozen=True):
    format: str | None = None


_IS_HEADER: Final = msgspec.json.Decoder(_HasFormat)
_HEADER: Final = msgspec.json.Decoder(Header)
_INPUT: Final[msgspec.json.Decoder[AnyInput]] = msgspec.json.Decoder(AnyInput)


def read_line(number: int, text: bytes) -> Header | AnyInput:
    """A line as what it says. Raises BrokenLog."""
    if len(text) > LINE_MAX_BYTES:
        raise BrokenLog(number, f"it is longer than {LINE_MAX_BYTES} bytes")
    try:
        if _IS_HEADER.decode(text).format is None:
            return _INPUT.decode(text)
        header = _HEADER.decode(text)
    except UNREADABLE as error:
        raise BrokenLog(number, printable(str(error))) from None
    if header.version != VERSION:
        raise BrokenLog(number, f"it is of version {header.version}, and this program knows {VERSION}")
    return header
