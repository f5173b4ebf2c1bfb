"""What a participant is told on connecting, and the exchange that makes the clocks agree."""

import itertools
import time

import pytest

from tests.journeys.deployment import Deployment
from tests.journeys.people import Person
from tests.journeys.room import Room, is_number, make_timecode, take_seat
from tests.journeys.wire import Json, Rest

FIELDS = {
    "type",
    "sessionId",
    "length",
    "currentPosition",
    "status",
    "lastStatusChange",
    "at",
    "rate",
    "revision",
    "clockId",
    "reason",
    "by",
    "waitingFor",
    "pending",
    "participants",
}
PARTICIPANT = {"role", "connected", "buffering", "status", "position", "drift"}


async def test_the_first_frame_tells_everything(
    rest: Rest, deployment: Deployment, host: Person, accepted: tuple[Json, dict[str, str]]
) -> None:
    session, tickets = accepted
    await make_timecode(rest, session, tickets[host.id], 600)
    async with take_seat(deployment, host, session["id"], tickets[host.id], is_host=True) as seat:
        first = seat.feed.frames[0]
        assert FIELDS | {"limits"} <= set(first)
        assert first["type"] == "timecode"
        assert first["sessionId"] == session["id"]
        assert (first["length"], first["currentPosition"], first["rate"]) == (600, 0, 0)
        assert (first["status"], first["pending"], first["waitingFor"]) == ("stop", None, [])
        me = first["participants"][host.id]
        assert set(me) >= PARTICIPANT
        assert (me["role"], me["connected"], me["buffering"]) == ("host", True, False)


async def test_the_limits_are_told_on_connecting(room: Room) -> None:
    for seat in (room.host, room.guest):
        limits = seat.feed.frames[0]["limits"]
        assert all(is_number(limits[name]) for name in ("confirmSeconds", "bandSeconds", "waitSeconds"))
        if room.deployment.is_ours:
            assert limits["confirmSeconds"] == 3
            assert limits["waitSeconds"] == 4
            assert limits["bandSeconds"] == pytest.approx(0.15)


async def test_later_frames_tell_everything_but_the_limits(room: Room) -> None:
    playing = await room.play()
    assert set(playing) >= FIELDS
    assert set(playing["participants"]) == {room.host.id, room.guest.id}
    for seat, role in ((room.host, "host"), (room.guest, "guest")):
        who = playing["participants"][seat.id]
        assert set(who) >= PARTICIPANT
        assert (who["role"], who["connected"], who["status"]) == (role, True, "play")


async def test_everybody_is_told_who_comes(
    rest: Rest, deployment: Deployment, host: Person, guest: Person, accepted: tuple[Json, dict[str, str]]
) -> None:
    session, tickets = accepted
    await make_timecode(rest, session, tickets[host.id], 600)
    async with take_seat(deployment, host, session["id"], tickets[host.id], is_host=True) as seat:
        # Before the first visit somebody may be missing from the list, or be in it and not connected.
        assert not seat.latest["participants"].get(guest.id, {}).get("connected")
        mark = seat.feed.mark
        async with take_seat(deployment, guest, session["id"], tickets[guest.id], is_host=False):
            came = await seat.timecode(lambda frame: frame["participants"][guest.id]["connected"], "join", since=mark)
            assert came["reason"] == "join"


async def test_a_ping_is_answered_at_once_with_the_clock_of_the_server(room: Room) -> None:
    feed = room.host.feed
    t0 = 12_345.678_9
    sent = time.monotonic()
    await feed.send(type="ping", t0=t0)
    pong = await feed.expect(lambda frame: frame["type"] == "pong" and frame["t0"] == t0, "pong", since=feed.mark)
    assert feed.arrival_of(pong) - sent < 2
    assert pong["t1"] <= pong["t2"]
    assert pong["clockId"] == room.host.latest["clockId"] == room.guest.latest["clockId"]
    if room.deployment.is_ours:
        # Anchored to Unix time when the service started, which was on this machine and not long ago.
        assert abs(pong["t1"] / 1000 - time.time()) < 10


async def test_the_clock_of_the_server_only_goes_forward_and_is_the_same_for_both(room: Room) -> None:
    times = []
    for seat in (room.host, room.guest) * 5:
        pong = await seat.feed.ping()
        times += [pong["t1"], pong["t2"]]
    assert times == sorted(times)
    assert abs(room.host.offset_ms - room.guest.offset_ms) < 50


async def test_t0_is_the_clients_own_and_comes_back_as_it_went(room: Room) -> None:
    for t0 in (0, -5.25, 1e15, 0.1 + 0.2, 1_795_628_781_622_227_123):
        mark = room.guest.feed.mark
        await room.guest.feed.send(type="ping", t0=t0)
        pong = await room.guest.feed.expect(lambda frame: frame["type"] == "pong", "pong", since=mark)
        assert pong["t0"] == t0


async def test_the_same_revision_says_the_same_to_both(room: Room) -> None:
    await room.play()
    await room.host.ask("pause")
    await room.guest.timecode(lambda frame: frame["status"] == "pause", "pause")
    await room.host.refuse()
    await room.guest.timecode(lambda frame: frame["reason"] == "refused", "refused")
    for seat in (room.host, room.guest):
        await seat.feed.ping()
    known = {frame["revision"]: frame for frame in room.host.timecodes}
    compared = 0
    for frame in room.guest.timecodes:
        same = known.get(frame["revision"])
        if same is not None:
            compared += 1
            assert (same["status"], same["pending"], same["rate"]) == (frame["status"], frame["pending"], frame["rate"])
    assert compared >= 4


async def test_revisions_grow_by_one_with_each_change(room: Room) -> None:
    playing = await room.play()
    await room.guest.ask("pause")
    asked = await room.pending("status", room.guest, "pause", after=playing)
    await room.host.ask("pause")
    await room.settled("pause", None, after=asked)
    for seat in (room.host, room.guest):
        revisions = [frame["revision"] for frame in seat.timecodes]
        # Every change is sent, so nobody who stays connected sees one left out.
        steps = {later - earlier for earlier, later in itertools.pairwise(revisions)}
        assert steps <= {0, 1}, revisions
        assert 1 in steps
