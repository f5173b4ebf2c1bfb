"""The timecode's record over REST, and whom a ticket lets in where."""

import asyncio
import base64
import json
from contextlib import suppress

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.journeys.conftest import OpenRoom
from tests.journeys.deployment import Deployment
from tests.journeys.people import Person, act, invite, ticket_of
from tests.journeys.room import Room, Seat, check_timecode, is_well, make_timecode, take_seat
from tests.journeys.wire import RECORD_TIME, Json, Rest, open_feed, refusal

Accepted = tuple[Json, dict[str, str]]
REFUSED = {403, 404, 4403, 4404}  # not a member, or not theirs to know of


async def test_a_timecode_is_made_read_changed_and_deleted(
    rest: Rest, host: Person, guest: Person, accepted: Accepted
) -> None:
    session, tickets = accepted
    made = await make_timecode(rest, session, tickets[host.id], 5400.5)
    assert (made["sessionId"], made["length"]) == (session["id"], 5400.5)
    assert (made["currentPosition"], made["status"]) == (0, "stop")
    assert made["lastStatusChange"] is None or RECORD_TIME.fullmatch(made["lastStatusChange"])
    path = f"/timecodes/{session['id']}"
    for person in (host, guest):
        assert (await rest.call("GET", path, token=tickets[person.id])).body["timecode"]["length"] == 5400.5
    await rest.call("PATCH", path, {"timecode": {"length": 5000}}, token=tickets[host.id], expect=(200, 204))
    assert (await rest.call("GET", path, token=tickets[guest.id])).body["timecode"]["length"] == 5000
    await rest.call("DELETE", path, token=tickets[host.id], expect=(200, 204))
    await rest.call("GET", path, token=tickets[host.id], expect=404)
    await rest.call("PATCH", path, {"timecode": {"length": 5000}}, token=tickets[host.id], expect=404)


async def test_a_timecode_is_made_once(room: Room) -> None:
    playing = await room.play()
    await room.start_of(playing)
    body = {"timecode": {"sessionId": room.id, "length": 600}}
    # A conflict; or, for two clients that both make what is there, the one that is there. Never a new one.
    for ticket in room.tickets.values():
        await room.rest.call("POST", "/timecodes", body, token=ticket, expect=(200, 201, 409))
    record = (await room.rest.call("GET", f"/timecodes/{room.id}", token=room.tickets[room.host.id])).body["timecode"]
    assert record["status"] == "play"
    await is_well(room.host)


async def test_the_record_follows_the_film(room: Room) -> None:
    before = room.host.latest
    await room.host.seek(120)
    asked = await room.pending("seek", room.host, 120, after=before)
    await room.guest.seek(120)
    await room.both(lambda frame: frame["pending"] is None and frame["currentPosition"] == 120, "moved", after=asked)
    await room.play()
    path = f"/timecodes/{room.id}"
    record = (await room.rest.call("GET", path, token=room.tickets[room.guest.id])).body["timecode"]
    assert record["status"] == "play"
    assert 120 <= record["currentPosition"] <= room.host.position + 0.5
    assert RECORD_TIME.fullmatch(record["lastStatusChange"])


async def test_a_new_length_is_told_to_those_who_watch(room: Room) -> None:
    before = room.host.feed.mark
    path = f"/timecodes/{room.id}"
    await room.rest.call(
        "PATCH", path, {"timecode": {"length": 90.5}}, token=room.tickets[room.guest.id], expect=(200, 204)
    )
    await room.host.timecode(lambda frame: frame["length"] == 90.5, "new length", since=before)


async def test_a_length_below_the_position_brings_the_position_down(room: Room) -> None:
    before = room.host.latest
    await room.host.seek(300)
    asked = await room.pending("seek", room.host, 300, after=before)
    await room.guest.seek(300)
    await room.both(lambda frame: frame["pending"] is None and frame["currentPosition"] == 300, "moved", after=asked)
    mark = room.guest.feed.mark
    body = {"timecode": {"length": 200}}
    # A service may also refuse to cut off what was seen; then nothing changes.
    ticket = room.tickets[room.host.id]
    answer = await room.rest.call("PATCH", f"/timecodes/{room.id}", body, token=ticket, expect=(200, 204, 409, 422))
    if answer.status < 400:
        cut = await room.guest.timecode(lambda frame: frame["length"] == 200, "cut", since=mark)
        assert cut["currentPosition"] <= 200
    record = (await room.rest.call("GET", f"/timecodes/{room.id}", token=ticket)).body["timecode"]
    assert record["currentPosition"] <= record["length"]


