"""Each service as a process of its own on one data folder: none needs another, and a death loses nothing.

Whoever holds a ticket is served by the messages and prediction services though the session service is gone, and what
either of them acknowledged is there after it was killed at any moment.
"""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.journeys.betting import Bets, call_of
from tests.journeys.deployment import Deployment, Server, running_server
from tests.journeys.people import Crowd, Person, act, invite, ticket_of
from tests.journeys.talk import Talk, Talker, fresh_client_id
from tests.journeys.wire import Json, open_rest, refusal

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]


def stop(server: Server) -> None:
    server.ask_to_stop()
    server.process.wait(20)


@contextlib.contextmanager
def alone(folder: Path, service: str, **variables: str) -> Iterator[tuple[Server, Deployment]]:
    """One service; `variables` are its settings."""
    named = {f"DATEFLICKS_{service.upper()}_{name.upper()}": value for name, value in variables.items()}
    with running_server(folder, service=service, variables=named) as server:
        yield server, Deployment(server.url, is_ours=True)


@dataclass
class Evening:
    """An accepted session, as its two people hold it."""

    session_id: str
    host: Person
    guest: Person
    tickets: dict[str, str]

    @contextlib.asynccontextmanager
    async def talk(self, deployment: Deployment) -> AsyncIterator[Talk]:
        async with open_rest(deployment) as rest:
            yield Talk(deployment, rest, self.session_id, self.host, self.guest, self.tickets)

    @contextlib.asynccontextmanager
    async def bets(self, deployment: Deployment) -> AsyncIterator[Bets]:
        async with self.talk(deployment) as talk:
            yield Bets.among(talk)


async def evening_of(deployment: Deployment) -> Evening:
    crowd = Crowd(deployment)
    host, guest = await crowd.person("host"), await crowd.person("guest")
    async with open_rest(deployment) as rest:
        session = await invite(rest, host, guest)
        await act(rest, guest, session, "accept")
        tickets = {person.id: await ticket_of(rest, person, session["id"]) for person in (host, guest)}
    return Evening(session["id"], host, guest, tickets)


@contextlib.asynccontextmanager
async def begun(folder: Path) -> AsyncIterator[Evening]:
    """An evening whose session service has gone by the time it begins."""
    with alone(folder, "session") as (server, deployment):
        evening = await evening_of(deployment)
        await asyncio.to_thread(stop, server)
    yield evening


async def test_with_the_session_service_gone_all_who_hold_a_ticket_go_on(own_folder: Path) -> None:
    with contextlib.ExitStack() as stack:
        session, deployment = stack.enter_context(alone(own_folder, "session"))
        _, chat = stack.enter_context(alone(own_folder, "messages"))
        _, betting = stack.enter_context(alone(own_folder, "prediction"))
        evening = await evening_of(deployment)
        async with evening.talk(chat) as talk, evening.bets(betting) as bets, talk.both() as (host, guest):
            await host.say("the lights go out")
            await guest.hears("the lights go out")
            async with bets.watcher(bets.host) as one:
                made = await bets.make(bets.host)
                await one.sees(made, status="open")

                await asyncio.to_thread(stop, session)

                # Those who are connected notice nothing.
                await guest.say("and on again")
                await host.hears("and on again")
                await bets.call(bets.guest, made, "yes", 0.8)
                await bets.do(bets.host, made, "lock")
                await one.sees(made, status="locked")
            # Whoever comes now is let in by their ticket, and by their own token once they have shown it.
            async with talk.talker(talk.guest) as newcomer:
                await newcomer.caught_up(0)
                assert newcomer.contents == ["the lights go out", "and on again"]
                await newcomer.say("still here")
                await host.hears("still here")
            assert len(await talk.history(talk.guest)) == 3
            for name, rest in (("messages", talk.rest), ("predictions", bets.rest)):
                await rest.call("GET", f"/{name}/{evening.session_id}", token=evening.guest.token)
            async with bets.watcher(bets.guest) as two:
                await two.sees(made, status="locked")
                await bets.do(bets.host, made, "propose", outcome="yes")
                await bets.do(bets.guest, made, "confirm")
                await two.sees(made, status="settled")
            assert (await bets.standing(bets.host, bets.guest))["right"] == 1
            # And whoever has none is not.
            for address, path in ((chat, talk.path), (betting, bets.path)):
                assert await refusal(address, f"{path}/events", "nonsense") in (401, 4401)


