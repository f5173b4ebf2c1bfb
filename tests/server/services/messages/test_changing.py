"""Edits and deletions: of one's own only, told to all, and nothing is left of what was before."""

import json
from typing import Any

import pytest

from dateflicks.protocol.ids import new_id
from dateflicks.server.services.messages.records import CHANGES
from tests.journeys.wire import RECORD_TIME
from tests.server.services.messages.deployment import Deployment

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_an_edit_is_told_to_all_and_what_was_before_is_gone(shared: Deployment) -> None:
    talk = shared.talk()
    async with shared.both(talk) as (ana, bea):
        message = await ana.said("a secret")
        await ana.feed.send(type="edit", id=message["id"], content="  something \x1b[2Jelse ")
        edited = await bea.told("edited")
        assert edited == await ana.told("edited")
        assert RECORD_TIME.fullmatch(edited.pop("editedAt"))
        assert edited == {"type": "edited", "id": message["id"], "seq": 1, "content": "  something else", "change": 1}
        kept = (await shared.page(talk))["items"]
        assert [(one["content"], "editedAt" in one) for one in kept] == [("  something else", True)]
    assert "secret" not in str(await shared.documents(talk, 1))


async def test_the_longest_text_may_come_by_an_edit_and_is_told_again_to_who_resumes(shared: Deployment) -> None:
    talk = shared.talk()
    longest = "👩" * 4_000
    async with shared.both(talk) as (ana, bea):
        message = await ana.said("short")
        frame = {"type": "edit", "id": message["id"], "content": longest}
        await ana.feed.send_text(json.dumps(frame, ensure_ascii=False))
        assert (await bea.told("edited"))["content"] == longest
        async with shared.speaker(talk, talk.bea, is_silent=True) as again:
            await again.resume()
            assert (await again.message(1))["content"] == longest


async def test_a_deletion_is_told_to_all_and_the_content_is_gone(shared: Deployment) -> None:
    talk = shared.talk()
    async with shared.both(talk) as (ana, bea):
        await ana.said("before")
        message = await ana.said("a secret")
        await ana.feed.send(type="delete", id=message["id"])
        deleted = await bea.told("deleted")
        assert RECORD_TIME.fullmatch(deleted.pop("deletedAt"))
        assert deleted == {"type": "deleted", "id": message["id"], "seq": 2, "change": 1}
        kept = (await shared.page(talk))["items"][1]
        assert (kept["content"], kept["seq"]) == ("", 2)
        assert "deletedAt" in kept
        assert (await ana.said("after"))["seq"] == 3
    assert "secret" not in str(await shared.documents(talk, 3))


async def test_deleting_once_more_is_answered_and_told_to_nobody_else(shared: Deployment) -> None:
    async with shared.both() as (ana, bea):
        message = await ana.said("x")
        await ana.feed.send(type="delete", id=message["id"])
        first = await ana.told("deleted")
        since = ana.feed.mark
        await ana.feed.send(type="delete", id=message["id"])
        assert await ana.told("deleted", since=since) == first
        await ana.said("end")
        await bea.message(2)
        assert [frame["type"] for frame in bea.feed.frames] == ["message", "deleted", "message"]


async def test_only_ones_own_can_be_changed(shared: Deployment) -> None:
    talk, other = shared.talk(), shared.talk()
    shared.bus.publish("playback-lines", line(talk.id, talk.ana.id))
    async with shared.both(talk) as (ana, bea):
        await ana.resume(0)
        system = await ana.message(1)
        message = await ana.said("mine")
        elsewhere = (await shared.post(other, other.ana, {"content": "x"}))["message"]
        for frame in ({"type": "edit", "content": "x"}, {"type": "delete"}):
            assert (await bea.error(id=message["id"], **frame))["code"] == "forbidden"
            assert (await ana.error(id=system["id"], **frame))["code"] == "forbidden"
            for unknown in (elsewhere["id"], new_id("msg"), "x", "1"):
                error = await ana.error(id=unknown, **frame)
                assert (error["code"], error["replyTo"]) == ("not-found", frame["type"])
        kept = (await shared.page(talk))["items"]
    assert [one["content"] for one in kept] == ["ana paused", "mine"]