BAD_LENGTHS = {
    "negative": -1,
    "beyond two days": 172_800.1,
    "huge": 1e308,
    "text": "600",
    "true": True,
    "null": None,
    "a list": [600],
    "an operator": {"$gt": 0},
}


@pytest.mark.parametrize("length", BAD_LENGTHS.values(), ids=BAD_LENGTHS)
async def test_a_length_that_is_none_is_refused(rest: Rest, host: Person, accepted: Accepted, length: object) -> None:
    session, tickets = accepted
    ticket = tickets[host.id]
    body = {"timecode": {"sessionId": session["id"], "length": length}}
    refused = await rest.call("POST", "/timecodes", body, token=ticket, expect=422)
    assert any("length" in field for field in refused.fields), refused.text
    await rest.call("GET", f"/timecodes/{session['id']}", token=ticket, expect=404)
    await make_timecode(rest, session, ticket, 600)
    body = {"timecode": {"length": length}}
    # A field that is null in a change may also stand for a field that does not change.
    allowed = (422,) if length is not None else (200, 204, 422)
    await rest.call("PATCH", f"/timecodes/{session['id']}", body, token=ticket, expect=allowed)
    assert (await rest.call("GET", f"/timecodes/{session['id']}", token=ticket)).body["timecode"]["length"] == 600


async def test_a_ticket_opens_its_own_session_and_no_other(
    rest: Rest, deployment: Deployment, host: Person, guest: Person, third: Person, accepted: Accepted
) -> None:
    session, tickets = accepted
    await make_timecode(rest, session, tickets[host.id], 600)
    other = await invite(rest, host, third)
    await act(rest, third, other, "accept")
    path = f"/timecodes/{session['id']}"
    for person in (host, third):
        # The host belongs to both, but this ticket does not; the third person belongs to the other only.
        wrong = await ticket_of(rest, person, other["id"])
        await rest.call("GET", path, token=wrong, expect=(403, 404))
        await rest.call("PATCH", path, {"timecode": {"length": 1}}, token=wrong, expect=(403, 404))
        await rest.call("DELETE", path, token=wrong, expect=(403, 404))
        body = {"timecode": {"sessionId": session["id"], "length": 1}}
        await rest.call("POST", "/timecodes", body, token=wrong, expect=(403, 404))
        assert await refusal(deployment, f"{path}/events", wrong, address=person.address) in REFUSED
    assert (await rest.call("GET", path, token=tickets[guest.id])).body["timecode"]["length"] == 600
    await act(rest, host, other, "end")


async def test_a_session_that_nobody_made_is_refused(deployment: Deployment, host: Person, accepted: Accepted) -> None:
    _, tickets = accepted
    path = "/timecodes/ses_" + "a" * 26 + "/events"
    assert await refusal(deployment, path, tickets[host.id], address=host.address) in REFUSED


async def test_a_user_token_opens_what_a_ticket_was_shown_for(
    rest: Rest, deployment: Deployment, host: Person, guest: Person, third: Person, accepted: Accepted
) -> None:
    session, tickets = accepted
    await make_timecode(rest, session, tickets[host.id], 600)
    path = f"/timecodes/{session['id']}"
    # Nobody showed a ticket of the guest yet. A service that can tell a member by other means may let them in.
    await rest.call("GET", path, token=guest.token, expect=(200, 401, 403, 404))
    await rest.call("GET", path, token=third.token, expect=(401, 403, 404))
    await rest.call("GET", path, token=tickets[guest.id])
    await rest.call("GET", path, token=guest.token)
    async with take_seat(deployment, guest, session["id"], guest.token, is_host=False) as seat:
        assert seat.latest["participants"][guest.id]["role"] == "guest"
    refused = {401, 4401} | REFUSED
    assert await refusal(deployment, f"{path}/events", third.token, address=third.address) in refused


