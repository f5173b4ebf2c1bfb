"""What filling the collection costs, beside the bare database; and whether runs that are killed leave what others do.

    python -m benchmarks.providers
    python -m benchmarks.providers --titles 200000 --kills 0 --json
    python -m benchmarks.providers --memory 20000 100000 200000

One full run of a source whose titles are invented goes through all that a run goes through: checks, cleaning, batches,
checkpoints, its record. Between its chunks as many documents of the same making are upserted barely, through the
driver, into a collection with the same indexes: titles per second as a ratio to that (medians of the chunks), and how
both change as the collection grows. The same run once more finds all as it was: how much faster that is, and that not a
single write goes out. Making films up is not counted. Beside each rate stands the processor time that a title takes, of
the run and of the database: it says much the same on a machine that has other things to do. Then films are made of it
all. Memory is looked at after each chunk: from the second on it may not grow, but by the eight bytes of each title that
a run remembers.
Last, runs in processes of their own are killed at random moments, each on a collection of its own, and done again:
what is there then must be what an undisturbed run leaves, and yet another run must write nothing.
With --memory a collection grows to these sizes, and at each of them all that works on it, in a process of its own, is
looked at for the memory that it takes at most; nothing else is measured.
Ends with 1 when a figure misses its target on a machine that is quiet enough, or a collection is not the same.
"""

import argparse
import asyncio
import contextlib
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from pathlib import Path
from typing import Final
from unittest.mock import patch

import msgspec
from pymongo import AsyncMongoClient, ReplaceOne
from pymongo.monitoring import CommandStartedEvent
from rich.console import Console

from benchmarks.filmbench import films, memory
from benchmarks.filmbench.filling import CHUNK, COLLECTIONS, TIMEOUT_SECONDS, Invented, fill, picture
from benchmarks.filmbench.report import Machine, plain_table, tell, this_machine, verdicts
from benchmarks.kernel import cpu_seconds, memory_mib
from benchmarks.syncbench.figures import Row, Target, row
from dateflicks.server.catalogue.cleaning import document_of
from dateflicks.server.catalogue.records import VIDEOS
from dateflicks.server.catalogue.works import Works
from dateflicks.server.storage.database import Database, DatabaseSettings
from dateflicks.server.storage.records import Document
from dateflicks.server.storage.table import MANY_MAX

TITLES: Final = 20_000
KILLS: Final = 20
KILLED_TITLES: Final = 400
KILLED_CHUNK: Final = 100
BARE: Final = "BareDb"
WRITES: Final = frozenset({"insert", "update", "delete"})
CHILD_SECONDS: Final = 300.0
CHUNKS_LEAST: Final = 8  # for a slope that is not the noise of a few

INGEST: Final = Target("titles / bare upserts, per second", "x", 0.5, 0.8, is_floor=True)
GROWN: Final = Target("titles per second, last chunks / first", "x", 0.7, 0.9, is_floor=True)
REFRESH: Final = Target("unchanged run / first run, per second", "x", 5.0, 10.0, is_floor=True)
SILENT: Final = Target("writes of an unchanged run", "", 0.0)
FLAT: Final = Target("memory of a run, per further 100,000 titles", "MiB", 4.0, 1.0)
FLAT_STAGE: Final = Target("most memory, per further 100,000 titles", "MiB", 4.0, 1.0)
SAME: Final = Target("collections that differ after a kill", "", 0.0)
MET: Final = Target("kills that met a run half way", "", 0.7, is_floor=True)
AGAIN: Final = Target("offers written by yet another run", "", 0.0)


class Run(msgspec.Struct):
    """One run of the bench, as it is written with --json."""

    titles: int
    machine: Machine | None = None
    bare_per_second: list[float] = []  # by chunk
    filled_per_second: list[float] = []
    unchanged_per_second: list[float] = []
    bare_processor: list[list[float]] = []  # microseconds of each title, by chunk: the run's, and the database's
    filled_processor: list[list[float]] = []
    unchanged_processor: list[list[float]] = []
    works_per_second: float = 0.0
    unchanged_writes: int = 0
    memory_mib: list[float] = []  # after each chunk of the first run
    unchanged_memory_mib: list[float] = []
    works_memory_mib: float = 0.0
    engine_mib: list[float] = []
    kills: int = 0
    killed: int = 0  # of these, how many met a run that was not at its end yet
    killed_after: list[float] = []  # seconds
    killed_at: list[int] = []  # titles that were there by then
    differing: int = 0
    written_again: int = 0
    rows: list[Row] = []


