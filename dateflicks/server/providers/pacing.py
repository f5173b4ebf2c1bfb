"""How fast, how often and how long a provider is asked: the rate, the waits between tries, and the breaker. No I/O."""

import random
from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

TRIES: Final = 5
WAIT_BASE_SECONDS: Final = 1.0
WAIT_MAX_SECONDS: Final = 30.0
PATIENCE_SECONDS: Final = 60.0  # how long a Retry-After is waited for within a run
QUOTA_SECONDS: Final = 900.0  # until a quota is back, when nobody says
FAILURES_IN_A_ROW: Final = 5
FAILURES_AMONG: Final = 50
FAILURES_SHARE: Final = 0.2


class Pace:
    """A rate: each request is told how long to wait before it goes out. Bursts are spread, nothing is lost."""

    def __init__(self, per_second: float) -> None:
        self._interval = 1.0 / per_second
        self._free_at = 0.0

    def wait(self, now: float) -> float:
        """Take the next slot; how many seconds it is away."""
        at = max(now, self._free_at)
        self._free_at = at + self._interval
        return at - now

    def hold(self, until: float) -> None:
        """No slot before then: the provider asked for a rest."""
        self._free_at = max(self._free_at, until)


class Breaker:
    """Open after five failures in a row, or when more than a fifth of the last fifty requests failed; stays open."""

    def __init__(self) -> None:
        self._last: deque[bool] = deque(maxlen=FAILURES_AMONG)
        self._row = 0
        self.is_open = False

    def count(self, has_failed: bool) -> None:
        """One more request came to its end."""
        self._last.append(has_failed)
        self._row = self._row + 1 if has_failed else 0
        if self._row >= FAILURES_IN_A_ROW or sum(self._last) > FAILURES_AMONG * FAILURES_SHARE:
            self.is_open = True


def wait_before(attempt: int) -> float:
    """Full jitter: anything up to the exponential wait after this many failed tries, in seconds.

    Our own five lines instead of a retry library: the providers' own Retry-After has its say in each wait.
    """
    return random.uniform(0.0, min(WAIT_MAX_SECONDS, WAIT_BASE_SECONDS * 2.0**attempt))  # noqa: S311 - no secret


def retry_after(header: str | None, now: datetime) -> float | None:
    """A Retry-After header in seconds from now, which says them or a date; None when there is none that makes sense."""
    if not header:
        return None
    try:
        return max(0.0, float(int(header)))
    except ValueError:
        pass
    try:
        date = parsedate_to_datetime(header)
    except ValueError:
        return None
    return max(0.0, (date.replace(tzinfo=date.tzinfo or UTC) - now).total_seconds())


@dataclass(frozen=True, slots=True)
class FetchLimits:
    """Bounds of one request."""

    tries: int = TRIES
    try_seconds: float = 30.0
    total_seconds: float = 180.0  # no new try after it
    body_bytes: int = 16 * 1024 * 1024
    json_depth: int = 64
    redirects: int = 5
    patience_seconds: float = PATIENCE_SECONDS
