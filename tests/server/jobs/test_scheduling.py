"""Jobs by themselves: what is overdue runs once, whoever else runs jobs too, and a stop loses nothing."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from dateflicks.server.jobs.declared import Job
from dateflicks.server.jobs.records import JobRun
from dateflicks.server.jobs.scheduling import Scheduler
from dateflicks.server.jobs.store import JobStore
from dateflicks.server.jobs.supervising import Supervisor, Wish
from dateflicks.server.storage.database import Database
from tests.cli.process import Program, children_of, command_line, is_running
from tests.server.jobs.conftest import FILMS_JOB, MERGE_JOB, Supervised, offered
from tests.server.jobs.plugged import FILMS, Plugged
from tests.waiting import until

SECONDS = 30.0


@asynccontextmanager
async def scheduling(database: Database, supervisor: Supervisor, *jobs: Job) -> AsyncIterator[Scheduler]:
    """Jobs run by themselves for as long as the block does."""
    scheduler, stopping = Scheduler(database, supervisor, jobs, jitter_seconds=0), asyncio.Event()
    task = asyncio.create_task(scheduler.run(stopping))
    try:
        yield scheduler
    finally:
        stopping.set()
        await task


async def ended(store: JobStore, subject: str, count: int = 1) -> list[JobRun]:
    """The runs of a job, once so many have ended."""
    async with asyncio.timeout(SECONDS):
        while True:
            runs = [run for run in await store.runs(subject) if run.status is not None]
            if len(runs) >= count:
                return runs
            await asyncio.sleep(0.05)


def daemon(plugged: Plugged, home: Path) -> Program:
    words = ("--settings", str(plugged.settings), "jobs", "start")
    return Program(home, *words, PYTHONPATH=str(plugged.site))


@pytest.mark.slow
async def test_what_is_overdue_runs_once_whoever_else_runs_jobs_too_and_films_are_made_of_it(
    database: Database, supervised: Supervised
) -> None:
    one, other = supervised(), supervised()
    jobs = (FILMS_JOB, MERGE_JOB)
    async with scheduling(database, one, *jobs), scheduling(database, other, *jobs):
        (merged, *_) = await ended(one.store, "merge")
    runs = [run for run in await one.store.runs("films") if run.status != "skipped"]
    assert [(run.status, run.trigger, run.counters.new) for run in runs] == [("ok", "start", FILMS)]
    assert (merged.status, merged.trigger, merged.counters.changed) == ("ok", "change", FILMS)


@pytest.mark.slow
async def test_what_is_paused_does_not_run_and_runs_again_when_it_is_resumed(
    database: Database, supervised: Supervised
) -> None:
    supervisor = supervised()
    await supervisor.store.change("films", lambda state: replace(state, paused_at=5.0))
    often = Job(name="films", subject="films", kind="source", schedule="* * * * *")
    async with scheduling(database, supervisor, often) as scheduler:
        await asyncio.create_task(scheduler._fire(often, "schedule"))
        assert await supervisor.store.runs("films") == []
        await supervisor.store.change("films", lambda state: replace(state, paused_at=None))
        await asyncio.create_task(scheduler._fire(often, "schedule"))
    assert [run.status for run in await supervisor.store.runs("films") if run.status != "skipped"] == ["ok"]


@pytest.mark.slow
async def test_what_failed_is_tried_again_at_the_time_of_its_ladder_that_outlives_us(
    database: Database, supervised: Supervised, plugged: Plugged, monkeypatch: pytest.MonkeyPatch
) -> None:
    plugged.behaves("raises")
    supervisor = supervised()
    monkeypatch.setattr("dateflicks.server.jobs.ladder.RUNGS", (0.5, 3_600.0))
    async with scheduling(database, supervisor, FILMS_JOB):
        await ended(supervisor.store, "films", 2)
    assert [run.status for run in await supervisor.store.runs("films")] == ["failed", "failed"]
    assert (await supervisor.store.state("films")).rung == 2
    async with scheduling(database, supervised(), FILMS_JOB) as after:
        names: Any = after._clock
        async with asyncio.timeout(SECONDS):
            while "films/again" not in [job.id for job in names.get_jobs()]:  # noqa: ASYNC110 - a clock of others
                await asyncio.sleep(0.02)
    assert len(await supervisor.store.runs("films")) == 2


@pytest.mark.slow
async def test_sigterm_lets_what_runs_come_to_its_end_and_keeps_it(
    database: Database, plugged: Plugged, tmp_path: Path
) -> None:
    plugged.behaves("waits")
    store = JobStore(database)
    with daemon(plugged, tmp_path / "home") as program:
        await asyncio.to_thread(program.wait_until, plugged.half_way.exists)
        program.process.send_signal(signal.SIGTERM)
        assert await asyncio.to_thread(program.ends) == 0
    (run,) = await store.runs("films")
    assert (run.status, run.trigger, run.counters.new, run.error) == ("partial", "start", 20, None)
    assert (await store.state("films")).rung == 0
    assert len(await offered(database)) == 20


@pytest.mark.slow
async def test_what_a_killed_program_has_left_is_told_as_lost_by_the_next_one(
    database: Database, supervised: Supervised, plugged: Plugged, tmp_path: Path
) -> None:
    plugged.behaves("hangs")
    with daemon(plugged, tmp_path / "home") as program:
        await asyncio.to_thread(program.wait_until, plugged.half_way.exists)
        (child,) = [pid for pid in children_of(program.process.pid) if "jobs exec" in command_line(pid)]
        program.process.kill()
        os.kill(child, signal.SIGKILL)
        await asyncio.to_thread(program.ends)
    supervisor = supervised()
    async with scheduling(database, supervisor, FILMS_JOB):
        (lost,) = await ended(supervisor.store, "films")
    assert (lost.status, lost.error) == ("lost", "Whoever ran it was gone before its end.")
    assert (await supervisor.store.state("films")).rung == 1
    assert not await supervisor.leases.is_held("films")


async def test_what_nobody_foresaw_keeps_films_from_being_made_once_and_not_for_good(
    database: Database, supervised: Supervised, monkeypatch: pytest.MonkeyPatch
) -> None:
    supervisor, tried = supervised(), []

    async def run(job: Job, wish: Wish) -> JobRun:
        tried.append(job.name)
        raise RuntimeError("nobody has thought of this")

    monkeypatch.setattr(supervisor, "run", run)
    async with scheduling(database, supervisor, MERGE_JOB) as scheduler:
        for number in (1, 2):
            scheduler._want_films()
            await until(lambda number=number: len(tried) == number)  # type: ignore[misc]  # told by its default
    assert tried == ["merge", "merge"]


async def test_what_was_due_too_long_ago_or_still_runs_is_told(database: Database, supervised: Supervised) -> None:
    supervisor = supervised()
    await supervisor.store.change("films", lambda state: replace(state, began_at=2e9, full_began_at=2e9))
    async with scheduling(database, supervisor, FILMS_JOB) as scheduler:
        from apscheduler.events import EVENT_JOB_MAX_INSTANCES, EVENT_JOB_MISSED, JobEvent

        scheduler._passed_over(JobEvent(EVENT_JOB_MISSED, "films", "default"))
        await ended(supervisor.store, "films", 1)
        scheduler._passed_over(JobEvent(EVENT_JOB_MAX_INSTANCES, "films", "default"))
        scheduler._passed_over(JobEvent(EVENT_JOB_MISSED, "tidy", "default"))
        runs = await ended(supervisor.store, "films", 2)
    assert [run.status for run in runs] == ["skipped", "missed"]


@pytest.mark.slow
@pytest.mark.timeout(90)
async def test_a_run_ends_with_whoever_has_started_it(database: Database, plugged: Plugged, tmp_path: Path) -> None:
    plugged.behaves("waits")
    with daemon(plugged, tmp_path / "home") as program:
        await asyncio.to_thread(program.wait_until, plugged.half_way.exists)
        (child,) = [pid for pid in children_of(program.process.pid) if "jobs exec" in command_line(pid)]
        program.process.kill()
        await asyncio.to_thread(program.ends)
    await until(lambda: not is_running(child), seconds=SECONDS)
    (run,) = await JobStore(database).runs("films")
    assert run.status == "partial"