class Sizes(msgspec.Struct):
    """The memory of all stages, as it is written with --json."""

    machine: Machine
    stages: list[memory.Stage]
    rows: list[Row] = []


class Chunks:
    """What is measured between the chunks of a run."""

    def __init__(self, run: Run, database: Database, bare: "AsyncMongoClient[Document] | None") -> None:
        assert database.engine is not None
        self._run = run
        self._engine = database.engine
        self._bare = bare
        self._began = 0.0
        self._had = (0.0, 0.0)
        self._first = 0
        self.rates: list[float] = []
        self.processor: list[list[float]] = []
        self.memory: list[float] = []

    async def ended(self, number: int) -> None:
        """All titles below this number are written."""
        if number > self._first:
            self.rates.append((number - self._first) / (time.perf_counter() - self._began))
            self.processor.append(self._had_since(self._had, number - self._first))
            self.memory.append(memory_mib(os.getpid()))
            if self._bare is not None:
                self._run.engine_mib.append(memory_mib(self._engine.pid or 0))
                self._run.bare_per_second.append(await self._upserted(self._bare, self._first, number))
        self._first = number

    def begins(self) -> None:
        """Those of the next chunk come now."""
        self._began, self._had = time.perf_counter(), self._has_had()

    def _has_had(self) -> tuple[float, float]:
        pid = self._engine.pid
        return time.process_time(), 0.0 if pid is None else cpu_seconds(pid)

    def _had_since(self, before: tuple[float, float], titles: int) -> list[float]:
        return [(now - then) * 1e6 / titles for now, then in zip(self._has_had(), before, strict=True)]

    async def _upserted(self, bare: "AsyncMongoClient[Document]", first: int, last: int) -> float:
        """Documents per second that are upserted barely; making them is not counted."""
        table, seconds, had = bare[BARE][VIDEOS.name], 0.0, [0.0, 0.0]
        for start in range(first, last, MANY_MAX):
            documents = [
                document_of(films.SOURCE, films.film(one), time.time())
                for one in range(start, min(start + MANY_MAX, last))
            ]
            began, before = time.perf_counter(), self._has_had()
            operations = [ReplaceOne({"_id": one["_id"]}, one, upsert=True) for one in documents]
            await table.bulk_write(operations, ordered=False)
            seconds += time.perf_counter() - began
            had = [sum(both) for both in zip(had, self._had_since(before, last - first), strict=True)]
        self._run.bare_processor.append(had)
        return (last - first) / seconds


@contextlib.asynccontextmanager
async def _opened(folder: Path) -> AsyncIterator[Database]:
    settings = DatabaseSettings(timeout_seconds=TIMEOUT_SECONDS)
    async with Database.open(settings, folder, COLLECTIONS, role="worker") as database:
        yield database


async def _ingest(run: Run, folder: Path, say: Callable[[str], None]) -> None:
    async with _opened(folder) as database:
        assert database.engine is not None
        client: AsyncMongoClient[Document] = AsyncMongoClient(database.engine.uri, journal=True)
        async with client:
            for index in VIDEOS.indexes:
                await client[BARE][VIDEOS.name].create_index([(field, 1) for field in index.fields])
            first = Chunks(run, database, client)
            record, _ = await fill(database, Invented(run.titles, watcher=first))
        assert (record.status, record.counters.new) == ("ok", run.titles), record
        run.filled_per_second, run.memory_mib = first.rates, first.memory
        run.filled_processor = first.processor
        say(f"{run.titles} titles filled in, {statistics.median(first.rates):.0f} per second")
        second = Chunks(run, database, None)
        with _writes(database) as writes:
            record, touched = await fill(database, Invented(run.titles, watcher=second))
        assert record.status == "unchanged", record
        run.unchanged_per_second, run.unchanged_memory_mib = second.rates, second.memory
        run.unchanged_processor = second.processor
        run.unchanged_writes = len(writes) + touched
        say(f"and found unchanged, {statistics.median(second.rates):.0f} per second")
        began = time.perf_counter()
        made = await Works(database).update()
        run.works_per_second = made.written / (time.perf_counter() - began)
        run.works_memory_mib = memory_mib(os.getpid())
        say(f"{made.written} films made of them, {run.works_per_second:.0f} per second")


