"""Which jobs there are, by the settings: two for each source (what is new, and everything), the making of films out of
offers, what the terms and our own rules ask to be deleted, and one for each recommender.

`archive` and `archive:full` are two jobs of one subject: they share its lease, its ladder and whether it is paused.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Literal

import msgspec
from apscheduler.triggers.cron import CronTrigger

from dateflicks.server.jobs.cron import trigger_of
from dateflicks.server.plugins import Found
from dateflicks.server.providers.source import Mode
from dateflicks.settings.errors import SettingsError
from dateflicks.settings.providers import ProvidersSettings
from dateflicks.settings.recommenders import RecommendersSettings

MERGE: Final = "merge"
RETENTION: Final = "retention"
FULL: Final = ":full"
RECOMMEND: Final = "recommend-"  # before the name of a recommender

Kind = Literal["source", "merge", "retention", "recommender"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One job; an empty `schedule` is never due by itself."""

    name: str
    subject: str
    kind: Kind
    mode: Mode = "incremental"
    schedule: str = ""

    @property
    def is_by_hand(self) -> bool:
        """Whether it never runs by itself; films are made after each change, whatever the schedule."""
        return not self.schedule and self.kind != "merge"

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


def recommending(settings: RecommendersSettings, found: Iterable[Found]) -> list[Job]:
    """The jobs of recommenders. Raises SettingsError for a schedule that is none."""
    return [_recommending(one.name, settings) for one in found if one.problem is None]


def is_reserved(name: str) -> bool:
    """Whether a source of this name would be taken for another job."""
    return name in (MERGE, RETENTION) or name.startswith(RECOMMEND)


def kind_of(subject: str) -> Kind:
    """What kind of job a subject has."""
    if subject.startswith(RECOMMEND):
        return "recommender"
    return "merge" if subject == MERGE else "retention" if subject == RETENTION else "source"


def _recommending(name: str, settings: RecommendersSettings) -> Job:
    try:
        scheduled = settings.scheduled(name)
    except msgspec.ValidationError as error:
        raise SettingsError("recommenders.toml", f"plugins.{name}", str(error)) from None
    schedule = scheduled.schedule if scheduled.enabled else ""
    job = Job(name=RECOMMEND + name, subject=RECOMMEND + name, kind="recommender", schedule=schedule)
    return _checked(job, "recommenders.toml", f"{name}.schedule")


def _of(found: Found, settings: ProvidersSettings) -> Iterator[Job]:
    try:
        scheduled = settings.scheduled(found.name)
    except msgspec.ValidationError as error:
        raise SettingsError("providers.toml", f"plugins.{found.name}", str(error)) from None
    modes: tuple[tuple[str, Mode, str], ...] = (
        (found.name, "incremental", scheduled.schedule),
        (found.name + FULL, "full", scheduled.full_schedule),
    )
    for name, mode, schedule in modes:
        due = schedule if scheduled.enabled else ""
        yield _checked(Job(name=name, subject=found.name, kind="source", mode=mode, schedule=due))


def _checked(job: Job, file: str = "providers.toml", key: str = "") -> Job:
    try:
        _ = job.trigger
    except ValueError as error:
        of_source = f"{job.subject}.{'full_' if job.mode == 'full' else ''}schedule"
        key = key or (of_source if job.kind == "source" else f"{job.subject}_schedule")
        problem = f"{job.schedule!r} is no schedule: {error}"
        raise SettingsError(file, key, problem) from None
    return job
