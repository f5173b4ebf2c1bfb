"""Intervals that stay true however often they are looked at, on a thousand simulated experiments; all of it seeded."""

from collections.abc import Callable
from math import log, sqrt

import numpy as np
import pytest
from numpy.testing import assert_allclose

from dateflicks.server.recommenders.reporting.statistics import (
    SMALLEST,
    Difference,
    Floats,
    Moments,
    Sample,
    anytime,
    anytime_radius,
    binomial_interval,
    difference,
    fixed,
    mixture_rho,
    needed_per_arm,
    shared_variance,
    split_p,
)
from tests.server.recommenders.reporting.crowds import newcomers, regulars

EXPERIMENTS, DAYS, PER_DAY = 1_000, 30, 100


def generator(seed: int = 7) -> np.random.Generator:
    """Chance that is the same in every run."""
    return np.random.default_rng(seed)


def ever(moments: Moments, radius: Callable[[Difference], Floats]) -> float:
    """The share of experiments in which, looked at daily, the difference was some day surely not nothing."""
    found = difference(moments, 1)
    return float(np.mean(np.any(np.abs(found.value) > radius(found), axis=1)))


def anytime_for(planned: float) -> Callable[[Difference], Floats]:
    """The anytime interval for so many units."""
    return lambda found: anytime(found, planned)


def sample(arms: list[int], people: list[list[int]], lists: list[float], outcomes: list[float]) -> Sample:
    """Units by hand."""
    return Sample(np.array(arms), np.array(people), np.array(lists), np.array(outcomes))


# --- looked at daily ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rate", [0.05, 0.2, 0.5])
def test_without_an_effect_a_daily_look_is_wrong_in_at_most_one_experiment_of_twenty(rate: float) -> None:
    null = newcomers(generator(), experiments=EXPERIMENTS, days=DAYS, per_day=PER_DAY, rate=rate)
    assert ever(null, anytime_for(DAYS * PER_DAY)) <= 0.05
    assert ever(null, fixed) > 0.2  # what a daily z-test does instead


def test_it_holds_as_well_from_few_people_on_and_whatever_was_planned() -> None:
    for per_day in (2, 5, 20):
        null = newcomers(generator(), experiments=EXPERIMENTS, days=DAYS, per_day=per_day, rate=0.2)
        for planned in (40, DAYS * per_day, 20_000):
            assert ever(null, anytime_for(planned)) <= 0.05


def test_it_holds_with_one_person_in_the_one_arm_for_nine_in_the_other() -> None:
    null = newcomers(generator(), experiments=EXPERIMENTS, days=DAYS, per_day=PER_DAY, rate=0.2, share=0.1)
    assert ever(null, anytime_for(DAYS * PER_DAY)) <= 0.05


def test_a_known_effect_is_found_and_its_interval_has_the_truth() -> None:
    real = newcomers(
        generator(), experiments=EXPERIMENTS, days=DAYS, per_day=PER_DAY, rate=0.2, effect=0.08
    )  # fmt: skip
    assert ever(real, anytime_for(DAYS * PER_DAY)) > 0.95
    found = difference(real, 1)
    missed = np.abs(found.value - 0.08) > anytime(found, DAYS * PER_DAY)
    assert np.mean(np.any(missed, axis=1)) <= 0.05


def test_the_same_people_again_and_again_do_not_fake_certainty() -> None:
    def lived(*, by_list: bool) -> Moments:
        return regulars(generator(), experiments=500, days=DAYS, people=60, rate=0.3, by_list=by_list)

    assert ever(lived(by_list=False), anytime_for(60)) <= 0.05
    assert ever(lived(by_list=True), anytime_for(60 * DAYS)) > 0.25  # each list as if it were another person's


def test_nothing_is_known_before_there_are_some_units_in_each_arm() -> None:
    ones = np.ones(2)
    few = Moments(ones * (SMALLEST - 1), ones * 19, ones * [0, 19], ones * 19, ones * [0, 19], ones * [0, 19])
    assert anytime(difference(few, 1), 100) == np.inf
    same = Moments(ones * 30, ones * 30, ones * 0, ones * 30, ones * 0, ones * 0)
    assert fixed(difference(same, 1)) == np.inf  # no deviation was seen, which does not mean that there is none


# --- the formulas ---------------------------------------------------------------------------------------------------


def test_the_radius_is_that_of_the_normal_mixture() -> None:
    n, rho, deviation = 400, 0.11, 0.7
    spread = n * rho**2
    by_hand = deviation * sqrt(2 * (spread + 1) / (n**2 * rho**2) * log(sqrt(spread + 1) / 0.05))
    assert_allclose(anytime_radius(n, deviation, rho), by_hand)


