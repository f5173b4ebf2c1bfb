"""The playhead's estimate: what noise, speeds, pauses and jumps do to it, with time as an argument."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dateflicks.client.players.estimate import PlayheadEstimator


def playing(*, speed: float = 1.0, position: float = 100.0, noise: float = 0.0, seed: int = 1) -> PlayheadEstimator:
    """A film that has played for one second from `position` at instant 0, sampled 20 times."""
    chance = random.Random(seed)
    estimator = PlayheadEstimator()
    estimator.landed(position, 0.0)
    estimator.started(0.0, speed)
    for step in range(1, 21):
        estimator.sample(position + speed * step * 0.05 + chance.gauss(0.0, noise), step * 0.05)
    return estimator


def test_nothing_is_said_before_anything_is_known() -> None:
    assert PlayheadEstimator().estimate(1.0) is None


def test_a_landing_is_exact_and_steady_at_once() -> None:
    estimator = PlayheadEstimator()
    estimator.landed(12.5, 1.0)
    head = estimator.estimate(9.0)
    assert head is not None
    assert (head.position, head.rate, head.steady) == (12.5, 0.0, True)


def test_a_start_is_carried_forward_before_the_first_sample_but_not_called_steady() -> None:
    estimator = PlayheadEstimator()
    estimator.landed(10.0, 0.0)
    estimator.started(5.0, 1.0)
    head = estimator.estimate(5.1)
    assert head is not None
    assert head.position == pytest.approx(10.1)
    assert not head.steady


@given(st.integers(0, 2**32), st.floats(0.97, 1.03))
def test_the_median_is_nearer_than_the_noise(seed: int, speed: float) -> None:
    head = playing(speed=speed, noise=0.002, seed=seed).estimate(1.0)
    assert head is not None
    assert head.position == pytest.approx(100.0 + speed, abs=0.006)


def test_one_stray_sample_changes_nothing() -> None:
    estimator = playing()
    estimator.sample(95.0, 1.01)
    head = estimator.estimate(1.02)
    assert head is not None
    assert head.position == pytest.approx(101.02)
    assert head.steady


def test_a_film_that_has_been_moved_is_believed_after_the_second_sample() -> None:
    estimator = playing()
    estimator.sample(50.05, 1.05)
    estimator.sample(50.10, 1.10)
    head = estimator.estimate(1.10)
    assert head is not None
    assert head.position == pytest.approx(50.10)


def test_older_samples_are_carried_at_the_speed_they_were_taken_under() -> None:
    estimator = playing()
    estimator.changed_speed(1.0, 1.03)
    head = estimator.estimate(1.1)
    assert head is not None
    assert head.position == pytest.approx(101.0 + 0.103)
    assert head.rate == 1.03


def test_a_pause_stops_it_where_it_was_and_the_samples_after_it_make_it_sure() -> None:
    estimator = playing()
    estimator.stopped(1.0)
    head = estimator.estimate(8.0)
    assert head is not None
    assert head.position == pytest.approx(101.0)
    assert not head.steady
    for at in (1.05, 1.10):
        estimator.sample(101.001, at)
    head = estimator.estimate(8.0)
    assert head is not None
    assert head.position == pytest.approx(101.001)
    assert head.steady


@given(st.lists(st.tuples(st.floats(0.01, 1.0), st.sampled_from([0.0, 0.97, 1.0, 1.03])), min_size=1, max_size=12))
def test_commands_alone_are_followed_exactly(steps: list[tuple[float, float]]) -> None:
    estimator = PlayheadEstimator()
    estimator.landed(50.0, 0.0)
    now, true, rate = 0.0, 50.0, 0.0
    for lasts, next_rate in steps:
        if next_rate == 0.0:
            estimator.stopped(now)
        elif rate == 0.0:
            estimator.started(now, next_rate)
        else:
            estimator.changed_speed(now, next_rate)
        rate = next_rate
        now += lasts
        true += rate * lasts
    head = estimator.estimate(now)
    assert head is not None
    assert head.position == pytest.approx(true)
    assert head.rate == rate
