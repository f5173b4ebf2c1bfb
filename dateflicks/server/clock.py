"""The server's clock: monotonic, anchored to Unix time once when it starts, never stepped, and named.

Clients measure their offset to it; a new name tells them to forget what they knew.
"""

import time
from collections.abc import Callable

from dateflicks.protocol.ids import new_id


class ServerClock:
    """Seconds since the Unix epoch as they were believed at the start, running evenly from then on."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic, unix: Callable[[], float] = time.time) -> None:
        self.clock_id = new_id("clk")
        self._monotonic = monotonic
        self._unix = unix
        self._anchor = unix() - monotonic()

    def now(self) -> float:
        """The time now, in seconds."""
        return self._anchor + self._monotonic()

    def at_monotonic(self, stamp: float) -> float:
        """The time at an earlier stamp of the process's monotonic clock, in seconds."""
        return self._anchor + stamp

    def to_unix(self, instant: float) -> float:
        """The Unix time at an instant of this clock, as the host believes it now: it may have been set since."""
        return self._unix() + (instant - self.now())
