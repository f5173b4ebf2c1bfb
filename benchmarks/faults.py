"""What is lost, how long it takes, and who disagrees, when workers, the database and Redis are killed under load.

    python -m benchmarks.faults --kills 200 --sessions 6 --pairs 1000 --worst 1
    python -m benchmarks.faults --kills 2000 --pairs 0 --json

First people talk over three workers, twice as much as the limits let them or as much as they can (`--per-second 0`),
while a worker, the embedded database or Redis is killed with SIGKILL, one at random after the other: what was
acknowledged has to be there, once, in order and for everybody. Whoever was cut off is served again when something is
acknowledged that they said after the kill; `--worst 3` tells what happened until then. Then so
many pairs start their films while Redis is away: two seconds after it is back no two may know different things. Times
are told as ratios to a calibrator too, a fixed loop of this machine measured before and after. Ends with 1 when
something was lost, or a pair disagreed.
"""

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from benchmarks.faultbench.kills import LAST_WORKER, Kill, Result, run_kills
from benchmarks.faultbench.pairs import Divergence, run_pairs

CALIBRATOR_ROUNDS = 300_000
PER_SECOND = 10.0  # twice what the limits let anybody say
KINDS = ("worker", LAST_WORKER, "database", "bus")


def calibrator() -> float:
    """Seconds that a fixed loop takes here, the best of five."""
    found = []
    for _ in range(5):
        began, total = time.perf_counter(), 0
        for number in range(CALIBRATOR_ROUNDS):
            total += number * number % 7
        found.append(time.perf_counter() - began)
    return min(found)


def times(kills: list[Kill], kind: str) -> list[str]:
    """A row: of one kind of kill how many cut off anybody, until the first and until the last of those was served."""
    own = [one for one in kills if one.kind == kind and one.cut_off]
    if not own:
        return [kind, "0", *["–"] * 4]
    first, everybody = [one.first_seconds for one in own], [one.all_seconds for one in own]
    found = [statistics.median(first), max(first), statistics.median(everybody), max(everybody)]
    return [kind, str(len(own)), *(f"{one:.2f}" for one in found)]


def show_worst(console: Console, kills: list[Kill], count: int) -> None:
    """What happened after those kills of each kind that took longest."""
    for kind in KINDS:
        own = [one for one in kills if one.kind == kind and one.cut_off]
        for one in sorted(own, key=lambda one: one.all_seconds, reverse=True)[:count]:
            title = f"{kind}: {one.cut_off} cut off, the last was served after {one.all_seconds:.2f} s"
            waits = ", ".join(f"{what} {seconds:g} s" for what, seconds in one.waited.items())
            table = Table(title=f"{title}; somebody on this machine waited for {waits}", title_justify="left")
            for name in ("s", "who", "what"):
                table.add_column(name, justify="right" if name == "s" else "left", overflow="fold")
            for at, who, what in one.timeline:
                table.add_row(f"{at:.3f}", escape(who), escape(what))
            console.print(table)


def show(console: Console, result: Result | None, pairs: Divergence | None, calibrators: list[float]) -> None:
    """Everything as tables."""
    if result is not None:
        table = Table(title=f"{len(result.kills)} kills in {result.seconds:g} s, seed {result.seed}")
        for name in ("killed", "times", "first served: median, s", "worst", "all served: median, s", "worst"):
            table.add_column(name, justify="right")
        for kind in KINDS:
            table.add_row(*times(result.kills, kind))
        console.print(table)
        console.print({key: value for key, value in asdict(result.findings).items() if key != "wrongs"})
        for wrong in result.findings.wrongs:
            console.print(wrong, markup=False)
    if pairs is not None:
        console.print(asdict(pairs))
    console.print("calibrator, ms, before and after:", [round(one * 1000, 1) for one in calibrators])


def main() -> int:
    """The command; exit status 1 when a promise was broken."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.faults", description=__doc__.split("\n")[0])
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--sessions", type=int, default=6)
    parser.add_argument(
        "--per-second", type=float, default=PER_SECOND, help="what each says at most; 0 is as much as they can"
    )
    parser.add_argument("--pairs", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--worst", type=int, default=0, help="tell what happened after so many of each kind")
    parser.add_argument("--json", action="store_true", help="write it as JSON on stdout")
    options = parser.parse_args()
    words = Console(stderr=True, highlight=False)
    calibrators = [calibrator()]

    def told(kill: Kill) -> None:
        words.print(
            f"{kill.kind}: {kill.cut_off} cut off, first {kill.first_seconds:.2f} s, all {kill.all_seconds:.2f} s"
        )

    result, pairs = None, None
    if options.kills:
        with tempfile.TemporaryDirectory(prefix="dateflicks-kills-") as folder:
            result = asyncio.run(
                run_kills(options.kills, options.sessions, options.per_second, options.seed, Path(folder), told)
            )
    if options.pairs:
        with tempfile.TemporaryDirectory(prefix="dateflicks-pairs-") as folder:
            pairs = asyncio.run(run_pairs(options.pairs, Path(folder)))
    calibrators.append(calibrator())
    if options.json:
        found: dict[str, Any] = {"kills": result, "pairs": pairs, "calibratorSeconds": calibrators}
        sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(found), indent=2) + b"\n")
    else:
        console = Console(width=None if sys.stdout.isatty() else 150, highlight=False)
        if result is not None:
            show_worst(console, result.kills, options.worst)
        show(console, result, pairs, calibrators)
    is_good = (result is None or result.findings.is_good) and (pairs is None or not pairs.diverged)
    return 0 if is_good else 1


if __name__ == "__main__":
    sys.exit(main())
