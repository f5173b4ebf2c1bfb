"""What people feel of a video source that misbehaves in every way there is.

    python -m benchmarks.isolation
    python -m benchmarks.isolation --seconds 20 --pairs 12 --lookers 24 --only leak --only spin --json

`serve all` runs with a collection; pairs watch and talk, others look for films. A source that is installed as a real
package then runs as a job of the same deployment, over and over for as long as each part lasts: it raises, hangs, dies,
leaks, spins, yields garbage, says that it has nothing any more, is killed. Before each part is one of the same length
without a job. Measured are all calls, how long the timecode takes to answer, a change of status to travel there and
back, and a message to be kept and heard. No call may fail. How long 99 of 100 take, with and without, is told as a
ratio for each part, of all calls together. That which only fills the collection well is told beside these. At the end
the collection must be as it was, and what the source has left must make sense.
Ends with 1 when something failed, or a ratio misses its target on a machine that is quiet enough.
"""

import argparse
import asyncio
import contextlib
import os
import secrets
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

import msgspec
from rich.console import Console

from benchmarks.filmbench.evening import Evening, Record
from benchmarks.filmbench.filling import COLLECTIONS as FILLED
from benchmarks.filmbench.filling import Invented, fill, picture
from benchmarks.filmbench.report import Machine, plain_table, tell, this_machine, verdicts
from benchmarks.syncbench.figures import Row, Target, percentile, row
from dateflicks.client.service_process import ServiceProcess
from dateflicks.core.errors import Unavailable
from dateflicks.server.auth.tokens import Signer
from dateflicks.server.catalogue.paging import pages_of
from dateflicks.server.catalogue.records import VIDEOS, WORKS
from dateflicks.server.catalogue.works import Works
from dateflicks.server.jobs.records import COLLECTIONS as JOBS
from dateflicks.server.jobs.supervising import Supervisor, Wish
from dateflicks.server.storage.database import Database, DatabaseSettings
from dateflicks.server.storage.records import Document
from tests.providers.chaos import JOB, MERGE, MODES, Chaos

TITLES: Final = 2_000
WELL: Final = "well"
WELL_TITLES: Final = 5_000
MEMORY_MIB: Final = 300
SETTLE_SECONDS: Final = 1.0
START_SECONDS: Final = 3.0
ERRORS: Final = Target("calls that failed", "", 0.0)
BROKEN: Final = Target("what is wrong with the collection", "", 0.0)
Picture = tuple[dict[str, Document], dict[str, Document]]


def _ratio_target(mode: str) -> Target:
    return Target(f"{mode}: p99 with / without", "x", 2.0, 1.2)


class Part(msgspec.Struct):
    """One way to misbehave, with as long a time without a job before it."""

    mode: str
    without_ms: dict[str, list[float]]  # p50 and p99 by kind of call, and of all
    with_ms: dict[str, list[float]]
    calls: int
    ended: dict[str, int]  # how many runs ended how

    @property
    def ratio(self) -> float:
        """Of the 99th percentiles of all calls."""
        return self.with_ms["all"][1] / self.without_ms["all"][1]


class Run(msgspec.Struct):
    """One run of the bench, as it is written with --json."""

    pairs: int
    lookers: int
    seconds: float
    machine: Machine | None = None
    parts: list[Part] = []
    errors: list[str] = []
    wrongs: list[str] = []
    rows: list[Row] = []


class Stage:
    """A deployment with a collection, the source beside it, and what runs its jobs."""

    def __init__(self, folder: Path, chaos: Chaos, port: int, key: str, database: Database) -> None:
        self.port = port
        self.signer = Signer(key.encode())
        self.database = database
        self._home = folder / "home"
        self._chaos = chaos
        self.before: Picture = ({}, {})

    def supervisor(self, timeout_seconds: float) -> Supervisor:
        """What runs jobs, with bounds."""
        environ = {**os.environ, "DATEFLICKS_HOME": os.fspath(self._home), "PYTHONPATH": os.fspath(self._chaos.site)}
        return Supervisor(
            self.database, self._chaos.command(), environ, timeout_seconds=timeout_seconds, memory_mib=MEMORY_MIB,
            grace_seconds=1.0,
        )  # fmt: skip

    async def misbehave(self, mode: str, seconds: float, titles: int = 400, *, once: bool = False) -> Counter[str]:
        """Let the source run for so long, over and over or once; how its runs ended.

        A run has a time to itself that a busy machine needs to start it, so that the last may take a little longer.
        """
        self._chaos.behaves(mode, titles)
        ended: Counter[str] = Counter()
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            run = await self.supervisor(max(left, START_SECONDS)).run(JOB, Wish(patience=5.0))
            ended[run.status or "none"] += 1
            if once:
                break
        return ended

    async def wrongs(self) -> list[str]:
        """What is wrong with the collection, now that nothing runs."""
        merged = await self.supervisor(120.0).run(MERGE, Wish(patience=5.0))
        wrongs = [] if merged.status in ("ok", "unchanged") else [f"films cannot be made: {merged.error}"]
        offers, works = await picture(self.database)
        if offers != self.before[0]:
            wrongs.append("the offers of the other source are not as they were")
        wrongs += [f"the film {one} is not as it was" for one, film in self.before[1].items() if works.get(one) != film]
        table = self.database.table(WORKS)
        async for page in pages_of(self.database.table(VIDEOS), JOB.subject):
            films = await table.get_many([one["workId"] for one in page if one["workId"]])
            for offer in page:
                if offer["status"] != "quarantined" and not offer["sourceId"].startswith("c"):
                    wrongs.append(f"garbage is offered: {offer['sourceId'][:40]!r}")
                if offer["status"] == "active" and offer["_id"] not in films[offer["workId"]]["members"]:
                    wrongs.append(f"no film has the offer {offer['_id']}")
        return wrongs


