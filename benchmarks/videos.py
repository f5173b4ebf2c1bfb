"""What looking for a film costs among 100,000, beside reading one whose id is known.

    python -m benchmarks.videos
    python -m benchmarks.videos --works 20000 --rounds 5 --json

A real videos service (a process of its own, with the embedded database) is given a collection that nobody has indexed
yet; how long it takes until all of it can be searched is measured, and what that takes of memory. Then one connection
asks for one film by its id and for a page of each kind of search, in turns: exact titles, beginnings of words, slips,
people, filters, order, far pages, what is not there. Each question is another one, so that no answer is remembered.
Ratios are of medians (and of 99th percentiles to the median by id) of one run. Ends with 1 when a ratio misses its
target on a machine that is quiet enough.
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
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Final
from urllib.parse import quote

import msgspec
import neosqlite
from rich.console import Console

from benchmarks.filmbench import films
from benchmarks.filmbench.calls import Calls, connected
from benchmarks.filmbench.report import Machine, plain_table, tell, this_machine, verdicts
from benchmarks.kernel import children_of, memory_mib
from benchmarks.syncbench.figures import Row, Target, percentile, row
from dateflicks.client.service_process import ServiceProcess
from dateflicks.core.catalogue.choosing import TRUST
from dateflicks.core.catalogue.genres import GENRES
from dateflicks.core.catalogue.identity import grouped
from dateflicks.server.catalogue.cleaning import document_of
from dateflicks.server.catalogue.making import work_of
from dateflicks.server.catalogue.records import DATABASE, STAMP_SECONDS, WORKS, identity_of, new_work_id
from dateflicks.server.services.videos.app import COLLECTIONS
from dateflicks.server.storage.database import Database, DatabaseSettings
from dateflicks.server.storage.records import Document

WORKS_WANTED: Final = 100_000
BATCH: Final = 1_000
LIMIT: Final = 20
QUESTIONS: Final = 20  # of each kind in a round
LOAD_SECONDS: Final = 600.0
LOOK_SECONDS: Final = 0.1
BY_ID: Final = "by id"
STARTED: Final = 1_790_000_000.0

Ask = Callable[[random.Random, int], str]


def _title(chance: random.Random, count: int) -> str:
    return films.title(chance.randrange(count))


def _long_word(chance: random.Random, count: int) -> str:
    while True:
        longest = max(_title(chance, count).split(), key=len)
        if len(longest) > 5:
            return longest


def _slipped(chance: random.Random, text: str) -> str:
    """One letter of a word left out, doubled or changed for another."""
    at = chance.randrange(1, len(text))
    return text[:at] + chance.choice(["", text[at] * 2, chance.choice("aeiourst")]) + text[at + 1 :]


def _search(**query: object) -> str:
    words = "&".join(f"{name}={quote(str(value))}" for name, value in query.items())
    return f"/videos?limit={LIMIT}&{words}"


def _span(chance: random.Random) -> str:
    first = chance.randrange(*films.YEARS)
    return f"{first}-{first + 9}"


SEARCHES: Final[dict[str, Ask]] = {
    "exact title": lambda chance, count: _search(q=_title(chance, count)),
    "title and year": lambda chance, count: (
        f"{_search(q=films.title(one := chance.randrange(count)))}%20{films.year(one)}"
    ),
    "beginning of a word": lambda chance, count: _search(q=_long_word(chance, count)[:4]),
    "two letters": lambda chance, count: _search(q=_long_word(chance, count)[:2]),
    "two words": lambda chance, count: _search(q=" ".join(_title(chance, count).split()[-2:])),
    "a very common word": lambda chance, _: _search(q=films.word(chance.randrange(1, 40))),
    "a slip in a word": lambda chance, count: _search(q=_slipped(chance, _long_word(chance, count))),
    "a slip in a title": lambda chance, count: _search(
        q=(one := _title(chance, count)).replace(long := max(one.split(), key=len), _slipped(chance, long))
    ),
    "person": lambda chance, _: _search(q=films.person(chance.randrange(films.PEOPLE // 10))),
    "person of many films": lambda chance, _: _search(q=films.person(chance.randrange(1, 30))),
    "genre and years": lambda chance, _: _search(genre=chance.choice(GENRES), year=_span(chance)),
    "word, genre, playable": lambda chance, count: _search(
        q=_long_word(chance, count)[:4], genre=chance.choice(GENRES), playable="true"
    ),
    "all, by title": lambda chance, _: _search(sort="title", genre=chance.choice(GENRES)),
    "word, newest first": lambda chance, _: _search(q=films.word(chance.randrange(1, 40)), sort="year"),
    "what is not there": lambda chance, _: _search(q="".join(chance.choice("xqzvk") for _ in range(11))),
}
DEEP: Final = "hundredth page"
TARGETS: Final = {  # p50 as a ratio to by id
    "exact title": Target("exact title / by id", "x", 5.0, 3.0),
    "beginning of a word": Target("beginning of a word / by id", "x", 8.0, 4.0),
    "a slip in a word": Target("a slip / by id", "x", 15.0, 8.0),
    "person": Target("person / by id", "x", 8.0, 4.0),
    "genre and years": Target("genre and years / by id", "x", 10.0, 5.0),
    DEEP: Target("hundredth page / by id", "x", 8.0, 4.0),
}
SLOWEST: Final = Target("slowest kind, p99 / by id, p50", "x", 60.0, 25.0)


class Run(msgspec.Struct):
    """One run of the bench, as it is written with --json."""

    works: int
    rounds: int
    machine: Machine | None = None
    loaded_seconds: float = 0.0
    again_seconds: float = 0.0  # until all can be searched with the index that is there from before
    index_mib: float = 0.0
    memory_mib: dict[str, float] = {}
    p50_ms: dict[str, float] = {}
    p99_ms: dict[str, float] = {}
    found: dict[str, float] = {}  # how many of a page were there, on average
    rows: list[Row] = []


def _works(count: int) -> Iterator[Document]:
    """Films as the making of films writes them, each of one offer."""
    for number in range(count):
        offer = document_of(films.SOURCE, films.film(number), STARTED)
        identity = identity_of(offer)
        work_id = new_work_id([identity])
        work = work_of(work_id, grouped([identity])[0], {offer["_id"]: offer}, {offer["_id"]: work_id}, STARTED, TRUST)
        yield {**work, "rev": 1, "updatedAt": STARTED + number * STAMP_SECONDS * 10}


def fill(folder: Path, count: int) -> list[str]:
    """Write so many films with what the engine is built on, ten times as fast as over its wire; some of their ids."""
    asyncio.run(_prepare(folder))
    ids = []
    with neosqlite.Connection(str(next(folder.rglob(f"{DATABASE}.db")))) as database:
        batch: list[Document] = []
        for work in _works(count):
            batch.append(work)
            if len(batch) == BATCH:
                database[WORKS.name].insert_many(batch)
                ids += [one["_id"] for one in batch[:: max(count // 10_000, 1)]]
                batch = []
        if batch:
            database[WORKS.name].insert_many(batch)
            ids += [one["_id"] for one in batch]
    return ids


async def _prepare(folder: Path) -> None:
    """Have the collections and their indexes there."""
    async with Database.open(DatabaseSettings(), folder, COLLECTIONS):
        pass


class Service:
    """A videos service on one data folder, without limits in the way."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "data"
        self.data = self._folder / "videos"
        self._log = folder / "service.log"
        ours = {name: value for name, value in os.environ.items() if not name.startswith("DATEFLICKS_")}
        limits = {"ASKED_PER_SECOND": "100000", "ASKED_BURST": "100000", "POLL_SECONDS": "60"}
        self._environ = {**ours, **{f"DATEFLICKS_VIDEOS_{name}": value for name, value in limits.items()}}

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[ServiceProcess]:
        """It, for as long as the block runs."""
        process = await ServiceProcess.start("videos", self._folder, self._log, environ=self._environ)
        try:
            yield process
        finally:
            await process.end()


