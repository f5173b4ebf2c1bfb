"""Play, pause and stop by consent: what acts, what waits for the others, and what brings the old status back."""

import asyncio

import pytest

from tests.journeys.people import Person
from tests.journeys.room import Room, arrival_ms, is_well, nothing_happened, position_at, take_seat
from tests.journeys.wire import Json

CLOCKS_MS = 50  # what the clocks of two workers may be apart, beside each other


@pytest.mark.parametrize("more", [{"cause": "user"}, {}], ids=["by the user", "without a cause"])
async def test_play_waits_for_the_other_and_starts_at_an_instant_to_come(room: Room, more: Json) -> None:
    before = room.host.latest
    asked_at = (await room.host.feed.ping())["t2"]  # on the clock of the service itself, and not as it is estimated
    await room.host.report("play", 0.0, **more)
    asked = await room.pending("status", room.host, "play", after=before)
    assert (asked["status"], asked["rate"], asked["currentPosition"]) == ("stop", 0, 0)
    assert asked["pending"]["from"] == "stop"
    earlier = await room.guest.feed.ping()
    # From when the service took it up, which lies between the two exchanges, however long that was.
    taken_up_at = asked["pending"]["deadline"] - 1000 * room.host.feed.frames[0]["limits"]["confirmSeconds"]
    assert asked_at - CLOCKS_MS <= taken_up_at <= earlier["t1"] + CLOCKS_MS
    await room.guest.report("play", 0.0, **more)
    playing = await room.settled("play", "play", after=asked)
    later = await room.guest.feed.ping()
    assert (playing["rate"], playing["currentPosition"]) == (1, 0)
    # Scheduled 250 ms to 2 s after the instant of the decision, which lies between the two exchanges.
    assert earlier["t2"] + 250 <= playing["at"] <= later["t1"] + 2000


async def test_the_guest_asks_as_well_as_the_host(room: Room) -> None:
    before = room.guest.latest
    await room.guest.ask("play", 0.0)
    asked = await room.pending("status", room.guest, "play", after=before)
    await room.host.ask("play", 0.0)
    playing = await room.settled("play", "play", after=asked)
    assert playing["rate"] == 1


async def test_of_two_who_ask_at_the_same_moment_the_later_is_told_and_agrees_when_they_know(room: Room) -> None:
    before = room.host.latest
    await asyncio.gather(room.host.ask("play", 0.0), room.guest.ask("play", 0.0))
    asked = await room.host.timecode(lambda frame: frame["pending"], "one of the two", after=before)
    late = room.guest if asked["pending"]["by"] == room.host.id else room.host
    await late.feed.expect(lambda frame: frame["type"] == "error", "word that it was overtaken")
    await late.timecode(lambda frame: frame["revision"] == asked["revision"], "what overtook it")
    await late.ask("play", 0.0)
    playing = await room.settled("play", "play", after=asked)
    assert playing["rate"] == 1


@pytest.mark.parametrize("still", ["pause", "stop"])
async def test_stillness_acts_at_once_where_the_asker_stands_and_waits_for_the_other(room: Room, still: str) -> None:
    playing = await room.play()
    await room.start_of(playing)
    await room.watch_for(0.6)
    asked_at = (await room.guest.feed.ping())["t2"]
    place = room.guest.position - 0.08
    await room.guest.ask(still, place)
    asked = await room.pending("status", room.guest, still, after=playing)
    assert (asked["status"], asked["rate"], asked["reason"], asked["by"]) == (still, 0, still, room.guest.id)
    assert asked["pending"]["from"] == "play"
    assert asked["pending"]["deadline"] >= asked_at + 1000 * room.host.feed.frames[0]["limits"]["confirmSeconds"]
    if still == "pause":
        # Where a stop leaves the position the contract does not say.
        assert asked["currentPosition"] == pytest.approx(place, abs=0.05)
    await room.host.report(still, asked["currentPosition"])
    settled = await room.settled(still, None, after=asked)
    assert settled["rate"] == 0
    assert settled["currentPosition"] == pytest.approx(asked["currentPosition"], abs=0.001)


