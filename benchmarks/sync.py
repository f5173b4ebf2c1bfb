"""How well two real players are held in step: real services, real mpv, wrong clocks, bad lines, one observer.

    python -m benchmarks.sync                       every scenario, as a table
    python -m benchmarks.sync --scenario line-100 --seed 7 --seconds 120 --json

Each scenario gives its figures beside what they should be. Before all, two players that run free show what the machine
itself can do: where their 99th percentile is beyond 2 ms the machine is too busy, and what misses is inconclusive.
"""

import argparse
import asyncio
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console
from rich.table import Table

from benchmarks.syncbench.figures import Row, row
from benchmarks.syncbench.floor import LIMIT_MS, measure_floor
from benchmarks.syncbench.room import Setting
from benchmarks.syncbench.scenarios import SCENARIOS, Scenario
from dateflicks import __version__
from dateflicks.client.players.film import make_film

FILM_SECONDS = 400.0
FLOOR_SECONDS = 20.0


class Run(msgspec.Struct):
    """One run of the bench, as it is written with --json."""

    version: str
    revision: str
    python: str
    mpv: str
    machine: str
    load: list[float]
    seed: int
    floor_ms: float
    seconds: float
    rows: list[Row]
    figures: dict[str, dict[str, float | None]]
    errors: dict[str, str]


async def _measure(names: list[str], seed: int, seconds: float | None, say: Any) -> Run:
    with tempfile.TemporaryDirectory(prefix="dateflicks-film-") as folder:
        film = await make_film(Path(folder) / "bench.mkv", FILM_SECONDS, width=160, height=90)
        began = time.monotonic()
        floor = await measure_floor(film, FLOOR_SECONDS)
        is_quiet = floor <= LIMIT_MS
        say(f"floor: {floor:.2f} ms" + ("" if is_quiet else " (the machine is too busy)"))
        run = Run(
            version=__version__,
            revision=_said("git", "rev-parse", "--short", "HEAD"),
            python=platform.python_version(),
            mpv=_said("mpv", "--version").split("\n")[0],
            machine=f"{os.cpu_count()} × {platform.machine()}",
            load=list(os.getloadavg()),
            seed=seed,
            floor_ms=round(floor, 3),
            seconds=0.0,
            rows=[],
            figures={},
            errors={},
        )
        for name in names:
            await _one(
                SCENARIOS[name], Setting(film=film, seconds=FILM_SECONDS, seed=seed), seconds, run, is_quiet, say
            )
        run.seconds = round(time.monotonic() - began, 1)
        return run


async def _one(scenario: Scenario, setting: Setting, seconds: float | None, run: Run, is_quiet: bool, say: Any) -> None:
    figures: dict[str, float | None] = {}
    try:
        figures = await scenario.work(setting, seconds or scenario.seconds)
    except Exception as error:  # noqa: BLE001 - the other scenarios are to be seen too
        run.errors[scenario.name] = f"{type(error).__name__}: {error}"
    run.figures[scenario.name] = {name: None if value is None else round(value, 4) for name, value in figures.items()}
    rows = [row(scenario.name, target, figures.get(target.figure), is_quiet=is_quiet) for target in scenario.targets]
    run.rows += rows
    say(f"{scenario.name}: " + ", ".join(f"{name} {value:.4g}" for name, value in figures.items() if value is not None))
    if scenario.name in run.errors:
        say(f"{scenario.name}: {run.errors[scenario.name]}")


def _said(*command: str) -> str:
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    except OSError:
        return ""


def show(run: Run, console: Console) -> None:
    """The table."""
    table = Table(title=f"floor {run.floor_ms} ms, seed {run.seed}, load {run.load[0]:.1f}")
    for name in ("scenario", "figure", "target", "moonshot", "measured", "verdict", "known before"):
        table.add_column(name, justify="right" if name in ("target", "moonshot", "measured") else "left")
    for one in run.rows:
        sign = "≥" if one.unit in ("x", "%") else "≤"
        measured = "–" if one.measured is None else f"{one.measured:g} {one.unit}"
        moonshot = "–" if one.moonshot is None else f"{sign} {one.moonshot:g}"
        verdict = f"{one.verdict}, moonshot too" if one.is_moonshot else one.verdict
        table.add_row(one.scenario, one.figure, f"{sign} {one.target:g}", moonshot, measured, verdict, one.known)
    console.print(table)


def main() -> int:
    """The command; exit status 1 when a figure was missed on a machine that was quiet enough."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sync", description=__doc__.split("\n")[0])
    parser.add_argument("--scenario", action="append", choices=list(SCENARIOS), help="this one; may be repeated")
    parser.add_argument("--seed", type=int, default=1, help="of the lines' delays")
    parser.add_argument("--seconds", type=float, help="how long the long scenarios measure")
    parser.add_argument("--json", action="store_true", help="write the run as JSON on stdout")
    options = parser.parse_args()
    words = Console(stderr=True, highlight=False)
    run = asyncio.run(_measure(options.scenario or list(SCENARIOS), options.seed, options.seconds, words.print))
    if options.json:
        sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(run), indent=2) + b"\n")
    else:
        show(run, Console())
    return 1 if any(one.verdict == "missed" for one in run.rows) else 0


if __name__ == "__main__":
    sys.exit(main())
