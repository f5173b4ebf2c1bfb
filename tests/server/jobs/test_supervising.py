"""Runs as real processes: whatever a source does, what came before is kept, and its record says what became of it."""

import asyncio
import os
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest

from dateflicks.core.errors import Unavailable
from dateflicks.server.catalogue.records import WORKS
from dateflicks.server.catalogue.sources import RUNS
from dateflicks.server.jobs.declared import Job, Kind
from dateflicks.server.jobs.ladder import after
from dateflicks.server.jobs.leases import LeaseHeld
from dateflicks.server.jobs.records import JobRun, JobState
from dateflicks.server.jobs.supervising import Wish, _Heard
from dateflicks.server.providers.records import Counters
from dateflicks.server.storage.database import Database
from dateflicks.server.storage.records import Document, OutcomeUnknown
from dateflicks.server.storage.table import Table
from tests.cli.process import children_of, command_line, is_running
from tests.server.jobs.conftest import FILMS_JOB, MERGE_JOB, Supervised, offered
from tests.server.jobs.plugged import FILMS, Plugged
from tests.waiting import until


def the_child() -> int:
    """The process of the run that goes on."""
    (found,) = [pid for pid in children_of(os.getpid()) if "jobs exec" in command_line(pid)]
    return found


def input_of(pid: int) -> Path:
    """What a process reads."""
    return Path(f"/proc/{pid}/fd/0").readlink()


async def test_a_failure_counts_once_however_often_the_database_is_away_while_it_is_kept(
    database: Database, supervised: Supervised, monkeypatch: pytest.MonkeyPatch
) -> None:
    supervisor = supervised()
    lease = await supervisor.leases.take("films", "run_a")
    run = JobRun(
        id="run_a", source="films", job="films", mode="full", trigger="manual", started_at=1.0, status="failed"
    )
    note, set_, left = supervisor._note_change, Table.compare_and_set, 1

    async def away_once(kind: Kind, run: JobRun) -> None:
        nonlocal left
        left -= 1
        if left >= 0:
            raise Unavailable("It is away.")
        await note(kind, run)

    async def not_answered(self: Table, *given: Any, command: str) -> Document:
        monkeypatch.setattr(Table, "compare_and_set", set_)
        await set_(self, *given, command=command)
        raise OutcomeUnknown("Nobody knows whether it was carried out, and it was.")

    monkeypatch.setattr(supervisor, "_note_change", away_once)
    await supervisor._settle(FILMS_JOB, run, _Heard(lambda _: None), lease, Wish())
    assert (await supervisor.store.state("films")).rung == 1

    monkeypatch.setattr(Table, "compare_and_set", not_answered)
    second = msgspec.structs.replace(run, id="run_b")
    await supervisor._settle(FILMS_JOB, second, _Heard(lambda _: None), lease, Wish())
    assert (await supervisor.store.state("films")).rung == 2


