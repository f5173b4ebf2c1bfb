"""Schedules: the five fields mean what they mean everywhere."""

from datetime import UTC, datetime

import pytest

from dateflicks.server.jobs.cron import next_after, trigger_of

WEDNESDAY = datetime(2026, 11, 25, 12, 0, tzinfo=UTC).timestamp()


def due(schedule: str, after: float = WEDNESDAY) -> str:
    found = next_after(trigger_of(schedule), after)
    assert found is not None
    return datetime.fromtimestamp(found, UTC).strftime("%a %d %H:%M")


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        ("17 3 * * *", "Thu 26 03:17"),
        ("*/30 * * * *", "Wed 25 12:30"),
        ("17 4 * * sun", "Sun 29 04:17"),
        ("17 4 * * 0", "Sun 29 04:17"),
        ("17 4 * * 7", "Sun 29 04:17"),
        ("17 4 * * 1", "Mon 30 04:17"),
        ("17 4 * * 6-7", "Sat 28 04:17"),
        ("17 4 * * 0-2", "Sun 29 04:17"),
        ("17 4 * * mon-tue,4", "Thu 26 04:17"),
        ("0 12 25 11 *", "Thu 25 12:00"),  # a year later: it is due at this very moment
    ],
)
def test_a_schedule_is_due_when_cron_would_say_so(schedule: str, expected: str) -> None:
    assert due(schedule) == expected


@pytest.mark.parametrize("schedule", ["", "daily", "* * * *", "61 * * * *", "0 0 * * 8", "0 0 * * 5-2", "0 0 * * x"])
def test_what_is_no_schedule_is_refused(schedule: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        trigger_of(schedule)


def test_what_is_never_due_has_no_next_time() -> None:
    assert next_after(trigger_of("0 0 31 2 *"), WEDNESDAY) is None