async def test_a_pause_nobody_answers_is_taken_back_at_the_deadline_and_not_before(room: Room) -> None:
    confirm_seconds = room.host.feed.frames[0]["limits"]["confirmSeconds"]
    if confirm_seconds > 10:
        pytest.skip(f"this deployment waits {confirm_seconds} s for an answer")
    playing = await room.play()
    await room.start_of(playing)
    await room.guest.ask("pause")
    asked = await room.pending("status", room.guest, "pause", after=playing)
    # Whoever has not answered goes on reporting the old word.
    await room.host.report("play", asked["currentPosition"])
    await room.host.tick(asked["currentPosition"])
    await nothing_happened(room, asked, room.host)
    restored = await room.settled("play", "restored", after=asked, within=confirm_seconds + 5)
    for seat in (room.host, room.guest):
        told = next(frame for frame in seat.timecodes if frame["reason"] == "restored")
        assert -20 <= arrival_ms(seat, told) - asked["pending"]["deadline"] < 2000
    assert restored["rate"] == 1
    # A scheduled resume, from where all stand.
    assert asked["pending"]["deadline"] + 250 <= restored["at"]
    assert restored["currentPosition"] == pytest.approx(asked["currentPosition"], abs=0.05)


async def test_a_play_nobody_answers_never_starts(room: Room) -> None:
    confirm_seconds = room.host.feed.frames[0]["limits"]["confirmSeconds"]
    if confirm_seconds > 10:
        pytest.skip(f"this deployment waits {confirm_seconds} s for an answer")
    before = room.host.latest
    await room.host.ask("play", 0.0)
    asked = await room.pending("status", room.host, "play", after=before)
    restored = await room.settled("stop", "restored", after=asked, within=confirm_seconds + 5)
    assert arrival_ms(room.host, restored) >= asked["pending"]["deadline"] - 20
    assert (restored["rate"], restored["currentPosition"]) == (0, 0)
    assert all(frame["rate"] == 0 for frame in room.guest.timecodes)


@pytest.mark.parametrize("way", ["refuse", "the old status"])
async def test_a_refused_pause_brings_the_film_back(room: Room, way: str) -> None:
    playing = await room.play()
    await room.start_of(playing)
    await room.guest.ask("pause")
    asked = await room.pending("status", room.guest, "pause", after=playing)
    refused_at = room.host.now_ms
    if way == "refuse":
        await room.host.refuse()
    else:
        await room.host.ask("play", asked["currentPosition"])
    refused = await room.settled("play", "refused", after=asked)
    assert refused["rate"] == 1
    # What starts motion is scheduled, and it starts from where all stand.
    assert refused["at"] >= refused_at + 240
    assert refused["currentPosition"] == pytest.approx(asked["currentPosition"], abs=0.05)
    assert arrival_ms(room.host, refused) < asked["pending"]["deadline"]


@pytest.mark.parametrize("way", ["refuse", "the old status"])
async def test_a_refused_play_leaves_the_film_still(room: Room, way: str) -> None:
    before = room.host.latest
    await room.host.ask("play", 0.0)
    asked = await room.pending("status", room.host, "play", after=before)
    if way == "refuse":
        await room.guest.refuse()
    else:
        await room.guest.ask("stop", 0.0)
    refused = await room.settled("stop", "refused", after=asked)
    assert (refused["rate"], refused["currentPosition"]) == (0, 0)
    # All words are the status in force now: who was refused says stop by saying nothing new.
    await room.host.report("stop", 0.0)
    await nothing_happened(room, refused, room.host)


@pytest.mark.parametrize("status", ["play", "pause"])
async def test_the_asker_takes_it_back(room: Room, status: str) -> None:
    before = room.host.latest
    if status == "pause":
        before = await room.play()
        await room.start_of(before)
    await room.host.ask(status)
    asked = await room.pending("status", room.host, status, after=before)
    await room.host.refuse()
    back = await room.settled(asked["pending"]["from"], "refused", after=asked)
    assert back["rate"] == (1 if status == "pause" else 0)


async def test_a_third_status_is_a_change_of_its_own(room: Room) -> None:
    playing = await room.play()
    await room.start_of(playing)
    await room.guest.ask("pause")
    paused = await room.pending("status", room.guest, "pause", after=playing)
    await room.host.ask("stop", paused["currentPosition"])
    stopped = await room.pending("status", room.host, "stop", after=paused)
    assert (stopped["status"], stopped["rate"]) == ("stop", 0)
    assert stopped["pending"]["from"] == "play", "the previous status is the last settled one"
    assert stopped["pending"]["deadline"] > paused["pending"]["deadline"]
    await room.guest.ask("stop", paused["currentPosition"])
    await room.settled("stop", None, after=stopped)


async def test_a_refused_third_status_brings_back_the_last_settled_one(room: Room) -> None:
    playing = await room.play()
    await room.start_of(playing)
    await room.guest.ask("pause")
    paused = await room.pending("status", room.guest, "pause", after=playing)
    await room.host.ask("stop", paused["currentPosition"])
    stopped = await room.pending("status", room.host, "stop", after=paused)
    await room.guest.refuse()
    refused = await room.settled("play", "refused", after=stopped)
    assert refused["rate"] == 1