@pytest.mark.parametrize(
    ("content", "code"), [("", "invalid"), (" ", "invalid"), ("x" * 4_001, "invalid"), (7, "invalid")]
)
async def test_an_edit_has_the_limits_of_what_is_said(shared: Deployment, content: Any, code: str) -> None:
    async with shared.both() as (ana, _):
        message = await ana.said("x")
        assert (await ana.error(type="edit", id=message["id"], content=content))["code"] == code


async def test_reactions_and_what_was_deleted_cannot_be_edited(shared: Deployment) -> None:
    async with shared.both() as (ana, _):
        reaction = await ana.said("heart", kind="reaction")
        assert (await ana.error(type="edit", id=reaction["id"], content="x"))["code"] == "invalid"
        await ana.feed.send(type="delete", id=reaction["id"])
        await ana.told("deleted")
        text = await ana.said("x")
        await ana.feed.send(type="delete", id=text["id"])
        await ana.told("deleted", id=text["id"])
        assert (await ana.error(type="edit", id=text["id"], content="x"))["code"] == "deleted"


async def test_an_action_stays_one_line(shared: Deployment) -> None:
    async with shared.both() as (ana, bea):
        action = await ana.said("waves", kind="action")
        await ana.feed.send(type="edit", id=action["id"], content="waves\nagain")
        assert (await bea.told("edited"))["content"] == "waves again"


async def test_changes_are_numbered_and_what_was_missed_is_told_to_who_resumes_with_them(shared: Deployment) -> None:
    talk = shared.talk()
    async with shared.both(talk) as (ana, bea):
        messages = [await ana.said(f"{number}") for number in range(4)]
        await bea.message(4)
        await bea.resume(4)
        await bea.feed.socket.close()
        await ana.feed.send(type="edit", id=messages[0]["id"], content="zero")
        await ana.feed.send(type="delete", id=messages[1]["id"])
        await ana.feed.send(type="edit", id=messages[0]["id"], content="nought")
        assert (await ana.told("edited", content="nought"))["change"] == 3
        async with shared.speaker(talk, talk.bea) as back:
            assert (await back.resume(4, changes=0)).items() >= {"seq": 4, "changes": 3}.items()
            heard = [(one["type"], one["seq"], one["change"], one.get("content")) for one in back.feed.frames[:-1]]
            assert heard == [("deleted", 2, 2, None), ("edited", 1, 3, "nought")]
            await ana.feed.send(type="edit", id=messages[3]["id"], content="three")
            assert (await back.told("edited", seq=4))["change"] == 4
            assert (await back.resume(4, changes=4))["changes"] == 4
        async with shared.speaker(talk, talk.bea) as fresh:
            assert (await fresh.resume(0))["changes"] == 4
            assert [one["content"] for one in fresh.messages] == ["nought", "", "2", "three"]
            assert [one["type"] for one in fresh.feed.frames] == ["message"] * 4 + ["resumed"]


async def test_an_announced_change_that_never_came_does_no_harm(shared: Deployment) -> None:
    talk = shared.talk()
    async with shared.both(talk) as (ana, _):
        message = await ana.said("x")
        entry = {"_id": f"{talk.id}:{1:012d}", "seq": 1, "sessionId": talk.id, "message": 1}
        await shared.database.table(CHANGES).insert(entry)
        await ana.feed.send(type="edit", id=message["id"], content="y")
        assert (await ana.told("edited"))["change"] == 2
        async with shared.speaker(talk, talk.bea) as bea:
            assert (await bea.resume(1, changes=0))["changes"] == 2
            assert [one["type"] for one in bea.feed.frames] == ["edited", "resumed"]


async def test_a_change_made_through_another_service_is_found_by_who_resumes(shared: Deployment) -> None:
    talk = shared.talk()
    async with shared.another() as other, shared.both(talk) as (ana, bea), other.speaker(talk, talk.ana) as elsewhere:
        message = await ana.said("x")
        await elsewhere.feed.send(type="edit", id=message["id"], content="y")
        await elsewhere.told("edited")
        assert elsewhere.seqs == [1]
        assert (await bea.resume(1, changes=0))["changes"] == 1
        assert (await bea.told("edited"))["content"] == "y"
        await ana.feed.send(type="edit", id=message["id"], content="z")
        assert (await bea.told("edited", content="z"))["change"] == 2


def line(session_id: str, by: str) -> dict[str, Any]:
    return {
        "sessionId": session_id, "revision": 1, "event": "paused", "by": by, "name": "ana", "position": 2.0, "to": None,
    }  # fmt: skip
