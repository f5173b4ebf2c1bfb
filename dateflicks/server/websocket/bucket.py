"""A token bucket: `burst` at once, `per_second` in the long run. Time is an argument."""

from typing import Final

_TINY: Final = 1e-9


class TokenBucket:
    """One sender's; full at first."""

    __slots__ = ("_at", "_burst", "_left", "_per_second")

    def __init__(self, per_second: float, burst: float, now: float) -> None:
        self._per_second = per_second
        self._burst = burst
        self._left = burst
        self._at = now

    def take(self, now: float) -> bool:
        """Take one token; False when none is left."""
        self._left = min(self._burst, self._left + max(0.0, now - self._at) * self._per_second)
        self._at = now
        if self._left < 1.0 - _TINY:
            return False
        self._left -= 1.0
        return True