async def test_the_asker_cannot_confirm_for_the_other(room: Room, host: Person) -> None:
    before = room.host.latest
    await room.host.ask("play", 0.0)
    asked = await room.pending("status", room.host, "play", after=before)
    await room.host.ask("play", 0.0)
    async with take_seat(room.deployment, host, room.id, room.tickets[host.id], is_host=True) as second:
        await second.ask("play", 0.0)
        await nothing_happened(room, asked, room.host, second)
    assert room.guest.latest["pending"]["by"] == room.host.id


@pytest.mark.parametrize("cause", ["tick", "stall", "resume", "seek"])
async def test_only_the_user_acts(room: Room, cause: str) -> None:
    before = room.host.latest
    await room.host.ask("play", 0.0)
    asked = await room.pending("status", room.host, "play", after=before)
    # The status that would confirm, the one that would refuse, and a third: none of them acts.
    for status in ("play", "stop", "pause"):
        await room.guest.report(status, 0.0, cause=cause)
    await nothing_happened(room, asked, room.guest)
    await room.guest.ask("play", 0.0)
    await room.settled("play", "play", after=asked)


async def test_a_tick_asks_for_nothing(room: Room) -> None:
    before = room.host.latest
    await room.guest.report("play", 0.0, cause="tick")
    await nothing_happened(room, before, room.guest)
    playing = await room.play()
    await room.guest.report("pause", 0.0, cause="tick")
    await nothing_happened(room, playing, room.guest)


async def test_without_a_cause_the_word_that_is_known_does_not_act(room: Room) -> None:
    playing = await room.play()
    await room.start_of(playing)
    await room.guest.ask("pause")
    asked = await room.pending("status", room.guest, "pause", after=playing)
    await room.host.report("play", asked["currentPosition"])
    await room.guest.report("pause", asked["currentPosition"])
    await nothing_happened(room, asked, room.host, room.guest)
    await room.host.report("pause", asked["currentPosition"])
    await room.settled("pause", None, after=asked)


async def test_a_smallest_report_without_anything_optional_acts(room: Room) -> None:
    before = room.host.latest
    frame = {"type": "report", "sessionId": room.id, "currentPosition": 0, "status": "play"}
    await room.host.feed.send(**frame, isHost=True)
    asked = await room.pending("status", room.host, "play", after=before)
    await room.guest.feed.send(**frame, isHost=False)
    await room.settled("play", "play", after=asked)


async def test_a_report_under_an_older_revision_never_acts(room: Room) -> None:
    before = room.host.latest
    playing = await room.play()
    assert playing["revision"] > before["revision"]
    for more in ({"cause": "user"}, {}):
        await room.guest.report("pause", 0.0, revision=before["revision"], **more)
        await room.host.report("stop", 0.0, revision=playing["revision"] - 1, **more)
    await nothing_happened(room, playing)
    await is_well(room.guest)


async def test_a_refusal_of_nothing_changes_nothing(room: Room) -> None:
    playing = await room.play()
    await room.guest.refuse()
    await room.host.refuse()
    await nothing_happened(room, playing)


async def test_play_after_a_pause_goes_on_where_it_stood(room: Room) -> None:
    playing = await room.play()
    await room.start_of(playing)
    await room.watch_for(0.5)
    await room.host.ask("pause")
    asked = await room.pending("status", room.host, "pause", after=playing)
    await room.guest.ask("pause", asked["currentPosition"])
    paused = await room.settled("pause", None, after=asked)
    assert paused["currentPosition"] >= 0.4
    for seat in (room.host, room.guest):
        await seat.report("pause", paused["currentPosition"], cause="tick")
    await room.guest.ask("play", paused["currentPosition"])
    wanted = await room.pending("status", room.guest, "play", after=paused)
    assert (wanted["status"], wanted["rate"]) == ("pause", 0)
    await room.host.ask("play", paused["currentPosition"])
    again = await room.settled("play", "play", after=wanted)
    assert again["currentPosition"] == pytest.approx(paused["currentPosition"], abs=0.02)
    later = again["at"] + 1500
    assert position_at(again, later) == pytest.approx(again["currentPosition"] + 1.5)


async def test_what_both_know_is_one_thing_after_both_pressed_everything_at_once(room: Room) -> None:
    for _ in range(10):
        for status in ("play", "pause"):
            await asyncio.gather(room.host.ask(status, 0.0), room.guest.ask(status, 0.0))
    for seat in (room.host, room.guest):
        await seat.refuse()
        await seat.feed.ping()
    await room.told_alike()
    told, also = room.host.latest, room.guest.latest
    assert (told["status"], told["pending"]) == (also["status"], also["pending"])
    assert told["pending"] is None
