"""Where films and people are: heard from the bus and from people's own clients, and carried forward from there.

Nothing is asked of anybody. A hint that makes no sense is ignored, one that says less than others counts for what it
says; without any, nobody knows where a film is, which locks nothing and hides nothing.
"""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from dateflicks.core.limits import PARTICIPANTS_MAX, POSITION_MAX_SECONDS
from dateflicks.core.playback import Timeline

TOPIC: Final = "playback"
FILMS_MAX: Final = 10_000  # about 5 MB; those that were heard of last
FRESH_SECONDS: Final = 30.0  # a film that runs is heard of every 5 s; after this long its clients know better
AHEAD_MAX_SECONDS: Final = 10.0  # a hint may be of a moment to come; one further off is of another clock
RATE_MAX: Final = 4.0
TOLERANCE_SECONDS: Final = 0.001  # of film: a timer may ring a little early


@dataclass(frozen=True, slots=True)
class Film:
    """A session's film as it was heard of last, on a clock that runs evenly; a length of 0 is not known."""

    timeline: Timeline
    length: float
    heard_at: float
    people: Mapping[str, Timeline] = field(default_factory=dict)

    def is_fresh(self, now: float) -> bool:
        """Whether it stands still, or was heard of lately enough to be believed to run."""
        return self.timeline.rate == 0 or now - self.heard_at <= FRESH_SECONDS


class Films:
    """Of all sessions that this process has heard of."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, Film] = OrderedDict()

    def __len__(self) -> int:
        return len(self._known)

    def get(self, session_id: str) -> Film | None:
        """What is known of a session's film."""
        return self._known.get(session_id)

    def hear(self, hint: Mapping[str, Any], unix: float, now: float) -> str | None:
        """Take a hint, at this Unix time and this instant of the even clock; the session whose film it is of."""
        session_id, position = hint.get("sessionId"), _position(hint.get("position"))
        if not isinstance(session_id, str) or position is None:
            return None
        rate = _within(hint.get("rate"), RATE_MAX) or 0.0
        ahead = _number(hint.get("at"), unix) - unix
        at = now + ahead if abs(ahead) <= AHEAD_MAX_SECONDS else now
        length = _position(hint.get("length")) or 0.0
        people = hint.get("people")
        self._known[session_id] = Film(
            moving(position, at, rate, length),
            length,
            now,
            {
                user_id: moving(where, at, rate, length)
                for user_id, told in (list(people.items())[:PARTICIPANTS_MAX] if isinstance(people, Mapping) else ())
                if isinstance(user_id, str) and (where := _position(told)) is not None
            },
        )
        self._known.move_to_end(session_id)
        while len(self._known) > FILMS_MAX:
            self._known.popitem(last=False)
        return session_id


def moving(position: float, at: float, rate: float, length: float = 0.0) -> Timeline:
    """A position that goes on at a rate, to the film's end or, while that is not known, as far as any film goes."""
    return Timeline(position, at, rate, length or POSITION_MAX_SECONDS)


def reached_at(timeline: Timeline, position: float, now: float) -> float:
    """When this timeline gets to a position: `now` when it has, infinity when it does not. The end is everywhere."""
    target = min(position, timeline.length) - TOLERANCE_SECONDS
    if timeline.position_at(now) >= target:
        return now
    return timeline.at + (target - timeline.position) / timeline.rate if timeline.rate > 0 else float("inf")


def _position(value: Any) -> float | None:
    return _within(value, POSITION_MAX_SECONDS)


def _within(value: Any, most: float) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if 0 <= value <= most else None  # no NaN, no infinity


def _number(value: Any, otherwise: float) -> float:
    found = _within(value, 1e15)
    return otherwise if found is None else found
