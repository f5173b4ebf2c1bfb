"""The database away: the film goes on from memory, what is said waits, and nothing acknowledged is lost."""

import asyncio
import signal
import time

import pytest

from dateflicks.client.errors import ClientError
from dateflicks.client.http import ServiceClient
from tests.faults.couple import Couple, couple
from tests.faults.town import Town, until
from tests.faults.unhindered import unhindered
from tests.server.processes import kill

long = pytest.mark.long


async def over(pair: Couple, since: float) -> None:
    """The database is back: nobody was cut off or moved, and what waited is there."""
    await pair.in_step_soon(unhindered())
    pair.check_unmoved(since)
    pair.check_went_on(since)
    assert max(one.apart(since) for one in pair.both) == 0.0, "nobody was cut off for it"
    await pair.ask("pause", pair.guest)
    await pair.settle()


@pytest.mark.parametrize("seconds", [1.0, pytest.param(30.0, marks=[long, pytest.mark.timeout(180)])])
async def test_a_database_that_hangs_is_waited_for_while_the_film_goes_on(alone: Town, seconds: float) -> None:
    async with couple(alone.url) as pair:
        await pair.play(0.3)
        since, engine = time.monotonic(), alone.engine
        kill(engine, signal.SIGSTOP)
        await asyncio.sleep(seconds / 2)
        await pair.ask("pause", pair.guest)
        pair.check_unmoved(since)
        await pair.ask("play", pair.guest)
        await until(lambda: pair.is_running, "a film that runs")
        since = time.monotonic()
        await asyncio.sleep(seconds / 2)
        kill(engine, signal.SIGCONT)
        await over(pair, since)


async def test_a_database_that_is_killed_again_and_again_costs_nobody_a_word(alone: Town) -> None:
    async with couple(alone.url) as pair:
        await pair.play(0.3)
        since = time.monotonic()
        for _ in range(3):
            kill(alone.engine)
            await asyncio.sleep(0.7)
        await over(pair, since)


@long
@pytest.mark.timeout(180)
async def test_a_database_that_stays_away_lets_the_film_go_on_and_comes_back_with_everything(several: Town) -> None:
    """For as long as anybody is prepared to wait: the parent that runs it is frozen, so that nobody replaces it."""
    async with couple(several.url) as pair, ServiceClient(several.url) as stranger:
        await pair.play(0.3)
        since, parent, engine = time.monotonic(), several.server.process.pid, several.engine
        kill(parent, signal.SIGSTOP)
        kill(engine)
        await asyncio.sleep(20.0)
        pair.check_unmoved(since)
        pair.check_went_on(since)
        assert any(one.waits for one in pair.both), "what is said waits"
        with pytest.raises(ClientError):
            await stranger.register("somebody-new", "seven small foxes")
        kill(parent, signal.SIGCONT)
        await over(pair, since)
        await stranger.register("somebody-new", "seven small foxes")
