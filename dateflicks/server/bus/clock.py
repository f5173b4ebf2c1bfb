"""One clock for all hosts of a deployment: each follows the time of their Redis, through the filter of the clients.

What all agree on is kept in Redis: the clock's name, and how much it is ahead of Redis's own time. So a Redis whose
time is set, or that is replaced by another, does not set the deployment's clock: whoever finds out first, by a clock of
its own that has run on evenly, writes down the new distance. A Redis that has lost it is told by whoever is there, by
the same name. The own clock is never set but to join a deployment, or when this host has slept; it is led there by
running up to half a thousandth faster or slower. Workers of one parent share a host, and keep the parent's clock.
"""

import asyncio
import contextlib
import logging
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

import msgspec

from dateflicks.core.clock import INTERVAL_SECONDS, FollowedClock
from dateflicks.protocol.decoding import UNREADABLE
from dateflicks.server.bus.local import Bus, Unsubscribe
from dateflicks.server.clock import ClockBase, ServerClock
from dateflicks.server.ending import end

if TYPE_CHECKING:
    from redis.asyncio import Redis

log = logging.getLogger(__name__)

TOPIC: Final = "clock"
FIRST_EXCHANGES: Final = 6  # at once, before the first client is answered
FIRST_SECONDS: Final = 1.5  # for these; a Redis that is away then is joined later
CALL_SECONDS: Final = 1.0  # for one exchange, with what is to be written down after it
KEPT_SECONDS: Final = 3600  # after all of a deployment have ended it begins anew
LEAD_SECONDS: Final = 5.0  # in which what is apart is made up for,
LEAD_MAX: Final = 500e-6  # unless it is so much that it takes longer
APART_SECONDS: Final = 0.1  # beyond this it is not drift
APART_ROUNDS: Final = 5  # so often in a row, and it is we who are wrong: three are for Redis's own time to be set
ASLEEP_SECONDS: Final = 0.05
_REPLACE: Final = "if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('SET', KEYS[1], ARGV[2]) end"


class _Kept(msgspec.Struct, frozen=True):
    """The deployment's clock: its name, and how much it is ahead of Redis's time, in seconds."""

    id: str
    ahead: float


