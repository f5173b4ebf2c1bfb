"""The calls: a timecode is made, read, corrected and deleted by those whose session it is."""

import asyncio
from typing import Any

import pytest

from tests.journeys.wire import RECORD_TIME
from tests.server.services.timecode.deployment import Deployment, Evening, play_from

pytestmark = pytest.mark.asyncio(loop_scope="module")


def creation(evening: Evening, length: Any = 5_400.0) -> dict[str, Any]:
    return {"timecode": {"sessionId": evening.id, "length": length}}


def correction(length: Any) -> dict[str, Any]:
    return {"timecode": {"length": length}}


async def test_a_timecode_is_made_at_stop_and_kept(shared: Deployment) -> None:
    evening = shared.evening()
    made = await shared.call("POST", "/timecodes", evening.ticket("host"), creation(evening), expect=201)
    timecode = made["timecode"]
    assert RECORD_TIME.fullmatch(timecode.pop("lastStatusChange"))
    stop = {"sessionId": evening.id, "length": 5_400, "currentPosition": 0, "status": "stop", "revision": 0}
    assert timecode == stop
    assert (await shared.call("GET", evening.path, evening.ticket("guest")))["timecode"].items() >= stop.items()
    document = await shared.document(evening.id)
    assert document is not None
    assert (
        document.items() >= {"sessionId": evening.id, "length": 5_400, "currentPosition": 0, "status": "stop"}.items()
    )


async def test_it_is_made_once_whoever_asks(shared: Deployment) -> None:
    evening = shared.evening()
    answers = await asyncio.gather(
        *(
            shared.rest.call("POST", "/timecodes", creation(evening), token=evening.ticket(role), expect=(201, 409))
            for role in ("host", "guest", "host", "guest")
        )
    )
    assert sorted(answer.status for answer in answers) == [201, 409, 409, 409]


async def test_without_a_token_nothing_is_told(shared: Deployment) -> None:
    evening = shared.evening()
    await shared.call("POST", "/timecodes", evening.ticket("host"), creation(evening), expect=201)
    for bearer in (None, "nonsense", evening.ticket("host", lifetime_seconds=-1.0)):
        await shared.call("POST", "/timecodes", bearer, creation(evening), expect=401)
        await shared.call("GET", evening.path, bearer, expect=401)
        await shared.call("PATCH", evening.path, bearer, correction(1), expect=401)
        await shared.call("DELETE", evening.path, bearer, expect=401)
    assert (await shared.call("GET", evening.path, evening.ticket("host")))["timecode"]["length"] == 5_400


async def test_the_ticket_of_another_session_opens_nothing(shared: Deployment) -> None:
    evening, other = shared.evening(), shared.evening()
    await shared.call("POST", "/timecodes", other.ticket("host"), creation(evening), expect=403)
    await shared.call("POST", "/timecodes", evening.ticket("host"), creation(evening), expect=201)
    await shared.call("GET", evening.path, other.ticket("host"), expect=403)
    await shared.call("PATCH", evening.path, other.ticket("host"), correction(1), expect=403)
    await shared.call("DELETE", evening.path, other.ticket("host"), expect=403)
    assert (await shared.call("GET", evening.path, evening.ticket("host")))["timecode"]["length"] == 5_400


@pytest.mark.parametrize("length", [-0.001, 172_800.001, "long", None, True, [5_400]])
async def test_a_length_that_is_none_does_not_fit(shared: Deployment, length: Any) -> None:
    evening = shared.evening()
    ticket = evening.ticket("host")
    refused = await shared.call("POST", "/timecodes", ticket, creation(evening, length), expect=422)
    assert [one["field"] for one in refused["errors"]] == ["timecode.length"]
    await shared.call("GET", evening.path, ticket, expect=404)
    await shared.call("POST", "/timecodes", ticket, creation(evening), expect=201)
    await shared.call("PATCH", evening.path, ticket, correction(length), expect=422)
    assert (await shared.call("GET", evening.path, ticket))["timecode"]["length"] == 5_400


@pytest.mark.parametrize("length", [0, 172_800])
async def test_the_limits_of_a_length_fit(shared: Deployment, length: float) -> None:
    evening = shared.evening()
    made = await shared.call("POST", "/timecodes", evening.ticket("host"), creation(evening, length), expect=201)
    assert made["timecode"]["length"] == length


async def test_a_corrected_length_is_told_to_those_who_watch_and_kept(shared: Deployment) -> None:
    evening = shared.evening()
    async with shared.room(evening) as room:
        before = room.host.latest
        changed = await shared.call("PATCH", evening.path, evening.ticket("guest"), correction(90))
        told = await room.both(lambda frame: frame["length"] == 90, "new length", after=before)
        assert changed["timecode"]["revision"] == told["revision"] == before["revision"] + 1
        await shared.settled()
        with shared.writes() as written:  # the same again is no change
            await shared.call("PATCH", evening.path, evening.ticket("guest"), correction(90))
            await shared.settled()
        assert written == []
    document = await shared.document(evening.id)
    assert document is not None
    assert document["length"] == 90


async def test_a_length_may_be_corrected_without_a_timecode_around_it(shared: Deployment) -> None:
    evening = shared.evening()
    ticket = evening.ticket("host")
    await shared.call("POST", "/timecodes", ticket, creation(evening), expect=201)
    corrected = await shared.call("PATCH", evening.path, ticket, {"length": 91})
    assert corrected["timecode"]["length"] == 91
    await shared.call("PATCH", evening.path, ticket, {}, expect=422)
    await shared.call("PATCH", evening.path, ticket, {"timecode": {}}, expect=422)


async def test_what_is_not_there_is_not_found(shared: Deployment) -> None:
    evening = shared.evening()
    ticket = evening.ticket("host")
    await shared.call("GET", evening.path, ticket, expect=404)
    await shared.call("PATCH", evening.path, ticket, correction(1), expect=404)
    await shared.call("DELETE", evening.path, ticket, expect=404)


async def test_a_deleted_timecode_is_gone_for_those_who_watch_and_can_be_made_anew(shared: Deployment) -> None:
    evening = shared.evening()
    async with shared.room(evening) as room:
        await play_from(room, 100)
        await shared.call("DELETE", evening.path, evening.ticket("host"), expect=204)
        assert await room.host.feed.expect_closed() == 4404
        assert await room.guest.feed.expect_closed() == 4404
    await shared.call("GET", evening.path, evening.ticket("host"), expect=404)
    assert await shared.document(evening.id) is None
    async with shared.room(evening, length=60) as room:
        first = room.host.feed.frames[0]
        assert (first["status"], first["currentPosition"], first["length"]) == ("stop", 0, 60)
        await play_from(room, 0)


async def test_a_user_token_opens_what_a_ticket_was_shown_for(shared: Deployment) -> None:
    evening = shared.evening()
    await shared.call("POST", "/timecodes", evening.ticket("host"), creation(evening), expect=201)
    await shared.call("GET", evening.path, evening.guest.token, expect=403)
    await shared.call("GET", evening.path, evening.ticket("guest"))
    await shared.call("GET", evening.path, evening.guest.token)
    await shared.call("GET", shared.evening().path, evening.guest.token, expect=403)
