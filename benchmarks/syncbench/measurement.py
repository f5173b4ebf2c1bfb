"""What a scenario hands out: its figures, and where it has them the differences over time that a plot is made from."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from benchmarks.syncbench.looking import Look, Observer

POINTS_MAX: Final = 2_000

Figures = dict[str, float | None]


class Series(msgspec.Struct, frozen=True):
    """How far ahead of the host the guest was, and which speeds were told, over seconds since measuring began."""

    at: list[float]
    ms: list[float]
    speeds: dict[str, list[tuple[float, float]]] = {}


@dataclass(frozen=True, slots=True)
class Measurement:
    """Figures, with the series behind them where there is one."""

    figures: Figures
    series: Series | None = None


def series(observer: Observer, start: float, end: float = float("inf")) -> Series:
    """What the observer saw between two instants, thinned."""
    points = thinned([(one.at - start, 1000 * one.seconds) for one in observer.apart(start, end)])
    return Series(
        at=[round(at, 3) for at, _ in points],
        ms=[round(ms, 3) for _, ms in points],
        speeds={"host": _speeds(observer.host, start, end), "guest": _speeds(observer.guest, start, end)},
    )


def thinned(points: Sequence[tuple[float, float]], most: int = POINTS_MAX) -> list[tuple[float, float]]:
    """At most so many of the points, in order: of each stretch the lowest and the highest, so that no peak is lost."""
    if len(points) <= most:
        return list(points)
    kept = []
    stretches = most // 2
    for number in range(stretches):
        first, last = number * len(points) // stretches, (number + 1) * len(points) // stretches
        stretch = range(first, last)
        kept += sorted({min(stretch, key=lambda i: points[i][1]), max(stretch, key=lambda i: points[i][1])})
    return [points[i] for i in kept]


def _speeds(look: Look, start: float, end: float) -> list[tuple[float, float]]:
    """The speed at the start, then each change."""
    before = 1.0
    changes = []
    for one in look.changes:
        if one.name != "speed" or not isinstance(one.value, int | float) or one.at > end:
            continue
        if one.at <= start:
            before = one.value
        else:
            changes.append((round(one.at - start, 3), float(one.value)))
    return [(0.0, float(before)), *changes]
