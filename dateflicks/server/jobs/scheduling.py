"""Jobs by themselves: each when it is due, again after a failure as its ladder says, and films after each change.

Any number of these may run on one database, on one machine or several: leases keep a job's runs apart, and whatever one
leaves behind that is killed, the next one tells as lost.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from apscheduler.events import EVENT_JOB_MAX_INSTANCES, EVENT_JOB_MISSED, JobEvent
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.date import DateTrigger

from dateflicks.core.errors import DateflicksError, Unavailable
from dateflicks.server.jobs.cron import next_after
from dateflicks.server.jobs.declared import MERGE, Job
from dateflicks.server.jobs.ladder import may_run
from dateflicks.server.jobs.leases import LeaseHeld
from dateflicks.server.jobs.records import JobRun, JobState
from dateflicks.server.jobs.supervising import Supervisor, Wish
from dateflicks.server.providers.records import Status, Trigger
from dateflicks.server.storage.database import Database

log = logging.getLogger(__name__)

MISFIRE_SECONDS: Final = 3_600
ROUNDING_SECONDS: Final = 1.0  # how much too early a new try may come
JITTER_SECONDS: Final = 60
AT_ONCE: Final = 2  # processes; more would only take from one another, and from the services
MERGE_PATIENCE_SECONDS: Final = 3_600.0
DATABASE_SECONDS: Final = 60.0
TIDY_MINUTES: Final = 5  # how often runs are looked for that somebody has left behind


class Scheduler:
    """Runs jobs when they are due, until it is told to stop."""

    def __init__(
        self,
        database: Database,
        supervisor: Supervisor,
        jobs: Sequence[Job],
        *,
        jitter_seconds: int = JITTER_SECONDS,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._database = database
        self._supervisor = supervisor
        self._jobs = {job.name: job for job in jobs}
        self._jitter = jitter_seconds
        self._now = now
        self._places = asyncio.Semaphore(AT_ONCE)
        self._under_way: set[asyncio.Task[Any]] = set()
        self._stopping = asyncio.Event()
        self._merges_wanted = 0
        self._clock = AsyncIOScheduler(
            timezone=UTC,
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": MISFIRE_SECONDS},
        )

    async def run(self, stopping: asyncio.Event, on_ready: Callable[[], None] = lambda: None) -> None:
        """Until `stopping` is set: then what runs is asked to end, and waited for."""
        self._clock.add_listener(self._passed_over, EVENT_JOB_MISSED | EVENT_JOB_MAX_INSTANCES)
        for job in self._jobs.values():
            if (trigger := job.trigger) is not None:
                trigger.jitter = self._jitter
                self._clock.add_job(self._fire, trigger, args=[job, "schedule"], id=job.name)
        self._clock.add_job(self._tidy, "interval", minutes=TIDY_MINUTES, id="tidy")
        self._clock.start()
        try:
            self._spawn(self._begin(on_ready))
            await stopping.wait()
        finally:
            self._stopping.set()
            self._clock.pause()
            self._supervisor.stop()
            while self._under_way:
                await asyncio.wait(set(self._under_way))
            self._clock.shutdown(wait=False)

    def _spawn(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    # --- the beginning ------------------------------------------------------------------------------------------

    async def _begin(self, on_ready: Callable[[], None]) -> None:
        """Tell what was left behind, and run once what should have run meanwhile."""
        on_ready()
        if not await self._is_there():
            return
        try:
            await self._tidy()
            states = await self._supervisor.store.states(job.subject for job in self._jobs.values())
        except DateflicksError as error:
            log.error("jobs that are overdue are not run: %s", error)
            return
        for job in overdue(list(self._jobs.values()), states, self._now()):
            self._spawn(self._fire(job, "start"))
        if MERGE in states and states[MERGE].has_work:
            self._want_films()
        for job in self._jobs.values():
            if job.name == job.subject:
                self._plan_again(job, states[job.subject])

    async def _tidy(self) -> None:
        """Tell runs as lost whose owners are gone."""
        for subject in dict.fromkeys(job.subject for job in self._jobs.values()):
            if (left := await self._supervisor.leases.left(subject)) is not None:
                log.warning("the run %s of %s was left behind", left, subject)
                await self._supervisor.lose(subject, left)

    async def _is_there(self) -> bool:
        """Wait for the database a while."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(DATABASE_SECONDS):
                await self._database.wait_up()
        return self._database.is_up()

    # --- one job ------------------------------------------------------------------------------------------------

    async def _fire(self, job: Job, trigger: Trigger, patience: float = 0.0) -> None:
        """A job is due."""
        task = asyncio.current_task()
        assert task is not None
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        try:
            await self._run(job, trigger, patience)
        except (DateflicksError, OSError) as error:
            log.error("%s did not run: %s", job.name, error)
        except Exception:
            log.exception("%s did not run, and nobody has foreseen why", job.name)

    async def _run(self, job: Job, trigger: Trigger, patience: float) -> None:
        if not await self._is_there():
            log.error("%s does not run: the database is away", job.name)
            return
        state = await self._supervisor.store.state(job.subject)
        if self._stopping.is_set() or not may_run(state, self._now() + ROUNDING_SECONDS):
            return
        async with self._places:
            if self._stopping.is_set():
                return
            try:
                run = await self._supervisor.run(job, Wish(trigger=trigger, patience=patience))
            except LeaseHeld as held:
                log.info("%s is skipped: %s", job.name, held)
                await self._supervisor.note(job, "skipped", str(held), trigger)
                return
        log.info("%s ended: %s", job.name, run.status, extra={"run": run.id, "error": run.error})
        await self._follow(job, run)

    async def _follow(self, job: Job, run: JobRun) -> None:
        """What comes of a run: a new try, and films made of what it has changed."""
        if self._stopping.is_set():
            return
        self._plan_again(job, await self._supervisor.store.state(job.subject))
        if job.kind == "source" and run.counters.written and MERGE in self._jobs:
            self._want_films()

    def _want_films(self) -> None:
        self._merges_wanted += 1
        if self._merges_wanted == 1:
            self._spawn(self._merge())

    async def _merge(self) -> None:
        """Make films, and once more if something has changed meanwhile; never twice at a time."""
        while self._merges_wanted and not self._stopping.is_set():
            wanted = self._merges_wanted
            await self._fire(self._jobs[MERGE], "change", MERGE_PATIENCE_SECONDS)
            self._merges_wanted = 1 if self._merges_wanted > wanted else 0

    def _plan_again(self, job: Job, state: JobState) -> None:
        """A new try at the time of its ladder, when it is due at all by itself."""
        if state.retry_at is None or job.is_by_hand or self._stopping.is_set():
            return
        moment = datetime.fromtimestamp(max(state.retry_at, self._now()), UTC)
        name = f"{job.subject}/again"
        self._clock.add_job(
            self._fire, DateTrigger(moment, UTC), args=[job, "schedule"], id=name, replace_existing=True
        )

    def _passed_over(self, event: JobEvent) -> None:
        """It was due, and did not run: too late by now, or the run before it goes on."""
        job = self._jobs.get(event.job_id)
        if job is None:
            return
        is_late = event.code == EVENT_JOB_MISSED
        status: Status = "missed" if is_late else "skipped"
        why = "It was due too long ago." if is_late else "The run before it goes on."
        self._spawn(self._note(job, status, why))

    async def _note(self, job: Job, status: Status, why: str) -> None:
        with contextlib.suppress(Unavailable):
            await self._supervisor.note(job, status, why)


def overdue(jobs: Sequence[Job], states: dict[str, JobState], now: float) -> list[Job]:
    """The jobs that should have run since they last began, one for each subject: everything before what is new."""
    found: dict[str, Job] = {}
    for job in sorted(jobs, key=lambda one: one.mode != "full"):
        if (
            job.subject not in found
            and may_run(states[job.subject], now)
            and _is_overdue(job, states[job.subject], now)
        ):
            found[job.subject] = job
    return [job for job in jobs if found.get(job.subject) == job]


def _is_overdue(job: Job, state: JobState, now: float) -> bool:
    trigger = job.trigger
    if trigger is None:
        return False
    if state.began_at is None:
        return job.kind in ("source", "recommender") and job.mode == "incremental"  # the first is of everything
    began = state.full_began_at if job.mode == "full" else state.began_at
    due = next_after(trigger, began if began is not None else state.began_at)
    return due is not None and due <= now
