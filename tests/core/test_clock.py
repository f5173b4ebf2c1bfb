"""The server's clock as a client sees it, over exchanges whose delays the test makes up."""

import random
from collections.abc import Callable

import pytest

from dateflicks.core.clock import (
    CALM_INTERVAL_SECONDS,
    CONTRADICTIONS,
    INTERVAL_SECONDS,
    READY_EXCHANGES,
    FollowedClock,
)

OFFSET = 1_000.0  # the server's clock less the client's when both begin


class Line:
    """A client and a server whose clocks are `OFFSET` and `ppm` apart, with delays as they are asked for."""

    def __init__(self, *, ppm: float = 0.0) -> None:
        self.clock = FollowedClock()
        self.now = 50.0
        self.offset = OFFSET
        self.ppm = ppm
        self.clock_id = "clk_a"

    def server(self, local: float) -> float:
        return local + self.offset + self.ppm * 1e-6 * local

    def exchange(self, there: float, back: float, *, after: float = 1.0) -> bool:
        self.now += after
        t0, t3 = self.now, self.now + there + back
        stamp = self.server(t0 + there)
        self.now = t3
        return self.clock.exchanged(t0, stamp, stamp, t3, self.clock_id)

    @property
    def error(self) -> float:
        return self.clock.server(self.now) - self.server(self.now)


def test_a_clock_is_ready_after_a_few_exchanges() -> None:
    line = Line()
    ready = []
    for _ in range(READY_EXCHANGES):
        ready.append(line.clock.ready)
        line.exchange(0.1, 0.1)
    assert [*ready, line.clock.ready] == [False] * READY_EXCHANGES + [True]
    assert line.error == pytest.approx(0.0, abs=1e-6)


def test_times_are_mapped_there_and_back() -> None:
    line = Line(ppm=100.0)
    for _ in range(40):
        line.exchange(0.01, 0.01)
    assert line.clock.skew == pytest.approx(100e-6, rel=0.1)
    for moment in (0.0, line.now, line.now + 3_600.0):
        assert line.clock.local(line.clock.server(moment)) == pytest.approx(moment, abs=1e-6)


def test_each_side_of_the_line_is_taken_at_its_best_though_never_in_one_exchange() -> None:
    """The least round trip of these is 0.4 s and 0.2 s crooked; the two sides on their own are straight."""
    line = Line()
    line.exchange(0.1, 0.3)
    line.exchange(0.3, 0.1)
    line.exchange(0.5, 0.5)
    assert line.error == pytest.approx(0.0, abs=1e-6)
    assert line.clock.uncertainty == pytest.approx(0.1, abs=1e-6)
    assert line.clock.round_trip == pytest.approx(0.2, abs=1e-6)


def test_half_of_the_asymmetry_cannot_be_seen_and_stays_within_the_uncertainty() -> None:
    line = Line()
    for _ in range(20):
        line.exchange(0.02, 0.3)
    assert abs(line.error) == pytest.approx(0.14, abs=1e-6)
    assert abs(line.error) <= line.clock.uncertainty == pytest.approx(0.16, abs=1e-6)


def test_jitter_is_seen_through() -> None:
    line, draw = Line(), random.Random(1)
    for _ in range(60):
        line.exchange(draw.uniform(0.06, 0.14), draw.uniform(0.06, 0.14))
    assert abs(line.error) < 0.004


def test_what_is_older_than_a_minute_no_longer_counts() -> None:
    line = Line()
    for _ in range(5):
        line.exchange(0.01, 0.01)
    for _ in range(50):
        line.exchange(0.05, 0.01)
    assert line.clock.uncertainty < 0.012
    for _ in range(20):
        line.exchange(0.05, 0.01)
    assert line.clock.uncertainty > 0.025


@pytest.mark.parametrize("ppm", [-200.0, -40.0, 0.0, 40.0, 200.0])
def test_a_skew_is_learned_and_carried_forward(ppm: float) -> None:
    line = Line(ppm=ppm)
    for _ in range(240):
        line.exchange(0.01, 0.01)
    assert abs(line.error) < 0.0005
    line.now += 60.0
    assert abs(line.error) < 0.001


def test_one_late_exchange_that_is_alone_in_its_time_does_not_spoil_the_fit() -> None:
    line = Line(ppm=150.0)
    for _ in range(20):
        line.exchange(0.01, 0.01)
    line.exchange(1.0, 0.01, after=6.0)
    line.exchange(0.01, 0.01, after=6.0)
    for _ in range(20):
        line.exchange(0.01, 0.01)
    assert line.clock.skew == pytest.approx(150e-6, rel=0.05)


