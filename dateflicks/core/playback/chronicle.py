"""What people did in one playback, as lines that can be told among what they say: who, what, and where in the film.

A line is told at the moment when something takes effect: a pause when it is asked, play and a move when all agreed.
What nobody did (waits, the minimum rule, the end of the film) makes no line, and neither does what changes nothing.
"""

from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import Final

from dateflicks.core.playback.messages import Reason, SeekChange, Status, StatusChange, TimecodeEvent
from dateflicks.core.values import named_value

RETURN_SECONDS: Final = 60.0  # after a service was away: who is back within it has not been away themselves

_BY_PEOPLE: Final = {Reason.PLAY, Reason.PAUSE, Reason.STOP, Reason.REFUSED}


class Deed(StrEnum):
    """What a line tells."""

    JOINED = "joined"
    LEFT = "left"
    PAUSED = "paused"
    RESUMED = "resumed"
    STOPPED = "stopped"
    SEEKED = "seeked"


_OF_STATUS: Final = {Status.PLAY: Deed.RESUMED, Status.PAUSE: Deed.PAUSED, Status.STOP: Deed.STOPPED}


@named_value
class Line:
    """One thing that somebody did, or that came about because nobody answered (`by` is None).

    `position` is where the film was, in seconds; `to`, of a move alone, is where it went.
    """

    session_id: str
    revision: int
    deed: Deed
    by: str | None
    name: str | None
    position: float
    to: float | None = None


class Chronicle:
    """The lines of one playback. `first` is how it was found; it has no lines.

    `returning` were there when the service went away: until `until` (seconds of the server's clock) their coming back
    is no line; whoever is not back by then has left.
    """

    def __init__(self, first: TimecodeEvent, returning: Iterable[str] = (), until: float = float("-inf")) -> None:
        self._last = first
        self._returning = frozenset(returning)
        self._until = until
        self._there = _connected(first) | self._returning

    def lines(self, event: TimecodeEvent) -> tuple[Line, ...]:
        """What the next event tells that no event before it told. Every event is to be shown here once, in order."""
        before, self._last = self._last, event
        lines = tuple(self._presence(event)) if self._returning or _connected(event) != self._there else ()
        if event.status is before.status and event.reason is not Reason.SEEK:
            return lines
        return (*lines, *_status(before, event), *_move(before, event))

    def _presence(self, event: TimecodeEvent) -> Iterator[Line]:
        connected = _connected(event)
        self._returning = self._returning - connected if event.at < self._until else frozenset()
        there = connected | self._returning
        was_there, self._there = self._there, there
        if there == was_there:
            return
        for user in sorted(was_there - there):
            yield _line(event, Deed.LEFT, user)
        for user in sorted(there - was_there):
            yield _line(event, Deed.JOINED, user)


def _connected(event: TimecodeEvent) -> frozenset[str]:
    return frozenset(user for user, one in event.participants.items() if one.connected)


def _status(before: TimecodeEvent, event: TimecodeEvent) -> Iterator[Line]:
    """Another status is in force: because somebody asked for it, refused another one, or because nobody answered."""
    if event.status is before.status:
        return
    by = event.by
    if isinstance(before.pending, StatusChange) and before.pending.target is event.status and event.pending is None:
        by = before.pending.by  # the last one to agree is the one whom the event names
    if event.reason is Reason.RESTORED or (event.reason in _BY_PEOPLE and by is not None):
        yield _line(event, _OF_STATUS[event.status], by)


def _move(before: TimecodeEvent, event: TimecodeEvent) -> Iterator[Line]:
    if event.reason is not Reason.SEEK or event.pending is not None or event.revision == before.revision:
        return
    here = min(before.current_position + before.rate * max(0.0, event.at - before.at), before.length)
    by = before.pending.by if isinstance(before.pending, SeekChange) else event.by
    yield _line(event, Deed.SEEKED, by, position=here, to=event.current_position)


def _line(
    event: TimecodeEvent, deed: Deed, by: str | None, *, position: float | None = None, to: float | None = None
) -> Line:
    one = event.participants.get(by) if by is not None else None
    return Line(
        session_id=event.session_id,
        revision=event.revision,
        deed=deed,
        by=by,
        name=one.name if one is not None else None,
        position=event.current_position if position is None else position,
        to=to,
    )
