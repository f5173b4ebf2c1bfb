"""The feed and the calls: who is let in, what is no frame, rooms that leave memory, messages that are gone."""

from typing import Any

import pytest

from dateflicks.server.services.messages import handler as module
from dateflicks.server.services.messages.records import MESSAGES
from tests.journeys.wire import open_feed, refusal
from tests.server.services.messages.deployment import Deployment
from tests.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_nobody_hears_or_speaks_without_a_place(shared: Deployment) -> None:
    talk, other = shared.talk(), shared.talk()
    gone = talk.person("cem", lifetime_seconds=-1.0)
    async with shared.both(talk) as (ana, _):
        await ana.said("between us")
        for bearer, status in (
            (None, 401), ("nonsense", 401), (gone.ticket, 401), (other.ana.ticket, 403), (other.ana.token, 403),
        ):  # fmt: skip
            assert await refusal(shared.address, f"{talk.path}/events", bearer) == status
            for method, body in (("GET", None), ("POST", {"content": "x"})):
                await shared.rest.call(method, talk.path, body, token=bearer, expect=status)
        assert (await ana.said("still"))["seq"] == 2
        assert ana.seqs == [1, 2]


async def test_a_user_token_is_enough_for_who_has_shown_their_ticket(shared: Deployment) -> None:
    talk = shared.talk()
    await shared.rest.call("GET", talk.path, token=talk.bea.token, expect=403)
    await shared.page(talk)
    assert (await shared.rest.call("GET", talk.path, token=talk.ana.token)).body["items"] == []
    async with open_feed(shared.address, f"{talk.path}/events", talk.ana.token, by_subprotocol=True) as feed:
        assert feed.socket.subprotocol == "dateflicks.v1"
        await feed.send(type="resume", after=0)
        await feed.expect(lambda frame: frame["type"] == "resumed", "resumed")


async def test_a_page_that_may_not_is_told_by_a_close_code(shared: Deployment) -> None:
    talk, other = shared.talk(), shared.talk()
    async with open_feed(shared.address, f"{talk.path}/events", other.ana.ticket, by_subprotocol=True) as feed:
        assert await feed.expect_closed() == 4403


@pytest.mark.slow
async def test_the_feed_ends_with_the_ticket(shared: Deployment) -> None:
    talk = shared.talk()
    late = talk.person("cem", lifetime_seconds=3.0)
    async with shared.speaker(talk, late) as cem:
        assert await cem.feed.expect_closed(within=30.0) == 4401


@pytest.mark.parametrize(
    ("frame", "code", "reply_to"),
    [
        ({"type": "message", "content": "x"}, "invalid", "message"),
        ({"type": "message", "clientId": "mine"}, "invalid", "mine"),
        ({"type": "message", "clientId": "x" * 65, "content": "x"}, "invalid", "message"),
        ({"type": "ack", "clientId": "mine", "id": "x", "seq": 1}, "unknown-type", "mine"),
        ({"type": "resume"}, "invalid", "resume"),
        ({"type": "resume", "after": -1}, "invalid", "resume"),
        ({"type": "resume", "after": 0.5}, "invalid", "resume"),
        ({"type": "read", "seq": "1"}, "invalid", "read"),
        ({"type": "edit", "id": "x"}, "invalid", "edit"),
        ({"type": "delete"}, "invalid", "delete"),
        ({"type": "ping", "t0": 1}, "unknown-type", "ping"),
    ],
)
async def test_what_is_wrong_with_a_frame_is_told_and_the_connection_stays(
    shared: Deployment, frame: dict[str, Any], code: str, reply_to: str
) -> None:
    async with shared.both() as (ana, bea):
        error = await ana.error(**frame)
        assert (error["code"], error["replyTo"]) == (code, reply_to)
        await ana.said("goes on")
        assert await bea.message(1)


async def test_half_a_character_is_no_text(shared: Deployment) -> None:
    talk = shared.talk()
    for field in ("content", "clientId"):
        said = {"type": "message", "clientId": "mine", "content": "x"} | {field: "\ud800"}
        async with shared.both(talk) as (ana, _):
            await ana.feed.send(**said)
            assert await ana.feed.expect_closed() == 4400
    assert await shared.page(talk) == {"items": [], "next": None}


async def test_what_is_said_in_one_session_is_heard_in_no_other(shared: Deployment) -> None:
    async with shared.both() as (ana, _), shared.both() as (cem, _):
        await ana.said("here")
        await cem.said("there")
        assert [one["content"] for one in ana.messages] == ["here"]
        assert [one["content"] for one in cem.messages] == ["there"]


async def test_a_room_with_nobody_there_leaves_memory_and_comes_back_as_it_was(
    shared: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    talk, busy = shared.talk(), shared.talk()
    handler = shared.service._handler
    async with shared.both(busy) as (ana, _):
        async with shared.both(talk) as (cem, _):
            await cem.said("one")
        await until(lambda: not handler._rooms[talk.id].seats, "both are gone")
        handler.sweep()
        assert talk.id in handler._rooms
        monkeypatch.setattr(handler, "_monotonic", lambda: float("inf"))
        handler.sweep()
        assert talk.id not in handler._rooms
        assert busy.id in handler._rooms
        monkeypatch.undo()
        assert (await shared.post(talk, talk.ana, {"content": "two"}))["message"]["seq"] == 2
        assert (await ana.said("x"))["seq"] == 1


async def test_there_are_only_so_many_rooms_in_memory(shared: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
    handler = shared.service._handler
    async with shared.both() as (ana, _):
        monkeypatch.setattr(module, "ROOMS_MAX", len(handler._rooms) + 2)
        for _ in range(5):
            await shared.page(shared.talk())
        assert len(handler._rooms) <= module.ROOMS_MAX
        assert (await ana.said("x"))["seq"] == 1


@pytest.mark.parametrize("missing", [1, 2, 3])
async def test_what_somebody_has_taken_out_of_the_database_keeps_nobody_from_the_rest(
    shared: Deployment, missing: int
) -> None:
    talk = shared.talk()
    async with shared.both(talk) as (ana, _):
        for number in range(3):
            await ana.said(f"{number}")
        assert await shared.database.table(MESSAGES).delete(f"{talk.id}:{missing:012d}")
        async with shared.speaker(talk, talk.ana) as late:
            resumed = await late.resume(0)
            assert resumed["seq"] == 3
            assert late.seqs == [number for number in (1, 2, 3) if number != missing]
