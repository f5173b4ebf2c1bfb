"""A playback's log played again: each input is said to a playback once more, and what it decides comes back."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, assert_never

import msgspec

from dateflicks.core.errors import RuleError
from dateflicks.core.playback import Member, PlaybackControl, Status, TimecodeEvent
from dateflicks.protocol.playback_log import (
    FORMAT,
    VERSION,
    Act,
    Advance,
    AnyInput,
    BrokenLog,
    ByUser,
    Delay,
    Header,
    Join,
    Leave,
    Length,
    Player,
    Refuse,
    Report,
    Seek,
    read_line,
)

HAIR_SECONDS: Final = 1e-6  # a float of the server's clock is good to a quarter of it


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """One input and what the playback made of it: events that were told, or a refusal."""

    line: int
    at: float
    since: float  # seconds from the beginning of the log
    input: str
    by: str | None
    what: str
    told: Sequence[TimecodeEvent]
    refused: str | None  # the code
    status: Status
    position: float
    revision: int
    next_wake: float | None


class Replay:
    """Plays a log again, line by line; `control` is the playback as it is now."""

    def __init__(self) -> None:
        self.control: PlaybackControl | None = None
        self._header: Header | None = None
        self._began = 0.0
        self._now = 0.0

    def decisions(self, lines: Iterable[bytes]) -> Iterator[Decision]:
        """Each input and what came of it; where the log has no `wakes`, what time brings comes by itself, between.

        Raises BrokenLog.
        """
        for number, text in enumerate(lines, 1):
            if not text.strip():
                continue
            line = read_line(number, text)
            if isinstance(line, Header):
                self._begin(number, line)
                continue
            if self.control is None:
                raise BrokenLog(number, f'the first line has to be {{"format":"{FORMAT}","version":{VERSION},…}}')
            if line.at < self._now:
                raise BrokenLog(number, f"it is of {line.at}, before the line above it ({self._now})")
            yield from self._wakes(number, line.at)
            yield self._decide(number, line)

    def _begin(self, number: int, header: Header) -> None:
        try:
            self.control = header.control()
        except ValueError as error:
            raise BrokenLog(number, str(error)) from None
        if self._header is None:
            self._began = header.at
        self._header, self._now = header, header.at

    def _wakes(self, number: int, until: float) -> Iterator[Decision]:
        assert self.control is not None
        assert self._header is not None
        while not self._header.wakes and (wake := self.control.next_wake()) is not None and wake < until:
            # An instant that could not be told from the one before it would come for ever.
            yield self._decide(number, Advance(at=wake if wake > self._now else self._now + HAIR_SECONDS))

    def _decide(self, number: int, line: AnyInput) -> Decision:
        control = self.control
        assert control is not None
        self._now = line.at
        told: Sequence[TimecodeEvent] = ()
        refused = None
        try:
            told = apply(line, control)
        except RuleError as error:
            refused = error.code
        state = control.state
        return Decision(
            line=number,
            at=line.at,
            since=line.at - self._began,
            input=type(line).__name__.lower(),
            by=line.user_id if isinstance(line, ByUser) else None,
            what=_what(line),
            told=told,
            refused=refused,
            status=state.status.value,
            position=state.timeline.position_at(line.at),
            revision=state.revision,
            next_wake=control.next_wake(),
        )


def apply(line: AnyInput, control: PlaybackControl) -> Sequence[TimecodeEvent]:
    """Say it to a playback; what is told for it. Raises RuleError."""
    match line:
        case Advance():
            return control.advance(line.at)
        case Length():
            return control.set_length(line.length, line.at)
        case Join():
            return control.join(Member(line.user_id, line.role), line.at)
        case Leave():
            return control.leave(line.user_id, line.at)
        case Player():
            return control.change_player(line.user_id, line.at)
        case Seek():
            return control.seek(line.user_id, line.to, line.at)
        case Refuse():
            return control.refuse(line.user_id, line.at)
        case Delay():
            control.measured_one_way(line.user_id, line.seconds)
            return ()
        case Act():
            return control.ask(line.request(control.state.session_id), line.at)
        case Report():
            return control.receive(line.request(control.state.session_id), line.at)
        case _:
            assert_never(line)


def _what(line: AnyInput) -> str:
    """What was said, in a few words."""
    match line:
        case Report():
            parts = [line.status.value, f"{line.current_position:.3f}", line.cause.value if line.cause else ""]
            parts += ["buffering" if line.buffering else "", f"r{line.revision}" if line.revision is not None else ""]
            return " ".join(part for part in parts if part)
        case Seek():
            return f"to {line.to:.3f}"
        case Join():
            return line.role.value
        case Delay():
            return f"{1000 * line.seconds:.1f} ms"
        case Length():
            return f"{line.length:.3f}"
        case _:
            return ""
