"""The server's clock: monotonic, anchored to Unix time when its deployment starts, never stepped, and named.

Clients measure their offset to it; a new name tells them to forget what they knew. Where several hosts follow one clock
it runs a little faster or slower than the host's own (`follow`), and no reading is ever before an earlier one.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

from dateflicks.protocol.ids import new_id


@dataclass(frozen=True, slots=True)
class ClockBase:
    """What makes a clock: its name, the Unix time at which the host's monotonic clock was at zero, and how much faster
    than that one it has run `since` an instant of it."""

    clock_id: str
    anchor: float
    since: float = 0.0
    skew: float = 0.0

    def at(self, stamp: float) -> float:
        """The time at an instant of the host's monotonic clock."""
        return self.anchor + stamp + self.skew * (stamp - self.since)


class ServerClock:
    """Seconds since the Unix epoch as they were believed at the start, running evenly from then on.

    With a `base` it is another process's clock of the same host, by that one's name.
    """

    def __init__(
        self,
        monotonic: Callable[[], float] = time.monotonic,
        unix: Callable[[], float] = time.time,
        *,
        base: ClockBase | None = None,
    ) -> None:
        self.base = base or ClockBase(new_id("clk"), unix() - monotonic())
        self._monotonic = monotonic
        self._unix = unix

    @property
    def clock_id(self) -> str:
        """Its name."""
        return self.base.clock_id

    def follow(self, base: ClockBase) -> None:
        """From now on be this clock."""
        self.base = base

    def monotonic(self) -> float:
        """The process's monotonic clock, which frames are stamped with as they arrive."""
        return self._monotonic()

    def now(self) -> float:
        """The time now, in seconds."""
        return self.base.at(self._monotonic())

    def at_monotonic(self, stamp: float) -> float:
        """The time at an earlier stamp of the process's monotonic clock, in seconds."""
        return self.base.at(stamp)

    def to_unix(self, instant: float) -> float:
        """The Unix time at an instant of this clock, as the host believes it now: it may have been set since."""
        return self._unix() + (instant - self.now())
