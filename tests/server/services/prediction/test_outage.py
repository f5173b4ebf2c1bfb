"""When the database is away: what cannot be written is refused in time, and what was written after all is told."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Awaitable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from dateflicks.protocol.ids import new_id
from dateflicks.server.services.prediction.records import PREDICTIONS
from dateflicks.server.storage.records import OutcomeUnknown
from tests.journeys.wire import refusal
from tests.server.services.prediction.deployment import Deployment, deployed
from tests.waiting import until

pytestmark = pytest.mark.slow


@pytest_asyncio.fixture
async def own(tmp_path: Path) -> AsyncIterator[Deployment]:
    """With a database that is given up on as soon as it would be in use."""
    async with deployed(tmp_path / "data", patience=1.0) as deployment:
        yield deployment


async def test_while_the_database_stands_still_all_is_refused_in_time_and_works_again_after_it(
    own: Deployment,
) -> None:
    evening, unknown = own.evening(), own.evening()
    made = await own.predict(evening, evening.ana)
    locked = await own.locked(evening, ana=("yes", 0.9), ben=("no", 0.8))
    async with own.seat(evening, evening.ana) as ana, own.seat(evening, evening.ben) as ben:
        await ben.settled()
        with own.stopped_engine():
            refused: list[Awaitable[Any]] = [
                own.predict(evening, evening.ana, "another", expect=503),
                own.act(evening, evening.ana, made, "call", option="yes", confidence=0.9, expect=503),
                own.act(evening, evening.ben, locked, "propose", outcome="no", expect=503),
                own.call("GET", evening.path, evening.ana.ticket, expect=503),
                own.call("GET", f"/predictions/scores?with={evening.ana.id}", evening.ben.ticket, expect=503),
                refusal(own.address, f"{unknown.path}/events", unknown.ana.ticket),
            ]
            await asyncio.gather(*refused)
            await until(lambda: not own.service.database_up())
            await ana.is_at(5.0)  # who is there is heard all the same
        await until(own.service.database_up)
        called = await own.act(evening, evening.ana, made, "call", option="yes", confidence=0.9)
        assert len(called["calls"]) == 1
        await own.act(evening, evening.ben, locked, "propose", outcome="no")
        await own.act(evening, evening.ana, locked, "confirm")
        await ben.hears("settled")
        pair = await own.call("GET", f"/predictions/scores?with={evening.ana.id}", evening.ben.ticket)
        assert pair["predictions"] == 1


async def test_a_write_that_nobody_answered_is_told_when_it_turns_out_to_have_happened(own: Deployment) -> None:
    evening = own.evening()
    made = await own.predict(evening, evening.ana)
    async with own.seat(evening, evening.ben) as ben:
        await ben.hears("present")
        compare_and_set = own.service._keeping._predictions.compare_and_set

        async def silent(*args: Any, **more: Any) -> Any:
            await compare_and_set(*args, **more)
            raise OutcomeUnknown("Nobody knows.")

        own.service._keeping._predictions.compare_and_set = silent  # type: ignore[method-assign]
        try:
            await own.act(evening, evening.ana, made, "lock", expect=503)
        finally:
            del own.service._keeping._predictions.compare_and_set
        assert (await ben.hears("locked"))["revision"] == 2
        room = own.service._keeping.rooms.get(evening.id)
        assert room is not None
        await until(lambda: not room.doubts)
        assert (await own.act(evening, evening.ana, made, "lock"))["revision"] == 2


async def test_what_the_film_has_passed_in_an_outage_is_locked_after_it(own: Deployment) -> None:
    evening = own.evening()
    own.film(evening, 10)
    async with own.seat(evening, evening.ben) as ben:
        made = await own.predict(evening, evening.ana, locksAtPosition=20)
        with own.stopped_engine():
            own.film(evening, 20)
            await own.act(evening, evening.ben, made, "call", option="yes", confidence=0.9, expect=503)
            await until(lambda: not own.service.database_up())
        assert (await ben.hears("locked"))["calls"] == []
        await own.act(evening, evening.ben, made, "call", option="yes", confidence=0.9, expect=409)


async def test_when_the_engine_is_killed_between_two_actions_nothing_is_lost(own: Deployment) -> None:
    evening = own.evening()
    locked = await own.locked(evening, ana=("yes", 0.9), ben=("no", 0.8))
    first = own.engine_pid
    os.kill(first, signal.SIGKILL)
    await until(lambda: own.database.engine is not None and own.database.engine.pid not in (None, first))
    await until(own.service.database_up)
    assert await own.read(evening, evening.ben, locked) == locked
    await own.act(evening, evening.ana, locked, "propose", outcome="yes")
    assert (await own.act(evening, evening.ben, locked, "confirm"))["status"] == "settled"


async def test_a_prediction_that_cannot_be_read_is_passed_over(own: Deployment) -> None:
    evening = own.evening()
    made = await own.predict(evening, evening.ana)
    ill = {"_id": new_id("prd"), "sessionId": evening.id, "details": "from elsewhere"}
    await own.database.table(PREDICTIONS).insert(ill)
    assert await own.items(evening, evening.ben) == [made]
    async with own.seat(evening, evening.ben) as ben:
        await ben.settled()
        assert len(ben.told) == 1


async def test_a_prediction_that_somebody_has_deleted_is_not_there(own: Deployment) -> None:
    evening = own.evening()
    own.film(evening, 10)
    async with own.seat(evening, evening.ben) as ben:
        made = await own.predict(evening, evening.ana, locksAtPosition=20)
        await ben.hears("made")
        await own.database.table(PREDICTIONS).delete(made["id"])
        await own.act(evening, evening.ana, made, "lock", expect=404)
        own.film(evening, 30)
        room = own.service._keeping.rooms.get(evening.id)
        assert room is not None
        await until(lambda: made["id"] not in room.known)
