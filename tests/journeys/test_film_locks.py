"""Predictions and the film they are about: locked by film time alone, and hidden from whoever is not there yet."""

import asyncio

import pytest

from tests.journeys.betting import Bets, call_of
from tests.journeys.people import Person
from tests.journeys.room import Room
from tests.journeys.talk import Talk


@pytest.fixture
def film_bets(room: Room, host: Person, guest: Person) -> Bets:
    """The bets of two who watch a film in step."""
    return Bets.among(Talk(room.deployment, room.rest, room.id, host, guest, room.tickets))


@pytest.fixture
def bets(talk: Talk) -> Bets:
    """The bets of two whose film nobody tells of but they themselves."""
    return Bets.among(talk)


async def test_the_film_locks_a_prediction_when_it_gets_there(room: Room, film_bets: Bets) -> None:
    bets = film_bets
    async with bets.watcher(bets.host) as host, bets.watcher(bets.guest) as guest:
        made = await bets.make(bets.host, locksAtPosition=3.0)
        assert made["locksAtPosition"] == 3.0
        await bets.call(bets.guest, made, "yes", 0.8)
        playing = await room.play()
        await room.start_of(playing)
        watching = asyncio.create_task(room.watch_for(6.0))
        try:
            for one in (host, guest):
                seen = await one.sees(made, status="locked", within=20.0)
                assert call_of(seen, bets.guest)["option"] == "yes"
            assert room.host.position >= 2.9
            await bets.do(bets.host, made, "call", option="no", confidence=0.9, expect=409)
        finally:
            await watching


async def test_a_pause_locks_nothing_however_long_it_lasts(room: Room, film_bets: Bets) -> None:
    bets = film_bets
    playing = await room.play()
    await room.start_of(playing)
    await room.watch_for(0.5)
    async with bets.watcher(bets.guest) as guest:
        made = await bets.make(bets.host, locksAtPosition=room.host.position + 2.0)
        await room.host.ask("pause")
        asked = await room.pending("status", room.host, "pause", after=playing)
        await room.guest.ask("pause")
        await room.settled("pause", None, after=asked)
        assert room.host.position < made["locksAtPosition"]
        await asyncio.sleep(3.5)  # well past the time when a film that ran would have been there
        assert (await bets.read(bets.guest, made))["status"] == "open"
        await bets.call(bets.guest, made, "no", 0.7)
        await room.play()
        watching = asyncio.create_task(room.watch_for(5.0))
        try:
            await guest.sees(made, status="locked", within=20.0)
        finally:
            await watching


async def test_a_move_beyond_its_time_locks_a_prediction(room: Room, film_bets: Bets) -> None:
    bets = film_bets
    async with bets.watcher(bets.guest) as guest:
        made = await bets.make(bets.host, locksAtPosition=100.0)
        before = room.host.latest
        await room.host.seek(200)
        asked = await room.pending("seek", room.host, 200, after=before)
        assert (await bets.read(bets.guest, made))["status"] == "open"
        await room.guest.seek(200)
        await room.both(lambda frame: frame["currentPosition"] == 200, "moved", after=asked)
        await guest.sees(made, status="locked")
        # And what is to lock at a time that has passed is refused, or takes no call from anybody.
        late = {"prediction": {"details": "too late", "locksAtPosition": 150.0}}
        answer = await bets.ask(bets.host, "", late, (201, 409, 422))
        if answer.status == 201:
            await bets.do(bets.guest, answer.body["prediction"], "call", option="yes", confidence=0.9, expect=409)


async def test_without_a_timecode_the_clients_own_word_locks(bets: Bets) -> None:
    async with bets.watcher(bets.host) as host, bets.watcher(bets.guest) as guest:
        made = await bets.make(bets.host, locksAtPosition=60.0)
        for one in (host, guest):
            await one.is_at(59.0)
        await bets.call(bets.guest, made, "yes", 0.9)
        for one in (host, guest):
            await one.is_at(61.0)
        await guest.sees(made, status="locked")


# --- not to be told too early -----------------------------------------------------------------------------------------


async def test_who_is_not_there_yet_is_told_that_a_prediction_waits_and_nothing_of_what_it_says(bets: Bets) -> None:
    async with bets.watcher(bets.host) as host, bets.watcher(bets.guest) as guest:
        await guest.is_at(100.0)
        await host.is_at(500.0)
        made = await bets.make(bets.host, "The doctor comes back", atPosition=500.0)
        assert made["atPosition"] == 500.0
        await bets.call(bets.host, made, "yes", 0.9)
        await guest.sees(made, waits=True)
        listed = await bets.read(bets.guest, made)
        assert (listed["waits"], listed["details"], listed["options"], listed["calls"]) == (True, "", [], [])
        assert (await bets.read(bets.host, made))["details"] == "The doctor comes back"
        assert "doctor" not in str(guest.feed.frames)
        await guest.is_at(501.0)
        shown = await guest.sees(made, waits=False)
        assert shown["details"] == "The doctor comes back"
        assert len(shown["calls"]) == 1
        assert (await bets.read(bets.guest, made))["details"] == "The doctor comes back"


async def test_a_player_that_runs_is_shown_it_when_it_gets_there(bets: Bets) -> None:
    async with bets.watcher(bets.host), bets.watcher(bets.guest) as guest:
        await guest.is_at(497.0, 1.0)
        made = await bets.make(bets.host, "The doctor comes back", atPosition=500.0)
        await guest.sees(made, waits=True)
        shown = await guest.sees(made, waits=False, within=20.0)
        assert shown["details"] == "The doctor comes back"


async def test_who_is_already_there_or_unknown_is_told_at_once(bets: Bets) -> None:
    async with bets.watcher(bets.host) as host, bets.watcher(bets.guest) as guest:
        first = await bets.make(bets.host, "one", atPosition=500.0)  # nobody knows where the guest is
        assert (await guest.sees(first, status="open"))["details"] == "one"
        await guest.is_at(600.0)
        second = await bets.make(bets.host, "two", atPosition=500.0)
        assert (await guest.sees(second, status="open"))["details"] == "two"
        assert (await host.sees(second, status="open"))["details"] == "two"


async def test_a_prediction_belongs_to_where_the_film_was_when_it_was_made(room: Room, film_bets: Bets) -> None:
    bets = film_bets
    playing = await room.play()
    await room.start_of(playing)
    await room.watch_for(1.0)
    before = room.host.position
    made = await bets.make(bets.host)
    assert before - 0.4 <= made["atPosition"] <= room.host.position + 0.4
