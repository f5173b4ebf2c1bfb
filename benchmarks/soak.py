"""Many pairs at the pace of people, for hours: does what the server holds stay as it is, and is nobody ever lost?

    make soak
    make soak ARGS="--minutes 20 --pairs 300"

Each pair has two connections to the timecode service and two to the messages service: players report, clients measure
the clock, somebody pauses or plays every half minute and says something every minute. Printed are the memory's slope
(from the first tenth of the time on, which is the start's), files, tasks, the loop's lag, what was lost, and each
connection that ended before it was ended.
"""

import argparse
import asyncio
import secrets
import statistics
import tempfile
import time
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.kernel import files_allowed, memory_bytes
from benchmarks.loadbench.crowd import Found
from benchmarks.loadbench.processes import Crowds, Served, crowds, ours
from benchmarks.syncbench.figures import percentile

CHANGE_EVERY: Final = 30.0
SAY_EVERY: Final = 60.0
SAMPLES: Final = 240
LEAVING_SECONDS: Final = 5.0
TOLERATED: Final = 0.01  # of files and tasks, at the end against the start
FAILED_MAX: Final = 0.001  # of changes and words; on a machine that others use too, some come at a bad moment
SLOPE_MAX: Final = 1.0  # MB an hour


@dataclass(frozen=True, slots=True)
class Sample:
    """How the server was at one moment; memory in MB, lag in seconds."""

    at: float
    server: float
    database: float
    files: int
    tasks: int
    lag: float
    closes: int
    sockets: int


def main() -> None:
    """Run it; exit status 1 when a bound of it is broken."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--minutes", type=float, default=120.0, help="how long (120)")
    parser.add_argument("--pairs", type=int, default=300, help="how many pairs (300)")
    wishes = parser.parse_args()
    raise SystemExit(asyncio.run(soak(wishes.minutes * 60, wishes.pairs)))


async def soak(seconds: float, pairs: int) -> int:
    """The exit status."""
    files_allowed()
    key = secrets.token_hex(32)
    with tempfile.TemporaryDirectory(prefix="dateflicks-soak-") as folder:
        async with ours("all", Path(folder), key) as served:
            before = await asyncio.to_thread(sample, served)
            async with crowds(served, 1) as watching, crowds(served, 1) as talking:
                await watching.invite("timecode", pairs, key)
                await talking.invite("messages", pairs, key)
                await watching.enter()
                await talking.enter()
                print(f"{pairs} pairs for {seconds / 60:g} minutes")
                samples, watched, said = await _lived(served, watching, talking, seconds)
                await watching.leave()
                await talking.leave()
                await asyncio.sleep(LEAVING_SECONDS)
            after = await asyncio.to_thread(sample, served)
    return told(before, samples, after, watched, said)


async def _lived(
    served: Served, watching: Crowds, talking: Crowds, seconds: float
) -> tuple[list[Sample], Found, Found]:
    pause = max(seconds / SAMPLES, 1.0)
    lives = asyncio.gather(watching.live(seconds, CHANGE_EVERY), talking.live(seconds, SAY_EVERY))
    samples = [await asyncio.to_thread(sample, served)]
    while not lives.done():
        await asyncio.wait({lives}, timeout=pause)
        if not lives.done():
            samples.append(await asyncio.to_thread(sample, served))
    watched, said = await lives
    return samples, watched, said


def sample(served: Served) -> Sample:
    """Look at a server."""
    with urllib.request.urlopen(f"http://127.0.0.1:{served.port}/metrics", timeout=30) as answer:
        numbers = numbers_of(answer.read().decode())
    return Sample(
        at=time.monotonic(),
        server=served.memory() / 1e6,
        database=0.0 if served.database is None else memory_bytes(served.database) / 1e6,
        files=round(numbers.get("process_open_fds", 0)),
        tasks=round(numbers.get("dateflicks_tasks", 0)),
        lag=numbers.get("dateflicks_loop_lag_seconds", 0.0),
        closes=round(numbers.get("dateflicks_socket_closes_total", 0)),
        sockets=round(numbers.get("dateflicks_sockets", 0)),
    )


def numbers_of(exposition: str) -> dict[str, float]:
    """Each name's value, over all its labels."""
    found: dict[str, float] = {}
    for line in exposition.splitlines():
        if line and not line.startswith("#"):
            series, _, value = line.rpartition(" ")
            name = series.partition("{")[0]
            found[name] = found.get(name, 0.0) + float(value)
    return found


def slope(samples: Sequence[tuple[float, float]]) -> float:
    """How much of something comes with each hour, over these moments (seconds) and amounts."""
    if len(samples) < 2:
        return 0.0
    return statistics.linear_regression([at for at, _ in samples], [much for _, much in samples]).slope * 3600


def told(before: Sample, samples: Sequence[Sample], after: Sample, watched: Found, said: Found) -> int:
    """Print it; 1 when a bound is broken."""
    steady = samples[len(samples) // 10 :]
    server = slope([(one.at, one.server) for one in steady])
    database = slope([(one.at, one.database) for one in steady])
    lost = samples[-1].closes - samples[0].closes
    last = samples[-1]
    failed = watched.errors + said.errors
    own_files = samples[0].files - samples[0].sockets  # with the connections to the database that it keeps
    rows = [
        (
            "server, MB",
            f"{before.server:.1f} empty, {steady[0].server:.1f} to {last.server:.1f}, {server:+.2f} an hour",
        ),
        ("database, MB", f"{steady[0].database:.1f} to {last.database:.1f}, {database:+.2f} an hour"),
        ("files", f"{before.files} empty, {samples[0].files} to {last.files}, {after.files} when all had left"),
        ("tasks", f"{before.tasks} empty, {samples[0].tasks} to {last.tasks}, {after.tasks} when all had left"),
        ("loop's lag, ms", f"{max(one.lag for one in samples) * 1000:.1f} at most"),
        ("connections", f"{samples[0].sockets}; {lost} ended before their time"),
        ("changes", _changes(watched)),
        ("words", _changes(said)),
    ]
    for name, what in rows:
        print(f"{name:>16}  {what}")
    for error in [*watched.samples, *said.samples][:5]:
        print(f"{'':>16}  {error}")
    broken = [
        *(["connections were lost"] if lost else []),
        *(["too much failed"] if failed > FAILED_MAX * (watched.changes + said.changes) else []),
        *(["files were not closed"] if abs(after.files - own_files) > max(2, own_files * TOLERATED) else []),
        *(["tasks were left"] if abs(after.tasks - before.tasks) > max(2, before.tasks * TOLERATED) else []),
        *([f"memory grows by more than {SLOPE_MAX:g} MB an hour"] if _is_long(samples) and server > SLOPE_MAX else []),
    ]
    print("; ".join(broken).capitalize() + "." if broken else "As it should be.")
    return 1 if broken else 0


def _is_long(samples: Sequence[Sample]) -> bool:
    """Whether a slope says something: what fills up at the start is over."""
    return samples[-1].at - samples[0].at >= 1_000


def _changes(found: Found) -> str:
    ordered = sorted(found.delays)
    if not ordered:
        return f"none; {found.errors} failed"
    half, most = percentile(ordered, 0.5) / 1000, percentile(ordered, 0.99) / 1000
    return f"{found.changes}, p50 {half:.1f} ms, p99 {most:.1f} ms; {found.errors} failed"


if __name__ == "__main__":
    main()
