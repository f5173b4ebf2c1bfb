"""What goes wrong with one of the two: a stream that stalls, a player that dies, a player that is closed."""

import asyncio
import os
import signal
import time

import pytest

from dateflicks.client.watching import PlayerChanged
from tests.watching.conftest import OpenRoom
from tests.watching.films import Films
from tests.watching.room import dead, until
from tests.watching.streams import streaming

pytestmark = [pytest.mark.mpv, pytest.mark.slow, pytest.mark.timeout(120)]

FILM_SECONDS = 30.0
STALL_SECONDS = 1.5
BACK_MAX_SECONDS = 1.0  # what the others run on before it is known that one stands


async def test_the_other_waits_while_a_stream_stalls_and_is_hardly_thrown_back(
    films: Films, open_room: OpenRoom
) -> None:
    film = films.film(FILM_SECONDS)
    async with (
        streaming(film, FILM_SECONDS) as stream,
        open_room(film, guest_film=stream.url, length=FILM_SECONDS) as room,
    ):
        host, guest = room.host, room.guest
        await room.in_step(await room.play())
        stopped = time.monotonic()
        stream.flows.clear()
        told, stalled = await host.hears("that one waits", lambda told: bool(told.waiting_for), since=stopped)
        assert (told.reason, told.waiting_for) == ("wait", [guest.evening.viewer.user_id])
        await until("the stall has lasted", lambda: time.monotonic() > stalled + STALL_SECONDS)
        assert host.told.waiting_for
        assert host.told.rate == 0
        stream.flows.set()
        _, resumed = await host.hears("that it goes on", lambda told: told.rate == 1, since=stalled)
        await room.in_step(resumed)
        assert room.observer.host.fell_back(stopped) <= BACK_MAX_SECONDS
        assert room.observer.guest.fell_back(stopped) <= BACK_MAX_SECONDS
        assert guest.changes("stalled")
        assert not [person.trouble() for person in room.people if person.trouble()]


async def test_a_player_that_is_killed_is_started_again_and_comes_back_into_step(
    films: Films, open_room: OpenRoom
) -> None:
    film = films.film(FILM_SECONDS)
    async with open_room(film, length=FILM_SECONDS) as room:
        await room.in_step(await room.play())
        first = room.guest.player
        assert first.pid is not None
        killed = time.monotonic()
        os.kill(first.pid, signal.SIGKILL)
        await until("there is another player", lambda: room.guest.evening.watching.player is not first)
        returned = time.monotonic()
        await room.in_step(returned)
        assert room.observer.host.fell_back(killed) <= BACK_MAX_SECONDS
        assert room.observer.host.pace(killed, time.monotonic()) > 0.3
        assert [one.kind for one in room.guest.trouble() if isinstance(one, PlayerChanged)] == ["died"]
        assert not room.host.trouble()


@pytest.mark.long
async def test_a_player_that_its_person_closed_is_a_question_to_them_and_nothing_to_the_other(
    films: Films, open_room: OpenRoom
) -> None:
    answers: asyncio.Queue[bool] = asyncio.Queue()
    questions: list[float] = []

    async def may_reopen() -> bool:
        questions.append(time.monotonic())
        return await answers.get()

    film = films.film(FILM_SECONDS)
    async with open_room(film, length=FILM_SECONDS, guest_may_reopen=may_reopen) as room:
        host, guest = room.host, room.guest
        began = await room.play()
        await room.in_step(began)
        first = guest.player
        closed = time.monotonic()
        await guest.press("CLOSE_WIN")
        await until("the guest is asked", lambda: questions)
        await until("the other goes on", lambda: time.monotonic() > closed + 1.0)
        assert room.observer.host.pace(closed, time.monotonic()) > 0.9
        answers.put_nowait(True)
        await until("it is open again", lambda: guest.evening.watching.player is not first)
        await room.in_step(time.monotonic())
        assert room.observer.host.fell_back(closed) <= BACK_MAX_SECONDS

        await (await guest.outside()).command("quit")
        await dead(guest)
        await until("the guest is asked again", lambda: len(questions) == 2)
        answers.put_nowait(False)
        await until("the guest's evening is over", lambda: guest.running is not None and guest.running.done())
        left = time.monotonic()
        await host.hears("that one has gone", lambda told: told.reason == "leave", since=closed)
        await until("the host watches on", lambda: time.monotonic() > left + 0.5)
        assert room.observer.host.pace(left, time.monotonic()) > 0.9
        assert not host.trouble()
