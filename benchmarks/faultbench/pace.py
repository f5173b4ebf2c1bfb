"""How fast one client says one thing after another."""

import asyncio
from collections.abc import Callable


class Pace:
    """At least `seconds` from one to the next; 0 is as fast as it can."""

    def __init__(self, seconds: float = 0.0) -> None:
        self._seconds = seconds
        self._next_at = 0.0
        self._again: asyncio.TimerHandle | None = None

    def is_due(self, again: Callable[[], None]) -> bool:
        """Whether the next one may be said now, which it then is; if not, `again` is called when it may be."""
        if not self._seconds:
            return True
        loop = asyncio.get_running_loop()
        if loop.time() >= self._next_at:
            self._next_at = loop.time() + self._seconds
            return True
        if self._again is not None:
            self._again.cancel()
        self._again = loop.call_at(self._next_at, again)
        return False
