"""Films as they come: pictures alone, uneven and odd rates. Both see the same at the same time, and after a pause."""

import time

import pytest

from tests.watching.conftest import OpenRoom
from tests.watching.films import Films
from tests.watching.room import until

pytestmark = [pytest.mark.mpv, pytest.mark.slow, pytest.mark.timeout(120)]

FILM_SECONDS = 15.0
SAME_PICTURE_SECONDS = 0.002


async def test_a_film_of_pictures_alone_is_seen_in_step_and_pauses_on_one_picture(
    films: Films, open_room: OpenRoom
) -> None:
    film = films.film(FILM_SECONDS, sound=False)
    async with open_room(film, length=FILM_SECONDS, pictures=True) as room:
        await room.in_step(await room.play())
        await room.seek(room.guest, 8.0)
        await room.in_step(time.monotonic())
        await room.pause(room.guest)
        await room.stand(within=SAME_PICTURE_SECONDS)
        assert not [person.trouble() for person in room.people if person.trouble()]


@pytest.mark.parametrize(
    "rate", ["24000/1001", *(pytest.param(rate, marks=pytest.mark.long) for rate in ("uneven", "60"))]
)
async def test_whatever_its_rate_a_film_is_seen_in_step_and_pauses_on_one_picture(
    films: Films, open_room: OpenRoom, rate: str
) -> None:
    film = films.film(FILM_SECONDS, rate="50" if rate == "uneven" else rate, uneven=rate == "uneven")
    async with open_room(film, length=FILM_SECONDS) as room:
        await room.in_step(await room.play())
        await room.pause(room.host)
        stood, _ = await room.stand(within=SAME_PICTURE_SECONDS)
        await room.play()
        await until("they play on", lambda: room.host.position() > stood + 0.3)
        await room.pause(room.guest)
        await room.stand(within=SAME_PICTURE_SECONDS)
        assert not [person.trouble() for person in room.people if person.trouble()]
