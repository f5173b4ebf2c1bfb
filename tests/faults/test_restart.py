"""Restart of everything during play: each worker tells its people to come back, and they do without a visible break."""

import asyncio
import signal
import time

import pytest

from tests.faults.couple import couple
from tests.faults.town import Town, until
from tests.faults.unhindered import unhindered
from tests.server.processes import kill


@pytest.mark.parametrize("several", [2, pytest.param(3, marks=pytest.mark.long)], indirect=True)
async def test_workers_that_restart_one_after_the_other_interrupt_nothing(several: Town) -> None:
    async with couple(several.url) as pair:
        await pair.play()
        since = time.monotonic()
        for number in range(several.count):
            before = several.workers[number].pid
            kill(before, signal.SIGTERM)
            await until(
                lambda before=before: (  # type: ignore[misc]
                    len(several.workers) == several.count and before not in {one.pid for one in several.workers}
                ),
                "a new worker in its place",
            )
            await pair.in_step_soon(unhindered())
            await asyncio.sleep(0.5)
        await pair.end_untouched(since)


async def stopped_and_started(town: Town) -> None:
    """An upgrade of all there is."""
    async with couple(town.url) as pair:
        await pair.play()
        since = time.monotonic()
        await town.stop()
        await town.start()
        await pair.in_step_soon(unhindered())
        pair.check_unmoved(since)
        pair.check_went_on(since)
        await pair.ask("pause", pair.guest)
        await pair.settle()


async def test_a_service_that_is_stopped_and_started_again_goes_on_where_the_film_would_be(alone: Town) -> None:
    await stopped_and_started(alone)


@pytest.mark.long
async def test_workers_that_are_all_stopped_and_started_again_go_on_where_the_film_would_be(several: Town) -> None:
    await stopped_and_started(several)
