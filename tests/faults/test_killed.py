"""SIGKILL of a service in every state of an evening: people come back by themselves, and nothing they did is gone."""

import asyncio
import time
from collections.abc import Awaitable, Callable

import pytest

from dateflicks.client.consent import Consent, ConsentSettings
from tests.faults.couple import Couple, couple
from tests.faults.town import Town, until
from tests.faults.unhindered import unhindered
from tests.server.processes import is_running, kill

long = pytest.mark.long


async def stop(pair: Couple) -> None:
    """Nothing has begun."""


async def pending(pair: Couple) -> None:
    """One asks for something that the other has not answered."""
    for one in pair.both:
        one.evening.viewer.consent = ConsentSettings.all(Consent.ASK)
    pair.host.evening.watching.ask("play")
    await until(lambda: all(told_pending(one.evening.viewer.timecode) for one in pair.both), "a wish that waits")
    await asyncio.sleep(1.0)  # it is put down a moment later


def told_pending(frame: object) -> bool:
    return getattr(frame, "pending", None) is not None


async def playing(pair: Couple) -> None:
    await pair.play()


async def paused(pair: Couple) -> None:
    await pair.play(0.3)
    await pair.ask("pause", pair.guest)


async def seeking(pair: Couple) -> None:
    await pair.play(0.3)
    pair.host.evening.watching.seek(900.0)


async def predicting(pair: Couple) -> None:
    """A call is sealed on its way."""
    await pair.play(0.3)
    predictions = pair.host.evening.predictions
    assert predictions is not None
    await predictions.make("The doctor comes back")


States = Callable[[Couple], Awaitable[None]]
STATES: list[States] = [stop, pending, playing, paused, seeking, predicting]
OFTEN = [playing]
EVERY = [pytest.param(state, marks=() if state in OFTEN else long, id=state.__name__) for state in STATES]
WORKERS = [(2, playing), *(pytest.param(3, state, marks=long) for state in STATES)]


async def goes_on(pair: Couple, state: States, since: float, back: float, *, stall: float) -> None:
    """After the fault: in step soon, unmoved, and what is agreed afterwards holds."""
    await pair.in_step_soon(back)
    if state is seeking:
        await until(
            lambda: all(abs(one.position - 900.0) < 60.0 or one.position < 60.0 for one in pair.both), "a place"
        )
    else:
        pair.check_unmoved(since, stall)
    if state in (playing, predicting):
        pair.check_went_on(since, stall)
    if state is pending:
        for one in pair.both:
            frame = one.evening.viewer.timecode
            assert frame is not None
            assert frame.pending is not None, "what was asked for can still be answered"
            one.evening.viewer.consent = ConsentSettings.all(Consent.FREE)
        await pair.ask("play", pair.guest)
    elif state in (stop, paused):
        await pair.ask("play", pair.guest)
    await until(lambda: pair.is_running, "a film that runs")
    await pair.ask("pause", pair.guest)
    await pair.settle()


@pytest.mark.parametrize(("several", "state"), WORKERS, indirect=["several"])
async def test_workers_killed_one_after_the_other_cost_nobody_more_than_a_moment(several: Town, state: States) -> None:
    async with couple(several.url) as pair:
        await state(pair)
        began = time.monotonic()
        for number in range(
            several.count
        ):  # whichever of them keeps the film, or has one of the two connected, is among these
            victim = several.workers[number].pid
            kill(victim)
            back = unhindered()  # others are there
            await until(lambda pid=victim: not is_running(pid), "its end")  # type: ignore[misc]
            await pair.in_step_soon(back)
            await until(lambda: len(several.workers) == several.count, "another in its place")
            await asyncio.sleep(0.5)
        await goes_on(pair, state, began, unhindered(), stall=0.0)


@pytest.mark.parametrize("state", EVERY)
async def test_all_of_it_killed_at_once_and_started_again_goes_on_where_it_was(alone: Town, state: States) -> None:
    async with couple(alone.url) as pair:
        await state(pair)
        since = time.monotonic()
        await alone.kill()
        await asyncio.sleep(1.0)
        await alone.start()
        await goes_on(pair, state, since, unhindered(), stall=0.0)
