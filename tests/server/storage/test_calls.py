"""The promise about time, and what a call says of a write that was not answered."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from pymongo.errors import AutoReconnect

from dateflicks.core.errors import Unavailable
from dateflicks.server.storage import calls
from dateflicks.server.storage.calls import Calls
from dateflicks.server.storage.health import Health
from dateflicks.server.storage.records import Collection, OutcomeUnknown
from tests.waiting import until

THINGS = Collection("Things", "things")


@pytest_asyncio.fixture
async def health() -> AsyncIterator[Health]:
    async def answers() -> bool:
        return True

    health = Health(answers, on_silence=lambda _: None)
    await health.start()
    yield health
    await health.stop()


async def test_what_passes_by_itself_is_tried_again(health: Health) -> None:
    tries: list[bool] = []

    async def operation(again: bool) -> str:
        tries.append(again)
        if len(tries) < 3:
            raise AutoReconnect("connection closed")
        return "done"

    assert await Calls(health, 1.0, asyncio.Semaphore(1)).write(THINGS, operation) == "done"
    assert tries == [False, False, False]  # no write ever left


async def test_a_call_ends_in_time_when_nothing_answers(health: Health, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calls, "CALL_SECONDS", 0.3)

    async def operation() -> None:
        await asyncio.Event().wait()

    began = time.monotonic()
    with pytest.raises(Unavailable):
        await Calls(health, 0.1, asyncio.Semaphore(1)).read(THINGS, operation)
    assert time.monotonic() - began < 1.0


async def test_a_loop_that_was_held_up_beyond_the_deadline_makes_no_other_error(
    health: Health, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calls, "CALL_SECONDS", 0.1)

    async def operation(again: bool) -> None:
        asyncio.get_running_loop().call_soon(time.sleep, 0.15)
        raise AutoReconnect("connection closed")

    with pytest.raises(Unavailable) as caught:
        await Calls(health, 1.0, asyncio.Semaphore(1)).write(THINGS, operation)
    assert not isinstance(caught.value, OutcomeUnknown)


async def test_nobody_waits_for_a_database_that_is_known_to_be_away(health: Health) -> None:
    await health.stop()

    async def operation() -> None:
        pytest.fail("nothing may be sent")

    with pytest.raises(Unavailable):
        await Calls(health, 1.0, asyncio.Semaphore(1)).read(THINGS, operation)


async def test_a_call_just_after_the_database_has_gone_waits_for_it_as_those_do_that_were_under_way() -> None:
    answers = [True, False]  # and then again

    async def probe() -> bool:
        if len(answers) == 0:
            await is_called.wait()
        return answers.pop(0) if answers else True

    async def operation() -> str:
        return "done"

    is_called = asyncio.Event()
    health = Health(probe, on_silence=lambda _: None)
    await health.start()
    health.suspect()
    await until(lambda: not health.is_up)
    call = asyncio.create_task(Calls(health, 1.0, asyncio.Semaphore(1)).read(THINGS, operation))
    await asyncio.sleep(0)
    is_called.set()
    assert await call == "done"
    await health.stop()


async def test_a_call_that_is_cancelled_ends_although_the_driver_takes_that_for_an_outage(health: Health) -> None:
    asked: list[int] = []
    is_asked = asyncio.Event()

    async def operation(again: bool) -> None:
        asked.append(1)
        is_asked.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            raise AutoReconnect("the connection was closed") from None

    task = asyncio.create_task(Calls(health, 1.0, asyncio.Semaphore(1)).write(THINGS, operation))
    await is_asked.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert asked == [1]


async def test_a_call_ends_although_the_driver_is_the_first_to_hear_that_its_caller_is_to_stop(health: Health) -> None:
    async def operation(_again: bool) -> None:
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(0)

    async def work() -> None:
        told = asyncio.current_task()
        assert told is not None
        told.cancel()  # as Ctrl-C does, whatever the task is at
        await Calls(health, 1.0, asyncio.Semaphore(1)).write(THINGS, operation)

    with pytest.raises(asyncio.CancelledError):
        await asyncio.create_task(work())


@pytest.mark.parametrize("fails", [False, True], ids=["the database answers", "it does not"])
async def test_what_is_still_to_be_done_by_whoever_was_told_to_stop_is_done(
    health: Health, monkeypatch: pytest.MonkeyPatch, *, fails: bool
) -> None:
    monkeypatch.setattr(calls, "CALL_SECONDS", 0.1)
    ours, done = Calls(health, 1.0, asyncio.Semaphore(1)), list[str]()

    async def operation(_again: bool) -> None:
        if fails:
            raise AutoReconnect("connection closed")

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            for step in ("the run", "the lease"):
                with contextlib.suppress(Unavailable):
                    await ours.write(THINGS, operation)
                done.append(step)

    working = asyncio.create_task(work())
    await asyncio.sleep(0)
    working.cancel()
    await asyncio.wait([working])
    assert working.cancelled()
    assert done == ["the run", "the lease"]


async def test_whoever_asks_again_at_once_comes_after_those_who_wait(health: Health) -> None:
    turns, order, inside = asyncio.Semaphore(1), [], []
    is_begun = asyncio.Event()

    async def call(who: str) -> None:
        async def operation() -> None:
            inside.append(who)
            is_begun.set()
            await asyncio.sleep(0)
            assert inside == [who], "one at a time"
            inside.remove(who)
            order.append(who)

        await Calls(health, 1.0, turns).read(THINGS, operation)

    async def busy() -> None:
        for _ in range(4):
            await call("busy")

    async with asyncio.TaskGroup() as group:
        group.create_task(busy())
        await is_begun.wait()
        for who in ("ana", "bea"):
            group.create_task(call(who))
    assert order.index("bea") <= 3, order  # a second one of the busy may have come before they did
