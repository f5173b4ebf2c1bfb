"""Moving the film together: a seek waits for the others, then for all players to be there."""

import pytest

from tests.journeys.conftest import OpenRoom
from tests.journeys.room import Room, Seat, arrival_ms, is_same_timeline, nothing_happened, position_at
from tests.journeys.wire import Json


async def asked_to_seek(room: Room, asker: Seat, to: float) -> Json:
    before = room.host.latest
    await asker.seek(to)
    return await room.pending("seek", asker, to, after=before)


async def moved(room: Room, to: float, *, after: Json) -> Json:
    def is_there(frame: Json) -> bool:
        # The answer may be up to half a second beside the question; which of the two counts is not said.
        return frame["pending"] is None and abs(frame["currentPosition"] - to) <= 0.5

    return await room.both(is_there, f"film at {to}", after=after)


async def ready(seat: Seat, position: float) -> None:
    """The player arrived: told as the end of the seek and as readiness, for the contract names both causes."""
    for cause in ("seek", "resume"):
        await seat.report("play", position, cause=cause, buffering=False)


async def test_a_seek_waits_for_the_other(room: Room) -> None:
    asked = await asked_to_seek(room, room.host, 100)
    assert (asked["currentPosition"], asked["status"]) == (0, "stop")
    pending = asked["pending"]
    assert pending["from"] == pytest.approx(0)
    assert pending["deadline"] > room.host.now_ms
    await room.guest.seek(100)
    told = await moved(room, 100, after=asked)
    assert told["currentPosition"] == pytest.approx(100)
    assert (told["status"], told["rate"], told["reason"]) == ("stop", 0, "seek")


@pytest.mark.parametrize("beside", [0.4, -0.4])
async def test_half_a_second_beside_is_the_same_seek(room: Room, beside: float) -> None:
    asked = await asked_to_seek(room, room.guest, 200)
    await room.host.seek(200 + beside)
    await moved(room, 200, after=asked)


async def test_a_seek_to_elsewhere_confirms_nothing(room: Room) -> None:
    asked = await asked_to_seek(room, room.host, 100)
    await room.guest.seek(103)
    await room.guest.feed.ping()
    await room.host.feed.ping()
    # By analogy with a third status it is a change of its own; a service may also leave the first one pending.
    for seat in (room.host, room.guest):
        assert seat.latest["currentPosition"] == 0
        assert (seat.latest["pending"]["kind"], seat.latest["pending"]["to"]) in {("seek", 100), ("seek", 103)}
    assert room.host.latest["revision"] >= asked["revision"]


async def test_the_asker_cannot_confirm_their_own_seek(room: Room) -> None:
    asked = await asked_to_seek(room, room.host, 100)
    await room.host.seek(100)
    await nothing_happened(room, asked, room.host)
    assert room.guest.latest["currentPosition"] == 0


@pytest.mark.parametrize("part", ["the other", "the asker"])
async def test_a_refused_seek_moves_nobody(room: Room, part: str) -> None:
    asked = await asked_to_seek(room, room.host, 100)
    await (room.guest if part == "the other" else room.host).refuse()
    refused = await room.settled("stop", "refused", after=asked)
    assert refused["currentPosition"] == 0


async def test_the_film_plays_on_while_a_seek_is_pending_and_after_it_was_refused(room: Room) -> None:
    playing = await room.play()
    await room.start_of(playing)
    asked = await asked_to_seek(room, room.guest, 300)
    assert asked["pending"]["from"] == pytest.approx(room.guest.position, abs=0.5)
    assert is_same_timeline(asked, playing)
    await room.watch_for(0.5)
    await room.host.refuse()
    refused = await room.settled("play", "refused", after=asked)
    assert is_same_timeline(refused, playing)


async def test_a_seek_nobody_answers_is_forgotten_at_its_deadline(room: Room) -> None:
    confirm_seconds = room.host.feed.frames[0]["limits"]["confirmSeconds"]
    if confirm_seconds > 10:
        pytest.skip(f"this deployment waits {confirm_seconds} s for an answer")
    asked = await asked_to_seek(room, room.host, 100)
    # Nothing was refused and no status restored: which reason tells it is not said.
    forgotten = await room.settled("stop", None, after=asked, within=confirm_seconds + 5)
    assert -20 <= arrival_ms(room.host, forgotten) - asked["pending"]["deadline"] < 2000
    assert forgotten["currentPosition"] == 0
    # Too late: nobody is moved by the same frame now, be it taken for a late answer or for a question of its own.
    await room.guest.seek(100)
    for seat in (room.guest, room.host):
        await seat.feed.ping()
        assert all(frame["currentPosition"] == 0 for frame in seat.timecodes)


