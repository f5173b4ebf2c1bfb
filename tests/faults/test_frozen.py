"""A worker that is frozen and goes on: the others take over what it kept, and it steps down when it wakes."""

import asyncio
import signal
import time

import pytest

from tests.faults.couple import couple
from tests.faults.town import Town
from tests.faults.unhindered import unhindered
from tests.server.processes import kill


@pytest.mark.parametrize(
    ("several", "seconds"), [(2, 3.0), pytest.param(3, 10.0, marks=pytest.mark.long)], indirect=["several"]
)
async def test_each_worker_frozen_in_turn_moves_nobody_by_more_than_the_stall(several: Town, seconds: float) -> None:
    async with couple(several.url) as pair:
        await pair.play()
        names = [one.worker_id for one in several.workers]
        for victim in several.workers:
            since = time.monotonic()
            kill(victim.pid, signal.SIGSTOP)
            await asyncio.sleep(seconds)
            kill(victim.pid, signal.SIGCONT)
            await pair.in_step_soon(unhindered())
            pair.check_unmoved(since, stall=0.0)
            pair.check_went_on(since, stall=0.0)
        assert [one.worker_id for one in several.workers] == names, "they are the same"
        await pair.ask("pause", pair.guest)
        await pair.ask("play", pair.host)
        await pair.settle()


@pytest.mark.long
async def test_two_pairs_over_a_frozen_worker_can_pause_meanwhile(several: Town) -> None:
    async with couple(several.url, talks=False) as one, couple(several.url, talks=False) as other:
        await one.play()
        await other.play()
        victim = several.workers[0].pid
        kill(victim, signal.SIGSTOP)
        try:
            for pair in (one, other):  # whoever was connected to it comes back elsewhere, and finds the film there
                await pair.in_step_again()
                await pair.ask("pause", pair.guest)
        finally:
            kill(victim, signal.SIGCONT)
        for pair in (one, other):
            await pair.in_step_again()
            await pair.ask("play", pair.guest)
            await pair.settle()
