"""The position all must accept: the minimum of those who count, noise that moves nobody, stalls, and the end."""

import math
import time

import pytest

from tests.journeys.conftest import OpenRoom
from tests.journeys.room import Room, Seat, arrival_ms, is_same_timeline, nothing_happened, position_at
from tests.journeys.wire import Json


async def in_step(room: Room) -> Json:
    """A film that plays, and both have been where it is."""
    playing = await room.play()
    await room.start_of(playing)
    await room.watch_for(0.6)
    return playing


def has_reason(seat: Seat, *reasons: str, after: Json) -> bool:
    return any(frame["reason"] in reasons and frame["revision"] > after["revision"] for frame in seat.timecodes)


async def test_who_stays_behind_for_a_second_is_waited_for(room: Room) -> None:
    playing = await in_step(room)
    began = room.host.now_ms
    await room.watch(lambda: has_reason(room.host, "minimum", after=playing), within=8, guest=-1.0)
    told = await room.both(lambda frame: frame["reason"] == "minimum", "minimum", after=playing)
    assert (told["status"], told["rate"], told["pending"]) == ("play", 1, None)
    # A second and not at once; the service may look only a few times a second.
    assert 950 <= arrival_ms(room.host, told) - began <= 3000
    # The new timeline is where the one behind was, carried forward; never above it.
    theirs = position_at(playing, told["at"]) - 1.0
    assert told["currentPosition"] == pytest.approx(theirs, abs=0.05)
    assert told["currentPosition"] <= theirs + 0.01


async def test_when_all_are_ahead_the_film_is_where_they_are(room: Room) -> None:
    playing = await in_step(room)
    await room.watch(lambda: has_reason(room.host, "minimum", after=playing), within=8, host=1.2, guest=0.8)
    told = await room.both(lambda frame: frame["reason"] == "minimum", "minimum upwards", after=playing)
    theirs = position_at(playing, told["at"]) + 0.8
    assert told["currentPosition"] == pytest.approx(theirs, abs=0.05)


async def test_one_who_is_ahead_alone_moves_nobody(room: Room) -> None:
    playing = await in_step(room)
    await room.watch_for(2.5, guest=1.0)
    for seat in (room.host, room.guest):
        assert all(is_same_timeline(frame, playing) for frame in seat.timecodes if frame["rate"] == 1)
        assert seat.latest["rate"] == 1


async def test_noise_within_the_band_moves_nobody(room: Room) -> None:
    playing = await in_step(room)
    end = time.monotonic() + 3
    step = 0
    while time.monotonic() < end:
        step += 1
        noise = 0.12 * math.sin(2.4 * step)
        await room.watch_for(0.2, host=noise, guest=-noise)
    for seat in (room.host, room.guest):
        assert all(is_same_timeline(frame, playing) for frame in seat.timecodes if frame["rate"] == 1)
        assert seat.latest["rate"] == 1


async def test_a_moment_behind_moves_nobody(room: Room) -> None:
    playing = await in_step(room)
    await room.guest.tick(room.guest.position - 1.0)
    await room.watch_for(0.2, guest=None)
    await room.watch_for(1.6)
    assert all(is_same_timeline(frame, playing) for frame in room.host.timecodes if frame["rate"] == 1)
    assert not has_reason(room.host, "minimum", "wait", after=playing)


async def test_a_position_measured_earlier_is_carried_forward_from_then(room: Room) -> None:
    playing = await in_step(room)
    end = time.monotonic() + 2.2
    while time.monotonic() < end:
        # A report that was under way for half a second: behind where the film is now, not where it was then.
        then = room.guest.now_ms - 500
        await room.guest.tick(position_at(playing, then), sentAt=then)
        await room.watch_for(0.2, guest=None)
    assert all(is_same_timeline(frame, playing) for frame in room.host.timecodes if frame["rate"] == 1)
    assert not has_reason(room.host, "minimum", after=playing)


async def stalled(room: Room, playing: Json) -> tuple[float, Json]:
    """The guest's film stands, and after the grace everybody is told to wait."""
    stands = room.guest.position
    began = room.guest.now_ms
    await room.guest.report("play", stands, cause="stall", buffering=True)
    await room.watch(lambda: has_reason(room.host, "wait", after=playing), within=5, guest=None, every=0.1)
    waiting = await room.both(lambda frame: frame["reason"] == "wait", "wait", after=playing)
    assert 450 <= arrival_ms(room.host, waiting) - began <= 2000
    assert (waiting["status"], waiting["rate"]) == ("play", 0)
    assert waiting["waitingFor"] == [room.guest.id]
    assert waiting["pending"] is None
    return stands, waiting


