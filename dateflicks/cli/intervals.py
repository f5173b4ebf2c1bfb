"""A difference and its interval, day after day, as lines for a terminal: how it narrows, and on which side of nothing
it comes to lie.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

ROOM: Final = 2.5  # times the last interval: what is wider, as the first days are, is cut at the edge
NARROWEST: Final = 16  # columns


@dataclass(frozen=True, slots=True)
class Marks:
    """What is drawn with."""

    line: str = "─"
    middle: str = "●"
    nothing: str = "│"
    left: str = "◀"
    right: str = "▶"


MARKS: Final = Marks()
PLAIN_MARKS: Final = Marks("-", "o", "|", "<", ">")


@dataclass(frozen=True, slots=True)
class Bar:
    """One day: the value, and its bounds where there are any."""

    label: str
    value: float
    low: float | None
    high: float | None


def plot(bars: Sequence[Bar], width: int, marks: Marks) -> list[str]:
    """A line for each day, and one with the scale; nothing where no day has an interval yet."""
    known = [(bar.low, bar.high) for bar in bars if bar.low is not None and bar.high is not None]
    if not known:
        return []
    reaches = [max(abs(low), abs(high), (high - low) / 2) * ROOM for low, high in known]
    reach = reaches[-1] or max(reaches) or 1.0  # where two are the same in everything, nothing lies between them
    label = max(len(bar.label) for bar in bars)
    columns = max(width - label - 2, NARROWEST) // 2 * 2 + 1  # odd: nothing is in the middle
    lines = [f"{bar.label:<{label}}  {_line(bar, reach, columns, marks)}".rstrip() for bar in bars]
    ends = [f"{-reach:+.2g}", "0", f"{reach:+.2g}"]
    half = columns // 2
    scale = ends[0].ljust(half) + ends[1] + ends[2].rjust(half)
    return [*lines, f"{'':<{label}}  {scale}"]


def _line(bar: Bar, reach: float, columns: int, marks: Marks) -> str:
    half = columns // 2

    def column(value: float) -> int:
        return half + round(max(-1.0, min(1.0, value / reach)) * half)

    cells = [" "] * columns
    cells[half] = marks.nothing
    if bar.low is None or bar.high is None:
        return "".join(cells)
    for place in range(column(bar.low), column(bar.high) + 1):
        cells[place] = marks.line
    if bar.low < 0 < bar.high:
        cells[half] = marks.nothing
    if bar.low < -reach:
        cells[0] = marks.left
    if bar.high > reach:
        cells[-1] = marks.right
    cells[column(bar.value)] = marks.middle
    return "".join(cells)
