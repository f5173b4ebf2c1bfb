"""Syncplay's server and ours, with the same people: what each costs, and how long a pause takes to the other one.

    python -m benchmarks.syncplay_load
    python -m benchmarks.syncplay_load --pairs 100 --pairs 500 --pairs 1000 --pairs 2000 --minutes 5
    python -m benchmarks.syncplay_load --open           rooms that hear of each other, as Syncplay's are by default

For each number of pairs, one after the other: they connect (processor time for all, memory for each), then live (share
of a core, processor time for each text that they send, a pause now and then and how long it takes), then pause and let
go as fast as they can. Syncplay's clients answer its State of every second, as its own do; ours ping and report, as
ours do. Its server is that of the package, started on the loopback address alone.
"""

import argparse
import asyncio
import contextlib
import os
import secrets
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Final

import msgspec
from rich.console import Console

from benchmarks.filmbench.report import Machine, plain_table, tell, this_machine
from benchmarks.load import lives_table
from benchmarks.loadbench.crowd import Kind
from benchmarks.loadbench.measuring import SETTLE_SECONDS, Lives, Load, lived, saturated
from benchmarks.loadbench.processes import Served, crowds, ours, syncplay_server
from benchmarks.syncbench import syncplay

PAIRS: Final = (100, 500, 1_000)
EVERY_SECONDS: Final = 30.0


class Came(msgspec.Struct, kw_only=True):
    """What it cost to let so many in."""

    server: str
    pairs: int
    cpu_seconds: float
    kilobytes: float  # of memory, each
    errors: int


class Run(msgspec.Struct):
    """One run, as it is written with --json."""

    version: str
    machine: Machine | None = None
    came: list[Came] = []
    lives: list[Lives] = []
    loads: list[Load] = []


async def _measure(run: Run, pairs: int, served: Served, kind: Kind, key: str, given: argparse.Namespace) -> None:
    async with crowds(served, given.processes) as here:
        await here.invite(kind, pairs, key)
        cpu, memory = served.cpu(), served.memory()
        entered = await here.enter()
        cpu = served.cpu() - cpu
        await asyncio.sleep(SETTLE_SECONDS)
        each = (served.memory() - memory) / (2 * pairs) / 1e3
        run.came.append(Came(server=served.name, pairs=pairs, cpu_seconds=cpu, kilobytes=each, errors=entered.errors))
        run.lives.append(await lived(here, pairs, given.minutes * 60, EVERY_SECONDS))
        await here.leave()
    async with crowds(served, given.processes) as here:
        await here.invite(kind, pairs, key)
        await here.enter()
        await asyncio.sleep(SETTLE_SECONDS)
        run.loads.append(await saturated(here, f"{pairs} pairs", given.seconds))


@contextlib.asynccontextmanager
async def _server(name: str, folder: Path, key: str, given: argparse.Namespace) -> AsyncIterator[Served]:
    if name == "ours":
        async with ours("timecode", folder, key) as served:
            yield served
    else:
        async with syncplay_server(folder, isolated=not given.open) as served:
            yield served


async def _all(run: Run, folder: Path, given: argparse.Namespace, say: Callable[[str], None]) -> None:
    key = secrets.token_hex(32)
    for pairs in given.pairs or PAIRS:
        for name, kind in (("syncplay", "syncplay"), ("ours", "timecode")):
            place = await asyncio.to_thread(tempfile.mkdtemp, dir=folder)
            async with _server(name, Path(place), key, given) as served:
                await _measure(run, pairs, served, kind, key, given)  # type: ignore[arg-type]  # one of the kinds
            say(f"{name}: {pairs} pairs, {run.lives[-1].share:.1%} of a core")


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.syncplay_load", description=__doc__.split("\n")[0])
    parser.add_argument("--pairs", action="append", type=int, help="so many; may be repeated")
    parser.add_argument("--minutes", type=float, default=0.5, help="that they live")
    parser.add_argument("--seconds", type=float, default=4.0, help="that they pause as fast as they can")
    parser.add_argument("--processes", type=int, default=2, help="that make up each crowd")
    parser.add_argument("--open", action="store_true", help="let Syncplay's rooms hear of each other")
    parser.add_argument("--json", action="store_true", help="write the run as JSON on stdout")
    given = parser.parse_args()
    words = Console(stderr=True, highlight=False)
    if shutil.which("syncplay-server") is None:
        words.print("Syncplay's server is not installed: apt-get install syncplay-server")
        return 2
    run, load = Run(syncplay.version() or "Syncplay"), os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="dateflicks-syncplay-load-") as folder:
        asyncio.run(_all(run, Path(folder), given, lambda text: words.print(text, markup=False)))
    run.machine = this_machine(load)
    came = [
        (one.server, f"{one.pairs:,}", f"{one.cpu_seconds:.2f}", f"{one.kilobytes:.1f}", str(one.errors))
        for one in run.came
    ]
    loads = [
        (
            one.server, one.what, f"{one.per_core:,.0f}", f"{one.cpu:.1f}", f"{one.p50 / 1e3:.1f}",
            f"{one.p99 / 1e3:.1f}", str(one.errors),
        )
        for one in run.loads
    ]  # fmt: skip
    tables = [
        plain_table("all connect", ("", "pairs", "processor s", "kB each", "errors"), came),
        lives_table(run.lives),
        plain_table(
            "pauses as fast as they go", ("", "", "a core carries /s", "µs each", "p50 ms", "p99 ms", "errors"), loads
        ),
    ]
    return tell(run, [], tables, as_json=given.json)


if __name__ == "__main__":
    sys.exit(main())