def test_rho_makes_the_interval_narrow_at_the_planned_number() -> None:
    best = anytime_radius(1_000, 1.0, mixture_rho(1_000))
    for other in (100, 500, 2_000, 10_000):
        assert best < anytime_radius(1_000, 1.0, mixture_rho(other))


def test_the_variance_of_a_rate_is_that_of_a_mean_when_everybody_has_one_list() -> None:
    taken = np.array([1.0, 0.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0])
    moments = Moments.of(sample([0] * 8, [[one] for one in range(8)], [1.0] * 8, taken.tolist()), 1)
    assert_allclose(moments.rates, taken.mean())
    assert_allclose(moments.variances, taken.var(ddof=1) / 8)


def test_pairs_that_share_somebody_count_as_related() -> None:
    arms, outcomes = [0, 1] * 20, [0.0, 1.0, 1.0, 1.0] * 10
    alone = sample(arms, [[2 * one, 2 * one + 1] for one in range(40)], [1.0] * 40, outcomes)
    assert shared_variance(alone, Moments.of(alone, 2), 1) == pytest.approx(0.0)
    star = sample(arms, [[one % 2, one + 2] for one in range(40)], [1.0] * 40, outcomes)  # two people, forty friends
    moments = Moments.of(star, 2)
    own = float(moments.variances.sum())
    assert abs(shared_variance(star, moments, 1)) < own  # residuals of an arm cancel within its one person
    mixed = sample(arms, [[one // 20, one + 2] for one in range(40)], [1.0] * 40, [*[0.0, 1.0] * 10, *[1.0, 0.0] * 10])
    moments = Moments.of(mixed, 2)
    assert shared_variance(mixed, moments, 1) > 5 * float(moments.variances.sum())


def test_the_check_of_the_split_lets_chance_pass_and_nothing_else() -> None:
    assert split_p(np.array([500.0, 520.0]), np.array([510.0, 510.0])) > 0.1
    assert split_p(np.array([500.0, 640.0]), np.array([570.0, 570.0])) < 0.001
    assert split_p(np.array([10.0, 1.0]), np.array([11.0, 0.0])) == 0.0
    assert split_p(np.array([0.0, 0.0]), np.array([0.0, 0.0])) == 1.0


def test_an_even_split_raises_the_alarm_once_in_a_thousand() -> None:
    sizes, often = np.unique(generator().binomial(1_000, 0.5, 10_000), return_counts=True)
    alarms = [split_p(np.array([one, 1_000.0 - one]), np.array([500.0, 500.0])) < 0.001 for one in sizes]
    assert 1 <= np.sum(often[alarms]) <= 25


def test_as_many_units_are_needed_as_the_textbook_says() -> None:
    units = np.array([1_000.0, 1_000.0])
    taken = units * [0.25, 0.25]
    moments = Moments(units, units, taken, units, taken, taken)
    assert needed_per_arm(moments, 1) == pytest.approx((1.96 + 0.8416) ** 2 * 2 * 0.1875 / 0.05**2, rel=0.01)
    nobody = Moments(units, units, units * 0, units, units * 0, units * 0)
    assert needed_per_arm(nobody, 1) is None


# --- votes ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("wins", "votes"), [(0, 0), (0, 1), (1, 1), (0, 30), (30, 30), (15, 30), (1, 1_000_000)])
def test_the_interval_of_votes_has_the_share_that_was_seen(wins: int, votes: int) -> None:
    low, high = binomial_interval(wins, votes)
    assert 0 <= low <= (wins / votes if votes else 0.5) <= high <= 1


def test_the_interval_of_votes_ends_where_the_mixture_is_twenty_times_as_likely() -> None:
    low, high = binomial_interval(0, 10)  # ∫(1-p)^10 dp = 1/11
    assert low == 0.0
    assert high == pytest.approx(1 - (1 / 11 / 20) ** 0.1)


def test_votes_that_are_even_are_called_uneven_in_at_most_one_experiment_of_twenty() -> None:
    known: dict[tuple[int, int], bool] = {}

    def is_uneven(wins: int, votes: int) -> bool:
        if (wins, votes) not in known:
            low, high = binomial_interval(wins, votes)
            known[wins, votes] = not low <= 0.5 <= high
        return known[wins, votes]

    won = np.cumsum(generator().random((1_000, 100)) < 0.5, axis=1)
    assert np.mean([any(is_uneven(int(one), at + 1) for at, one in enumerate(row)) for row in won]) <= 0.05