def changed_tickets(ticket: str, other: str) -> dict[str, str]:
    """Statements that nobody signed; with the parts of another ticket where tickets have parts."""
    middle = len(ticket) // 2
    found = {
        "cut off": ticket[:middle],
        "a letter changed": ticket[:middle] + ("A" if ticket[middle] != "A" else "B") + ticket[middle + 1 :],
        "doubled": ticket + ticket,
        "nothing": "nothing",
    }
    parts, others = ticket.split("."), other.split(".")
    if len(parts) > 1:
        found["no signature"] = ".".join([*parts[:-1], ""])
        found["the signature of another"] = ".".join([*parts[:-1], others[-1]])
    if len(parts) == 3:
        unsigned = base64.urlsafe_b64encode(json.dumps({"alg": "none", "typ": "JWT"}).encode()).rstrip(b"=").decode()
        found["signed by nobody"] = f"{unsigned}.{parts[1]}."
    return found


async def test_a_ticket_that_was_changed_is_no_ticket(
    rest: Rest, deployment: Deployment, host: Person, guest: Person, accepted: Accepted
) -> None:
    session, tickets = accepted
    await make_timecode(rest, session, tickets[host.id], 600)
    path = f"/timecodes/{session['id']}"
    await rest.call("GET", path, expect=401)
    assert await refusal(deployment, f"{path}/events", None) in {401, 4401}
    for name, forged in changed_tickets(tickets[guest.id], tickets[host.id]).items():
        answer = await rest.call("GET", path, token=forged, expect=401)
        assert answer.status == 401, name
        assert await refusal(deployment, f"{path}/events", forged, address=guest.address) in {401, 4401}, name


async def test_a_ticket_is_no_user_token(rest: Rest, host: Person, accepted: Accepted) -> None:
    _, tickets = accepted
    await rest.call("GET", "/users/me", token=tickets[host.id], expect=(401, 403))
    await rest.call("GET", "/sessions", token=tickets[host.id], expect=(401, 403))


async def test_a_ticket_as_subprotocol_opens_the_timecode(
    deployment: Deployment, rest: Rest, host: Person, accepted: Accepted
) -> None:
    session, tickets = accepted
    await make_timecode(rest, session, tickets[host.id], 600)
    path = f"/timecodes/{session['id']}/events"
    async with open_feed(deployment, path, tickets[host.id], by_subprotocol=True, address=host.address) as feed:
        assert feed.socket.subprotocol == "dateflicks.v1"
        await feed.expect(lambda frame: frame["type"] == "timecode", "first timecode")
    query = f"{path}?token={tickets[host.id]}&ticket={tickets[host.id]}"
    assert await refusal(deployment, query, None) in {401, 4401}


async def test_a_timecode_nobody_made_is_either_made_by_connecting_or_not_there(
    deployment: Deployment, host: Person, accepted: Accepted
) -> None:
    # The picture of the handshake has no call that makes it, the list of calls has one: both readings are possible.
    session, tickets = accepted
    path = f"/timecodes/{session['id']}/events"
    try:
        async with open_feed(deployment, path, tickets[host.id], address=host.address, check=check_timecode) as feed:
            await feed.hear()
            if feed.code is None:
                assert (feed.frames[0]["status"], feed.frames[0]["currentPosition"]) == ("stop", 0)
            else:
                assert feed.code == 4404
    except InvalidStatus as refused:
        assert refused.response.status_code == 404  # noqa: PT017 - to be let in is a right answer too


async def speak_on(seat: Seat) -> None:
    """Reports of a participant who does not know yet; the connection may be closed in the middle of it."""
    with suppress(ConnectionClosed):
        for _ in range(10):
            await seat.tick(1.0)
            await seat.feed.send(type="ping", t0=0)


async def test_deleting_while_both_watch_leaves_the_service_well(
    open_room: OpenRoom, rest: Rest, host: Person, guest: Person
) -> None:
    async with open_room() as room:
        await room.play()
        deleting = rest.call("DELETE", f"/timecodes/{room.id}", token=room.tickets[host.id], expect=(200, 204))
        await asyncio.gather(deleting, *(speak_on(seat) for seat in (room.host, room.guest)))
    await rest.call("GET", f"/timecodes/{room.id}", token=room.tickets[guest.id], expect=404)
    await make_timecode(rest, room.session, room.tickets[host.id], 300)
    async with take_seat(room.deployment, host, room.id, room.tickets[host.id], is_host=True) as seat:
        assert (seat.latest["length"], seat.latest["status"], seat.latest["currentPosition"]) == (300, "stop", 0)
