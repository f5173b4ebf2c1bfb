"""The numbers of a report: rates by unit, intervals that stay true however often they are looked at, the check of the
split, and how many units are needed.

A rate is a ratio of sums (accepted invitations over exposed lists) whose error comes from how much units differ, by
the delta method: a person to whom lists were shown a hundred times is one person. Where people belong to several
pairs, pairs that share somebody count as related (Aronow, Samii and Assenova 2015).

The anytime interval is the normal-mixture confidence sequence

    radius = σ̂ · √( 2(nρ² + 1) / (n²ρ²) · ln( √(nρ² + 1) / α ) )

(Robbins 1970; Howard, Ramdas, McAuliffe and Sekhon 2021; for estimated deviations Waudby-Smith, Arbour, Sinha, Kennedy
and Ramdas 2024): over all n together it misses the truth with probability α, so that it may be looked at daily and
acted upon at once. ρ makes it as narrow as can be at the planned n. For votes it is the beta-binomial mixture (Robbins
1970), which is exact at every n. `Moments` may have axes before the arms: many experiments, many days.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import log, log1p, sqrt
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaln, chdtrc, ndtri  # and not scipy.stats, which takes a second to import

Floats = NDArray[np.float64]
_EDGE: Final = 1e-12
_HALVINGS: Final = 50

ALPHA: Final = 0.05
SPLIT_ALPHA: Final = 0.001  # a split that chance would make this rarely is broken
POWER: Final = 0.8
WORTHWHILE: Final = 0.2  # a change by this share of the control's rate is worth knowing of
SMALLEST: Final = 20  # units in each arm before anything is concluded: below that no deviation is known


@dataclass(frozen=True, slots=True)
class Sample:
    """One row for each unit: its arm (a number), the people in it (numbers), its lists, and what came of them."""

    arms: NDArray[np.int64]
    people: NDArray[np.int64]  # units × people in one
    lists: Floats
    outcomes: Floats

    def __len__(self) -> int:
        return len(self.arms)


@dataclass(frozen=True, slots=True)
class Moments:
    """Sums over the units of each arm, which is the last axis: all that rates and their errors are made of."""

    units: Floats
    lists: Floats
    outcomes: Floats
    lists_squared: Floats
    outcomes_squared: Floats
    products: Floats

    @classmethod
    def of(cls, sample: Sample, arms: int) -> Self:
        """Of units with at least one list."""

        def sums(values: Floats) -> Floats:
            return np.bincount(sample.arms, values, minlength=arms).astype(np.float64)

        lists, outcomes = sample.lists, sample.outcomes
        return cls(
            sums(np.ones(len(sample))),
            sums(lists),
            sums(outcomes),
            sums(lists * lists),
            sums(outcomes * outcomes),
            sums(lists * outcomes),
        )

    @property
    def rates(self) -> Floats:
        """Outcomes per list; 0 where there was none."""
        return _divided(self.outcomes, self.lists)

    @property
    def variances(self) -> Floats:
        """Of the rates, by unit; infinite where less than two units are known."""
        rates = self.rates
        squares = self.outcomes_squared - 2 * rates * self.products + rates * rates * self.lists_squared
        few = self.units < 2
        corrected = np.maximum(squares, 0.0) * self.units / np.where(few, 1.0, self.units - 1)
        return np.where(few, np.inf, _divided(corrected, self.lists * self.lists))


@dataclass(frozen=True, slots=True)
class Difference:
    """How far the rates of two arms are apart: treatment minus control, its variance, and how many units tell of it."""

    value: Floats
    variance: Floats
    units: Floats
    smaller: Floats  # units in the smaller of the two arms


def difference(moments: Moments, treatment: int, control: int = 0, *, shared: float = 0.0) -> Difference:
    """Between two arms; `shared` is what people who are in several units add to the variance."""
    rates, variances, units = moments.rates, moments.variances, moments.units
    return Difference(
        rates[..., treatment] - rates[..., control],
        variances[..., treatment] + variances[..., control] + max(shared, 0.0),
        units[..., treatment] + units[..., control],
        np.minimum(units[..., treatment], units[..., control]),
    )


def shared_variance(sample: Sample, moments: Moments, treatment: int, control: int = 0) -> float:
    """What the units that share a person add to the variance of a difference; 0 where each person is in one unit."""
    if sample.people.shape[1] < 2 or not len(sample):
        return 0.0
    signs = np.where(sample.arms == treatment, 1.0, np.where(sample.arms == control, -1.0, 0.0))
    rates, lists = moments.rates[sample.arms], moments.lists[sample.arms]
    pulls = signs * _divided(sample.outcomes - rates * sample.lists, lists)
    by_person = sum(np.bincount(column, pulls, minlength=int(sample.people.max()) + 1) for column in sample.people.T)
    return float(np.sum(np.square(by_person)) - sample.people.shape[1] * np.sum(np.square(pulls)))


# --- intervals ------------------------------------------------------------------------------------------------------


def mixture_rho(planned: float, alpha: float = ALPHA) -> float:
    """The ρ for which the anytime interval is narrowest at `planned` units (Waudby-Smith et al., appendix B.2)."""
    return sqrt((-2 * log(alpha) + log(-2 * log(alpha) + 1)) / planned)


def anytime_radius(units: Any, deviation: Any, rho: float, alpha: float = ALPHA) -> Floats:
    """Half the anytime interval around a mean of so many units with this deviation."""
    spread = np.asarray(units, dtype=np.float64) * rho * rho
    with np.errstate(divide="ignore", invalid="ignore"):
        inside = 2 * (spread + 1) / (units * spread) * np.log(np.sqrt(spread + 1) / alpha)
        return np.asarray(deviation * np.sqrt(inside), dtype=np.float64)


def anytime(found: Difference, planned: float, alpha: float = ALPHA) -> Floats:
    """Half the anytime interval around a difference; infinite while nothing may be concluded."""
    deviation = np.sqrt(found.units * np.where(_is_known(found), found.variance, 0.0))
    radius = anytime_radius(np.maximum(found.units, 1.0), deviation, mixture_rho(planned, alpha), alpha)
    return np.where(_is_known(found), radius, np.inf)


def normal_quantile(above: float) -> float:
    """The value above which this share of a standard normal distribution lies."""
    return -float(ndtri(above))


def fixed(found: Difference, alpha: float = ALPHA) -> Floats:
    """Half the interval around a difference that is true if it is looked at once, at an end that was set before."""
    radius = normal_quantile(alpha / 2) * np.sqrt(found.variance)
    return np.where(_is_known(found), radius, np.inf)


def binomial_interval(wins: int, votes: int, alpha: float = ALPHA) -> tuple[float, float]:
    """The anytime interval for the share of votes that are won, by the mixture over all shares alike; exact."""
    if votes == 0:
        return 0.0, 1.0
    lost, least = votes - wins, betaln(wins + 1, votes - wins + 1) - log(1 / alpha)

    def excess(share: float) -> float:
        """Above zero where the mixture has become 1/α times as likely as this share."""
        return float(least - (wins and wins * log(share)) - (lost and lost * log1p(-share)))

    best = min(max(wins / votes, _EDGE), 1 - _EDGE)
    low = _between(best, _EDGE, excess) if excess(_EDGE) > 0 else 0.0
    high = _between(best, 1 - _EDGE, excess) if excess(1 - _EDGE) > 0 else 1.0
    return low, high


# --- the split, and how many are needed -----------------------------------------------------------------------------


def split_p(counts: Floats, expected: Floats) -> float:
    """How likely chance makes a split at least as far from the expected one (χ²)."""
    counts, expected = np.asarray(counts, dtype=np.float64), np.asarray(expected, dtype=np.float64)
    if np.any(counts[expected == 0] > 0):
        return 0.0  # units in an arm that should have none
    counts, expected = counts[expected > 0], expected[expected > 0]
    if len(counts) < 2 or counts.sum() == 0:
        return 1.0
    return float(chdtrc(len(counts) - 1, np.sum(np.square(counts - expected) / expected)))


def needed_per_arm(moments: Moments, treatment: int, control: int = 0, *, alpha: float = ALPHA) -> int | None:
    """Units in each arm by which a change worth knowing of is found four times out of five, looked at once, at the end.

    By how much units differ so far; None while that, or the control's rate, is not known.
    """
    change = abs(float(moments.rates[control])) * WORTHWHILE
    pair = [treatment, control]
    if change == 0 or np.any(moments.units[pair] < 2):
        return None
    spread = float(np.sum(moments.variances[pair] * moments.units[pair]))
    if spread <= 0:
        return None
    return int(np.ceil((normal_quantile(alpha / 2) + normal_quantile(1 - POWER)) ** 2 * spread / change**2))


def _between(inside: float, outside: float, excess: Callable[[float], float]) -> float:
    """Where the excess crosses zero between a share that is in the interval and one that is not."""
    for _ in range(_HALVINGS):
        middle = (inside + outside) / 2
        if excess(middle) > 0:
            outside = middle
        else:
            inside = middle
    return outside


def _is_known(found: Difference) -> NDArray[np.bool_]:
    return np.asarray((found.smaller >= SMALLEST) & (found.variance > 0) & np.isfinite(found.variance))


def _divided(above: Any, below: Any) -> Floats:
    """0 where nothing is below."""
    below = np.asarray(below, dtype=np.float64)
    return np.asarray(np.where(below > 0, above / np.where(below > 0, below, 1.0), 0.0), dtype=np.float64)