async def test_a_seek_in_play_holds_everybody_there_until_all_are_ready(room: Room) -> None:
    playing = await room.play()
    await room.start_of(playing)
    await room.watch_for(0.5)
    asked = await asked_to_seek(room, room.host, 300)
    await room.guest.seek(300)
    waiting = await moved(room, 300, after=asked)
    assert (waiting["status"], waiting["rate"]) == ("play", 0)
    assert waiting["currentPosition"] == pytest.approx(300)
    assert set(waiting["waitingFor"]) == {room.host.id, room.guest.id}
    await ready(room.host, 300)
    await room.host.feed.ping()
    await room.guest.feed.ping()
    assert all(frame["rate"] == 0 for frame in room.guest.timecodes if frame["revision"] >= waiting["revision"])
    before = room.host.now_ms
    await ready(room.guest, 300)
    going = await room.both(lambda frame: frame["rate"] == 1, "resume", after=waiting)
    assert going["currentPosition"] == pytest.approx(300, abs=0.02)
    assert (going["reason"], going["waitingFor"]) == ("resume", [])
    assert before + 240 <= going["at"] <= room.host.now_ms + 2000


async def test_whoever_does_not_arrive_after_a_seek_is_left_behind_in_five_seconds(room: Room) -> None:
    playing = await room.play()
    await room.start_of(playing)
    asked = await asked_to_seek(room, room.host, 300)
    await room.guest.seek(300)
    waiting = await moved(room, 300, after=asked)
    await ready(room.host, 300)
    going = await room.host.timecode(lambda frame: frame["rate"] == 1, "resume", after=waiting, within=9)
    waited = arrival_ms(room.host, going) - arrival_ms(room.host, waiting)
    assert 4900 <= waited <= 7000
    assert going["currentPosition"] == pytest.approx(300, abs=0.02)


async def test_seeks_in_a_pause_leave_it_a_pause(room: Room) -> None:
    playing = await room.play()
    await room.start_of(playing)
    await room.host.ask("pause")
    asked = await room.pending("status", room.host, "pause", after=playing)
    await room.guest.ask("pause")
    paused = await room.settled("pause", None, after=asked)
    seeking = await asked_to_seek(room, room.guest, 50)
    await room.host.seek(50)
    told = await moved(room, 50, after=seeking)
    assert (told["status"], told["rate"]) == ("pause", 0)
    assert told["revision"] > paused["revision"]


async def test_a_seek_back_to_the_start_is_a_seek(room: Room) -> None:
    for to in (40, 0):
        asked = await asked_to_seek(room, room.host, to)
        await room.guest.seek(to)
        await moved(room, to, after=asked)


async def test_a_seek_beyond_the_film_goes_no_further_than_its_end(open_room: OpenRoom) -> None:
    async with open_room(length=80) as room:
        mark = room.host.feed.mark
        await room.host.seek(81)
        # Refused as wrong, or understood as the end; the position is checked in every frame that comes.
        told = await room.host.feed.expect(
            lambda frame: frame["type"] == "error" or frame.get("pending"), "answer to the seek", since=mark
        )
        if told["type"] == "timecode":
            assert told["pending"]["to"] == 80
            await room.guest.seek(81)
            await room.host.timecode(lambda frame: frame["pending"] is None, "settled", after=told)
        await room.host.feed.ping()


async def test_many_seeks_from_both_at_once_leave_one_film(room: Room) -> None:
    for number in range(15):
        await room.host.seek(10 + 7 * number)
        await room.guest.seek(13 + 7 * number)
    for seat in (room.host, room.guest):
        await seat.refuse()
        await seat.feed.ping()
    await room.told_alike()
    assert is_same_timeline(room.host.latest, room.guest.latest)
    assert position_at(room.host.latest, room.host.now_ms) == 0


async def test_asking_for_a_status_while_a_seek_is_pending_leaves_one_change_pending(room: Room) -> None:
    asked = await asked_to_seek(room, room.host, 100)
    await room.guest.ask("play", 0.0)
    await room.guest.feed.ping()
    await room.host.feed.ping()
    for seat in (room.host, room.guest):
        assert seat.latest["pending"] is not None
        assert seat.latest["currentPosition"] == 0
        assert seat.latest["rate"] == 0
    assert is_same_timeline(asked, room.host.latest)