async def _until_complete(calls: Calls, count: int) -> None:
    async with asyncio.timeout(LOAD_SECONDS):
        while True:
            index = (await calls.json("/sources"))["index"]
            if index["isComplete"] and index["count"] >= count:
                return
            await asyncio.sleep(LOOK_SECONDS)


async def _measure(run: Run, service: Service, ids: list[str], say: Callable[[str], None]) -> None:
    began = time.perf_counter()
    async with service.running() as process, connected(process.port) as calls:
        await _until_complete(calls, run.works)
        run.loaded_seconds = time.perf_counter() - began
        run.memory_mib["service, filling its index, at most"] = memory_mib(process.pid, peak=True)
        run.memory_mib["its database"] = sum(map(memory_mib, children_of(process.pid)))
        say(f"{run.works} works can be searched after {run.loaded_seconds:.1f} s")
    run.index_mib = sum(one.stat().st_size for one in service.data.rglob("index.sqlite3*")) / 1_048_576
    began = time.perf_counter()
    async with service.running() as process, connected(process.port) as calls:
        await _until_complete(calls, run.works)
        run.again_seconds = time.perf_counter() - began
        run.memory_mib["service, started again"] = memory_mib(process.pid)
        await _ask(run, calls, ids, say)
        run.memory_mib["service, after all questions"] = memory_mib(process.pid)