async def test_a_film_that_stands_is_waited_for_and_resumed_from_the_minimum(room: Room) -> None:
    playing = await in_step(room)
    stands, waiting = await stalled(room, playing)
    assert waiting["participants"][room.guest.id]["buffering"] is True
    await room.host.tick(waiting["currentPosition"])
    before = room.host.now_ms
    await room.guest.report("play", stands, cause="resume", buffering=False)
    going = await room.both(lambda frame: frame["rate"] == 1, "resume", after=waiting)
    assert (going["reason"], going["waitingFor"]) == ("resume", [])
    assert before + 240 <= going["at"] <= room.host.now_ms + 2000
    assert going["currentPosition"] == pytest.approx(stands, abs=0.1)


async def test_a_hiccup_within_the_grace_stops_nobody(room: Room) -> None:
    playing = await in_step(room)
    await room.guest.report("play", room.guest.position, cause="stall", buffering=True)
    await room.host.tick()
    await room.guest.feed.ping()
    await room.guest.report("play", cause="resume", buffering=False)
    await room.watch_for(1.5)
    assert not has_reason(room.host, "wait", "minimum", after=playing)
    assert room.host.latest["rate"] == 1


async def test_nobody_is_waited_for_longer_than_the_limit(room: Room) -> None:
    wait_seconds = room.host.feed.frames[0]["limits"]["waitSeconds"]
    if wait_seconds > 12:
        pytest.skip(f"this deployment waits {wait_seconds} s for a stalled film")
    playing = await in_step(room)
    stands, waiting = await stalled(room, playing)

    def goes_on() -> bool:
        return any(frame["rate"] == 1 and frame["revision"] > waiting["revision"] for frame in room.host.timecodes)

    deadline = time.monotonic() + wait_seconds + 4
    while not goes_on():
        assert time.monotonic() < deadline, room.host.feed.tail()
        await room.host.tick(waiting["currentPosition"])
        await room.guest.tick(stands, buffering=True)
        await room.watch_for(0.4, host=None, guest=None)
    going = await room.host.timecode(lambda frame: frame["rate"] == 1, "the others go on", after=waiting)
    waited = (arrival_ms(room.host, going) - arrival_ms(room.host, waiting)) / 1000
    # Counted from the stall or from the wait that half a second of grace put after it.
    assert wait_seconds - 0.8 <= waited <= wait_seconds + 2
    assert going["waitingFor"] == []
    # Excused: where the late one stands holds nobody any more.
    for _ in range(6):
        await room.guest.tick(stands, buffering=True)
        await room.watch_for(0.4, guest=None)
    assert room.host.latest["rate"] == 1
    assert is_same_timeline(room.host.latest, going)


async def test_a_wait_can_be_paused(room: Room) -> None:
    playing = await in_step(room)
    _, waiting = await stalled(room, playing)
    await room.host.ask("pause", waiting["currentPosition"])
    asked = await room.pending("status", room.host, "pause", after=waiting)
    assert (asked["status"], asked["rate"]) == ("pause", 0)


async def test_the_film_stops_at_its_length(open_room: OpenRoom) -> None:
    async with open_room(length=1.6) as room:
        playing = await room.play()
        ends_at = playing["at"] + 1600
        await room.watch(lambda: has_reason(room.host, "end", after=playing), within=8)
        told = await room.both(lambda frame: frame["reason"] == "end", "end", after=playing)
        assert (told["status"], told["rate"], told["pending"]) == ("stop", 0, None)
        assert told["currentPosition"] == pytest.approx(1.6)
        assert -20 <= arrival_ms(room.host, told) - ends_at <= 2000


async def test_no_report_puts_the_film_beyond_its_length(open_room: OpenRoom) -> None:
    async with open_room(length=60) as room:
        await in_step(room)
        end = time.monotonic() + 1.8
        while time.monotonic() < end:
            for seat in (room.host, room.guest):
                await seat.tick(60.4)
            await room.watch_for(0.2, host=None, guest=None)
        for seat in (room.host, room.guest):
            await seat.feed.ping()
            for frame in seat.timecodes:
                assert frame["currentPosition"] <= 60


@pytest.mark.parametrize("part", ["host", "guest"])
async def test_nobody_reports_as_the_other(room: Room, part: str) -> None:
    seat = room.host if part == "host" else room.guest
    before, mark = seat.latest, seat.feed.mark
    await seat.report("play", 0.0, isHost=not seat.is_host, cause="user")
    await seat.feed.expect(lambda frame: frame["type"] == "error", "error", since=mark)
    await nothing_happened(room, before)
    await seat.ask("play", 0.0)
    await room.pending("status", seat, "play", after=before)


async def test_everybody_sees_where_everybody_is(room: Room) -> None:
    playing = await in_step(room)
    await room.host.tick()
    place = room.guest.position
    await room.guest.tick(place)
    await room.guest.ask("pause")
    told = await room.host.timecode(lambda frame: frame["status"] == "pause", "pause", after=playing)
    for seat in (room.host, room.guest):
        who = told["participants"][seat.id]
        assert who["position"] == pytest.approx(place, abs=0.5)
        assert abs(who["drift"]) < 0.5
