"""Who has read how far, and who is writing: told to the others, never to oneself."""

import pytest

from dateflicks.server.services.messages.marks import PEOPLE_MAX, ReadMarks
from dateflicks.server.services.messages.records import MARKS
from tests.server.services.messages.deployment import Deployment

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_a_mark_is_told_to_the_others_and_only_grows(shared: Deployment) -> None:
    async with shared.both() as (ana, bea):
        for number in range(4):
            await ana.said(f"{number}")
        for seq in (2, 1, 2, 0, 3):
            await bea.feed.send(type="read", seq=seq)
        await ana.told("read", seq=3)
        told = [frame for frame in ana.feed.frames if frame["type"] == "read"]
        assert told == [{"type": "read", "by": bea.person.id, "seq": seq} for seq in (2, 3)]
        assert not [frame for frame in bea.feed.frames if frame["type"] == "read"]


async def test_nobody_has_read_what_was_not_said_yet(shared: Deployment) -> None:
    async with shared.both() as (ana, bea):
        await ana.said("x")
        await bea.feed.send(type="read", seq=2**53)
        assert (await ana.told("read"))["seq"] == 1
        assert (await bea.error(type="read", seq=-1))["code"] == "invalid"


async def test_whoever_resumes_is_told_the_marks_of_the_others_behind_everything_else(shared: Deployment) -> None:
    talk = shared.talk()
    async with shared.both(talk) as (ana, bea):
        await ana.said("x")
        await ana.said("y")
        await bea.feed.send(type="read", seq=2)
        await ana.feed.send(type="read", seq=1)
        await bea.told("read", by=ana.person.id)
        async with shared.speaker(talk, talk.ana) as late:
            await late.resume(0)
            assert await late.told("read") == {"type": "read", "by": bea.person.id, "seq": 2}
            assert [frame["type"] for frame in late.feed.frames] == ["message", "message", "resumed", "read"]


async def test_marks_are_kept(shared: Deployment) -> None:
    talk = shared.talk()
    async with shared.both(talk) as (ana, bea):
        await ana.said("x")
        await bea.feed.send(type="read", seq=1)
        await ana.told("read")
    assert await shared.service._marks.flush(30.0) == 0
    document = await shared.database.table(MARKS).get(talk.id)
    assert document is not None
    assert document["people"] == [{"userId": talk.bea.id, "seq": 1}]
    async with shared.another() as other, other.speaker(talk, talk.ana) as late:
        await late.resume(1)
        assert (await late.told("read"))["seq"] == 1


async def test_of_those_who_read_elsewhere_too_only_the_last_are_known(shared: Deployment) -> None:
    marks = ReadMarks(shared.talk().id, shared.service._marks)
    for number in range(PEOPLE_MAX + 10):
        assert marks.hear(f"usr_{number}", 1)
    assert [user_id for user_id, _ in marks.others("")] == [f"usr_{number}" for number in range(10, PEOPLE_MAX + 10)]


async def test_typing_is_told_to_the_others_and_kept_nowhere(shared: Deployment) -> None:
    talk = shared.talk()
    async with shared.both(talk) as (ana, bea), shared.speaker(talk, talk.ana) as too:
        await ana.feed.send(type="typing")
        assert await bea.told("typing") == {"type": "typing", "by": talk.ana.id, "name": "ana"}
        await ana.said("x")
        await too.message(1)
        assert [frame["type"] for frame in too.feed.frames] == ["message"]
        assert [frame["type"] for frame in ana.feed.frames if frame["type"] != "ack"] == ["message"]
    assert (await shared.page(talk))["items"][0]["content"] == "x"
