"""What fitting recommenders and making everybody's list costs, beside one product of two matrices of films × films.

    python -m benchmarks.recommenders
    python -m benchmarks.recommenders --only edlae --only als --json
    python -m benchmarks.recommenders --large

The data are drawn by chance: kinds of films, people who like some of them, few films that are watched by very many.
Each recommender is fitted in a process of its own with one thread, and makes the best 100 for everybody, without what
they have seen; nothing is written. Its peak is that of the whole process, with the data. Then one more film is put into
histories, one at a time, and each is scored anew. `--large` fits the factors on 20,000,000 interactions instead, of
138,000 people with 20,000 films. Seconds depend on the machine and on what else it does, those of the processor only on
the machine, the ratio of these to the product of the same run on hardly anything.
Ends with 1 when a figure misses its target on a machine that is quiet enough.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np
from rich.console import Console
from scipy.sparse import csr_array

from benchmarks.filmbench.report import Machine, plain_table, tell, this_machine, verdicts
from benchmarks.syncbench.figures import Row, Target, row
from dateflicks.server.recommenders.als import Als
from dateflicks.server.recommenders.blend import Blend
from dateflicks.server.recommenders.content import Content
from dateflicks.server.recommenders.edlae import Edlae
from dateflicks.server.recommenders.evaluating.bench import THREADS_OF
from dateflicks.server.recommenders.evaluating.memory import PeakMemory
from dateflicks.server.recommenders.matrix import BATCH_ROWS, histories, take_out, top
from dateflicks.server.recommenders.neighbourhood import Neighbourhood
from dateflicks.server.recommenders.popularity import Popularity
from dateflicks.server.recommenders.recommender import Context, Interactions, Model, Recommender

LIST: Final = 100
KINDS: Final = 40
FEATURES: Final = 12  # of each film
FOLDED: Final = 200
PRODUCT: Final = "product of films × films"
NOW: Final = 1_790_000_000.0
ALL: Final[dict[str, Recommender]] = {
    one.name: one for one in (Blend(), Edlae(), Als(), Neighbourhood(), Popularity(), Content())
}
SECONDS: Final = Target("fit and everybody's list", "s", 30.0)
MEMORY: Final = Target("peak of the process", "MiB", 700.0)
FOLD_IN: Final = Target("one more film, p50", "ms", 5.0, 1.0)
LARGE_SECONDS: Final = Target("fit and everybody's list", "s", 600.0)
LARGE_MEMORY: Final = Target("peak of the process", "MiB", 2_000.0)


class Size(msgspec.Struct, frozen=True):
    """How much there is to learn from."""

    users: int = 6_000
    films: int = 6_000
    interactions: int = 1_000_000


class Cost(msgspec.Struct, frozen=True, kw_only=True):
    """What one recommender took."""

    fit_seconds: float = 0.0
    list_seconds: float = 0.0
    processor_seconds: float = 0.0
    peak_mib: float = 0.0
    fold_in_ms: float = 0.0


class Run(msgspec.Struct):
    """One run of the bench, as it is written with --json."""

    size: Size
    machine: Machine | None = None
    product_seconds: float = 0.0
    costs: dict[str, Cost] = {}
    rows: list[Row] = []


def draw(size: Size, seed: int = 1) -> csr_array:
    """Users × films, ones: somewhat more than half of what each watches is of the kinds that they like."""
    chance = np.random.default_rng(seed)
    known = (1.0 + np.arange(size.films)) ** -0.8
    kind = chance.integers(KINDS, size=size.films)
    counts = np.clip(chance.lognormal(0.0, 0.9, size.users), 0.1, 15)
    counts = np.clip(counts * size.interactions / counts.sum(), 5, size.films / 3).astype(np.int64)
    parts = []
    liked = chance.integers(KINDS, size=(size.users, 3))
    for user, count in enumerate(counts.tolist()):
        if not user % 64:  # people of one taste are drawn together
            weights = np.where(np.isin(kind, liked[user]), 20.0, 1.0) * known
            bounds = np.cumsum(weights / weights.sum())
        seen = np.unique(np.searchsorted(bounds, chance.random(3 * count)).clip(max=size.films - 1))
        parts.append(np.sort(chance.permutation(seen)[:count]).astype(np.int32))
    ends = np.concatenate(([0], np.cumsum([len(one) for one in parts])))
    columns = np.concatenate(parts)
    return csr_array((np.ones(len(columns), np.float32), columns, ends), shape=(size.users, size.films))


def save(matrix: csr_array, path: Path) -> None:
    """For the processes that measure."""
    np.savez(path, indices=matrix.indices, indptr=matrix.indptr, shape=np.asarray(matrix.shape))


def load(path: Path) -> Interactions:
    """As a recommender takes them; each film has some features, drawn by chance."""
    with np.load(path) as kept:
        indices, indptr, shape = kept["indices"], kept["indptr"], tuple(kept["shape"].tolist())
    chance = np.random.default_rng(2)
    features = chance.integers(2_000, size=(shape[1], FEATURES))
    films = csr_array(
        (np.ones(features.size, np.float32), features.ravel(), np.arange(shape[1] + 1) * FEATURES), (shape[1], 2_000)
    )
    films.sum_duplicates()
    return Interactions(
        user_ids=tuple(f"usr_{number}" for number in range(shape[0])),
        film_ids=tuple(f"vid_{number}" for number in range(shape[1])),
        weights=csr_array((np.ones(len(indices), np.float32), indices, indptr.astype(np.int32)), shape=shape),
        times=np.full(len(indices), NOW) - chance.integers(10**7, size=len(indices)),
        features=films,
        now=NOW,
    )


# --- in a process of its own ------------------------------------------------------------------------------------


def measure(name: str, path: Path) -> Cost:
    """Fit one and make everybody's list."""
    recommender = ALL[name]
    with PeakMemory() as memory:
        data = load(path)
        used, started = time.process_time(), time.perf_counter()
        model = recommender.fit(data, Context(config=recommender.config()))
        fitted = time.perf_counter()
        _lists(model, data.weights)
        listed, used = time.perf_counter(), time.process_time() - used
    return Cost(
        fit_seconds=fitted - started,
        list_seconds=listed - fitted,
        processor_seconds=used,
        peak_mib=memory.peak_mib,
        fold_in_ms=_fold_in(model, data),
    )


