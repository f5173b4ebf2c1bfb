"""What runs in the background is ended within a time, whatever it does about that."""

import asyncio
import logging

import pytest

from dateflicks.server.ending import end


async def test_who_has_lost_a_cancellation_is_cancelled_again(caplog: pytest.LogCaptureFixture) -> None:
    async def loses(count: int) -> None:
        for _ in range(count):
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                continue
        await asyncio.Event().wait()

    tasks = [asyncio.create_task(loses(count)) for count in (0, 1)]
    await asyncio.sleep(0)

    await end(tasks, seconds=1.0)

    assert all(task.cancelled() for task in tasks)
    assert caplog.messages == []


async def test_what_does_not_end_is_told_and_left(caplog: pytest.LogCaptureFixture) -> None:
    enough = asyncio.Event()

    async def goes_on() -> None:
        while not enough.is_set():
            try:
                await enough.wait()
            except asyncio.CancelledError:
                continue

    task = asyncio.create_task(goes_on(), name="obstinate")
    await asyncio.sleep(0)

    with caplog.at_level(logging.ERROR):
        await end([task], seconds=0.02)

    assert not task.done()
    assert [getattr(record, "task", None) for record in caplog.records] == ["obstinate"]
    enough.set()
    await task


async def test_where_there_is_nothing_nothing_is_waited_for() -> None:
    await end([])
