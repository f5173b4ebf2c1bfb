"""When a job is due: the five fields of cron, in UTC, as everybody writes them."""

import re
from datetime import UTC, datetime
from typing import Final

from apscheduler.triggers.cron import CronTrigger

_DAYS: Final = ("sun", "mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAY_RANGE: Final = re.compile(r"(\d)(?:-(\d))?")


def trigger_of(schedule: str) -> CronTrigger:
    """A schedule as APScheduler takes it, whose own days of the week begin with Monday. Raises ValueError."""
    fields = schedule.split()
    if len(fields) != 5:
        raise ValueError(f"five fields are needed, not {len(fields)}")
    fields[4] = ",".join(_days(part) for part in fields[4].split(","))
    return CronTrigger.from_crontab(" ".join(fields), timezone=UTC)


def _days(part: str) -> str:
    """Numbers of days (0 and 7 are Sunday) as names, which mean the same to everybody."""
    numbers = _DAY_RANGE.fullmatch(part)
    if numbers is None:
        return part
    first, last = int(numbers[1]), int(numbers[2] or numbers[1])
    if last > 7 or first > last:
        raise ValueError(f"'{part}' are no days of the week")
    return ",".join(dict.fromkeys(_DAYS[first : last + 1]))


def next_after(trigger: CronTrigger, moment: float) -> float | None:
    """The first time after this one at which it is due, in Unix seconds; None when it never is again."""
    found = trigger.get_next_fire_time(None, datetime.fromtimestamp(moment + 1e-3, UTC))
    return None if found is None else float(found.timestamp())