@contextlib.contextmanager
def _writes(database: Database) -> Iterator[list[str]]:
    """The writes of offers that go out meanwhile."""
    found: list[str] = []

    def listen(event: CommandStartedEvent) -> None:
        if event.command_name in WRITES and event.command[event.command_name] == VIDEOS.name:
            found.append(event.command_name)

    with patch.object(database.fence, "started", listen):
        yield found


# --- kills ----------------------------------------------------------------------------------------------------------


async def _killed(run: Run, folder: Path, kills: int, say: Callable[[str], None]) -> None:
    chance = random.Random(kills)
    async with _opened(folder / "undisturbed") as database:
        code, filled, whole = await _filling(folder / "undisturbed")
        assert code == 0
        expected = await picture(database)
    assert len(expected[0]) == KILLED_TITLES
    for number in range(kills):
        place = folder / f"killed-{number}"
        async with _opened(place) as database:
            # Every other one while films are made of what is there already.
            after = chance.uniform(0.0, filled) if number % 2 == 0 else chance.uniform(filled, whole)
            code, _, _ = await _filling(place, kill_after=after)
            run.killed += code < 0
            run.killed_after.append(round(after, 3))
            run.killed_at.append(len((await picture(database))[0]))
            assert (await _filling(place))[0] == 0
            found = await picture(database)
            run.differing += found != expected
            _, touched = await fill(database, Invented(KILLED_TITLES, KILLED_CHUNK))
            run.written_again += touched
            run.kills += 1
        outcome = "the same" if found == expected else "DIFFERENT"
        met = "" if code < 0 else " (too late)"
        say(f"kill {number + 1} of {kills}{met}, with {run.killed_at[-1]} titles there: {outcome}")


async def _filling(folder: Path, *, kill_after: float | None = None) -> tuple[int, float, float]:
    """One run in a process of its own: its exit status, and after how many seconds all was filled in, and all done.

    The time runs from when it has the database.
    """
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "benchmarks.filmbench.filling", os.fspath(folder), str(KILLED_TITLES)),
        *("--chunk", str(KILLED_CHUNK)),
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(CHILD_SECONDS):
            await process.stdout.readline()
            began = time.perf_counter()
            filled = 0.0
            if kill_after is None:
                await process.stdout.readline()
                filled = time.perf_counter() - began
            if kill_after is not None:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(kill_after):
                        await process.wait()
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
            return await process.wait(), filled, time.perf_counter() - began
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()


# --- what is said of it ---------------------------------------------------------------------------------------------


def measure(titles: int, kills: int, say: Callable[[str], None]) -> Run:
    """All of it."""
    load = os.getloadavg()[0]
    run = Run(titles)
    with tempfile.TemporaryDirectory(prefix="dateflicks-providers-") as folder:
        asyncio.run(_ingest(run, Path(folder) / "filled", say))
        if kills:
            asyncio.run(_killed(run, Path(folder), kills, say))
    run.machine = this_machine(load)
    run.rows = judged(run, is_quiet=run.machine.is_quiet)
    return run


def slope(memory: Sequence[float], chunk: int = CHUNK) -> float | None:
    """MiB for each further 100,000 titles, by least squares from the second chunk on; None for too few chunks."""
    values = memory[1:]
    if len(values) < CHUNKS_LEAST:
        return None
    return statistics.linear_regression(range(len(values)), values).slope * 100_000 / chunk


