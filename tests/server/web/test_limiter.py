"""How often something may be tried."""

import pytest

from dateflicks.core.errors import TooMany
from dateflicks.server.web.limiter import Limiter


def limiter(keys_max: int = 100) -> Limiter:
    return Limiter(10, 300.0, "Too many tries. Wait a little.", keys_max=keys_max)


def refused(tries: Limiter, key: str, now: float) -> float | None:
    try:
        tries.take(key, now)
    except TooMany as error:
        return error.retry_after
    return None


def test_so_many_tries_at_once_and_then_none() -> None:
    tries = limiter()
    assert [refused(tries, "ada", 0.0) for _ in range(10)] == [None] * 10
    with pytest.raises(TooMany, match="Wait a little") as caught:
        tries.take("ada", 0.0)
    assert caught.value.retry_after == pytest.approx(30.0)


def test_who_waits_as_long_as_told_has_a_try_again() -> None:
    tries = limiter()
    for _ in range(10):
        tries.take("ada", 0.0)
    wait = refused(tries, "ada", 12.0)
    assert wait == pytest.approx(18.0)
    assert refused(tries, "ada", 12.0 + 18.0 + 1e-6) is None
    assert refused(tries, "ada", 12.0 + 18.0 + 1e-6) is not None


def test_one_key_does_not_use_up_anothers_tries() -> None:
    tries = limiter()
    for _ in range(10):
        tries.take("ada", 0.0)
    assert refused(tries, "bob", 0.0) is None


def test_looking_takes_no_try() -> None:
    tries = limiter()
    for _ in range(100):
        tries.check("ada", 0.0)
    assert [refused(tries, "ada", 0.0) for _ in range(10)] == [None] * 10
    with pytest.raises(TooMany):
        tries.check("ada", 0.0)


def test_what_is_refused_costs_nothing_more() -> None:
    tries = limiter()
    for _ in range(200):
        refused(tries, "ada", 0.0)
    assert refused(tries, "ada", 0.0) == pytest.approx(30.0)


def test_a_success_gives_all_tries_back() -> None:
    tries = limiter()
    for _ in range(10):
        tries.take("ada", 0.0)
    tries.forget("ada")
    tries.forget("nobody")
    assert [refused(tries, "ada", 0.0) for _ in range(10)] == [None] * 10


def test_one_try_may_be_given_back_and_never_more_than_there_are() -> None:
    tries = limiter()
    for _ in range(10):
        tries.take("ada", 0.0)
    tries.give_back("ada", 0.0)
    tries.give_back("nobody", 0.0)
    assert [refused(tries, "ada", 0.0) is None for _ in range(2)] == [True, False]
    for _ in range(20):
        tries.give_back("ada", 0.0)
    assert [refused(tries, "ada", 0.0) is None for _ in range(11)] == [True] * 10 + [False]


def test_never_more_tries_than_there_are_however_long_it_has_been() -> None:
    tries = limiter()
    tries.take("ada", 0.0)
    assert [refused(tries, "ada", 1e9) for _ in range(10)] == [None] * 10
    assert refused(tries, "ada", 1e9) is not None


def test_a_clock_that_goes_back_gives_nothing() -> None:
    tries = limiter()
    for _ in range(10):
        tries.take("ada", 100.0)
    assert refused(tries, "ada", 0.0) == pytest.approx(30.0)


def test_of_too_many_keys_the_one_used_longest_ago_is_forgotten() -> None:
    tries = limiter(keys_max=3)
    for _ in range(10):
        tries.take("ada", 0.0)
    for key in ("b", "c"):
        tries.take(key, 1.0)
    assert refused(tries, "ada", 1.0) is not None
    tries.take("d", 2.0)
    assert len(tries) == 3
    assert refused(tries, "ada", 2.0) is None
    for number in range(1_000):
        tries.take(str(number), 3.0)
    assert len(tries) == 3