async def _ask(run: Run, calls: Calls, ids: list[str], say: Callable[[str], None]) -> None:
    """All kinds of questions in turns; the first round fills caches."""
    chance = random.Random(1)
    deep = await _far_pages(calls)
    kinds: dict[str, Ask] = {
        BY_ID: lambda chance, _: f"/videos/{chance.choice(ids)}",
        **SEARCHES,
        DEEP: lambda chance, _: chance.choice(deep),
    }
    times: dict[str, list[float]] = {kind: [] for kind in kinds}
    found: dict[str, list[int]] = {kind: [] for kind in kinds}
    for turn in range(run.rounds + 1):
        for kind, ask in kinds.items():
            for _ in range(QUESTIONS):
                path = ask(chance, run.works)
                began = time.perf_counter()
                body = await calls.get(path)
                took = (time.perf_counter() - began) * 1_000
                if turn:
                    times[kind].append(took)
                    found[kind].append(body.count(b'"addedAt"'))
        say(f"round {turn} of {run.rounds}")
    run.p50_ms = {kind: statistics.median(one) for kind, one in times.items()}
    run.p99_ms = {kind: percentile(one, 0.99) for kind, one in times.items()}
    run.found = {kind: statistics.mean(one) for kind, one in found.items()}


async def _far_pages(calls: Calls) -> list[str]:
    """The hundredth pages of a few ways to look at much of the collection."""
    pages = []
    for query in ({"sort": "title"}, {"sort": "added"}, {"q": films.word(1)}, {"playable": "true"}):
        first = path = _search(**query)
        for _ in range(99):
            following = (await calls.json(path))["next"]
            if following is None:
                break
            path = f"{first}&cursor={quote(following)}"
        pages.append(path)
    return pages


def measure(works: int, rounds: int, say: Callable[[str], None]) -> Run:
    """Fill a collection, have it indexed, and ask."""
    load = os.getloadavg()[0]
    run = Run(works, rounds)
    with tempfile.TemporaryDirectory(prefix="dateflicks-videos-") as folder:
        service = Service(Path(folder))
        began = time.perf_counter()
        ids = fill(service.data, works)
        say(f"{works} works written in {time.perf_counter() - began:.1f} s")
        asyncio.run(_measure(run, service, ids, say))
    run.machine = this_machine(load)
    run.rows = judged(run, is_quiet=run.machine.is_quiet)
    return run


def judged(run: Run, *, is_quiet: bool) -> list[Row]:
    """The figures that have a target."""
    by_id = run.p50_ms[BY_ID]
    rows = [row("search", target, run.p50_ms[kind] / by_id, is_quiet=is_quiet) for kind, target in TARGETS.items()]
    slowest = max(one for kind, one in run.p99_ms.items() if kind != BY_ID)
    return [*rows, row("search", SLOWEST, slowest / by_id, is_quiet=is_quiet)]


def main() -> int:
    """The command; exit status 1 when a ratio was missed on a machine that was quiet enough."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.videos", description=__doc__.split("\n")[0])
    parser.add_argument("--works", type=int, default=WORKS_WANTED)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true", help="write the run as JSON on stdout")
    options = parser.parse_args()
    words = Console(stderr=True, highlight=False)
    run = measure(options.works, options.rounds, lambda text: words.print(text, markup=False))
    assert run.machine is not None
    by_id = run.p50_ms[BY_ID]
    kinds = [
        (kind, f"{run.p50_ms[kind]:.2f}", f"{run.p99_ms[kind]:.2f}", f"{run.p50_ms[kind] / by_id:.2f}",
         f"{run.p99_ms[kind] / by_id:.2f}", f"{run.found[kind]:.1f}")
        for kind in run.p50_ms
    ]  # fmt: skip
    costs = [
        ("until all can be searched", f"{run.loaded_seconds:.1f} s"),
        ("the same with the index from before", f"{run.again_seconds:.1f} s"),
        ("the index on the disk", f"{run.index_mib:.0f} MiB"),
        *((f"memory: {name}", f"{value:.0f} MiB") for name, value in run.memory_mib.items()),
    ]
    tables = [
        plain_table(
            f"a page of {LIMIT} among {run.works:,} works", ("question", "p50 ms", "p99 ms", "p50 / by id",
            "p99 / p50 by id", "found"), kinds,
        ),
        plain_table("what it takes", ("", ""), costs),
        verdicts(run.rows, run.machine),
    ]  # fmt: skip
    return tell(run, run.rows, tables, as_json=options.json)


if __name__ == "__main__":
    sys.exit(main())
