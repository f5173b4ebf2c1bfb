"""What a call is worth once its outcome is known: the quadratic rule, and how early it was made.

The call names one option and how sure one is of it, `c`; the rest of the confidence is spread evenly over the other
options. With `p` the probabilities that this makes and `o` 1 for what came true and 0 for the others,

    brier  = Σ (p − o)²                                       0 is perfect, 2 the worst
    points = 100 × (1 − brier × n / (n − 1)) × (1 + share)    n options; `share` of the film still to come, 0 to 1

so that knowing nothing (c = 1/n) is worth 0, and being sure and right 100, or 200 at the very beginning. The rule is
strictly proper (Brier, "Verification of forecasts expressed in terms of probability", 1950; Gneiting and Raftery,
"Strictly proper scoring rules, prediction, and estimation", 2007): nobody can expect more than by naming what they
think most likely, as sure as they are. `share` is fixed when the call is made, so multiplying by it changes none of
that; and as whoever says what they believe can expect no less than 0, calling early is never a bad bet.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

CONFIDENCE_DECIMALS: Final = 4
PERFECT_POINTS: Final = 100.0


@dataclass(frozen=True, slots=True)
class Score:
    """What one call was worth."""

    brier: float
    points: float
    is_right: bool


@dataclass(frozen=True, slots=True)
class Standing:
    """What somebody's calls were worth together."""

    points: float = 0.0
    calls: int = 0
    right: int = 0
    brier_sum: float = 0.0

    @property
    def brier(self) -> float | None:
        """The mean over the calls, or None without any."""
        return self.brier_sum / self.calls if self.calls else None

    def plus(self, score: Score) -> "Standing":
        """With one more call."""
        return Standing(
            self.points + score.points,
            self.calls + 1,
            self.right + score.is_right,
            self.brier_sum + score.brier,
        )


def rounded(confidence: float) -> float:
    """A confidence as it is kept: to four decimals, which is also how a commitment writes it."""
    return round(confidence, CONFIDENCE_DECIMALS)


def least_confidence(options: int) -> float:
    """What it means to know nothing, 1/n, as it is kept: nobody is less sure than that of what they name."""
    return rounded(1.0 / options)


def brier_of(options: Sequence[str], option: str, confidence: float, outcome: str) -> float:
    """The quadratic score of a call over all options: 0 is perfect, 2 the worst."""
    rest = (1.0 - confidence) / (len(options) - 1)
    return sum(((confidence if one == option else rest) - (one == outcome)) ** 2 for one in options)


def share_to_come(position: float | None, length: float | None) -> float:
    """The share of the film that is still to come at a position, from 0 to 1; 0 when nobody knows."""
    if position is None or not length:
        return 0.0
    return min(max((length - position) / length, 0.0), 1.0)


def score_of(options: Sequence[str], option: str, confidence: float, outcome: str, share: float) -> Score:
    """What a call is worth by the formula above."""
    brier = brier_of(options, option, confidence, outcome)
    count = len(options)
    points = PERFECT_POINTS * (1.0 - brier * count / (count - 1)) * (1.0 + share)
    return Score(brier, points, option == outcome)
