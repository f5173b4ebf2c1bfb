"""One clock for several hosts: each has one of its own that is wrong, and they agree on one through a real Redis."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from dateflicks.server.bus.clock import APART_ROUNDS, ClockFollower, following, keep_parent_s, tell_workers
from dateflicks.server.bus.local import LocalBus
from dateflicks.server.bus.redis import client_of
from dateflicks.server.clock import ClockBase, ServerClock
from tests.redis_server import RedisServer, redis_server

HOUR = 3600.0
KEY = "test:clock"


class ClockOfRedis:
    """A real Redis, whose time is `set_by` wrong; of what it is asked only the time is looked at."""

    def __init__(self, server: RedisServer) -> None:
        self._redis: Redis = client_of(server.uri)
        self.set_by = 0.0
        self.after_exchange: Callable[[], None] = lambda: None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._redis, name)

    def pipeline(self, transaction: bool) -> "_Pipeline":
        return _Pipeline(self._redis.pipeline(transaction=transaction), self)


class _Pipeline:
    def __init__(self, pipe: Any, redis: ClockOfRedis) -> None:
        self._pipe = pipe
        self._redis = redis

    def __getattr__(self, name: str) -> Any:
        return getattr(self._pipe, name)

    async def execute(self) -> list[Any]:
        (seconds, micros), *others = await self._pipe.execute()
        self._redis.after_exchange()
        return [(seconds + int(self._redis.set_by), micros), *others]


class Host:
    """One host: its monotonic clock began at another time, and its Unix time is wrong."""

    def __init__(self, redis: Any, *, began: float = 0.0, wrong_by: float = 0.0) -> None:
        self.slept = 0.0
        self.began = began
        self.clock = ServerClock(lambda: time.monotonic() - self.began, lambda: time.time() + wrong_by)
        self.follower = ClockFollower(redis, KEY, self.clock, asleep=lambda: self.slept)

    async def look(self, times: int = 6) -> None:
        for _ in range(times):
            await self.follower.look()

    @property
    def ahead(self) -> float:
        """How much its clock is ahead of the test's, both read at one instant."""
        stamp = time.monotonic()
        return self._at(stamp) - stamp

    def apart(self, other: "Host") -> float:
        stamp = time.monotonic()
        return abs(self._at(stamp) - other._at(stamp))

    def uncertainty(self, other: "Host") -> float:
        """What the two may be apart: what each does not know, and what runs away until they look again."""
        return self.follower.filter.uncertainty + other.follower.filter.uncertainty + 0.0005

    def _at(self, stamp: float) -> float:
        return self.clock.at_monotonic(stamp - self.began)


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[RedisServer]:
    async with redis_server(tmp_path) as server:
        yield server


@pytest.fixture
async def redis(server: RedisServer) -> AsyncIterator[ClockOfRedis]:
    made = ClockOfRedis(server)
    yield made
    await made.aclose()


async def test_hosts_whose_clocks_are_hours_apart_agree_on_one_clock_of_one_name(redis: ClockOfRedis) -> None:
    first, second = Host(redis, began=-5_000.0, wrong_by=-HOUR), Host(redis, began=200.0, wrong_by=HOUR)
    before = first.clock.clock_id, first.ahead
    await first.look()
    assert first.clock.clock_id == before[0]
    assert first.ahead == pytest.approx(before[1], abs=0.01), "whoever is first is not moved"
    await second.look()
    assert second.clock.clock_id == first.clock.clock_id
    assert first.apart(second) <= first.uncertainty(second)


async def test_a_redis_that_has_lost_everything_is_told_and_nobody_is_moved(
    server: RedisServer, redis: ClockOfRedis
) -> None:
    first, second = Host(redis, wrong_by=-HOUR), Host(redis, wrong_by=HOUR)
    await first.look()
    await second.look()
    name, before = first.clock.clock_id, first.ahead
    await server.kill()
    await first.look(1)
    await server.start()
    await second.look()
    await first.look()
    third = Host(redis)
    await third.look()
    assert {one.clock.clock_id for one in (first, second, third)} == {name}
    assert first.apart(second) <= first.uncertainty(second)
    assert first.apart(third) <= first.uncertainty(third)
    assert first.ahead == pytest.approx(before, abs=0.01)