@pytest.mark.parametrize(("service", "path"), [("messages", "/messages/{}"), ("prediction", "/predictions/{}")])
async def test_each_service_alone_tells_of_itself(own_folder: Path, service: str, path: str) -> None:
    with alone(own_folder, service) as (_, deployment):
        async with open_rest(deployment) as rest:
            assert (await rest.call("GET", "/health")).body == {"status": "ok", "service": service, "database": "ok"}
            assert "# TYPE " in (await rest.call("GET", "/metrics")).text
            assert service in (await rest.call("GET", "/services")).text
            described = (await rest.call("GET", "/docs/openapi.json")).body["paths"]
            assert {"/".join("{}" if "{" in part else part for part in one.split("/")) for one in described} >= {path}
            assert not any("/sessions" in one or "/timecodes" in one for one in described)
            await rest.call("GET", "/sessions", expect=(401, 404))


@pytest.mark.long
async def test_one_service_that_stops_takes_none_of_the_others_with_it(own_folder: Path) -> None:
    async with begun(own_folder) as evening:
        with contextlib.ExitStack() as stack:
            messages, chat = stack.enter_context(alone(own_folder, "messages"))
            _, betting = stack.enter_context(alone(own_folder, "prediction"))
            async with evening.talk(chat) as talk, evening.bets(betting) as bets:
                async with talk.talker(talk.host, in_order=False) as host:
                    ack = await host.say("good night")
                    await asyncio.to_thread(stop, messages)
                    assert await host.feed.expect_closed() == 1012
                made = await bets.make(bets.host)
                await bets.call(bets.guest, made, "yes", 0.8)
                assert (await bets.settle(made, "yes"))["status"] == "settled"
        with alone(own_folder, "messages") as (_, chat):
            async with evening.talk(chat) as talk:
                assert [one["id"] for one in await talk.history()] == [ack["id"]]


@pytest.mark.long  # in every run the tests of the service do it
async def test_a_conversation_survives_the_death_of_its_service_at_any_moment(own_folder: Path) -> None:
    chance = random.Random(20_261_125)
    said: dict[str, str] = {}  # what was sent, by the name its sender gave it
    acknowledged: dict[str, Json] = {}
    reached = {"host": 0, "guest": 0}
    seen: dict[str, list[Json]] = {"host": [], "guest": []}

    async def speak(one: Talker, name: str, until: asyncio.Event) -> None:
        """Talk, each time after the last was acknowledged, and say again first what was not."""
        open_ends = [client_id for client_id, text in said.items() if client_id not in acknowledged and name in text]
        with contextlib.suppress(Exception):  # the connection is cut in the middle of anything
            while not until.is_set():
                client_id = open_ends.pop(0) if open_ends else fresh_client_id()
                text = said.setdefault(client_id, f"{name} {len(said)}")
                acknowledged[client_id] = await one.say(text, client_id)

    async def take(one: Talker, name: str) -> None:
        for message in one.heard:
            if message["seq"] == reached[name] + 1:
                reached[name] += 1
                seen[name].append(message)

    async with begun(own_folder) as evening:
        for _ in range(4):
            with alone(own_folder, "messages", chat_per_second="1000", chat_burst="1000") as (server, chat):
                async with evening.talk(chat) as talk, contextlib.AsyncExitStack() as stack:
                    talkers = {
                        name: await stack.enter_async_context(talk.talker(person, in_order=False))
                        for name, person in (("host", talk.host), ("guest", talk.guest))
                    }
                    for name, one in talkers.items():
                        await one.resume(reached[name])
                    until = asyncio.Event()
                    speaking = [asyncio.create_task(speak(one, name, until)) for name, one in talkers.items()]
                    before = len(acknowledged)
                    async with asyncio.timeout(60):
                        while len(acknowledged) < before + chance.randint(5, 15):  # noqa: ASYNC110 - any moment will do
                            await asyncio.sleep(0.002)
                    await asyncio.to_thread(server.kill)
                    for one in talkers.values():
                        await one.feed.expect_closed()
                    until.set()
                    await asyncio.gather(*speaking)
                    for name, one in talkers.items():
                        await take(one, name)
        with alone(own_folder, "messages") as (_, chat):
            async with evening.talk(chat) as talk:
                history = await talk.history()
                for name, person in (("host", talk.host), ("guest", talk.guest)):
                    async with talk.talker(person) as one:
                        await one.caught_up(reached[name])
                        await take(one, name)
                    assert seen[name] == history
    kept = {message["id"]: message for message in history}
    assert len(kept) == len(history)
    for client_id, ack in acknowledged.items():
        message = kept[ack["id"]]
        assert (message["seq"], message["content"]) == (ack["seq"], said[client_id])
    assert len({message["content"] for message in history}) == len(history), "something was stored twice"
    assert {message["content"] for message in history} <= set(said.values())


