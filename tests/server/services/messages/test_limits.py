"""How much one person may say, over all their connections and calls, and what happens when too much waits."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from dateflicks.server.services.messages.room import QUEUE_MAX
from dateflicks.settings.services import MessagesSettings
from tests.server.services.messages.deployment import Deployment, deployed
from tests.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def strict(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Deployment]:
    """Five at once, and one more each hour: no busy machine is slow enough to give one back."""
    settings = MessagesSettings(chat_per_second=1 / 3_600, chat_burst=5)
    async with deployed(tmp_path_factory.mktemp("data"), settings) as deployment:
        yield deployment


async def test_one_person_has_one_measure_over_all_their_connections_and_calls(strict: Deployment) -> None:
    talk = strict.talk()
    async with strict.both(talk) as (ana, bea), strict.speaker(talk, talk.ana) as too:
        message = await ana.said("one")
        await too.said("two")
        await strict.post(talk, talk.ana, {"content": "three"})
        await ana.feed.send(type="edit", id=message["id"], content="first")
        await ana.told("edited")
        await ana.feed.send(type="delete", id=message["id"])
        await ana.told("deleted")
        for error in (
            await ana.error(type="message", clientId="mine", content="x"),
            await too.error(type="message", clientId="mine", content="x"),
        ):
            assert (error["code"], error["replyTo"]) == ("too-many", "mine")
            assert 3_500 < error["retryAfter"] <= 3_600
        assert (await ana.error(type="edit", id=message["id"], content="x"))["code"] == "too-many"
        answer = await strict.rest.call("POST", talk.path, {"content": "x"}, token=talk.ana.ticket, expect=429)
        assert 3_500 < int(answer.headers["retry-after"]) <= 3_600
        assert (await bea.said("the other still can"))["seq"] == 4
        await ana.feed.send(type="read", seq=4)
        await ana.feed.send(type="typing")
        await bea.told("read")
        await bea.told("typing")
        assert (await ana.resume(0))["seq"] == 4


async def test_the_measure_is_of_the_person_and_not_of_the_session(strict: Deployment) -> None:
    talk = strict.talk()
    for number in range(5):
        await strict.post(talk, talk.ana, {"content": f"{number}"})
    await strict.post(talk, talk.ana, {"content": "x"}, expect=429)
    ticket = strict.signer.issue_ticket("ses_other", talk.ana.id, "ana", "host", lifetime_seconds=60.0)
    await strict.rest.call("POST", "/messages/ses_other", {"content": "x"}, token=ticket, expect=429)


async def test_when_too_much_waits_what_comes_is_refused_and_nothing_that_was_taken_is_lost(tmp_path: Path) -> None:
    async with deployed(tmp_path / "data") as own:
        talk = own.talk()
        async with own.both(talk) as (ana, bea):
            room = own.service._handler._rooms[talk.id]
            async with room.lock:
                await ana.say("taken")
                await until(lambda: room.working is not None and not room.queue, "the first one waits for the lock")
                for number in range(QUEUE_MAX):
                    await ana.say(f"{number}")
                error = await ana.error(type="message", clientId="over", content="x")
                assert (error["code"], error["replyTo"]) == ("busy", "over")
                refused = await own.rest.call("POST", talk.path, {"content": "x"}, token=talk.bea.ticket, expect=503)
                assert int(refused.headers["retry-after"]) > 0
                assert len(room.queue) == QUEUE_MAX
            await bea.message(QUEUE_MAX + 1)
            assert [one["content"] for one in bea.messages] == ["taken", *map(str, range(QUEUE_MAX))]
            assert (await ana.said("again", clientId="over"))["seq"] == QUEUE_MAX + 2
