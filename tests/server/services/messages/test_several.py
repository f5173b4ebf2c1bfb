"""Several processes that serve one talk: everybody is told the same, in one order, whatever is lost between them."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from dateflicks.protocol.ids import new_id
from dateflicks.server.auth.tokens import Signer
from dateflicks.server.bus.redis import RedisBus
from dateflicks.server.runner import running
from dateflicks.server.services.messages.app import MessagesService
from dateflicks.server.services.messages.records import COLLECTIONS
from dateflicks.server.storage.database import Database, DatabaseSettings
from tests.journeys.deployment import Deployment as Address
from tests.journeys.wire import open_feed
from tests.redis_server import RedisServer, redis_server
from tests.server.services.messages.deployment import KEY, PLENTY, Person, Speaker, Talk
from tests.waiting import until


@dataclass
class Several:
    """Two processes, as they would be, in the test's own loop."""

    addresses: list[Address]
    buses: list[RedisBus]
    signer: Signer
    redis: RedisServer

    @contextlib.asynccontextmanager
    async def connect(self, number: int, talk: Talk, person: Person) -> AsyncIterator[Speaker]:
        """A connection to one of them."""
        address = self.addresses[number]
        async with open_feed(address, f"{talk.path}/events", person.ticket) as feed:
            yield Speaker(feed, person)

    @contextlib.asynccontextmanager
    async def two(self, talk: Talk) -> AsyncIterator[tuple[Speaker, Speaker]]:
        """One at each."""
        async with self.connect(0, talk, talk.ana) as ana, self.connect(1, talk, talk.bea) as bea:
            for speaker in (ana, bea):
                await speaker.feed.send(type="resume", after=0, changes=0)
                await speaker.told("resumed")
            yield ana, bea


@pytest.fixture
async def several(tmp_path: Path) -> AsyncIterator[Several]:
    signer = Signer(KEY)
    async with (
        redis_server(tmp_path) as redis,
        Database.open(DatabaseSettings(), tmp_path / "data", COLLECTIONS) as database,
        contextlib.AsyncExitStack() as stack,
    ):
        addresses, buses = [], []
        for _ in range(2):
            bus = await stack.enter_async_context(RedisBus(redis.uri, deployment="test").open())
            service = MessagesService(database, signer, bus, PLENTY)
            server = await stack.enter_async_context(running([service]))
            addresses.append(Address(server.url, is_ours=True))
            buses.append(bus)
        await until(lambda: all(len(bus.workers) == 2 and bus.is_up for bus in buses))
        yield Several(addresses, buses, signer, redis)
        assert not database.fence.breaches


def contents(speaker: Speaker) -> list[str]:
    return [frame["message"]["content"] for frame in speaker.feed.frames if frame["type"] == "message"]


async def test_what_two_say_at_two_processes_at_once_is_told_to_both_in_one_order(several: Several) -> None:
    talk = Talk(several.signer)
    async with several.two(talk) as (ana, bea):

        async def chatter(speaker: Speaker) -> None:
            for number in range(25):
                await speaker.say(f"{speaker.person.name} {number}")

        await asyncio.gather(chatter(ana), chatter(bea))
        await ana.message(50)
        await bea.message(50)
        assert contents(ana) == contents(bea)
        assert len(set(contents(ana))) == 50
        for name in ("ana", "bea"):
            assert [one for one in contents(ana) if one.startswith(name)] == [f"{name} {n}" for n in range(25)]


async def test_edits_deletions_typing_and_reading_reach_the_other_process(several: Several) -> None:
    talk = Talk(several.signer)
    async with several.two(talk) as (ana, bea):
        said = await ana.said("helo")
        await bea.message(said["seq"])
        await ana.feed.send(type="edit", id=said["id"], content="hello")
        edited = await bea.told("edited")
        assert edited["content"] == "hello"
        await ana.feed.send(type="typing")
        assert (await bea.told("typing"))["by"] == talk.ana.id
        await bea.feed.send(type="read", seq=said["seq"])
        assert (await ana.told("read"))["seq"] == said["seq"]
        await ana.feed.send(type="delete", id=said["id"])
        await bea.told("deleted")


async def test_a_message_sent_again_at_another_process_is_stored_once(several: Several) -> None:
    talk = Talk(several.signer)
    async with several.two(talk) as (ana, bea):
        said = await ana.said("once", clientId="c-again")
        async with several.connect(1, talk, talk.ana) as again:
            await again.say("once", clientId="c-again")
            assert (await again.answer("c-again"))["seq"] == said["seq"]
        after = await bea.said("the next")
        assert after["seq"] == said["seq"] + 1


async def test_while_the_bus_is_away_what_is_said_comes_through_the_database(several: Several) -> None:
    talk = Talk(several.signer)
    async with several.two(talk) as (ana, bea):
        await several.redis.kill()
        said = await ana.said("can you hear me")
        assert (await bea.message(said["seq"]))["content"] == "can you hear me"
        await several.redis.start()
        await until(lambda: all(bus.is_up for bus in several.buses))
        answered = await bea.said("I can")
        assert (await ana.message(answered["seq"]))["content"] == "I can"
        assert contents(ana) == contents(bea)


async def test_a_line_of_the_film_that_both_hear_is_written_once(several: Several) -> None:
    talk, alone = Talk(several.signer), Talk(several.signer)
    hint: dict[str, Any] = {"revision": 7, "event": "paused", "by": talk.ana.id, "name": "ana", "position": 61.0}
    async with several.two(talk) as (ana, bea), several.connect(1, alone, alone.bea) as other:
        several.buses[0].publish("playback-lines", {"sessionId": talk.id, **hint})
        several.buses[0].publish("playback-lines", {"sessionId": alone.id, **hint, "to": None})
        await ana.message(1)
        await bea.message(1)
        await other.message(1)
        several.buses[0].publish("playback-lines", {"sessionId": new_id("ses"), **hint})
        said = await ana.said("and now?")
        assert said["seq"] == 2
        assert contents(bea)[0] == "ana paused"
