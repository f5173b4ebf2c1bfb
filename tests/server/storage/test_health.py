"""The circuit breaker over a database that answers or not as the test says."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from dateflicks.server.storage import health as health_module
from dateflicks.server.storage.health import Health
from tests.waiting import until


class Pings:
    """A database that is asked; `silences` is what was said of how long it has not answered."""

    def __init__(self) -> None:
        self.answers = True
        self.count = 0
        self.silences: list[float] = []
        self.holds_on = asyncio.Event()
        self.holds_on.set()

    async def __call__(self) -> bool:
        self.count += 1
        try:
            await self.holds_on.wait()
        finally:
            await self.holds_on.wait()
        return self.answers


@contextlib.asynccontextmanager
async def watched(pings: Pings) -> AsyncIterator[Health]:
    health = Health(pings, pings.silences.append)
    await health.start()
    try:
        yield health
    finally:
        await health.stop()


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health_module, "IDLE_SECONDS", 0.02)
    monkeypatch.setattr(health_module, "FIRST_PAUSE_SECONDS", 0.01)


async def test_it_looks_before_it_says_anything() -> None:
    pings = Pings()
    health = Health(pings, pings.silences.append)
    assert not health.is_up

    async with watched(pings) as health:
        assert health.is_up
        assert pings.count == 1


async def test_one_failed_operation_is_looked_into_and_does_not_count_by_itself() -> None:
    pings = Pings()

    async with watched(pings) as health:
        health.suspect()
        await until(lambda: pings.count == 2)
        assert health.is_up
        pings.answers = False
        assert health.is_up
        health.suspect()
        await until(lambda: not health.is_up)


async def test_it_looks_by_itself_now_and_then(quick: None) -> None:
    pings = Pings()

    async with watched(pings) as health:
        pings.answers = False
        await until(lambda: not health.is_up)
        await until(lambda: len(pings.silences) >= 3)
        assert pings.silences == sorted(pings.silences)
        pings.answers = True
        async with asyncio.timeout(5):
            await health.wait_up()


async def test_one_ping_that_is_late_is_no_outage_as_long_as_nobody_has_felt_one(quick: None) -> None:
    answers = iter([True, False])
    asked = 0

    async def probe() -> bool:
        nonlocal asked
        asked += 1
        return next(answers, True)

    health = Health(probe, lambda _: None)
    await health.start()
    await until(lambda: asked >= 2)
    assert health.is_up
    await until(lambda: asked >= 4)
    assert health.is_up
    await health.stop()


async def test_what_was_away_at_the_start_is_found_later(quick: None) -> None:
    pings = Pings()
    pings.answers = False

    async with watched(pings) as health:
        assert not health.is_up
        pings.answers = True
        async with asyncio.timeout(5):
            await health.wait_up()


async def test_one_that_has_just_gone_is_waited_for(quick: None) -> None:
    pings = Pings()

    async with watched(pings) as health:
        pings.answers = False
        await until(lambda: not health.is_up)
        waiting = asyncio.create_task(health.is_up_soon(30.0))
        pings.answers = True
        assert await waiting


async def test_one_that_has_just_gone_is_waited_for_no_longer_than_was_asked(quick: None) -> None:
    pings = Pings()

    async with watched(pings) as health:
        pings.answers = False
        await until(lambda: not health.is_up)
        assert not await health.is_up_soon(0.01)


async def test_nobody_waits_for_one_that_has_been_gone_for_long(quick: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health_module, "JUST_GONE_SECONDS", 0.0)
    pings = Pings()

    async with watched(pings) as health:
        pings.answers = False
        await until(lambda: not health.is_up)
        async with asyncio.timeout(5):
            assert not await health.is_up_soon(30.0)


async def test_it_is_told_when_it_goes_and_for_how_long_it_was_gone(
    quick: None, caplog: pytest.LogCaptureFixture
) -> None:
    pings = Pings()

    async with watched(pings) as health:
        pings.answers = False
        await until(lambda: not health.is_up)
        pings.answers = True
        await until(lambda: len(caplog.records) == 2)

    gone, back = caplog.records
    assert gone.getMessage() == "the database does not answer"
    assert back.getMessage() == "the database answers again"
    assert vars(back)["seconds"] >= 0.0


async def test_after_a_stop_it_counts_as_away() -> None:
    pings = Pings()

    async with watched(pings) as health:
        pass

    assert not health.is_up
    async with asyncio.timeout(5):
        assert not await health.is_up_soon(30.0)


async def test_a_stop_that_is_cancelled_is_cancelled(quick: None) -> None:
    pings = Pings()
    async with watched(pings) as health:
        pings.holds_on.clear()
        asked = pings.count
        await until(lambda: pings.count > asked)  # a ping that does not end when it is told to

        stop = asyncio.create_task(health.stop())
        await until(lambda: not health.is_up)
        stop.cancel()
        await asyncio.wait([stop], timeout=0.05)
        pings.holds_on.set()

        with pytest.raises(asyncio.CancelledError):
            await stop


@pytest.mark.parametrize("answers", [True, False])
async def test_a_stop_that_the_driver_takes_for_an_outage_is_a_stop_all_the_same(quick: None, *, answers: bool) -> None:
    is_asked = asyncio.Event()

    async def probe() -> bool:
        if not health.is_up:
            return True
        is_asked.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            return answers  # as the driver does, whose errors end a probe
        raise AssertionError

    health = Health(probe, lambda _: None)
    await health.start()
    await is_asked.wait()
    async with asyncio.timeout(30):
        await health.stop()


async def test_a_look_that_does_not_end_holds_up_no_stop(quick: None, caplog: pytest.LogCaptureFixture) -> None:
    is_enough, asked = asyncio.Event(), 0

    async def probe() -> bool:
        nonlocal asked
        asked += 1
        while asked > 1 and not is_enough.is_set():
            with contextlib.suppress(asyncio.CancelledError):
                await is_enough.wait()
        return True

    health = Health(probe, lambda _: None)
    await health.start()
    await until(lambda: asked > 1)
    async with asyncio.timeout(30):
        await health.stop()

    assert [getattr(record, "task", None) for record in caplog.records] == ["database health"]
    is_enough.set()
