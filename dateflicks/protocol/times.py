"""Record times on the wire: RFC 3339 in UTC with milliseconds, such as `2026-11-24T01:43:00.123Z`."""

from datetime import UTC, datetime
from functools import lru_cache


def rfc3339(moment: datetime) -> str:
    """Write an aware moment as RFC 3339 UTC with exactly three decimals."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def rfc3339_from_unix(seconds: float) -> str:
    """Write Unix seconds as RFC 3339 UTC with exactly three decimals, rounded to the nearest."""
    whole, milliseconds = divmod(round(seconds * 1000), 1000)
    return f"{_to_the_second(whole)}{milliseconds:03d}Z"


def rfc3339_if_known(seconds: float | None) -> str | None:
    """The same of what may not have happened yet."""
    return None if seconds is None else rfc3339_from_unix(seconds)


@lru_cache(maxsize=256)  # most of what is told happened in this second
def _to_the_second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.")
