"""What is said: acknowledged, told to all, in one order, once."""

import asyncio

import pytest

from tests.journeys.wire import RECORD_TIME
from tests.server.services.messages.deployment import Deployment

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_what_one_says_is_acknowledged_and_told_to_both(shared: Deployment) -> None:
    talk = shared.talk()
    async with shared.both(talk) as (ana, bea):
        client_id = await ana.say("hello", position=12.5)
        ack = await ana.answer(client_id)
        assert (ack["type"], ack["seq"]) == ("ack", 1)
        message = await bea.message(1)
        assert await ana.message(1) == message
        assert RECORD_TIME.fullmatch(message.pop("time"))
        assert message == {
            "id": ack["id"], "sessionId": talk.id, "seq": 1, "author": talk.ana.id, "authorName": "ana", "type": "text",
            "content": "hello", "position": 12.5, "clientId": client_id,
        }  # fmt: skip
    assert [frame["type"] for frame in bea.feed.frames] == ["message"]


async def test_numbers_are_dense_when_several_connections_speak_at_once(shared: Deployment) -> None:
    talk = shared.talk()
    async with shared.both(talk) as (ana, bea), shared.both(talk) as (too, again):
        everybody = (ana, bea, too, again)
        named = await asyncio.gather(*(one.say(f"{number}") for number in range(50) for one in everybody))
        for speaker in everybody:
            await speaker.message(len(named))
            assert speaker.seqs == list(range(1, len(named) + 1))
        acks = [frame for one in everybody for frame in one.feed.frames if frame["type"] == "ack"]
    assert sorted(ack["seq"] for ack in acks) == list(range(1, len(named) + 1))


async def test_whoever_resumes_hears_everything_once_and_in_order(shared: Deployment) -> None:
    talk = shared.talk()
    async with shared.both(talk) as (ana, bea):
        for number in range(5):
            await ana.said(f"{number}")
        assert (await bea.resume(0)).items() >= {"seq": 5, "changes": 0}.items()
        async with shared.speaker(talk, talk.bea) as late:
            assert await late.resume(2)
            await ana.said("live")
            await late.message(6)
            assert late.seqs == [3, 4, 5, 6]
