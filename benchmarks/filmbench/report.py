"""Figures of one run with what they should be, as a table or as JSON; and what the run was measured on."""

import os
import platform
import sys
from collections.abc import Sequence

import msgspec
from rich.console import Console
from rich.table import Table

from benchmarks.syncbench.figures import Row

PIPE_COLUMNS = 120


class Machine(msgspec.Struct, frozen=True):
    """What a run was measured on; `load` is that of its beginning and its end."""

    python: str
    processors: int
    architecture: str
    load: list[float]

    @property
    def is_quiet(self) -> bool:
        """Whether so little else ran that a figure which misses says something."""
        return max(self.load) <= self.processors


def this_machine(load_before: float) -> Machine:
    """This one, at the end of a run."""
    load = [round(load_before, 2), round(os.getloadavg()[0], 2)]
    return Machine(platform.python_version(), os.cpu_count() or 1, platform.machine(), load)


def verdicts(rows: Sequence[Row], machine: Machine) -> Table:
    """The table of figures that have a target."""
    load = " to ".join(f"{one:.1f}" for one in machine.load)
    table = Table(title=f"{machine.processors} × {machine.architecture}, load {load}")
    for name in ("", "figure", "target", "moonshot", "measured", "verdict"):
        table.add_column(name)
    for one in rows:
        sign = "≥" if one.is_floor else "≤"
        verdict = f"{one.verdict}, moonshot too" if one.is_moonshot else str(one.verdict)
        moonshot = "–" if one.moonshot is None else f"{sign} {one.moonshot:g}"
        measured = "–" if one.measured is None else f"{one.measured:.2f}"
        table.add_row(one.scenario, one.figure, f"{sign} {one.target:g} {one.unit}", moonshot, measured, verdict)
    return table


def plain_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    """A table whose first column is words, and the others numbers."""
    table = Table(title=title)
    for at, name in enumerate(columns):
        table.add_column(name, justify="right" if at else "left")
    for one in rows:
        table.add_row(*one)
    return table


def tell(run: msgspec.Struct, rows: Sequence[Row], tables: Sequence[Table], *, as_json: bool) -> int:
    """Write a run on standard output; the exit status."""
    if as_json:
        sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(run), indent=2) + b"\n")
    else:
        console = Console(width=None if sys.stdout.isatty() else PIPE_COLUMNS)
        for table in tables:
            console.print(table)
    return 1 if any(one.verdict == "missed" for one in rows) else 0
