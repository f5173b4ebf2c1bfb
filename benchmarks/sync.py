"""How well two real players are held in step: real services, real mpv, wrong clocks, bad lines, one observer.

    python -m benchmarks.sync                       every scenario, as a table
    python -m benchmarks.sync --scenario line-100 --seed 7 --seconds 120 --json
    python -m benchmarks.sync --with-syncplay       two Syncplay clients beside ours, where the packages are installed
    python -m benchmarks.sync --out runs            a JSON file per scenario, for `python -m benchmarks.plot`

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
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec
from rich.console import Console
from rich.table import Table

from benchmarks.syncbench import syncplay
from benchmarks.syncbench.figures import Row, row
from benchmarks.syncbench.floor import LIMIT_MS, measure_floor
from benchmarks.syncbench.measurement import Figures, Measurement
from benchmarks.syncbench.records import Record, now, write
from benchmarks.syncbench.room import Setting
from benchmarks.syncbench.scenarios import SCENARIOS, Scenario
from dateflicks import __version__
from dateflicks.client.players.film import make_film

FILM_SECONDS = 400.0
FLOOR_SECONDS = 20.0
PIPE_COLUMNS = 140


class Run(msgspec.Struct):
    """One run of the bench, as it is written with --json."""

    version: str
    revision: str
    python: str
    mpv: str
    syncplay: str
    machine: str
    load: list[float]
    seed: int
    floor_ms: float
    seconds: float
    rows: list[Row]
    figures: dict[str, Figures]
    errors: dict[str, str]
    not_measured: dict[str, str]  # with Syncplay, and why not


@dataclass(frozen=True, kw_only=True)
class Order:
    """What is to be measured, and where it is written to."""

    names: list[str]
    seed: int
    seconds: float | None
    with_syncplay: bool
    out: Path | None
    say: Callable[[str], None]


async def _measure(order: Order) -> Run:
    with tempfile.TemporaryDirectory(prefix="dateflicks-film-") as folder:
        film = await make_film(Path(folder) / "bench.mkv", FILM_SECONDS, width=160, height=90)
        began = time.monotonic()
        floor = await measure_floor(film, FLOOR_SECONDS)
        order.say(f"floor: {floor:.2f} ms" + ("" if floor <= LIMIT_MS else " (the machine is too busy)"))
        run = Run(
            version=__version__,
            revision=_said("git", "describe", "--always", "--dirty"),
            python=platform.python_version(),
            mpv=_said("mpv", "--version").split("\n")[0],
            syncplay=syncplay.version(),
            machine=f"{os.cpu_count()} × {platform.machine()}",
            load=list(os.getloadavg()),
            seed=order.seed,
            floor_ms=round(floor, 3),
            seconds=0.0,
            rows=[],
            figures={},
            errors={},
            not_measured={},
        )
        absent = syncplay.missing() if order.with_syncplay else ""
        for name in order.names:
            scenario = SCENARIOS[name]
            setting = Setting(film=film, seconds=FILM_SECONDS, seed=order.seed)
            await _one(scenario, setting, order, run)
            if not order.with_syncplay:
                continue
            if why := absent or scenario.no_syncplay:
                run.not_measured[name] = why
                order.say(f"{name}, Syncplay: not measured, {why}")
            else:
                await _one(scenario, replace(setting, by="syncplay"), order, run)
        run.seconds = round(time.monotonic() - began, 1)
        return run


async def _one(scenario: Scenario, setting: Setting, order: Order, run: Run) -> None:
    name = scenario.name if setting.by == "ours" else f"{scenario.name}, Syncplay"
    seconds = order.seconds or scenario.seconds
    record = Record(
        scenario=scenario.name,
        by=setting.by,
        summary=scenario.summary,
        started=now(),
        seed=setting.seed,
        seconds=seconds,
        versions={
            "dateflicks": run.version,
            "revision": run.revision,
            "python": run.python,
            "mpv": run.mpv,
            "syncplay": run.syncplay,
        },
        machine=run.machine,
        load_before=list(os.getloadavg()),
        floor_ms=run.floor_ms,
    )
    try:
        found = await scenario.work(setting, seconds)
        measured = found if isinstance(found, Measurement) else Measurement(found)
        record.series = measured.series
        record.figures = {
            figure: None if value is None else round(value, 4) for figure, value in measured.figures.items()
        }
    except Exception as error:  # noqa: BLE001 - the other scenarios are to be seen too
        record.error = run.errors[name] = f"{type(error).__name__}: {error}"
    record.load_after = list(os.getloadavg())
    record.rows = [
        row(scenario.name, each, record.figures.get(each.figure), is_quiet=run.floor_ms <= LIMIT_MS, by=setting.by)
        for each in scenario.targets
    ]
    run.figures[name] = record.figures
    run.rows += record.rows
    order.say(f"{name}: " + ", ".join(f"{figure} {_shown(value)}" for figure, value in record.figures.items()))
    if record.error:
        order.say(f"{name}: {record.error}")
    if order.out is not None:
        order.say(f"{name}: written to {write(record, order.out)}")


def _shown(value: float | None) -> str:
    return "never" if value is None else f"{value:.4g}"


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
        sign = "≥" if one.is_floor else "≤"
        name = one.scenario if one.by == "ours" else f"{one.scenario}, Syncplay"
        nothing = "–" if name in run.errors else "never"
        measured = nothing if one.measured is None else f"{one.measured:g} {one.unit}"
        moonshot = "–" if one.moonshot is None else f"{sign} {one.moonshot:g}"
        verdict = f"{one.verdict}, moonshot too" if one.is_moonshot else str(one.verdict)
        target = f"{sign} {one.target:g}"
        if one.verdict is None:
            table.add_row("· syncplay", one.figure, "", "", measured, "", "")
        else:
            table.add_row(one.scenario, one.figure, target, moonshot, measured, verdict, one.known)
    console.print(table)


def main() -> int:
    """The command; exit status 1 when a figure was missed on a machine that was quiet enough."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sync", description=__doc__.split("\n")[0])
    parser.add_argument("--scenario", action="append", choices=list(SCENARIOS), help="this one; may be repeated")
    parser.add_argument("--seed", type=int, default=1, help="of the lines' delays")
    parser.add_argument("--seconds", type=float, help="how long the long scenarios measure")
    parser.add_argument("--with-syncplay", action="store_true", help="put two Syncplay clients beside ours")
    parser.add_argument("--json", action="store_true", help="write the run as JSON on stdout")
    parser.add_argument(
        "--out", type=Path, metavar="FOLDER", help="write a JSON file per scenario there, with its series"
    )
    options = parser.parse_args()
    words = Console(stderr=True, highlight=False)
    order = Order(
        names=options.scenario or list(SCENARIOS),
        seed=options.seed,
        seconds=options.seconds,
        with_syncplay=options.with_syncplay,
        out=options.out,
        say=lambda text: words.print(text, markup=False),
    )
    run = asyncio.run(_measure(order))
    if options.json:
        sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(run), indent=2) + b"\n")
    else:
        show(run, Console(width=None if sys.stdout.isatty() else PIPE_COLUMNS))
    return 1 if any(one.verdict == "missed" for one in run.rows) else 0


if __name__ == "__main__":
    sys.exit(main())
