"""The bus away, frozen, flapping, and back: who is on one worker notices nothing, others pause with a little delay."""

import asyncio
import time
from collections.abc import Awaitable, Callable

import pytest

from tests.faults.couple import couple
from tests.faults.town import Town, until
from tests.faults.unhindered import unhindered
from tests.server.processes import is_running, kill

long = pytest.mark.long
Fault = Callable[[Town, Callable[[], Awaitable[None]]], Awaitable[None]]


async def away(town: Town, meanwhile: Callable[[], Awaitable[None]]) -> None:
    assert town.redis is not None
    await town.redis.kill()
    await town.all_find_the_bus_away()
    await meanwhile()
    await town.redis.start()


async def frozen(town: Town, meanwhile: Callable[[], Awaitable[None]]) -> None:
    assert town.redis is not None
    town.redis.freeze()
    await town.all_find_the_bus_away()
    await meanwhile()
    town.redis.thaw()


async def flapping(town: Town, meanwhile: Callable[[], Awaitable[None]]) -> None:
    assert town.redis is not None
    for _ in range(6):
        await town.redis.kill()
        await asyncio.sleep(0.4)
        await town.redis.start()
        await asyncio.sleep(0.7)
    await meanwhile()


FAULTS = [(2, away), *(pytest.param(3, fault, marks=long) for fault in (away, frozen, flapping))]


@pytest.mark.parametrize(("several", "fault"), FAULTS, indirect=["several"])
async def test_people_on_several_workers_watch_talk_and_pause_without_a_bus_and_with_it_again(
    several: Town, fault: Fault
) -> None:
    async with couple(several.url) as one, couple(several.url) as other:  # of two pairs, one is likely to be apart
        pairs = (one, other)
        for pair in pairs:
            await pair.play(0.3)
        since = time.monotonic()

        async def meanwhile() -> None:
            for pair in pairs:
                pair.check_unmoved(since)
                pair.check_went_on(since)
                await pair.ask("pause", pair.guest)
                await pair.ask("play", pair.host)

        await fault(several, meanwhile)
        back = unhindered()
        await asyncio.gather(*(pair.in_step_soon(back) for pair in pairs))
        for pair in pairs:
            assert max(who.apart(since) for who in pair.both) == 0.0, "nobody was cut off for it"
            await pair.ask("pause", pair.guest)
            await pair.settle()


@long
@pytest.mark.timeout(300)
async def test_workers_that_are_killed_while_the_bus_is_away_cost_nobody_more_than_a_moment(several: Town) -> None:
    assert several.redis is not None
    async with couple(several.url) as one, couple(several.url) as other:
        pairs = (one, other)
        for pair in pairs:
            await pair.play(0.3)
        await several.redis.kill()
        await several.all_find_the_bus_away()
        since = time.monotonic()
        for number in range(several.count):  # whichever of them keeps a film, or has somebody connected, is among these
            victim = several.workers[number].pid
            kill(victim)
            await until(lambda pid=victim: not is_running(pid), "its end")  # type: ignore[misc]
            await asyncio.gather(*(pair.in_step_again() for pair in pairs))
            await until(lambda: len(several.workers) == several.count, "another in its place")
        for pair in pairs:
            pair.check_unmoved(since)
            await pair.ask("pause", pair.guest)
            await pair.ask("play", pair.host)
        await several.redis.start()
        back = unhindered()
        await asyncio.gather(*(pair.in_step_soon(back) for pair in pairs))
        for pair in pairs:
            await pair.ask("pause", pair.guest)
            await pair.settle()