def _lists(model: Model, weights: csr_array) -> int:
    """The best of everybody, as they would be written."""
    columns = np.zeros((weights.shape[0], LIST), np.int32)
    values = np.zeros((weights.shape[0], LIST), np.float32)
    for at in range(0, weights.shape[0], BATCH_ROWS):
        some = csr_array(weights[at : at + BATCH_ROWS])
        scores = model.score(some)
        take_out(scores, some)
        columns[at : at + BATCH_ROWS], values[at : at + BATCH_ROWS] = top(scores, LIST)
    return int(np.isfinite(values).sum())


def _fold_in(model: Model, data: Interactions) -> float:
    """The median of a history with one more film, from its acts to its list."""
    taken = []
    for user in np.random.default_rng(3).integers(data.weights.shape[0], size=FOLDED).tolist():
        start, end = data.weights.indptr[user], data.weights.indptr[user + 1]
        one = Interactions(
            user_ids=data.user_ids[user : user + 1],
            film_ids=data.film_ids,
            weights=csr_array(data.weights[[user]]),
            times=data.times[start:end],
        )
        started = time.perf_counter()
        history = histories(one)
        scores = model.score(history)
        take_out(scores, history)
        top(scores, LIST)
        taken.append(time.perf_counter() - started)
    return statistics.median(taken) * 1000


def product(films: int) -> float:
    """How long one product of two float32 matrices of this size takes here, in seconds of the processor."""
    matrix = np.random.default_rng(4).random((films, films), dtype=np.float32)
    started = time.process_time()
    matrix @ matrix
    return time.process_time() - started


# --- the run ----------------------------------------------------------------------------------------------------


