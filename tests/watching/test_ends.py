"""The end of the film: both stand there, nothing is lost, and from there it goes on to wherever both want."""

import time

import pytest

from tests.watching.conftest import OpenRoom
from tests.watching.films import Films
from tests.watching.room import Person, Room, until

pytestmark = [pytest.mark.mpv, pytest.mark.slow, pytest.mark.timeout(120)]

NEAR_SECONDS = 0.15  # a last picture begins a frame or two before the end
SHORT = (2.0, 0.5)


async def ended(room: Room, since: float) -> None:
    """Both hear of the end, and the film stands there for both."""
    for person in room.people:
        told, _ = await person.hears("of the end", lambda told: told.reason == "end", since=since)
        assert (told.status, told.waiting_for) == ("stop", [])


async def stands_at(person: Person, place: float, *, near: float = NEAR_SECONDS) -> None:
    """Wait until the person's own mpv stands there."""
    where: list[float] = []
    deadline = time.monotonic() + 10.0
    while not (where and abs(where[-1] - place) <= near and await person.get("pause")):
        assert time.monotonic() < deadline, f"{person.name}'s film stands at {where[-3:]}, not at {place:.2f}"
        where.append(float(await person.get("time-pos") or 0.0))


async def test_at_the_end_both_stand_and_may_go_back_to_the_beginning(films: Films, open_room: OpenRoom) -> None:
    length = 10.0
    async with open_room(films.film(length), length=length) as room:
        await room.seek(room.guest, length - 2.0)
        began = await room.play(room.guest)
        await ended(room, began)
        for person in room.people:
            await stands_at(person, length)
        await room.seek(room.guest, 0.0)
        for person in room.people:
            await stands_at(person, 0.0)
            assert person.told.status == "stop"
        await room.in_step(await room.play())
        assert not [person.trouble() for person in room.people if person.trouble()]


@pytest.mark.parametrize("length", SHORT)
async def test_a_film_of_a_moment_plays_to_its_end_and_again(films: Films, open_room: OpenRoom, length: float) -> None:
    async with open_room(films.film(length), length=length) as room:
        began = await room.play()
        await ended(room, began)
        for person in room.people:
            await stands_at(person, length)
        await room.seek(room.host, 0.0)
        for person in room.people:
            await stands_at(person, 0.0)
        await room.play()
        await until("it plays again", lambda: all(person.position() > 0.1 for person in room.people))
        assert not [person.trouble() for person in room.people if person.trouble()]


@pytest.mark.long
async def test_seeks_beyond_the_end_and_to_just_before_it_end_at_the_end(films: Films, open_room: OpenRoom) -> None:
    length = 10.0
    async with open_room(films.film(length), length=length) as room:
        began = await room.play()
        await room.seek(room.host, 500.0)
        await ended(room, began)
        for person in room.people:
            await stands_at(person, length)
        await room.seek(room.host, 3.0)
        began = await room.play()
        await room.in_step(began)
        await room.seek(room.host, length - 0.03)
        await ended(room, began)
        for person in room.people:
            await stands_at(person, length)
        await room.seek(room.guest, 0.0)
        for person in room.people:
            await stands_at(person, 0.0)
        assert not [person.trouble() for person in room.people if person.trouble()]


@pytest.mark.long
async def test_where_one_copy_is_shorter_the_other_sees_the_end_without_a_fight(
    films: Films, open_room: OpenRoom
) -> None:
    length, shorter = 5.0, 2.0
    async with open_room(films.film(length), guest_film=films.film(shorter), length=length) as room:
        host, guest = room.host, room.guest
        assert host.evening.warnings == []
        assert any("another cut" in warning for warning in guest.evening.warnings)
        since = await room.play()
        await until("the host's film plays", lambda: host.position() > 0.3)
        together = time.monotonic()
        await until("the guest's film is over", lambda: guest.changes("ended"))
        quiet = len(guest.sent)
        await ended(room, since)
        assert room.observer.host.fell_back(together) < 0.1
        assert room.observer.host.pace(together, time.monotonic() - 0.3) > 0.9
        assert not [told for told, at in host.frames if at > together and told.waiting_for]
        assert len(guest.sent) - quiet < 40
        assert len(guest.changes("ended")) == 1
        assert not guest.changes("stalled")
        await stands_at(host, length)
        await stands_at(guest, shorter)
        assert not [person.trouble() for person in room.people if person.trouble()]
