"""A token bucket: a burst at once, a rate in the long run."""

from hypothesis import given
from hypothesis import strategies as st

from dateflicks.server.websocket.bucket import TokenBucket


def test_the_burst_is_there_at_once_and_no_more() -> None:
    bucket = TokenBucket(20, 60, 0.0)
    assert [bucket.take(0.0) for _ in range(62)] == [True] * 60 + [False] * 2


def test_a_token_comes_back_after_its_time_and_not_before() -> None:
    bucket = TokenBucket(20, 1, 0.0)
    assert bucket.take(0.0)
    assert not bucket.take(0.049)
    assert bucket.take(0.050)


def test_it_never_holds_more_than_the_burst() -> None:
    bucket = TokenBucket(20, 3, 0.0)
    assert [bucket.take(1e6) for _ in range(4)] == [True, True, True, False]


def test_a_refusal_costs_nothing() -> None:
    bucket = TokenBucket(10, 1, 0.0)
    assert bucket.take(0.0)
    assert not any(bucket.take(number / 1000) for number in range(99))
    assert bucket.take(0.1)


def test_a_clock_that_stands_or_steps_back_gives_nothing() -> None:
    bucket = TokenBucket(1000, 1, 100.0)
    assert bucket.take(100.0)
    assert not bucket.take(50.0)


@given(
    st.floats(0.1, 1000),
    st.integers(1, 100),
    st.lists(st.floats(0, 2, allow_nan=False), max_size=200),
)
def test_nobody_gets_more_than_the_burst_and_the_rate(rate: float, burst: int, waits: list[float]) -> None:
    bucket = TokenBucket(rate, burst, 0.0)
    now, got = 0.0, 0
    for wait in waits:
        now += wait
        got += bucket.take(now)
    assert got <= burst + rate * now + 1e-3
