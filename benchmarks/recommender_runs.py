"""What a whole run of recommenders costs, from what was read to lists that are live on the embedded database.

    python -m benchmarks.recommender_runs
    python -m benchmarks.recommender_runs --only popularity --users 600 --films 600 --interactions 50000 --json

The data are those of `benchmarks.recommenders`; a tenth of the people have somebody with whom they watch. Each
recommender is run in a process of its own, with one thread, on an empty database of its own: it is fitted, what each
film adds to others is weighed, the lists of all people and pairs and the rows of all films are made and written with
their reasons, and the run goes live. Reading is left out: it goes by how many sessions there are. Seconds depend on the
machine and on what else it does. Ends with 1 when a figure misses its target on a machine that is quiet enough.
"""

import argparse
import asyncio
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

import msgspec
import numpy as np
from rich.console import Console
from scipy.sparse import csr_array

from benchmarks.filmbench.report import Machine, plain_table, tell, this_machine, verdicts
from benchmarks.recommenders import ALL, Size, apart, draw, load, save
from benchmarks.syncbench.figures import Row, Target, row
from dateflicks.protocol.ids import new_id
from dateflicks.server.recommendation.records import COLLECTIONS, pair_of
from dateflicks.server.recommenders.evaluating.memory import PeakMemory
from dateflicks.server.recommenders.reading import Film, Reading
from dateflicks.server.recommenders.recommender import Interactions
from dateflicks.server.recommenders.running import Outcome, Plan, run_on
from dateflicks.server.storage.database import Database, DatabaseSettings
from dateflicks.settings.recommenders import RecommendersSettings

SECONDS: Final = Target("a run with its writes", "s", 180.0)
MEMORY: Final = Target("peak of the process", "MiB", 2_048.0)
PARTS: Final = ("fit", "weigh", "people", "pairs", "rows")
PAIRED: Final = 10  # one in so many people has somebody
TOGETHER: Final = 5  # films that two watched with one another


class Cost(msgspec.Struct, frozen=True, kw_only=True):
    """What one run took, and what it made."""

    seconds: float
    parts: dict[str, float]
    people: int
    pairs: int
    rows: int
    peak_mib: float


class Run(msgspec.Struct):
    """One run of the bench, as it is written with --json."""

    size: Size
    machine: Machine | None = None
    costs: dict[str, Cost] = {}
    rows: list[Row] = []


def reading_of(data: Interactions) -> Reading:
    """As it is read: everybody has finished what they watched, and some have somebody."""
    users, films = data.weights.shape
    pairs = tuple((one, one + 1) for one in range(0, users - 1, 2 * PAIRED))
    chance = np.random.default_rng(5)
    columns = np.sort(np.argsort(chance.random((len(pairs), films)), axis=1)[:, :TOGETHER], axis=1).astype(np.int32)
    ends = np.arange(len(pairs) + 1, dtype=np.int32) * TOGETHER
    joint = csr_array((np.ones(columns.size, np.float32), columns.ravel(), ends), shape=(len(pairs), films))
    return Reading(
        data=data,
        people=users,
        out=data.weights,
        pairs=pairs,
        joint=Interactions(
            user_ids=tuple(pair_of(data.user_ids[one], data.user_ids[other]) for one, other in pairs),
            film_ids=data.film_ids,
            weights=joint,
            times=np.full(joint.nnz, data.now),
            now=data.now,
        ),
        is_there=np.ones(films, bool),
        added_at=np.zeros(films),
        films=tuple(Film(id=film) for film in data.film_ids),
    )


async def measure(name: str, path: Path) -> Cost:
    """One run, on a database of its own."""
    recommender, outcome = ALL[name], Outcome()
    folder = path.parent / name
    with PeakMemory() as memory:
        reading = reading_of(load(path))
        async with Database.open(DatabaseSettings(timeout_seconds=10.0), folder, COLLECTIONS) as database:
            plan = Plan(
                run_id=new_id("run"),
                config=recommender.config(),
                settings=RecommendersSettings(),
                folder=folder,
                stopping=asyncio.Event(),
                now=lambda: reading.data.now,
            )
            started = time.perf_counter()
            await run_on(recommender, plan, reading, database, outcome)
            seconds = time.perf_counter() - started
    return Cost(
        seconds=seconds,
        parts={part: outcome.seconds[part] for part in PARTS},
        people=outcome.people,
        pairs=outcome.pairs,
        rows=outcome.rows,
        peak_mib=memory.peak_mib,
    )


def run(size: Size, names: list[str], words: Console) -> Run:
    """Measure each by itself."""
    found = Run(size=size)
    load_before = os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="dateflicks-recommender-runs-") as folder:
        path = Path(folder) / "data.npz"
        words.print(f"drawing {size.interactions:,} interactions")
        matrix = draw(size)
        found.size = Size(size.users, size.films, matrix.nnz)
        save(matrix, path)
        del matrix
        for name in names:
            words.print(f"{name}: a whole run for {size.users:,}")
            found.costs[name] = msgspec.convert(apart("benchmarks.recommender_runs", name, path), Cost)
    found.machine = this_machine(load_before)
    for name, cost in found.costs.items():
        found.rows.append(row(name, SECONDS, cost.seconds, is_quiet=found.machine.is_quiet))
        found.rows.append(row(name, MEMORY, cost.peak_mib, is_quiet=found.machine.is_quiet))
    return found


def main() -> int:
    """The command; exit status 1 when a target was missed."""
    if sys.argv[1:2] == ["--inside"]:
        name, path = sys.argv[2:]
        sys.stdout.buffer.write(msgspec.json.encode(asyncio.run(measure(name, Path(path)))))
        return 0
    parser = argparse.ArgumentParser(prog="python -m benchmarks.recommender_runs", description=__doc__.split("\n")[0])
    parser.add_argument("--only", action="append", choices=list(ALL), help="one recommender; may be repeated")
    parser.add_argument("--users", type=int, default=Size().users)
    parser.add_argument("--films", type=int, default=Size().films)
    parser.add_argument("--interactions", type=int, default=Size().interactions)
    parser.add_argument("--json", action="store_true", help="write the run as JSON on stdout")
    options = parser.parse_args()
    size = Size(options.users, options.films, options.interactions)
    found = run(size, options.only or ["blend", "popularity"], Console(stderr=True, highlight=False))
    title = f"{found.size.interactions:,} interactions, {size.users:,} people, {size.films:,} films"
    columns = ("", *(f"{part}, s" for part in PARTS), "all, s", "lists", "rows", "peak, MiB")
    table = [
        [name, *(f"{cost.parts[part]:.1f}" for part in PARTS), f"{cost.seconds:.1f}", f"{cost.people + cost.pairs}",
         f"{cost.rows}", f"{cost.peak_mib:.0f}"]
        for name, cost in found.costs.items()
    ]  # fmt: skip
    assert found.machine is not None
    return tell(found, found.rows, [plain_table(title, columns, table), verdicts(found.rows, found.machine)],
                as_json=options.json)  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
