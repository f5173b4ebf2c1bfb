"""Draw how far apart two players were over time, from records of the sync bench.

    python -m benchmarks.sync --scenario line-100 --with-syncplay --out runs
    python -m benchmarks.plot runs/line-100-*.json -o drift.svg

The picture is one self-contained SVG on a transparent ground, in tones that can be read on white and on dark.
"""

import argparse
import math
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from xml.sax.saxutils import escape, quoteattr

import msgspec

from benchmarks.syncbench.records import read

WIDTH: Final = 960
LEFT: Final = 76
RIGHT: Final = 20
TOP: Final = 48
PLOT_HEIGHT: Final = 380
LEGEND_LINE: Final = 22
NAME_MAX: Final = 100
GAP_SECONDS: Final = 1.0  # without readings for so long the line is broken
TICKS: Final = 8
INK: Final = "#7a7a7a"  # 4.3 to 1 against white, 4.9 to 1 against black
COLOURS: Final = ("#1f87d1", "#d9622b", "#2f9a48", "#a35fd0", "#c74a86", "#8f7a14", "#1a9490", "#d14545")
DASHES: Final = ("", "7 3", "2 3")  # one more for each time that the colours are used up


@dataclass(frozen=True, slots=True)
class Curve:
    """A name, and milliseconds over seconds."""

    name: str
    points: tuple[tuple[float, float], ...]


def curve(path: Path) -> Curve:
    """The curve of one record, named as its file. Raises ValueError for a record without a series."""
    found = read(path).series
    if found is None or not found.at:
        raise ValueError("it has no series of differences")
    return Curve(path.stem, tuple(zip(found.at, found.ms, strict=True)))


def draw(curves: Sequence[Curve], limit: float | None = None) -> str:
    """The SVG; with a limit the axis of milliseconds ends there, and what goes beyond is cut off."""
    points = [point for each in curves for point in each.points]
    left, right = min(0.0, *(at for at, _ in points)), max(at for at, _ in points)
    low, high = min(0.0, *(ms for _, ms in points)), max(0.0, *(ms for _, ms in points))
    if limit is not None:
        low, high = max(low, -limit), min(high, limit)
    times = ticks(left, right)
    heights = ticks(low, high)
    left, right = min(left, times[0]), max(right, times[-1])
    low, high = min(low, heights[0]), max(high, heights[-1])
    plot_width, bottom = WIDTH - LEFT - RIGHT, TOP + PLOT_HEIGHT
    height = bottom + 62 + LEGEND_LINE * len(curves)

    def x(at: float) -> float:
        return LEFT + plot_width * (at - left) / (right - left)

    def y(ms: float) -> float:
        return bottom - PLOT_HEIGHT * (ms - low) / (high - low)

    title = "How far ahead of the host the guest was"
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}"',
        'role="img" font-family="system-ui, sans-serif" font-size="13">',
        f"<title>{title}</title>",
        f'<clipPath id="drift"><rect x="{LEFT}" y="{TOP}" width="{plot_width}" height="{PLOT_HEIGHT}"/></clipPath>',
        f'<g fill="{INK}">',
        f'<text x="{LEFT}" y="26" font-size="16">{title}</text>',
    ]
    for at in times:
        lines.append(_rule(x(at), TOP, x(at), bottom))
        lines.append(f'<text x="{x(at):.1f}" y="{bottom + 18}" text-anchor="middle">{at:g}</text>')
    for ms in heights:
        lines.append(_rule(LEFT, y(ms), WIDTH - RIGHT, y(ms), strong=ms == 0))
        lines.append(f'<text x="{LEFT - 8}" y="{y(ms) + 4:.1f}" text-anchor="end">{ms:g}</text>')
    across, down = LEFT + plot_width / 2, TOP + PLOT_HEIGHT / 2
    lines += [
        f'<text x="{across:g}" y="{bottom + 40}" text-anchor="middle">time since measuring began (s)</text>',
        f'<text transform="translate(18 {down:g}) rotate(-90)" text-anchor="middle">guest ahead of host (ms)</text>',
        "</g>",
    ]
    for number, each in enumerate(curves):
        name = printable(each.name)
        steps = " ".join(f"{letter}{x(at):.1f} {y(ms):.1f}" for letter, at, ms in _steps(each.points))
        lines.append(
            f'<path d="{steps}" {_style(number)} stroke-linejoin="round" clip-path="url(#drift)"'
            f" data-name={quoteattr(name)}/>"
        )
        level = bottom + 62 + LEGEND_LINE * number
        lines.append(f'<path d="M{LEFT} {level} h32" {_style(number)}/>')
        lines.append(f'<text x="{LEFT + 42}" y="{level + 4}" fill="{INK}">{escape(name)}</text>')
    return "\n".join([*lines, "</svg>", ""])


def ticks(low: float, high: float) -> list[float]:
    """Round numbers that enclose a range, about `TICKS` of them."""
    span = high - low if high > low else 1.0
    rough = span / TICKS
    unit = 10.0 ** math.floor(math.log10(rough))
    step = next(unit * factor for factor in (1, 2, 5, 10) if unit * factor >= rough * 0.999)
    first, last = math.floor(low / step + 1e-9), math.ceil((low + span) / step - 1e-9)
    return [round(number * step, 9) for number in range(first, last + 1)]


def printable(name: str) -> str:
    """A name of any origin, fit for XML and for one line of the legend."""
    clean = "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in name)
    return clean if len(clean) <= NAME_MAX else clean[: NAME_MAX - 1] + "…"


def _steps(points: Iterable[tuple[float, float]]) -> Iterable[tuple[str, float, float]]:
    before = -math.inf
    for at, ms in points:
        yield ("L" if at - before <= GAP_SECONDS else "M"), at, ms
        before = at


def _style(number: int) -> str:
    dash = DASHES[number // len(COLOURS) % len(DASHES)]
    dashes = f' stroke-dasharray="{dash}"' if dash else ""
    return f'fill="none" stroke="{COLOURS[number % len(COLOURS)]}" stroke-width="1.6"{dashes}'


def _rule(x1: float, y1: float, x2: float, y2: float, *, strong: bool = False) -> str:
    opacity = "0.8" if strong else "0.25"
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{INK}" stroke-opacity="{opacity}"/>'


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; exit status 1 when a file cannot be drawn."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.plot", description=__doc__.split("\n")[0])
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="a record that benchmarks.sync --out wrote")
    parser.add_argument("-o", "--output", type=Path, required=True, help="the SVG file to write")
    parser.add_argument("--limit", type=float, metavar="MS", help="show no more than so many milliseconds either way")
    options = parser.parse_args(arguments)
    if options.limit is not None and not (math.isfinite(options.limit) and options.limit > 0):
        parser.error("--limit has to be more than 0")
    curves = []
    for path in options.files:
        try:
            curves.append(curve(path))
        except (OSError, ValueError, msgspec.MsgspecError) as error:
            print(f"{path} cannot be drawn: {error}", file=sys.stderr)
            return 1
    options.output.write_text(draw(curves, options.limit), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
