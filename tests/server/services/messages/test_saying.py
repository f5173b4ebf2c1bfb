"""What is said: cleaned, acknowledged, told to all in one order, once; or refused with the reason."""

import asyncio
import json
import uuid
from typing import Any

import pytest

from dateflicks.protocol.ids import new_id
from dateflicks.server.services.messages.records import MESSAGES
from dateflicks.server.services.messages.sequence import DenseSequence
from dateflicks.server.storage.records import Document
from tests.journeys.wire import RECORD_TIME
from tests.server.services.messages.deployment import Deployment
from tests.waiting import until

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
        await asyncio.gather(*(one.answer(name) for name, one in zip(named, everybody * 50, strict=True)))
        acks = [frame for one in everybody for frame in one.feed.frames if frame["type"] == "ack"]
    assert sorted(ack["seq"] for ack in acks) == list(range(1, len(named) + 1))


async def test_whoever_looks_while_another_process_writes_on_finds_a_place_and_tells_what_was_before(
    shared: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    session_id, found = new_id("ses"), list[int]()
    ours, theirs = (
        DenseSequence(shared.database.table(MESSAGES), session_id, tell, unique="messageId")
        for tell in (lambda document: found.append(document["seq"]), lambda _: None)
    )

    async def write(sequence: DenseSequence) -> int:
        stored = await sequence.append({"messageId": new_id("msg"), "sessionId": session_id})
        sequence.advance()
        return int(stored["seq"])

    read_on = ours.read_on

    async def looked() -> list[Document]:
        """What was looked at is out of date by the time that it is known."""
        documents = await read_on()
        await write(theirs)
        return documents

    await write(theirs)
    monkeypatch.setattr(ours, "read_on", looked)
    assert await write(ours) == 3
    assert found == [1, 2]
    assert ours.head == 3


async def test_what_one_connection_says_keeps_its_order(shared: Deployment) -> None:
    talk = shared.talk()
    async with shared.both(talk) as (ana, bea):
        await asyncio.gather(ana.say("x"), bea.say("y"))
        for number in range(100):
            await ana.say(f"{number}")
        await bea.message(102)
        heard = [message["content"] for message in bea.messages if message["content"].isdigit()]
    assert heard == [f"{number}" for number in range(100)]


async def test_a_message_is_one_write_and_no_read(shared: Deployment) -> None:
    async with shared.both() as (ana, bea):
        await ana.said("first")
        await bea.message(1)
        with shared.commands() as commands:
            for number in range(20):
                await ana.said(f"{number}")
                await bea.said(f"{number}")
    assert commands == ["insert"] * 40


async def test_each_kind_is_told_as_what_it_is(shared: Deployment) -> None:
    async with shared.both() as (ana, bea):
        text = await ana.said("one\n\ttwo", kind="text")
        action = await ana.said("waves\nto bea", kind="action")
        reaction = await bea.said("👩‍🚀", kind="reaction", position=3)
    assert (text["type"], text["content"]) == ("text", "one\n\ttwo")
    assert (action["type"], action["content"]) == ("action", "waves to bea")
    assert (reaction["type"], reaction["content"], reaction["position"]) == ("reaction", "👩‍🚀", 3)


async def test_text_has_as_many_lines_as_it_has_room_for(shared: Deployment) -> None:
    lines = "\n".join("x" * 2_000)
    async with shared.both() as (ana, bea):
        assert (await ana.said(lines))["content"] == (await bea.message(1))["content"] == lines


async def test_text_is_cleaned_once_where_it_enters(shared: Deployment) -> None:
    talk = shared.talk()
    async with shared.both(talk) as (ana, bea):
        await ana.say("a\x1b[2Jb\u202ec\x07d\r\ne" + "\u0301" * 50 + "  ")
        heard = (await bea.message(1))["content"]
    assert heard == "abcd\n\u00e9" + "\u0301" * 4
    assert (await shared.documents(talk, 1))[0]["content"] == heard


@pytest.mark.parametrize(
    ("frame", "detail"),
    [
        ({"content": ""}, "content must not be empty"),
        ({"content": " \n\t\u200b\u00a0"}, "content must not be empty"),
        ({"content": "x" * 4_001}, "content must have at most 4000 characters, and has 4001"),
        ({"content": "x" * 33, "kind": "reaction"}, "content must have at most 32 characters, and has 33"),
        ({"content": '"' * 4_000, "clientId": "x", "kind": "text"}, None),
        ({"content": "x", "kind": "system"}, "kind is none of the allowed values"),
        ({"content": "x", "kind": "dance"}, "kind is none of the allowed values"),
        ({"content": 7}, "content must be text, not a whole number"),
        ({"content": "x", "position": -1}, "position must be at least 0"),
        ({"content": "x", "position": 172_801}, "position must be at most 172800"),
        ({"content": "x", "replyTo": "nothing"}, "replyTo is no message of this session"),
        ({"content": "x", "replyTo": new_id("msg")}, "replyTo is no message of this session"),
        ({"content": "x", "clientId": ""}, "clientId must have at least 1 character"),
        ({"content": "x", "clientId": "a\x1b[2J"}, "clientId must have printable characters only"),
    ],
)
async def test_what_does_not_fit_is_refused_with_the_reason_and_the_connection_stays(
    shared: Deployment, frame: dict[str, Any], detail: str | None
) -> None:
    async with shared.both() as (ana, bea):
        sent = {"type": "message", "clientId": "mine"} | frame
        if detail is None:
            await ana.feed.send(**sent)
        else:
            error = await ana.error(**sent)
            assert error["code"] == "invalid"
            assert detail in error["detail"]
            assert error["replyTo"] == (sent["clientId"] or "message")
        await ana.say("goes on")
        assert (await bea.message(1 if detail else 2))["content"] == "goes on"


async def test_the_longest_text_that_there_may_be_is_told_whatever_it_is_written_in(shared: Deployment) -> None:
    talk = shared.talk()
    longest = "👩" * 4_000
    shared.bus.publish("playback", {"sessionId": talk.id, "position": 1234.567, "length": 6_000.0})
    async with shared.both(talk) as (ana, bea):
        frame = {"type": "message", "clientId": str(uuid.uuid4()), "kind": "text", "content": longest}
        await ana.feed.send_text(json.dumps(frame, ensure_ascii=False))
        assert (await ana.answer(frame["clientId"]))["type"] == "ack"
        told = await bea.message(1)
        assert (told["content"], told["position"]) == (longest, 1234.567)


async def test_what_would_not_fit_into_a_frame_when_told_is_refused(shared: Deployment) -> None:
    talk = shared.talk()
    first = (await shared.post(talk, talk.ana, {"content": "a question"}))["message"]
    body = {"content": "👩" * 4_000, "clientId": "m" * 64, "replyTo": first["id"], "position": 1234.567890123}
    answer = await shared.post(talk, talk.ana, body, expect=422)
    assert answer["errors"][0]["field"] == "content"
    assert answer["errors"][0]["message"].startswith("is too long: ")
    async with shared.both(talk) as (ana, _):
        await shared.post(talk, talk.ana, body | {"content": "👩" * 3_980})
        assert len((await ana.message(2))["content"]) == 3_980


async def test_an_answer_names_what_it_answers(shared: Deployment) -> None:
    talk, other = shared.talk(), shared.talk()
    async with shared.both(talk) as (ana, bea):
        first = await ana.said("a question")
        answer = await bea.said("an answer", replyTo=first["id"])
        assert answer["replyTo"] == first["id"]
        async with shared.speaker(other, other.ana) as stranger:
            error = await stranger.error(type="message", clientId="x", content="x", replyTo=first["id"])
            assert error["code"] == "invalid"


async def test_what_has_no_position_has_the_films(shared: Deployment) -> None:
    talk = shared.talk()
    async with shared.both(talk) as (ana, bea):
        assert (await ana.said("before"))["position"] is None
        shared.bus.publish("playback", {"sessionId": talk.id, "position": 40.25, "length": 600.0})
        assert (await ana.said("known"))["position"] == 40.25
        assert (await bea.said("popcorn", kind="reaction"))["position"] == 40.25
        assert (await bea.said("own", position=3))["position"] == 3


# --- by REST ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("is_wrapped", [True, False])
async def test_what_is_said_by_rest_is_told_like_everything_else(shared: Deployment, is_wrapped: bool) -> None:
    talk = shared.talk()
    said = {"content": "hello", "kind": "action", "position": 7.5, "clientId": "mine"}
    async with shared.both(talk) as (ana, bea):
        message = (await shared.post(talk, talk.ana, {"message": said} if is_wrapped else said))["message"]
        assert message == await ana.message(1) == await bea.message(1)
        assert message.items() >= {"seq": 1, "type": "action", "content": "hello", "position": 7.5}.items()
        assert ana.feed.mark == 1  # an ack is for who has sent a frame


@pytest.mark.parametrize("is_wrapped", [True, False])
async def test_by_rest_the_kind_may_be_called_type_as_in_the_message_that_comes_of_it(
    shared: Deployment, is_wrapped: bool
) -> None:
    talk = shared.talk()
    for said, kind in (
        ({"type": "reaction"}, "reaction"),
        ({"type": "message", "kind": "action"}, "action"),  # a frame as it is sent on the socket
        ({"type": "message"}, "text"),
    ):
        body: Any = {"content": "popcorn", **said}
        message = (await shared.post(talk, talk.ana, {"message": body} if is_wrapped else body))["message"]
        assert message["type"] == kind


async def test_without_a_client_id_a_repeated_call_is_a_second_message(shared: Deployment) -> None:
    talk = shared.talk()
    found = [(await shared.post(talk, talk.ana, {"content": "x"}))["message"] for _ in range(2)]
    assert [one["seq"] for one in found] == [1, 2]
    assert found[0]["id"] != found[1]["id"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "message.content"),
        ({"message": {}}, "message.content"),
        ({"message": {"content": "x", "kind": "system"}}, "message.kind"),
        ({"message": {"content": "x", "type": "system"}}, "message.type"),
        ({"content": " "}, "content"),
        ({"content": "x" * 4_001}, "content"),
        ({"content": "x" * 20_000}, "content"),
        ({"content": "x", "replyTo": "x"}, "replyTo"),
    ],
)
async def test_a_call_that_does_not_fit_is_422_with_the_field(
    shared: Deployment, body: dict[str, Any], field: str
) -> None:
    talk = shared.talk()
    assert (await shared.post(talk, talk.ana, body, expect=422))["errors"][0]["field"] == field
    assert (await shared.page(talk))["items"] == []


async def test_a_caller_who_does_not_wait_for_the_answer_has_said_it_all_the_same(shared: Deployment) -> None:
    talk = shared.talk()
    async with shared.both(talk) as (ana, _):
        room = shared.service._handler._rooms[talk.id]
        async with room.lock:
            calling = asyncio.create_task(shared.post(talk, talk.ana, {"content": "hello"}))
            await until(lambda: room.working is not None)
            calling.cancel()
            await asyncio.wait([calling])
        assert (await ana.message(1))["content"] == "hello"