def test_a_poor_fit_says_nothing_of_the_skew() -> None:
    line, draw = Line(), random.Random(2)
    for _ in range(30):
        line.exchange(draw.uniform(0.0, 0.5), draw.uniform(0.0, 0.5))
    assert abs(line.clock.skew) < 20e-6


@pytest.mark.parametrize("ppm", [-3_000.0, 3_000.0])
def test_a_skew_that_no_clock_has_is_not_believed(ppm: float) -> None:
    line = Line(ppm=ppm)
    for _ in range(60):
        line.exchange(0.01, 0.01)
        assert abs(line.clock.skew) <= 500e-6


def test_another_clock_is_another_clock() -> None:
    line = Line()
    for _ in range(10):
        assert not line.exchange(0.01, 0.01)
    line.clock_id, line.offset = "clk_b", OFFSET - 7.0
    assert line.exchange(0.01, 0.01)
    assert (line.clock.ready, line.clock.clock_id) == (False, "clk_b")
    for _ in range(READY_EXCHANGES):
        assert not line.exchange(0.01, 0.01)
    assert (line.clock.ready, line.clock.clock_id) == (True, "clk_b")
    assert line.error == pytest.approx(0.0, abs=1e-6)


def server_jumps(line: Line) -> None:
    line.offset += 5.0


def client_jumps(line: Line) -> None:
    line.now -= 5.0
    line.offset += 5.0


def client_slept(line: Line) -> None:
    """The monotonic clock stood while the computer did."""
    line.offset += 3_600.0


@pytest.mark.parametrize("jumps", [server_jumps, client_jumps, client_slept])
def test_a_clock_that_has_jumped_is_measured_anew(jumps: Callable[[Line], None]) -> None:
    line = Line()
    for _ in range(10):
        line.exchange(0.05, 0.05)
    jumps(line)
    forgot = [line.exchange(0.05, 0.05) for _ in range(CONTRADICTIONS)]
    assert forgot == [False] * (CONTRADICTIONS - 1) + [True]
    assert line.clock.ready
    assert line.error == pytest.approx(0.0, abs=1e-6)


def test_a_few_slow_exchanges_are_no_contradiction() -> None:
    line = Line()
    for _ in range(10):
        line.exchange(0.05, 0.05)
    for _ in range(10):
        assert not line.exchange(2.0, 0.05)
        assert not line.exchange(0.05, 2.0)
    assert line.error == pytest.approx(0.0, abs=1e-6)


def test_doubts_are_forgotten_by_an_exchange_that_fits() -> None:
    line = Line()
    for _ in range(10):
        line.exchange(0.05, 0.05)
    for _ in range(5):
        line.offset += 5.0
        for _ in range(CONTRADICTIONS - 1):
            assert not line.exchange(0.05, 0.05)
        line.offset -= 5.0
        assert not line.exchange(0.05, 0.05)
    assert line.error == pytest.approx(0.0, abs=1e-6)


def test_until_it_knows_better_what_was_known_stays_in_use() -> None:
    line = Line()
    for _ in range(5):
        line.exchange(0.05, 0.05)
    line.clock.forget()
    assert not line.clock.ready
    assert line.error == pytest.approx(0.0, abs=1e-6)


def test_exchanges_become_rare_once_the_clock_is_known_and_frequent_when_it_is_a_new_one() -> None:
    line = Line()
    for _ in range(240):
        assert line.clock.interval == INTERVAL_SECONDS
        line.exchange(0.02, 0.02)
    assert line.clock.interval == CALM_INTERVAL_SECONDS
    line.clock_id = "clk_b"
    line.exchange(0.02, 0.02)
    assert line.clock.interval == INTERVAL_SECONDS


def test_rare_exchanges_find_the_offset_as_well_as_frequent_ones_do() -> None:
    source = random.Random(5)
    line = Line(ppm=40.0)
    errors: list[float] = []
    for number in range(800):
        line.exchange(source.uniform(0.06, 0.14), source.uniform(0.06, 0.14), after=line.clock.interval)
        if number >= 400:
            errors.append(abs(line.error))
    assert sorted(errors)[int(0.95 * len(errors))] < 0.0035
