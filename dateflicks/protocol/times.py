"""Record times on the wire: RFC 3339 in UTC with milliseconds, such as `2026-11-24T01:43:00.123Z`."""

from datetime import UTC, datetime


def rfc3339(moment: datetime) -> str:
    """Write an aware moment as RFC 3339 UTC with exactly three decimals."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def rfc3339_from_unix(seconds: float) -> str:
    """Write Unix seconds as RFC 3339 UTC with exactly three decimals, rounded to the nearest."""
    milliseconds = round(seconds * 1000)
    moment = datetime.fromtimestamp(milliseconds // 1000, UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{milliseconds % 1000:03d}Z"