class ClockFollower:
    """Leads this process's clock to the deployment's; `asleep` is how long this host has slept in all, in seconds."""

    def __init__(
        self,
        redis: "Redis",
        key: str,
        clock: ServerClock,
        led: Callable[[ClockBase], None] = lambda _: None,
        asleep: Callable[[], float] | None = None,
    ) -> None:
        self._redis = redis
        self._key = key
        self._clock = clock
        self._led = led
        self._asleep = asleep or _asleep
        self._slept = deque([self._asleep()], APART_ROUNDS)  # of late: what was set, or slept, shows a few looks later
        self._apart = 0
        self.filter = FollowedClock()

    async def begin(self) -> None:
        """Join the deployment at once, if its Redis answers."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(FIRST_SECONDS):
                for _ in range(FIRST_EXCHANGES):
                    await self.look()

    async def run(self) -> None:
        """Follow, until cancelled."""
        while True:
            await asyncio.sleep(INTERVAL_SECONDS)
            await self.look()

    async def look(self) -> None:
        """See what time it is there, and be led to it; a Redis that is away leaves the clock running as it does."""
        from redis.exceptions import RedisError

        self._slept.append(self._asleep())
        began = self._clock.monotonic()
        try:
            async with asyncio.timeout(CALL_SECONDS):
                pipe = self._redis.pipeline(transaction=False)
                pipe.time()
                pipe.get(self._key)
                pipe.expire(self._key, KEPT_SECONDS)
                (seconds, micros), written, _ = await pipe.execute()
                ended = self._clock.monotonic()
                there = seconds + micros / 1e6
                was_set = self.filter.exchanged(began, there, there, ended, "redis")
                if self.filter.ready:
                    await self._agree(written, ended, was_set=was_set)
        except (RedisError, OSError, TimeoutError) as error:
            log.debug("nobody says what time it is: %r", error)
            self._lead(0.0, self._clock.monotonic())  # what was to be made up for may be, by now
        except Exception:
            log.exception("the deployment's clock cannot be followed")

    async def _agree(self, written: bytes | None, now: float, *, was_set: bool) -> None:
        clock, there = self._clock, self.filter.server(now)
        own = _Kept(clock.clock_id, clock.base.at(now) - there)
        if written is None:
            await self._redis.set(self._key, msgspec.json.encode(own), nx=True, ex=KEPT_SECONDS)
            return
        try:
            kept = msgspec.json.decode(written, type=_Kept)
        except UNREADABLE:
            log.warning("what is kept of the deployment's clock makes no sense, and is written anew")
            await self._replace(written, own)
            return
        if kept.id != clock.clock_id:
            log.info("this process follows the clock of its deployment", extra={"clock": kept.id})
            self._set(kept.id, there + kept.ahead, now)
            return
        error = there + kept.ahead - clock.base.at(now)
        if abs(error) <= APART_SECONDS:
            self._apart = 0
            self._lead(error, now)
        elif self._slept[-1] - self._slept[0] > ASLEEP_SECONDS:
            self._set(kept.id, there + kept.ahead, now)
        elif was_set:
            log.warning("the time of Redis was set; the deployment's clock runs on", extra={"seconds": round(error, 3)})
            await self._replace(written, own)
        else:
            self._apart += 1
            if self._apart >= APART_ROUNDS:
                self._set(kept.id, there + kept.ahead, now)

    async def _replace(self, written: bytes, kept: _Kept) -> None:
        """Write what is kept, unless somebody else was first."""
        await self._redis.eval(_REPLACE, 1, self._key, written, msgspec.json.encode(kept))

    def _set(self, clock_id: str, time_there: float, now: float) -> None:
        self._apart = 0
        self._take(ClockBase(clock_id, time_there - now, now, self.filter.skew))

    def _lead(self, error: float, now: float) -> None:
        base = self._clock.base
        skew = min(max(self.filter.skew + error / LEAD_SECONDS, -LEAD_MAX), LEAD_MAX)
        self._take(ClockBase(base.clock_id, base.at(now) - now, now, skew))

    def _take(self, base: ClockBase) -> None:
        self._clock.follow(base)
        self._led(base)


def tell_workers(bus: Bus) -> Callable[[ClockBase], None]:
    """As a parent: tell the clock to all workers, those of others too, who know whose it is."""

    def led(base: ClockBase) -> None:
        told = {"of": bus.worker_id, "id": base.clock_id, "anchor": base.anchor}
        bus.publish(TOPIC, {**told, "since": base.since, "skew": base.skew})

    return led


def keep_parent_s(bus: Bus, parent: str, clock: ServerClock) -> Unsubscribe:
    """As a worker: keep the clock that the parent of this name tells."""

    def hear(_: str, hint: Mapping[str, Any]) -> None:
        if hint.get("of") == parent:
            numbers = (float(hint[name]) for name in ("anchor", "since", "skew"))
            clock.follow(ClockBase(str(hint["id"]), *numbers))

    return bus.subscribe(TOPIC, hear)


@contextlib.asynccontextmanager
async def following(
    redis: "Redis", deployment: str, clock: ServerClock, led: Callable[[ClockBase], None] = lambda _: None
) -> AsyncIterator[ClockFollower]:
    """Have this clock led to the deployment's for as long as the block runs."""
    follower = ClockFollower(redis, f"{deployment}:clock", clock, led)
    await follower.begin()
    task = asyncio.create_task(follower.run(), name="deployment's clock")
    try:
        yield follower
    finally:
        await end([task])
        with contextlib.suppress(Exception):
            async with asyncio.timeout(CALL_SECONDS):
                await redis.aclose()


def _asleep() -> float:
    """How long this host has slept since it was started, where that can be known."""
    if not hasattr(time, "CLOCK_BOOTTIME"):
        return 0.0
    return time.clock_gettime(time.CLOCK_BOOTTIME) - time.clock_gettime(time.CLOCK_MONOTONIC)