def judged(run: Run, *, is_quiet: bool) -> list[Row]:
    """The figures that have a target."""
    filled = statistics.median(run.filled_per_second)
    quarter = max(len(run.filled_per_second) // 4, 1)
    grown = statistics.median(run.filled_per_second[-quarter:]) / statistics.median(run.filled_per_second[:quarter])
    rows = [
        row("filling", INGEST, filled / statistics.median(run.bare_per_second), is_quiet=is_quiet),
        row("filling", GROWN, grown, is_quiet=is_quiet),
        row("refresh", REFRESH, statistics.median(run.unchanged_per_second) / filled, is_quiet=is_quiet),
        row("refresh", SILENT, float(run.unchanged_writes), is_quiet=True),
    ]
    if (growth := slope(run.memory_mib)) is not None:
        rows.append(row("filling", FLAT, growth, is_quiet=True))
    if run.kills:
        rows.append(row("kills", MET, run.killed / run.kills, is_quiet=is_quiet))
        rows.append(row("kills", SAME, float(run.differing), is_quiet=True))
        rows.append(row("kills", AGAIN, float(run.written_again), is_quiet=True))
    return rows


def measure_memory(sizes: Sequence[int], say: Callable[[str], None]) -> Sizes:
    """What each stage takes while the collection grows to these sizes."""
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="dateflicks-providers-") as folder:
        stages = asyncio.run(memory.stages(Path(folder), sizes, say))
    slopes = {name: memory.slope(stages, name) for name in memory.STAGES}
    rows = [row(name, FLAT_STAGE, one, is_quiet=True) for name, one in slopes.items() if one is not None]
    return Sizes(this_machine(load), stages, rows)


def _tell_memory(sizes: Sizes, *, as_json: bool) -> int:
    lines = [
        (one.name, f"{one.titles:,}", f"{one.peak_mib:.0f}", " ".join(f"{value:.0f}" for value in one.quarters_mib),
         f"{one.engine_mib:.0f}")
        for one in sizes.stages
    ]  # fmt: skip
    columns = ("", "titles", "at most, MiB", "in each quarter of its time", "the database, MiB")
    tables = [plain_table("memory", columns, lines), verdicts(sizes.rows, sizes.machine)]
    return tell(sizes, sizes.rows, tables, as_json=as_json)


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.providers", description=__doc__.split("\n")[0])
    parser.add_argument("--titles", type=int, default=TITLES)
    parser.add_argument("--kills", type=int, default=KILLS)
    parser.add_argument("--json", action="store_true", help="write the run as JSON on stdout")
    parser.add_argument("--memory", type=int, nargs="+", metavar="TITLES", help="only memory, at these sizes")
    options = parser.parse_args()
    words = Console(stderr=True, highlight=False)
    if options.memory:
        sizes = measure_memory(sorted(options.memory), lambda text: words.print(text, markup=False))
        return _tell_memory(sizes, as_json=options.json)
    run = measure(options.titles, options.kills, lambda text: words.print(text, markup=False))
    assert run.machine is not None
    bare = statistics.median(run.bare_per_second)
    rates = [
        (name, f"{rate:.0f}", f"{rate / bare:.2f}", _processor(had), memory)
        for name, rate, had, memory in (
            ("bare upserts", bare, run.bare_processor, ""),
            ("first run", statistics.median(run.filled_per_second), run.filled_processor, _from_to(run.memory_mib)),
            (
                *("unchanged run", statistics.median(run.unchanged_per_second)),
                *(run.unchanged_processor, _from_to(run.unchanged_memory_mib)),
            ),
            ("films made", run.works_per_second, [], f"{run.works_memory_mib:.0f}"),
            ("the database itself", float("nan"), [], _from_to(run.engine_mib)),
        )
    ]
    columns = ("", "per second", "/ bare", "processor, µs a title", "memory, MiB")
    tables = [
        plain_table(f"{run.titles:,} titles", columns, rates),
        verdicts(run.rows, run.machine),
    ]
    return tell(run, run.rows, tables, as_json=options.json)


def _processor(had: Sequence[Sequence[float]]) -> str:
    """Of the run and of the database, on average, and together at the beginning and at the end."""
    if not had:
        return ""
    ours, engine = (statistics.mean(column) for column in zip(*had, strict=True))
    return f"{ours:.0f} + {engine:.0f} ({sum(had[0]):.0f} to {sum(had[-1]):.0f})"


def _from_to(memory: Sequence[float]) -> str:
    return f"{memory[0]:.0f} to {memory[-1]:.0f}"


if __name__ == "__main__":
    sys.exit(main())
