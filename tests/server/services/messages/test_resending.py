"""The same `clientId` once more: acknowledged again and stored once, whatever has happened in between."""

import asyncio
from typing import Any

import httpx2
import pytest

from tests.server.services.messages.deployment import Deployment

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_the_same_again_is_acknowledged_again_and_told_once(shared: Deployment) -> None:
    talk = shared.talk()
    async with shared.both(talk) as (ana, bea):
        first = await ana.answer(await ana.say("hello", clientId="mine"))
        await bea.said("between")
        since = ana.feed.mark
        await ana.say("hello", clientId="mine")
        assert await ana.answer("mine", since=since) == first
        await bea.said("after")
        await ana.message(3)
        assert ana.seqs == bea.seqs == [1, 2, 3]
    assert len(await shared.documents(talk, 4)) == 3


async def test_many_at_once_are_one(shared: Deployment) -> None:
    talk = shared.talk()
    async with shared.both(talk) as (ana, _), shared.speaker(talk, talk.ana) as too:
        await asyncio.gather(*(one.say("hello", clientId="mine") for one in (ana, too) for _ in range(10)))
        posts = [shared.post(talk, talk.ana, {"content": "hello", "clientId": "mine"}) for _ in range(5)]
        posted = await asyncio.gather(*posts)
        assert {one["message"]["seq"] for one in posted} == {1}
        await ana.said("end")
        acks = [frame for frame in ana.feed.frames if frame["type"] == "ack" and frame["clientId"] == "mine"]
        assert len(acks) == 10
        assert {ack["seq"] for ack in acks} == {1}
    assert len(await shared.documents(talk, 3)) == 2


@pytest.mark.parametrize("key", ["mine", "k" * 200])
async def test_an_idempotency_key_stands_for_a_client_id_where_there_is_none(shared: Deployment, key: str) -> None:
    talk = shared.talk()

    async def say(content: str, *, expect: int = 201, **more: str) -> Any:
        headers = {"Idempotency-Key": key}
        token = talk.ana.ticket
        body = {"content": content, **more}
        return (await shared.rest.call("POST", talk.path, body, token=token, headers=headers, expect=expect)).body

    first = await say("hello")
    assert await say("hello") == first
    assert (await say("else", expect=409))["type"].endswith("client-id-reused")
    assert (await say("else", clientId="other"))["message"]["seq"] == 2


@pytest.mark.parametrize("key", [b"", b"k" * 201, b"\xff" * 100, b"tab\there"])
async def test_an_idempotency_key_that_does_not_fit_is_refused(shared: Deployment, key: bytes) -> None:
    talk = shared.talk()
    headers = {b"Idempotency-Key": key, b"Authorization": b"Bearer " + talk.ana.ticket.encode()}
    async with httpx2.AsyncClient() as client:
        answer = await client.post(shared.address.url + talk.path, json={"content": "hello"}, headers=headers)
    assert answer.status_code == 422
    assert [one["field"] for one in answer.json()["errors"]] == ["Idempotency-Key"]


@pytest.mark.parametrize("other", [{"content": "else"}, {"kind": "action"}])
async def test_something_else_under_the_same_client_id_is_refused(shared: Deployment, other: dict[str, object]) -> None:
    talk = shared.talk()
    said: dict[str, object] = {"content": "hello", "kind": "text", "position": 1.0, "clientId": "mine"}
    async with shared.both(talk) as (ana, _):
        await ana.feed.send(type="message", **said)
        await ana.message(1)
        error = await ana.error(type="message", **(said | other))
        assert (error["code"], error["replyTo"]) == ("client-id-reused", "mine")
        assert (await shared.post(talk, talk.ana, said | other, expect=409))["type"].endswith("client-id-reused")
        assert (await ana.said("next"))["seq"] == 2


@pytest.mark.parametrize("position", [2.0, None])
async def test_who_measures_the_position_anew_for_a_resend_says_the_same_again(
    shared: Deployment, position: float | None
) -> None:
    talk = shared.talk()
    async with shared.both(talk) as (ana, _):
        first = await ana.answer(await ana.say("hello", clientId="mine", position=1.0))
        since = ana.feed.mark
        await ana.say("hello", clientId="mine", position=position)
        assert await ana.answer("mine", since=since) == first
        again = (await shared.post(talk, talk.ana, {"content": "hello", "clientId": "mine"}))["message"]
        assert (again["id"], again["position"]) == (first["id"], 1.0)


async def test_what_the_film_was_at_is_no_difference(shared: Deployment) -> None:
    talk = shared.talk()
    async with shared.both(talk) as (ana, _):
        await ana.said("hello", clientId="mine")
        shared.bus.publish("playback", {"sessionId": talk.id, "position": 40.25, "length": 600.0})
        again = await shared.post(talk, talk.ana, {"content": "hello", "clientId": "mine"})
        assert (again["message"]["seq"], again["message"]["position"]) == (1, None)


async def test_the_same_client_id_of_somebody_else_or_elsewhere_is_another_message(shared: Deployment) -> None:
    talk, other = shared.talk(), shared.talk()
    async with shared.both(talk) as (ana, bea):
        assert (await ana.said("a", clientId="mine"))["seq"] == 1
        assert (await bea.said("b", clientId="mine"))["seq"] == 2
    assert (await shared.post(other, other.ana, {"content": "c", "clientId": "mine"}))["message"]["seq"] == 1


@pytest.mark.parametrize("kind", ["edit", "delete"])
async def test_what_was_changed_meanwhile_stays_changed(shared: Deployment, kind: str) -> None:
    talk = shared.talk()
    async with shared.both(talk) as (ana, _):
        message = await ana.said("hello", clientId="mine")
        await ana.feed.send(type=kind, id=message["id"], content="changed")
        await ana.told(f"{kind}ed" if kind == "edit" else "deleted")
        since = ana.feed.mark
        await ana.say("hello", clientId="mine")
        assert (await ana.answer("mine", since=since))["seq"] == 1
        again = (await shared.post(talk, talk.ana, {"content": "hello", "clientId": "mine"}))["message"]
        assert again["content"] == ("changed" if kind == "edit" else "")


async def test_a_resend_to_a_room_that_has_left_memory_is_known(shared: Deployment) -> None:
    talk = shared.talk()
    first = (await shared.post(talk, talk.ana, {"content": "hello", "clientId": "mine"}))["message"]
    await shared.post(talk, talk.bea, {"content": "between"})
    del shared.service._handler._rooms[talk.id]
    assert (await shared.post(talk, talk.ana, {"content": "hello", "clientId": "mine"}))["message"] == first
    assert (await shared.post(talk, talk.ana, {"content": "next"}))["message"]["seq"] == 3


async def test_the_same_to_two_services_on_one_database_is_stored_once(shared: Deployment) -> None:
    talk = shared.talk()
    async with shared.another() as other, shared.both(talk) as (ana, _), other.speaker(talk, talk.ana) as elsewhere:
        for number in range(20):
            name = f"mine{number}"
            await asyncio.gather(ana.say("hello", clientId=name), elsewhere.say("hello", clientId=name))
            answers = await asyncio.gather(ana.answer(name), elsewhere.answer(name))
            assert answers[0] == answers[1]
            assert answers[0]["seq"] == number + 1
        assert ana.seqs == list(range(1, 21))
        await elsewhere.message(20)
        assert elsewhere.seqs == list(range(1, 21))