async def test_a_first_failure_counts_once_though_nobody_knows_whether_it_was_kept(
    database: Database, supervised: Supervised, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, insert = supervised().store, Table.insert
    run = JobRun(
        id="run_a", source="films", job="films", mode="full", trigger="manual", started_at=1.0, status="failed"
    )

    async def not_answered(self: Table, document: Mapping[str, Any]) -> Document:
        await insert(self, document)
        raise OutcomeUnknown("Nobody knows whether it was carried out, and it was.")

    async def count() -> JobState:
        return await store.change("films", lambda state: after(state, run, 1.0), command=f"{run.id} ended")

    monkeypatch.setattr(Table, "insert", not_answered)
    with pytest.raises(OutcomeUnknown):
        await count()
    assert (await count()).rung == 1
    assert (await store.state("films")).rung == 1


@pytest.mark.slow
async def test_a_run_fills_the_collection_a_second_one_finds_it_so_and_films_are_made(
    database: Database, supervised: Supervised
) -> None:
    supervisor, told = supervised(), list[Counters]()
    first = await supervisor.run(FILMS_JOB, Wish(), told.append)
    assert (first.status, first.mode, first.counters.new, first.error) == ("ok", "full", FILMS, None)
    assert first.peak_memory_bytes > 1_000_000
    assert first.cpu_seconds > 0
    assert told[-1].new == FILMS
    second = await supervisor.run(FILMS_JOB, Wish())
    assert (second.status, second.counters.unchanged, second.cursor_before) == (
        "unchanged", FILMS, '{"since":"2026-01-01"}'
    )  # fmt: skip
    assert await supervisor.store.runs("films") == [second, first]
    state = await supervisor.store.state("films")
    assert (state.titles, state.rung, state.attention) == (FILMS, 0, None)
    assert (await supervisor.store.state("merge")).has_work
    merged = await supervisor.run(MERGE_JOB, Wish(trigger="change"))
    assert (merged.status, merged.counters.changed) == ("ok", FILMS)
    assert not (await supervisor.store.state("merge")).has_work
    assert len(await database.table(WORKS).between("updatedAt", at_least=0.0, limit=200)) == FILMS
    swept = await supervisor.run(Job(name="retention", subject="retention", kind="retention"), Wish())
    assert (swept.status, swept.error) == ("unchanged", None)


@pytest.mark.slow
async def test_a_run_that_was_killed_half_way_is_gone_on_with_to_the_same_end(
    database: Database, supervised: Supervised, plugged: Plugged
) -> None:
    plugged.behaves("hangs")
    supervisor = supervised()
    run = asyncio.create_task(supervisor.run(FILMS_JOB, Wish()))
    await until(plugged.half_way.exists, seconds=30.0)
    child = the_child()
    assert os.getpriority(os.PRIO_PROCESS, child) == os.getpriority(os.PRIO_PROCESS, 0) + 10
    assert os.getsid(child) == child
    assert input_of(child) == Path(os.devnull)
    running = (await supervisor.store.runs("films"))[0]
    assert (running.status, running.ended_at) == (None, None)
    with pytest.raises(LeaseHeld, match=f"process {os.getpid()}"):
        await supervisor.run(FILMS_JOB, Wish())
    os.kill(child, signal.SIGKILL)
    killed = await run
    assert (killed.status, killed.error) == ("killed", "Its process was ended by SIGKILL.")
    assert len(await offered(database)) == 20
    plugged.behaves("well")
    again = await supervisor.run(FILMS_JOB, Wish())
    assert (again.status, again.counters.new, again.cursor_before) == ("ok", 20, '{"at":20}')
    assert await offered(database) == {f"f{number}" for number in range(FILMS)}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("how", "bounds", "status", "words"),
    [
        ("hangs", {"timeout_seconds": 2.5}, "timeout", "It took longer than 2.5 s."),
        ("eats", {"memory_mib": 200}, "killed", "It took more than 200 MiB."),
        ("crashes", {}, "failed", "Its process was ended by SIGSEGV."),
        ("raises", {}, "failed", "The password [not shown] is of no use."),
    ],
)
async def test_however_a_source_fails_its_run_says_so_and_what_came_before_stays(
    database: Database, supervised: Supervised, plugged: Plugged, how: str, bounds: dict[str, float], status: str,
    words: str,
) -> None:  # fmt: skip
    plugged.behaves(how)
    supervisor = supervised(**bounds)
    found = await supervisor.run(FILMS_JOB, Wish())
    assert (found.status, found.error, found.error_kind) == (status, words, None if how == "hangs" else "bug")
    assert await supervisor.store.run(found.id) == found
    assert len(await offered(database)) == (20 if plugged.half_way.exists() else 0)
    state = await supervisor.store.state("films")
    assert (state.rung, state.attention is not None) == (1, True)
    assert not await supervisor.leases.is_held("films")


@pytest.mark.slow
async def test_a_dry_run_and_a_source_that_is_not_there_write_nothing(
    database: Database, supervised: Supervised, plugged: Plugged
) -> None:
    supervisor = supervised()
    dry = await supervisor.run(FILMS_JOB, Wish(is_dry=True, limit=5))
    assert (dry.status, dry.counters.new) == ("partial", 5)
    assert await supervisor.store.runs("films") == []
    (plugged.site / "plugged_films.py").write_text("import no_such_package", encoding="utf-8")
    broken = await supervisor.run(FILMS_JOB, Wish())
    assert (broken.status, broken.error_kind, broken.error_class) == ("failed", "broken", "ModuleNotFoundError")
    state = await supervisor.store.state("films")
    assert state.attention == "broken: ModuleNotFoundError: No module named 'no_such_package'"
    assert await offered(database) == set()


@pytest.mark.slow
async def test_whoever_is_interrupted_leaves_no_process_and_no_lease(
    database: Database, supervised: Supervised, plugged: Plugged
) -> None:
    plugged.behaves("hangs")
    supervisor = supervised()
    run = asyncio.create_task(supervisor.run(FILMS_JOB, Wish()))
    await until(plugged.half_way.exists, seconds=30.0)
    child = the_child()
    run.cancel()
    await asyncio.wait({run})
    assert not is_running(child)
    assert not await supervisor.leases.is_held("films")
    (kept,) = await supervisor.store.runs("films")
    assert kept.status == "killed"
    assert (await database.table(RUNS).get(kept.id)) is not None