@pytest.mark.parametrize("by", [HOUR, -HOUR])
async def test_when_the_time_of_redis_is_set_the_clock_runs_on_for_all(redis: ClockOfRedis, by: float) -> None:
    first, second = Host(redis), Host(redis, wrong_by=HOUR)
    await first.look()
    await second.look()
    before = first.ahead
    redis.set_by = by
    for _ in range(APART_ROUNDS):
        await first.look(1)
        await second.look(1)
    await first.look()
    await second.look()
    third = Host(redis)
    await third.look()
    for one in (first, second, third):
        assert one.ahead == pytest.approx(before, abs=0.01)
    assert first.clock.clock_id == second.clock.clock_id == third.clock.clock_id


async def test_a_host_that_has_slept_is_set_to_what_the_others_have(redis: ClockOfRedis) -> None:
    awake, sleeper = Host(redis), Host(redis)
    await awake.look()
    await sleeper.look()
    sleeper.began += 600.0  # its clock stood still for ten minutes
    sleeper.slept += 600.0
    assert awake.apart(sleeper) > 500.0
    await sleeper.look()
    assert awake.apart(sleeper) <= awake.uncertainty(sleeper)
    assert sleeper.clock.clock_id == awake.clock.clock_id


async def test_a_host_that_is_wrong_without_knowing_why_gives_in(redis: ClockOfRedis) -> None:
    right, wrong = Host(redis), Host(redis)
    await right.look()
    await wrong.look()
    base = wrong.clock.base
    wrong.clock.follow(ClockBase(base.clock_id, base.anchor + 60.0))
    await wrong.look(APART_ROUNDS + 1)
    assert right.apart(wrong) <= right.uncertainty(wrong)


async def test_what_is_a_little_apart_is_made_up_for_without_ever_going_back(redis: ClockOfRedis) -> None:
    right, fast = Host(redis), Host(redis)
    await right.look()
    await fast.look()
    base = fast.clock.base
    fast.clock.follow(ClockBase(base.clock_id, base.anchor + 0.020))
    seen = [fast.clock.now()]
    for _ in range(20):
        await fast.look(1)
        seen.extend(fast.clock.now() for _ in range(50))
    assert seen == sorted(seen)
    assert fast.clock.base.skew < -400e-6
    later = time.monotonic() - fast.began + 40.0
    assert fast.clock.base.at(later) - right.clock.base.at(later) == pytest.approx(0.0, abs=0.003)


async def test_what_is_no_clock_in_redis_is_replaced(redis: ClockOfRedis) -> None:
    await redis.set(KEY, b"{nonsense")
    first, second = Host(redis), Host(redis, wrong_by=HOUR)
    await first.look()
    await second.look()
    assert first.clock.clock_id == second.clock.clock_id
    assert first.apart(second) <= first.uncertainty(second)


async def test_a_redis_that_hangs_when_something_is_to_be_written_down_holds_nobody_up(
    server: RedisServer, redis: ClockOfRedis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dateflicks.server.bus.clock.CALL_SECONDS", 0.2)
    first = Host(redis)
    await first.look()
    await redis.set(KEY, b"{nonsense")
    redis.after_exchange = server.freeze
    async with asyncio.timeout(10.0):
        await first.look(1)
    redis.after_exchange = lambda: None
    server.thaw()
    await first.look()
    second = Host(redis)
    await second.look()
    assert first.clock.clock_id == second.clock.clock_id


async def test_without_a_redis_a_clock_begins_by_itself_and_joins_the_deployment_later(server: RedisServer) -> None:
    await server.kill()
    clock = ServerClock()
    own = clock.clock_id
    async with contextlib.AsyncExitStack() as stack:
        await stack.enter_async_context(following(client_of(server.uri), "test", clock))
        assert clock.clock_id == own
        await server.start()
        other = client_of(server.uri)
        stack.push_async_callback(other.aclose)
        first = Host(other, wrong_by=HOUR)
        await first.look()
        async with asyncio.timeout(30.0):
            while clock.clock_id != first.clock.clock_id:  # noqa: ASYNC110 - a clock tells nobody
                await asyncio.sleep(0.01)
        assert abs(clock.now() - first.clock.now()) < 0.05


async def test_workers_keep_the_clock_of_their_own_parent() -> None:
    bus = LocalBus()
    worker, other = ServerClock(base=ClockBase("clk_a", 5.0)), ServerClock(base=ClockBase("clk_b", 6.0))
    stop = keep_parent_s(bus, bus.worker_id, worker)
    keep_parent_s(bus, "wrk_of_somebody_else", other)
    told = ClockBase("clk_c", 7.5, 100.0, 2e-4)
    tell_workers(bus)(told)
    assert worker.base == told
    assert other.clock_id == "clk_b"
    stop()
    tell_workers(bus)(ClockBase("clk_d", 8.0))
    assert worker.base == told
