"""When the database is away: what was acknowledged is there, what was not can be sent again, and nothing is twice."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Mapping
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from dateflicks.server.storage.records import Document
from tests.server.services.messages.deployment import DEADLINE_SECONDS, Deployment, Speaker, deployed
from tests.waiting import until

ANSWER_SECONDS = 2.0 + 1.5  # the longest that an answer may take, and what a busy machine adds
KILLS = 4
BETWEEN_KILLS = 25  # acknowledged messages

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]


@pytest_asyncio.fixture
async def own(tmp_path: Path) -> AsyncIterator[Deployment]:
    """With a database that is given up on as soon as it would be in use."""
    async with deployed(tmp_path / "data", patience=1.0) as deployment:
        yield deployment


async def seconds(call: Awaitable[object]) -> float:
    """How long it took."""
    now = asyncio.get_running_loop().time
    begun = now()
    await call
    return now() - begun


async def write(speaker: Speaker, who: int, goes_on: asyncio.Event, acknowledged: dict[str, int]) -> None:
    """Say one thing after another; what is refused is sent again under its own name, as a client does."""
    number = 0
    while goes_on.is_set():
        number += 1
        name = f"w{who}:{number}"
        while True:
            since = speaker.feed.mark
            await speaker.say(f"{who} {number}", clientId=name)
            answer = await speaker.answer(name, since=since)
            if answer["type"] == "ack":
                acknowledged[name] = answer["seq"]
                break
            assert answer["code"] == "unavailable", answer
            await asyncio.sleep(0.02)


async def test_what_was_acknowledged_survives_the_engines_deaths_and_is_heard_once_and_in_order(
    own: Deployment,
) -> None:
    talk = own.talk()
    acknowledged: dict[str, int] = {}
    goes_on = asyncio.Event()
    goes_on.set()
    async with own.both(talk) as (ana, bea), own.both(talk) as (too, again):
        async with asyncio.TaskGroup() as group:
            for who, speaker in enumerate((ana, bea, too, again)):
                group.create_task(write(speaker, who, goes_on, acknowledged))
            for _ in range(KILLS):
                before = len(acknowledged)
                await until(lambda: len(acknowledged) >= before + BETWEEN_KILLS)  # noqa: B023 - awaited here
                os.kill(own.engine_pid, signal.SIGKILL)
            before = len(acknowledged)
            await until(lambda: len(acknowledged) >= before + BETWEEN_KILLS)
            goes_on.clear()
        last = max(acknowledged.values())
        documents = await own.documents(talk, last + 200)
        assert [one["seq"] for one in documents] == list(range(1, len(documents) + 1))
        named = {one["clientId"]: one["seq"] for one in documents}
        assert len(named) == len(documents)  # nothing is there twice
        assert named.items() >= acknowledged.items()
        for speaker in (ana, bea, too, again):
            await speaker.message(len(documents))
            assert speaker.seqs == list(range(1, len(documents) + 1))
        async with own.speaker(talk, talk.bea) as late:
            await late.resume(0)
            assert [one["id"] for one in late.messages] == [one["messageId"] for one in documents]


async def test_a_write_that_was_given_up_and_landed_late_is_told_and_its_resend_is_known(own: Deployment) -> None:
    talk = own.talk()
    async with own.both(talk) as (ana, bea):
        await ana.said("before")
        with own.stopped_engine():
            assert await seconds(_refused(ana, "late")) < ANSWER_SECONDS
        await until(own.service.database_up, "the database is back")
        assert (await bea.message(2))["clientId"] == "late"  # nobody has done anything
        since = ana.feed.mark
        await ana.say("hello", clientId="late")
        assert (await ana.answer("late", since=since))["seq"] == 2
        assert (await bea.said("after"))["seq"] == 3
        await ana.message(3)
        assert ana.seqs == bea.seqs == [1, 2, 3]


async def test_what_is_said_into_a_doubt_takes_its_place_behind_it(own: Deployment) -> None:
    talk = own.talk()
    async with own.both(talk) as (ana, bea):
        with own.stopped_engine():
            await _refused(ana, "late")
        await until(own.service.database_up, "the database is back")
        await asyncio.gather(*(bea.said(f"{number}") for number in range(5)))
        await ana.said("hello", clientId="late")
        documents = await own.documents(talk, 10)
        assert [one["seq"] for one in documents] == list(range(1, 7))
        assert sum(one["clientId"] == "late" for one in documents) == 1
        await bea.message(6)
        await ana.message(6)
        assert ana.seqs == bea.seqs == list(range(1, 7))


async def test_while_the_database_stands_still_everything_is_answered_in_time(own: Deployment) -> None:
    talk, unknown = own.talk(), own.talk()
    async with own.both(talk) as (ana, bea):
        message = await ana.said("before")
        with own.stopped_engine():
            waiting = [
                _refused(ana, "one"),
                _refused(bea, "two"),
                own.post(talk, talk.ana, {"content": "x"}, expect=503),
                own.page(unknown, expect=503),
                own.post(unknown, unknown.ana, {"content": "x"}, expect=503),
            ]
            assert max(await asyncio.gather(*map(seconds, waiting))) < ANSWER_SECONDS + 2.0  # they wait for each other
            await until(lambda: not own.service.database_up(), "the database is known to be away")
            assert (await ana.error(type="edit", id=message["id"], content="x"))["code"] == "unavailable"
            await bea.feed.send(type="typing")
            await ana.told("typing")
            await ana.feed.send(type="resume", after=0)
            since = ana.feed.mark
        await ana.told("resumed")  # it waited for the database
        assert 1 in ana.seqs[1:]
        await until(own.service.database_up, "the database is back")
        await _until_said(ana, "after", since)
        assert (await own.post(unknown, unknown.ana, {"content": "x"}))["message"]["seq"] == 1


async def test_an_edit_that_was_given_up_and_landed_late_is_told(own: Deployment) -> None:
    talk = own.talk()
    async with own.both(talk) as (ana, bea):
        message = await ana.said("before")
        room = own.service._handler._rooms[talk.id]
        append = room.changes.append

        async def stop_then(document: Mapping[str, Any]) -> Document:
            entry = await append(document)
            os.kill(pid, signal.SIGSTOP)  # between the entry and the change
            return entry

        pid = own.engine_pid
        room.changes.append = stop_then  # type: ignore[method-assign]
        try:
            await ana.feed.send(type="edit", id=message["id"], content="after")
            await ana.told("error", code="unavailable")
        finally:
            del room.changes.append
            os.kill(pid, signal.SIGCONT)
        await until(own.service.database_up, "the database is back")
        await ana.feed.send(type="edit", id=message["id"], content="after all")
        assert (await bea.told("edited", content="after all"))["change"] == 2
        assert (await bea.resume(1, changes=0))["changes"] == 2
        assert [one["content"] for one in (await own.page(talk))["items"]] == ["after all"]


async def test_lines_of_the_film_wait_for_the_database(own: Deployment) -> None:
    talk = own.talk()
    line = {"sessionId": talk.id, "by": talk.ana.id, "name": "ana", "position": 2.0, "to": None}
    async with own.both(talk) as (ana, _):
        with own.stopped_engine():
            own.bus.publish("playback-lines", line | {"revision": 1, "event": "paused"})
            await until(lambda: not own.service.database_up(), "the database is known to be away")
            own.bus.publish("playback-lines", line | {"revision": 2, "event": "resumed"})
        await ana.message(2)
        assert [one["content"] for one in ana.messages] == ["ana paused", "ana resumed"]


async def test_a_service_that_stops_writes_what_it_has_taken(own: Deployment) -> None:
    talk = own.talk()
    async with own.another() as other:
        async with other.speaker(talk, talk.ana) as ana:
            room = other.service._handler._rooms[talk.id]
            async with room.lock:
                for number in range(20):
                    await ana.say(f"{number}")
                await until(lambda: len(room.queue) == 19, "all have come")
        await other.service.stop()
    assert [one["content"] for one in await own.documents(talk, 30)] == [f"{number}" for number in range(20)]


async def _refused(speaker: Speaker, name: str) -> None:
    await speaker.say("hello", clientId=name)
    error = await speaker.answer(name)
    assert (error["type"], error["code"]) == ("error", "unavailable")


async def _until_said(speaker: Speaker, name: str, since: int) -> None:
    """Send it again and again until it is acknowledged."""
    async with asyncio.timeout(DEADLINE_SECONDS):
        while True:
            await speaker.say("hello", clientId=name)
            if (await speaker.answer(name, since=since))["type"] == "ack":
                return
            since = speaker.feed.mark
