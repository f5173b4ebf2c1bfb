"""The driver's own locks, when limits end at the same time: a lock that is never given back would hang every call. And
its monitor, for which everybody would wait after the engine has died."""

import asyncio
from pathlib import Path

import pymongo.lock

from dateflicks.server.storage.driver import WATCHFUL_SECONDS, mend
from tests.server.storage.engines import embedded


async def test_a_wait_whose_limits_end_together_gives_the_lock_back() -> None:
    mend()
    lock = pymongo.lock._async_create_lock()
    condition = pymongo.lock._async_create_condition(lock)
    is_waiting = asyncio.Event()

    async def wait_in_pool() -> None:
        async with condition:
            is_waiting.set()
            await pymongo.lock._async_cond_wait(condition, 0.05)

    call = asyncio.create_task(wait_in_pool())
    await is_waiting.wait()
    async with lock:  # somebody else has it when the wait ends, and the call that it is part of
        await asyncio.sleep(0.2)
        call.cancel()  # and lets go of it in the same turn of the loop
    await asyncio.wait([call], timeout=30)
    assert call.done()
    async with asyncio.timeout(30):
        async with lock:
            pass


async def test_a_wait_that_is_told_in_time_says_so() -> None:
    mend()
    condition = pymongo.lock._async_create_condition(pymongo.lock._async_create_lock())

    async def tell() -> None:
        async with condition:
            condition.notify()

    async with condition:
        telling = asyncio.create_task(tell())
        assert await pymongo.lock._async_cond_wait(condition, 30)
    await telling
    async with condition:
        assert not await pymongo.lock._async_cond_wait(condition, 0.01)


async def test_the_monitor_of_an_engine_looks_as_soon_as_it_is_wanted_to(folder: Path) -> None:
    async with embedded(folder) as database:
        (server,) = database._client._topology._servers.values()
        monitor = server._monitor
        assert monitor._executor._min_interval == WATCHFUL_SECONDS
        looked, check = asyncio.Event(), monitor._executor._target

        async def told() -> bool:
            looked.set()
            return bool(await check())

        monitor._executor._target = told
        monitor.request_check()
        async with asyncio.timeout(5):  # by itself it looks every ten seconds
            await looked.wait()
