"""The server's clock: monotonic, anchored to Unix time once when it starts, never stepped, and named.

Clients measure their offset to it; a new name tells them to forget what they knew.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

from dateflicks.protocol.ids import new_id


@dataclass(frozen=True, slots=True)
class ClockBase:
    """What makes a clock: its name, and the Unix time at which the host's monotonic clock was at zero."""

    clock_id: str
    anchor: float


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
        self.clock_id = self.base.clock_id
        self._monotonic = monotonic
        self._unix = unix
        self._anchor = self.base.anchor

    def monotonic(self) -> float:
        """The process's monotonic clock, which frames are stamped with as they arrive."""
        return self._monotonic()

    def now(self) -> float:
        """The time now, in seconds."""
        return self._anchor + self._monotonic()

    def at_monotonic(self, stamp: float) -> float:
        """The time at an earlier stamp of the process's monotonic clock, in seconds."""
        return self._anchor + stamp

    def to_unix(self, instant: float) -> float:
        """The Unix time at an instant of this clock, as the host believes it now: it may have been set since."""
        return self._unix() + (instant - self.now())
