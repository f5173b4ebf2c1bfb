"""Hands on the keys: held, hammered, at the same moment, and where they have no business."""

import asyncio
import time

import pytest

from dateflicks.client.players.mpv_ipc import IpcEvent, connect_path
from dateflicks.client.watching import PlayerChanged
from tests.watching.conftest import OpenRoom
from tests.watching.films import Films
from tests.watching.room import HEAR_SECONDS, Person, Room, until

pytestmark = [pytest.mark.mpv, pytest.mark.slow, pytest.mark.timeout(120)]

FILM_SECONDS = 30.0
LONG_SECONDS = 160.0
HELD = 24  # presses, of five seconds each
PRESSES_PER_SECOND = 30
CALM_SECONDS = 0.7
FRAMES_PER_SECOND_MAX = 12.0
SAME_PICTURE_SECONDS = 0.002


async def presses(person: Person, key: str, times: int, per_second: float = PRESSES_PER_SECOND) -> None:
    """A key that is held down, or hammered."""
    began = time.monotonic()
    for number in range(times):
        await person.press(key)
        await asyncio.sleep(began + (number + 1) / per_second - time.monotonic())


async def settled(room: Room, since: float) -> str:
    """Wait until nothing is pending for a while after what was done at `since`; the status that both are told then."""

    def agreed() -> str | None:
        (one, at), (other, later) = (person.frames[-1] for person in room.people)
        is_news = min(at, later) > since and time.monotonic() > max(at, later) + CALM_SECONDS
        return one.status if is_news and one.revision == other.revision and not one.pending else None

    status: str = await until("the two agree", agreed, seconds=20.0)
    return status


async def test_an_arrow_key_that_is_held_down_is_one_wish_and_ends_where_it_was_let_go(
    films: Films, open_room: OpenRoom
) -> None:
    async with open_room(films.film(LONG_SECONDS, rate="10"), length=LONG_SECONDS) as room:
        host, guest = room.host, room.guest
        await room.in_step(await room.play())
        held, before = time.monotonic(), guest.position()
        already = len(guest.sent)
        await presses(guest, "RIGHT", HELD)
        until_let_go = time.monotonic()
        await host.hears("of the move", lambda told: told.reason == "seek", since=held)
        await room.in_step(until_let_go)
        seeks = {told.pending.to for told, at in host.frames if at > held and told.pending and told.reason == "seek"}
        arrivals = [told for told, at in host.frames if at > held and told.reason == "seek" and not told.pending]
        assert len(seeks) <= 2
        assert len(arrivals) <= 2
        assert abs(arrivals[-1].current_position - (before + HELD * 5.0)) < 3.0
        assert (len(guest.sent) - already) / (time.monotonic() - held) < FRAMES_PER_SECOND_MAX
        assert not [person.trouble() for person in room.people if person.trouble()]


async def test_a_space_bar_that_is_hammered_leaves_both_in_agreement(films: Films, open_room: OpenRoom) -> None:
    async with open_room(films.film(FILM_SECONDS), length=FILM_SECONDS) as room:
        await room.play()
        began, already = time.monotonic(), len(room.guest.sent)
        await presses(room.guest, "SPACE", 15, 10.0)
        status = await settled(room, began)
        assert len(room.guest.sent) - already < 80
        if status == "play":
            await room.pause(room.guest)
        await room.stand(within=SAME_PICTURE_SECONDS)
        await room.in_step(await room.play(room.guest))
        assert not [person.trouble() for person in room.people if person.trouble()]


async def test_two_who_press_the_same_key_at_the_same_moment_get_what_both_want(
    films: Films, open_room: OpenRoom
) -> None:
    async with open_room(films.film(FILM_SECONDS), length=FILM_SECONDS) as room:
        for wish in ("play", "pause", "play"):
            began = time.monotonic()
            await asyncio.gather(*(person.press("SPACE") for person in room.people))
            assert await settled(room, began) == wish
        await room.in_step(began)
        await room.pause(room.host)
        await room.stand(within=SAME_PICTURE_SECONDS)


@pytest.mark.long
async def test_two_who_want_the_opposite_at_the_same_moment_end_in_one_state(films: Films, open_room: OpenRoom) -> None:
    async with open_room(films.film(FILM_SECONDS), length=FILM_SECONDS) as room:
        for first in room.people:
            other = room.guest if first is room.host else room.host
            began = time.monotonic()
            first.evening.watching.ask("play")
            other.evening.watching.ask("pause")
            if await settled(room, began) == "play":
                await room.in_step(began)
            else:
                await room.stand(within=SAME_PICTURE_SECONDS)


async def test_a_speed_that_its_user_sets_is_set_back_and_not_fought_over(films: Films, open_room: OpenRoom) -> None:
    async with open_room(films.film(FILM_SECONDS), length=FILM_SECONDS) as room:
        await room.in_step(await room.play())
        speeds: list[float] = []

        def note(event: IpcEvent) -> None:
            if event.name == "property-change":
                speeds.append(float(event.fields["data"]))

        watch = await connect_path(room.guest.socket, note, lambda _: None)
        try:
            await watch.command("observe_property", 1, "speed")
            await until("the speed is known", lambda: speeds)
            await (await room.guest.outside()).set("speed", 1.5)
            changed = time.monotonic()
            while abs(await room.guest.get("speed") - 1.0) > 0.05:
                assert time.monotonic() < changed + HEAR_SECONDS, "it is set back"
                await asyncio.sleep(0.01)
            await room.guest.press("]")
            await room.in_step(changed)
            assert len(speeds) < 10
            assert speeds.count(1.5) <= 1
        finally:
            watch.close()
        assert room.observer.host.fell_back(0.0) < 0.1


@pytest.mark.long
async def test_another_file_that_is_dropped_in_stops_for_all_and_gives_way_to_the_film(
    films: Films, open_room: OpenRoom
) -> None:
    film = films.film(FILM_SECONDS)
    async with open_room(film, length=FILM_SECONDS) as room:
        host, guest = room.host, room.guest
        await room.in_step(await room.play())
        dropped = time.monotonic()
        other = films.film(2.0)
        await (await guest.outside()).command("loadfile", str(other))
        await host.hears("that it stops", lambda told: told.status == "stop", since=dropped)
        await until("the guest is told", lambda: guest.changes("other-film"))
        assert await settled(room, dropped) == "stop"
        await room.stand(within=SAME_PICTURE_SECONDS)
        assert await guest.get("path") == str(film)
        await room.in_step(await room.play(guest))
        assert [one.kind for one in guest.trouble() if isinstance(one, PlayerChanged)] == ["other-film"]
        assert not host.trouble()