@contextlib.asynccontextmanager
async def staged(folder: Path, titles: int = TITLES) -> AsyncIterator[Stage]:
    """All of it, for as long as the block runs."""
    chaos, key = Chaos(folder / "chaos"), secrets.token_hex(32)
    await asyncio.to_thread(chaos.install)
    data = folder / "home" / "server"
    ours = {name: value for name, value in os.environ.items() if not name.startswith("DATEFLICKS_")}
    service = await ServiceProcess.start("all", data, folder / "service.log", environ={**ours, **_without_limits(key)})
    try:
        collections = list(dict.fromkeys([*FILLED, *JOBS]))
        settings = DatabaseSettings(timeout_seconds=10.0)
        async with Database.open(settings, data, collections, role="worker") as database:
            stage = Stage(folder, chaos, service.port, key, database)
            await fill(database, Invented(titles))
            await Works(database).update()
            stage.before = await picture(database)
            yield stage
    finally:
        await service.end()


def _without_limits(key: str) -> Mapping[str, str]:
    """All people come from one address here."""
    values = {
        "ALL_AUTH_KEY": key,
        "VIDEOS_ASKED_PER_SECOND": "100000",
        "VIDEOS_ASKED_BURST": "100000",
        "MESSAGES_CHAT_PER_SECOND": "100000",
        "MESSAGES_CHAT_BURST": "100000",
        "MESSAGES_LIMITS_SOCKETS_PER_ADDRESS": "1000",
        "TIMECODE_LIMITS_SOCKETS_PER_ADDRESS": "1000",
    }
    return {f"DATEFLICKS_{name}": value for name, value in values.items()}


async def _measure(run: Run, folder: Path, modes: Sequence[str], say: Callable[[str], None]) -> None:
    record = Record()
    async with staged(folder) as stage:
        say(f"{TITLES} titles are there")
        evening = Evening(stage.port, stage.signer, record, pairs=run.pairs, lookers=run.lookers, titles=TITLES)
        async with evening.going_on():
            await asyncio.sleep(SETTLE_SECONDS)
            for mode in modes:
                record.begin()
                await asyncio.sleep(run.seconds)
                without = record.times
                record.begin()
                ended = await stage.misbehave(mode, run.seconds, WELL_TITLES if mode == WELL else 400)
                part = Part(mode, _of(without), _of(record.times), sum(map(len, record.times.values())), dict(ended))
                if mode in MODES and not MODES[mode].intersection(ended):
                    run.wrongs.append(f"{mode} ended as {dict(ended)}")
                run.parts.append(part)
                say(f"{mode}: p99 × {part.ratio:.2f}, runs {part.ended}, {len(record.errors)} errors")
        with contextlib.suppress(Unavailable):
            run.wrongs += await stage.wrongs()
    run.errors = record.errors


def _of(times: Mapping[str, Sequence[float]]) -> dict[str, list[float]]:
    everything = {**times, "all": [one for found in times.values() for one in found]}
    return {kind: [statistics.median(one), percentile(one, 0.99)] for kind, one in everything.items()}


def measure(pairs: int, lookers: int, seconds: float, modes: Sequence[str], say: Callable[[str], None]) -> Run:
    """All of it."""
    load = os.getloadavg()[0]
    run = Run(pairs, lookers, seconds)
    with tempfile.TemporaryDirectory(prefix="dateflicks-isolation-") as folder:
        asyncio.run(_measure(run, Path(folder), modes, say))
    run.machine = this_machine(load)
    run.rows = [
        row("people", ERRORS, float(len(run.errors)), is_quiet=True),
        row("collection", BROKEN, float(len(run.wrongs)), is_quiet=True),
        *(row("people", _ratio_target(one.mode), one.ratio, is_quiet=run.machine.is_quiet) for one in run.parts),
    ]
    return run


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.isolation", description=__doc__.split("\n")[0])
    parser.add_argument("--pairs", type=int, default=8)
    parser.add_argument("--lookers", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=15.0, help="how long each part lasts")
    parser.add_argument("--only", action="append", choices=[WELL, *MODES], help="only this way to misbehave")
    parser.add_argument("--json", action="store_true", help="write the run as JSON on stdout")
    options = parser.parse_args()
    words = Console(stderr=True, highlight=False)
    modes = options.only or [WELL, *MODES]
    run = measure(options.pairs, options.lookers, options.seconds, modes, lambda text: words.print(text, markup=False))
    assert run.machine is not None
    for wrong in [*run.errors, *run.wrongs][:20]:
        words.print(wrong, markup=False)
    kinds = sorted({kind for part in run.parts for kind in part.with_ms})
    parts = [
        (part.mode, *(_pair(part, kind) for kind in kinds), ", ".join(f"{n} {how}" for how, n in part.ended.items()))
        for part in run.parts
    ]
    title = f"p99 in ms without and with a job; {run.pairs} pairs, {run.lookers} who look, {run.seconds:g} s each"
    tables = [plain_table(title, ("source", *kinds, "runs"), parts), verdicts(run.rows, run.machine)]
    return tell(run, run.rows, tables, as_json=options.json)


def _pair(part: Part, kind: str) -> str:
    without, with_it = part.without_ms.get(kind), part.with_ms.get(kind)
    return f"{without[1]:.0f} → {with_it[1]:.0f}" if without and with_it else "–"


if __name__ == "__main__":
    sys.exit(main())
