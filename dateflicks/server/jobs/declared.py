"""Which jobs there are, by the settings: two for each source (what is new, and everything), the making of films out of
offers, and what the terms and our own rules ask to be deleted.

`archive` and `archive:full` are two jobs of one subject: they share its lease, its ladder and whether it is paused.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Literal

import msgspec
from apscheduler.triggers.cron import CronTrigger

from dateflicks.server.jobs.cron import trigger_of
from dateflicks.server.providers.discovery import Found
from dateflicks.server.providers.source import Mode
from dateflicks.settings.loader import SettingsError
from dateflicks.settings.providers import ProvidersSettings

MERGE: Final = "merge"
RETENTION: Final = "retention"
FULL: Final = ":full"


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One job; an empty `schedule` is never due by itself."""

    name: str
    subject: str
    kind: Literal["source", "merge", "retention"]
    mode: Mode = "incremental"
    schedule: str = ""

    @property
    def trigger(self) -> CronTrigger | None:
        """When it is due."""
        return trigger_of(self.schedule) if self.schedule else None


def declared(settings: ProvidersSettings, found: Iterable[Found]) -> list[Job]:
    """All jobs, those of sources first. Raises SettingsError for a schedule that is none."""
    jobs = [job for one in found if one.problem is None and not is_reserved(one.name) for job in _of(one, settings)]
    return [
        *jobs,
        Job(name=MERGE, subject=MERGE, kind="merge"),
        _checked(Job(name=MERGE + FULL, subject=MERGE, kind="merge", mode="full", schedule=settings.merge_schedule)),
        _checked(Job(name=RETENTION, subject=RETENTION, kind="retention", schedule=settings.retention_schedule)),
    ]


def is_reserved(name: str) -> bool:
    """Whether a source of this name would be taken for another job."""
    return name in (MERGE, RETENTION)


def _of(found: Found, settings: ProvidersSettings) -> Iterator[Job]:
    try:
        scheduled = settings.scheduled(found.name)
    except msgspec.ValidationError as error:
        raise SettingsError("providers.toml", f"plugins.{found.name}", str(error)) from None
    for name, mode, schedule in (
        (found.name, "incremental", scheduled.schedule),
        (found.name + FULL, "full", scheduled.full_schedule),
    ):
        yield _checked(
            Job(
                name=name,
                subject=found.name,
                kind="source",
                mode="full" if mode == "full" else "incremental",
                schedule=schedule if scheduled.enabled else "",
            )
        )


def _checked(job: Job) -> Job:
    try:
        _ = job.trigger
    except ValueError as error:
        key = f"{job.subject}.{'full_' if job.mode == 'full' else ''}schedule"
        key = key if job.kind == "source" else f"{job.subject}_schedule"
        problem = f"{job.schedule!r} is no schedule: {error}"
        raise SettingsError("providers.toml", key, problem) from None
    return job
