"""When the database is away: the film goes on from memory, and what happened meanwhile is in the record afterwards."""

import asyncio
import os
import signal
from collections.abc import Awaitable
from typing import Any

import pytest

from tests.journeys.wire import refusal
from tests.server.services.timecode.deployment import Deployment, play_from
from tests.waiting import until

ANSWER_SECONDS = 2.0 + 0.5  # the longest that an answer may take, and what a busy machine adds

pytestmark = pytest.mark.slow


async def timed(call: Awaitable[Any]) -> float:
    """How long it took."""
    now = asyncio.get_running_loop().time
    begun = now()
    await call
    return now() - begun


async def test_while_the_database_stands_still_the_film_goes_on_and_everything_else_is_answered_in_time(
    own: Deployment,
) -> None:
    evening, unknown, third = own.evening(), own.evening(), own.evening()
    made = {"timecode": {"sessionId": third.id, "length": 60}}
    await own.call("POST", "/timecodes", third.ticket("host"), made, expect=201)
    async with own.room(evening) as room:
        await own.settled()
        with own.stopped_engine():
            body = {"timecode": {"sessionId": unknown.id, "length": 60}}
            refused = [
                own.call("POST", "/timecodes", unknown.ticket("host"), body, expect=503),
                own.call("GET", unknown.path, unknown.ticket("host"), expect=503),
                own.call("DELETE", third.path, third.ticket("host"), expect=503),
                refusal(own.address, f"{unknown.path}/events", unknown.ticket("guest")),
            ]
            waiting = [asyncio.create_task(timed(one)) for one in refused]
            playing = await play_from(room, 100)
            await room.host.ask("pause")
            asked = await room.pending("status", room.host, "pause", after=playing)
            await room.guest.ask("pause")
            paused = await room.settled("pause", None, after=asked)
            await room.host.seek(300)
            asked = await room.pending("seek", room.host, 300, after=paused)
            await room.guest.seek(300)
            moved = await room.both(lambda frame: frame["pending"] is None, "moved", after=asked)
            assert max(await asyncio.gather(*waiting)) < ANSWER_SECONDS
            await until(lambda: not own.service.database_up())
            assert await refusal(own.address, f"{unknown.path}/events", unknown.ticket("guest")) == 503
            known = (await own.call("GET", evening.path, evening.ticket("guest")))["timecode"]
            assert known["revision"] == moved["revision"]
            health = await own.rest._client.get("/health")
            assert (health.status_code, health.json()["database"]) == (503, "down")
            async with own.seat(evening, "guest") as newest:  # who comes to a session in memory is let in
                assert newest.latest["revision"] == moved["revision"]
        await until(own.service.database_up)
        document = await own.document(evening.id)
        assert document is not None
        assert (document["status"], document["currentPosition"]) == ("pause", 300)
        assert document["revision"] == moved["revision"]
        await own.call("POST", "/timecodes", unknown.ticket("host"), body, expect=201)


async def test_when_the_engine_is_killed_in_play_the_newest_state_is_in_the_record(own: Deployment) -> None:
    evening = own.evening()
    async with own.room(evening) as room:
        await play_from(room, 100)
        await own.settled()
        first = own.engine_pid
        os.kill(first, signal.SIGKILL)
        before = room.host.latest
        await room.guest.ask("pause")
        asked = await room.pending("status", room.guest, "pause", after=before)
        await room.host.refuse()
        await room.settled("play", "refused", after=asked)
        await until(lambda: own.database.engine is not None and own.database.engine.pid not in (None, first))
        await until(own.service.database_up)
        document = await own.document(evening.id)
        assert document is not None
        assert (document["status"], document["pending"]) == ("play", None)
        assert document["revision"] == room.host.latest["revision"]
