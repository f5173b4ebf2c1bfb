"""Coming, going and coming back, and one person on several connections."""

from contextlib import AsyncExitStack

import pytest

from tests.journeys.people import Crowd, Person, act, invite, ticket_of
from tests.journeys.room import (
    Room,
    is_connected,
    is_same_timeline,
    is_well,
    make_timecode,
    nothing_happened,
    take_seat,
)
from tests.journeys.wire import Json, Rest


async def gone(room: Room, playing: Json) -> Json:
    """The guest leaves in the middle of the film, and the host is told."""
    mark = room.host.feed.mark
    await room.guest.feed.socket.close()
    told = await room.host.timecode(lambda frame: not is_connected(frame, room.guest), "leave", since=mark)
    assert told["reason"] == "leave"
    assert is_same_timeline(told, playing)
    return told


async def test_the_film_goes_on_for_who_stays(room: Room) -> None:
    playing = await room.play()
    await room.start_of(playing)
    await room.watch_for(0.5)
    await gone(room, playing)
    await room.watch_for(1.0, guest=None)
    assert room.host.latest["rate"] == 1
    assert is_same_timeline(room.host.latest, playing)


async def test_who_comes_back_finds_the_film_and_moves_nobody(room: Room, guest: Person) -> None:
    playing = await room.play()
    await room.start_of(playing)
    await room.watch_for(2.0)
    await gone(room, playing)
    mark = room.host.feed.mark
    async with take_seat(room.deployment, guest, room.id, room.tickets[guest.id], is_host=False) as back:
        first = back.feed.frames[0]
        assert first["limits"]
        assert (first["status"], first["rate"]) == ("play", 1)
        assert is_same_timeline(first, playing)
        told = await room.host.timecode(lambda frame: is_connected(frame, back), "return", since=mark)
        assert told["reason"] == "join"
        # The player is still at the start, and is reported there for longer than the second that would count.
        for _ in range(6):
            await back.tick(0.0)
            await room.watch_for(0.4, guest=None)
        for seat in (room.host, back):
            assert seat.latest["rate"] == 1
            assert all(is_same_timeline(frame, playing) for frame in seat.timecodes if frame["rate"] == 1)
        # Back in step, they count again: what they stay behind by is waited for.
        for _ in range(3):
            await back.tick()
            await room.watch_for(0.2, guest=None)
        room.guest = back
        moved = room.host.feed.mark
        await room.watch(
            lambda: any(frame.get("reason") == "minimum" for frame in room.host.feed.frames[moved:]),
            within=8,
            guest=-0.8,
        )


async def test_what_was_missed_is_in_the_first_frame(room: Room, guest: Person) -> None:
    playing = await room.play()
    await room.start_of(playing)
    told = await gone(room, playing)
    await room.host.ask("pause")
    paused = await room.host.timecode(lambda frame: frame["status"] == "pause", "pause", after=playing)
    async with take_seat(room.deployment, guest, room.id, room.tickets[guest.id], is_host=False) as back:
        first = back.feed.frames[0]
        assert first["revision"] >= paused["revision"] >= told["revision"]
        assert (first["status"], first["rate"]) == ("pause", 0)
        assert first["currentPosition"] == pytest.approx(paused["currentPosition"], abs=0.001)


async def test_a_change_that_waits_can_be_answered_on_a_new_connection(room: Room, guest: Person) -> None:
    before = room.host.latest
    await room.host.ask("play", 0.0)
    asked = await room.pending("status", room.host, "play", after=before)
    async with take_seat(room.deployment, guest, room.id, room.tickets[guest.id], is_host=False) as second:
        await room.guest.feed.socket.close()
        assert second.feed.frames[0]["pending"] == asked["pending"]
        await second.ask("play", 0.0)
        playing = await room.host.timecode(lambda frame: frame["status"] == "play", "play", after=asked)
        assert (playing["pending"], playing["rate"]) == (None, 1)


async def test_of_several_connections_the_newest_counts(room: Room, guest: Person) -> None:
    async with take_seat(room.deployment, guest, room.id, room.tickets[guest.id], is_host=False) as newest:
        before = newest.latest
        await room.guest.ask("play", 0.0)
        await room.guest.feed.ping()
        await nothing_happened(room, before, room.guest, newest)
        await newest.ask("play", 0.0)
        asked = await room.pending("status", newest, "play", after=before)
        assert asked["pending"]["by"] == guest.id
        # Both connections of the one person are told everything.
        await newest.feed.ping()
        await room.guest.feed.ping()
        assert newest.latest["pending"] == room.guest.latest["pending"]
        assert not room.guest.feed.is_closed


async def test_only_the_last_connection_of_a_person_is_their_leaving(room: Room, guest: Person) -> None:
    mark = room.host.feed.mark
    async with take_seat(room.deployment, guest, room.id, room.tickets[guest.id], is_host=False):
        pass
    await is_well(room.guest)
    await is_well(room.host)
    later = [frame for frame in room.host.feed.frames[mark:] if frame["type"] == "timecode"]
    assert len(later) >= 4
    assert all(is_connected(frame, room.guest) for frame in later)
    before, mark = room.host.latest, room.host.feed.mark
    await room.guest.feed.socket.close()
    left = await room.host.timecode(lambda frame: not is_connected(frame, room.guest), "leave", since=mark)
    assert left["status"] == before["status"]


async def test_a_fifth_connection_takes_the_place_of_the_oldest(rest: Rest, room: Room, crowd: Crowd) -> None:
    host, guest = [await crowd.stranger(stem) for stem in ("host", "guest")]
    session = await invite(rest, host, guest)
    await act(rest, guest, session, "accept")
    ticket = await ticket_of(rest, host, session["id"])
    await make_timecode(rest, session, ticket, 600)
    async with AsyncExitStack() as stack:
        connections = [
            await stack.enter_async_context(take_seat(room.deployment, host, session["id"], ticket, is_host=True))
            for _ in range(4)
        ]
        for seat in connections:
            await seat.feed.ping()
        connections.append(
            await stack.enter_async_context(take_seat(room.deployment, host, session["id"], ticket, is_host=True))
        )
        assert await connections[0].feed.expect_closed() == 4409
        for seat in connections[1:]:
            await seat.feed.ping()
        await is_well(connections[-1])
    await is_well(room.guest)