def apart(module: str, *arguments: object) -> Any:
    """What a process of its own measures inside: `module` is the benchmark's, which is run there with one thread."""
    environ = {**os.environ, **dict.fromkeys(THREADS_OF, "1")}
    command = [sys.executable, "-m", module, "--inside", *map(str, arguments)]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, env=environ).stdout)


def run(size: Size, names: list[str], words: Console, *, is_large: bool) -> Run:
    """Measure each by itself."""
    found = Run(size=size)
    load_before = os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="dateflicks-recommenders-") as folder:
        path = Path(folder) / "data.npz"
        words.print(f"drawing {size.interactions:,} interactions")
        matrix = draw(size)
        found.size = Size(size.users, size.films, matrix.nnz)
        save(matrix, path)
        del matrix
        found.product_seconds = float(apart("benchmarks.recommenders", PRODUCT, min(size.films, 6_000)))
        for name in names:
            words.print(f"{name}: fit, and the best {LIST} of {size.users:,}")
            found.costs[name] = msgspec.convert(apart("benchmarks.recommenders", name, path), Cost)
    found.machine = this_machine(load_before)
    is_quiet = found.machine.is_quiet
    seconds, memory = (LARGE_SECONDS, LARGE_MEMORY) if is_large else (SECONDS, MEMORY)
    for name, cost in found.costs.items():
        found.rows.append(row(name, seconds, cost.fit_seconds + cost.list_seconds, is_quiet=is_quiet))
        found.rows.append(row(name, memory, cost.peak_mib, is_quiet=is_quiet))
        found.rows.append(row(name, FOLD_IN, cost.fold_in_ms, is_quiet=is_quiet))
    return found


def table_of(found: Run) -> list[list[str]]:
    """What each took, and how often the product could have been made meanwhile."""
    rows = [[PRODUCT, "", "", f"{found.product_seconds:.1f}", "1.0", "", ""]]
    for name, cost in found.costs.items():
        ratio = cost.processor_seconds / found.product_seconds
        rows.append(
            [
                name,
                f"{cost.fit_seconds:.1f}",
                f"{cost.list_seconds:.1f}",
                f"{cost.processor_seconds:.1f}",
                f"{ratio:.1f}",
                f"{cost.peak_mib:.0f}",
                f"{cost.fold_in_ms:.2f}",
            ]
        )
    return rows


def main() -> int:
    """The command; exit status 1 when a target was missed."""
    if sys.argv[1:2] == ["--inside"]:
        name, what = sys.argv[2:]
        found: object = product(int(what)) if name == PRODUCT else measure(name, Path(what))
        sys.stdout.buffer.write(msgspec.json.encode(found))
        return 0
    parser = argparse.ArgumentParser(prog="python -m benchmarks.recommenders", description=__doc__.split("\n")[0])
    parser.add_argument("--only", action="append", choices=list(ALL), help="one recommender; may be repeated")
    parser.add_argument("--large", action="store_true", help="the factors on 20,000,000 interactions")
    parser.add_argument("--users", type=int, default=0)
    parser.add_argument("--films", type=int, default=0)
    parser.add_argument("--interactions", type=int, default=0)
    parser.add_argument("--json", action="store_true", help="write the run as JSON on stdout")
    options = parser.parse_args()
    size = Size(138_000, 20_000, 20_000_000) if options.large else Size()
    size = Size(options.users or size.users, options.films or size.films, options.interactions or size.interactions)
    names = options.only or (["als"] if options.large else list(ALL))
    found = run(size, names, Console(stderr=True, highlight=False), is_large=options.large)
    title = f"{found.size.interactions:,} interactions, {size.users:,} people, {size.films:,} films"
    columns = ("", "fit, s", "lists, s", "processor, s", "ratio", "peak, MiB", "one more film, ms")
    machine = found.machine
    assert machine is not None
    tables = [plain_table(title, columns, table_of(found)), verdicts(found.rows, machine)]
    return tell(found, found.rows, tables, as_json=options.json)


if __name__ == "__main__":
    sys.exit(main())
