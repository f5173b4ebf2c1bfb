"""How much the others bear from one who can not follow: waits, excuses, and the budget of pull-backs.

Immutable values with the time as an argument; `control.py` asks them and carries out what they say.
"""

from dataclasses import replace
from enum import StrEnum

from dateflicks.core import limits
from dateflicks.core.values import value


class Why(StrEnum):
    """What a wait is for."""

    STALL = "stall"  # one who was in step can not go on
    SEEK = "seek"  # all move to another place, the slowest included
    START = "start"  # one is still loading when play is settled
    LEAVE = "leave"  # one's link is lost, and the deployment wants to hold for them
    RECOVER = "recover"  # nobody knows where the film is until those who come back have said so


@value
class Wait:
    """The timeline stands until all of `whom` are ready, and not beyond `until`."""

    why: Why
    whom: frozenset[str]
    until: float

    def without(self, user_id: str) -> "Wait":
        """The same, for one fewer."""
        return replace(self, whom=self.whom - {user_id})

    def also(self, user_id: str) -> "Wait":
        """The same, for one more; the end of patience does not move."""
        return replace(self, whom=self.whom | {user_id})


@value
class PullBacks:
    """What the minimum has cost everybody of late: pairs of (when, seconds of film)."""

    spent: tuple[tuple[float, float], ...] = ()

    def allows(self, now: float, seconds: float) -> bool:
        """Whether going back by `seconds` stays within the budget of the last minute."""
        return self._since(now) + seconds <= limits.PULL_BACK_BUDGET_SECONDS

    def after(self, now: float, seconds: float) -> "PullBacks":
        """The same with one more pull-back; those older than the window are forgotten."""
        if seconds <= 0:
            return self
        kept = tuple(pair for pair in self.spent if now - pair[0] < limits.PULL_BACK_WINDOW_SECONDS)
        return PullBacks((*kept, (now, seconds)))

    def _since(self, now: float) -> float:
        return sum(cost for when, cost in self.spent if now - when < limits.PULL_BACK_WINDOW_SECONDS)


@value
class Outside:
    """Since when the minimum has been outside the band on one side: -1 somebody is behind, +1 all are ahead."""

    side: int
    since: float
