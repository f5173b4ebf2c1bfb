"""What telling people what to watch costs, beside reading one document by its id.

    python -m benchmarks.recommendations
    python -m benchmarks.recommendations --films 1000 --rounds 100 --json

The rules of the service, without HTTP, on an embedded database of their own: two people with sixty evenings each, a
live run with lists of 200 for both and a hundred neighbours of every film, and a film that was finished since. In turns
a document is read by its id, and lists are put together anew: one person's, with that film folded in; the one that was
made for the pair; and one for the pair that is made now. Ratios are of medians of one run.
Ends with 1 when a figure misses its target on a machine that is quiet enough.
"""

import argparse
import asyncio
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

import msgspec

from benchmarks.filmbench.report import Machine, plain_table, tell, this_machine, verdicts
from benchmarks.syncbench.figures import Row, Target, percentile, row
from dateflicks.server.catalogue.records import WORKS
from dateflicks.server.recommendation.records import LIST_MAX, pair_of
from dateflicks.settings.recommendation import RecommendationSettings
from tests.server.services.recommendation.scene import NOON, Scene, film_of, opened, somebody

EVENINGS: Final = 60
NEIGHBOURS: Final = 100
BATCH: Final = 500
BY_ID: Final = "by id"
ONE: Final = "one, folded in"
STORED: Final = "two, stored"
MADE: Final = "two, made now"
FOR_TWO: Final = Target("a list for two, p50", "ms", 50.0)
FOLD_IN: Final = Target("a film just finished, p50", "ms", 1_000.0)


class Run(msgspec.Struct):
    """One run of the bench, as it is written with --json."""

    films: int
    rounds: int
    milliseconds: dict[str, float]
    p99: dict[str, float]
    processor: dict[str, float]
    commands: dict[str, int]
    ratios: dict[str, float]
    machine: Machine
    rows: list[Row] = []


async def _people(scene: Scene, films: int) -> tuple[str, str, str, str]:
    """Two with lists of a pair that was made before, and two whose list has to be made now."""
    titles = [f"Film {number}" for number in range(films)]
    for start in range(0, films, BATCH):
        await scene.films(*titles[start : start + BATCH])
    ana, bea, cleo, dora = (*sorted((somebody(), somebody())), *sorted((somebody(), somebody())))
    for number in range(EVENINGS):
        at = NOON - 9_000 - number
        for host, guest in ((ana, bea), (cleo, dora)):
            await scene.evening(host, guest if number % 2 else somebody(), titles[number], at=at)
            await scene.evening(guest, somebody(), titles[number + EVENINGS], at=at)
    rows = {
        title: {other: 1.0 / (1 + place) for place, other in enumerate(titles[at % 100 : at % 100 + NEIGHBOURS])}
        for at, title in enumerate(titles)
    }
    half = films - LIST_MAX
    lists = dict.fromkeys((ana, cleo), titles[:LIST_MAX]) | dict.fromkeys((bea, dora), titles[half:])
    await scene.run("blend", lists | {pair_of(ana, bea): titles[100 : 100 + LIST_MAX]}, rows, at=NOON - 8_000)
    await scene.evening(cleo, somebody(), titles[-1], at=NOON - 10)
    return ana, bea, cleo, dora


async def run(films: int, rounds: int) -> Run:
    """Measure it."""
    load_before = os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="dateflicks-bench-") as folder:
        async with opened(Path(folder) / "data") as database:
            scene = Scene(database, RecommendationSettings())
            ana, bea, cleo, dora = await _people(scene, films)
            works, some_film = database.table(WORKS), film_of("Film 1")
            rankings = scene.service._rankings

            async def listed(*people: str) -> None:
                rankings._kept.clear()
                await rankings.of(people)

            calls: dict[str, Callable[[], Awaitable[object]]] = {
                BY_ID: lambda: works.get(some_film),
                ONE: lambda: listed(cleo),
                STORED: lambda: listed(ana, bea),
                MADE: lambda: listed(cleo, dora),
            }
            took: dict[str, list[float]] = {name: [] for name in calls}
            busy: dict[str, list[float]] = {name: [] for name in calls}
            commands: dict[str, int] = {}
            for _ in range(rounds + 1):
                for name, call in calls.items():
                    sent, processor, began = database.fence.command_count, time.process_time(), time.perf_counter()
                    await call()
                    took[name].append((time.perf_counter() - began) * 1_000)
                    busy[name].append((time.process_time() - processor) * 1_000)
                    commands[name] = database.fence.command_count - sent
    milliseconds = {name: statistics.median(values[1:]) for name, values in took.items()}
    machine = this_machine(load_before)
    found = Run(
        films=films,
        rounds=rounds,
        milliseconds=milliseconds,
        p99={name: percentile(values[1:], 0.99) for name, values in took.items()},
        processor={name: statistics.median(values[1:]) for name, values in busy.items()},
        commands=commands,
        ratios={name: value / milliseconds[BY_ID] for name, value in milliseconds.items()},
        machine=machine,
    )
    quiet = machine.is_quiet
    found.rows = [
        row(MADE, FOR_TWO, milliseconds[MADE], is_quiet=quiet),
        row(STORED, FOR_TWO, milliseconds[STORED], is_quiet=quiet),
        row(ONE, FOLD_IN, milliseconds[ONE], is_quiet=quiet),
    ]
    return found


def main() -> int:
    """The command; exit status 1 when a target was missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.recommendations", description=__doc__.split("\n")[0])
    parser.add_argument("--films", type=int, default=600, help="how many there are; 300 at least")
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--json", action="store_true", help="write the run as JSON on stdout")
    options = parser.parse_args()
    found = asyncio.run(run(max(options.films, 300), max(options.rounds, 1)))
    columns = ("", "p50, ms", "p99, ms", "processor, ms", "commands", "ratio")
    rows = [
        (name, f"{value:.1f}", f"{found.p99[name]:.1f}", f"{found.processor[name]:.1f}", str(found.commands[name]),
         f"{found.ratios[name]:.0f}")
        for name, value in found.milliseconds.items()
    ]  # fmt: skip
    tables = [plain_table(f"{found.films:,} films, {found.rounds} rounds", columns, rows)]
    return tell(found, found.rows, [*tables, verdicts(found.rows, found.machine)], as_json=options.json)


if __name__ == "__main__":
    sys.exit(main())
