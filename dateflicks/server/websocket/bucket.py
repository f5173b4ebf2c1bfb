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
        left = self._left
        if now > self._at:
            left += (now - self._at) * self._per_second
            if left > self._burst:
                left = self._burst
        self._at = now
        if left < 1.0 - _TINY:
            self._left = left
            return False
        self._left = left - 1.0
        return True
