"""How often something may be tried, by key: a token bucket for each name or address, for a bounded number of them.

Time is an argument, so that the same rule can be tested without waiting. When too many keys are known, the one that was
used longest ago is forgotten: it has had the longest time to fill up again.
"""

from collections import OrderedDict
from typing import Final

from dateflicks.core.errors import TooMany

KEYS_MAX: Final = 20_000  # about 4 MB; an attack from more addresses than this is not stopped by counting addresses


class Limiter:
    """`tries` at once, and as many again over `window_seconds`, for each key."""

    def __init__(self, tries: float, window_seconds: float, detail: str, *, keys_max: int = KEYS_MAX) -> None:
        self._tries = tries
        self._per_second = tries / window_seconds
        self._detail = detail
        self._keys_max = keys_max
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()  # key → tokens left, at

    def __len__(self) -> int:
        return len(self._buckets)

    def check(self, key: str, now: float) -> None:
        """Raise TooMany when this key has no try left; takes none."""
        left = self._left(key, now)
        if left < 1.0:
            raise TooMany(self._detail, retry_after=(1.0 - left) / self._per_second)

    def take(self, key: str, now: float) -> None:
        """Take a try of this key's; raises TooMany, with the time until the next one, when none is left."""
        self.check(key, now)
        left = self._left(key, now)
        self._buckets[key] = (left - 1.0, now)
        self._buckets.move_to_end(key)
        while len(self._buckets) > self._keys_max:
            self._buckets.popitem(last=False)

    def forget(self, key: str) -> None:
        """Give this key all its tries back, as after a sign-in that succeeded."""
        self._buckets.pop(key, None)

    def give_back(self, key: str, now: float) -> None:
        """Give this key one try back, as after one that turned out to be good."""
        if key in self._buckets:
            self._buckets[key] = (min(self._tries, self._left(key, now) + 1.0), now)

    def _left(self, key: str, now: float) -> float:
        left, at = self._buckets.get(key, (self._tries, now))
        return min(self._tries, left + max(0.0, now - at) * self._per_second)