@pytest.mark.long  # in every run the tests of the service do it
async def test_a_prediction_survives_the_death_of_its_service_after_every_step(own_folder: Path) -> None:
    async with begun(own_folder) as evening:

        @contextlib.asynccontextmanager
        async def until_killed() -> AsyncIterator[Bets]:
            with alone(own_folder, "prediction") as (server, betting):
                async with evening.bets(betting) as bets:
                    yield bets
                    await asyncio.to_thread(server.kill)

        async with until_killed() as bets:
            made = await bets.make(bets.host, "He did it", clientId="p-1")
        async with until_killed() as bets:
            again = await bets.ask(
                bets.host, "", {"prediction": {"details": "He did it", "clientId": "p-1"}}, (200, 201)
            )
            assert again.body["prediction"]["id"] == made["id"]
            called = call_of(await bets.call(bets.host, made, "yes", 0.9), bets.host)
            await bets.call(bets.guest, made, "no", 0.6)
        async with until_killed() as bets:
            sealed = call_of(await bets.read(bets.guest, made), bets.host)
            assert (sealed["commitment"], sealed.get("option")) == (called["commitment"], None)
            await bets.do(bets.guest, made, "lock")
        async with until_killed() as bets:
            seen = await bets.read(bets.guest, made)
            assert seen["status"] == "locked"
            assert call_of(seen, bets.host)["commitment"] == called["commitment"]
            await bets.do(bets.guest, made, "call", option="yes", confidence=1, expect=409)
            await bets.do(bets.host, made, "propose", outcome="yes")
        async with until_killed() as bets:
            assert (await bets.read(bets.guest, made))["proposedBy"] == bets.host.id
            settled = await bets.do(bets.guest, made, "confirm")
            scores = await bets.scores(bets.host)
        async with until_killed() as bets:
            assert await bets.read(bets.guest, made) == settled
            again = await bets.ask(bets.guest, f"/{made['id']}/confirm", {}, 200)
            assert again.body["prediction"] == settled
            assert await bets.scores(bets.host) == scores
            path = f"/predictions/scores?with={bets.guest.id}"
            table = (await bets.rest.call("GET", path, token=bets.tickets[bets.host.id])).body
            assert table["predictions"] == 1
            assert {one["userId"]: one["calls"] for one in table["items"]} == {bets.host.id: 1, bets.guest.id: 1}


async def test_a_confirmation_whose_answer_was_lost_counts_once(own_folder: Path) -> None:
    async with begun(own_folder) as evening:
        settled: list[Json] = []
        for number in range(3):
            with alone(own_folder, "prediction") as (server, betting):
                async with evening.bets(betting) as bets:
                    for one in settled:  # asked again by one who has no answer
                        assert (await bets.do(bets.guest, one, "confirm", expect=(200, 409)))["status"] in (
                            "settled",
                            409,
                        )
                    made = await bets.make(bets.host, f"thing {number}")
                    await bets.call(bets.guest, made, "yes", 0.8)
                    await bets.do(bets.host, made, "lock")
                    await bets.do(bets.host, made, "propose", outcome="yes")
                    confirming = asyncio.create_task(bets.do(bets.guest, made, "confirm"))
                    await asyncio.sleep(0.004 * number)
                    await asyncio.to_thread(server.kill)
                    with contextlib.suppress(Exception):
                        await confirming
                    settled.append(made)
        with alone(own_folder, "prediction") as (_, betting):
            async with evening.bets(betting) as bets:
                for made in settled:
                    await bets.do(bets.guest, made, "confirm")
                assert (await bets.scores(bets.host))["predictions"] == 3
                path = f"/predictions/scores?with={bets.host.id}"
                table = (await bets.rest.call("GET", path, token=bets.tickets[bets.guest.id])).body
                assert table["predictions"] == 3
                assert (await bets.standing(bets.host, bets.guest))["calls"] == 3


@pytest.mark.long
async def test_an_unanswered_outcome_is_void_also_when_its_minute_ran_out_while_the_service_was_dead(
    own_folder: Path,
) -> None:
    async with begun(own_folder) as evening:
        with alone(own_folder, "prediction", confirm_seconds="2") as (server, betting):
            async with evening.bets(betting) as bets:
                made = await bets.make(bets.host)
                await bets.call(bets.guest, made, "yes", 0.8)
                await bets.do(bets.host, made, "lock")
                await bets.do(bets.host, made, "propose", outcome="yes")
                await asyncio.to_thread(server.kill)
        with alone(own_folder, "prediction", confirm_seconds="2") as (_, betting):
            async with evening.bets(betting) as bets, bets.watcher(bets.host) as host:
                seen = await host.sees(made, status="void", within=30.0)
                assert seen["outcome"] is None
