"""Figures, what they should be, and what is said of them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import msgspec

Verdict = Literal["met", "missed", "inconclusive"]
By = Literal["ours", "syncplay"]  # who held the two in step


@dataclass(frozen=True, slots=True)
class Target:
    """A figure by its name: what it has to be (`moonshot` as well, where there is one), and the best known before."""

    figure: str
    unit: str
    target: float
    moonshot: float | None = None
    is_floor: bool = False  # the figure has to be at least this, not at most
    known: str = ""

    def holds(self, value: float, bound: float | None) -> bool:
        """Whether a value is on the right side of a bound."""
        if bound is None or math.isnan(value):
            return False
        return value >= bound if self.is_floor else value <= bound


class Row(msgspec.Struct, frozen=True):
    """One figure of one scenario, measured; without a verdict where it is not ours to meet the target."""

    scenario: str
    figure: str
    unit: str
    measured: float | None
    target: float
    moonshot: float | None
    known: str
    verdict: Verdict | None
    is_moonshot: bool
    is_floor: bool = False
    by: By = "ours"


def row(scenario: str, target: Target, value: float | None, *, is_quiet: bool, by: By = "ours") -> Row:
    """What is said of a value: a figure that misses on a busy machine says nothing, and neither does NaN."""
    held = value is not None and target.holds(value, target.target)
    says_nothing = not is_quiet or (value is not None and math.isnan(value))
    verdict: Verdict = "met" if held else "inconclusive" if says_nothing else "missed"
    return Row(
        scenario,
        target.figure,
        target.unit,
        None if value is None else round(value, 4),
        target.target,
        target.moonshot,
        target.known,
        verdict if by == "ours" else None,
        value is not None and target.holds(value, target.moonshot),
        target.is_floor,
        by,
    )


def percentile(values: Sequence[float], share: float) -> float:
    """The nearest-rank percentile. Raises ValueError for no values."""
    if not values:
        raise ValueError("nothing was measured")
    ordered = sorted(values)
    return ordered[max(math.ceil(share * len(ordered)) - 1, 0)]
