"""Films as they come: pictures alone, uneven and odd rates. Both see the same at the same time, and after a pause."""

import time

import pytest

from tests.watching.conftest import OpenRoom
from tests.watching.films import Films
from tests.watching.room import until

pytestmark = [pytest.mark.mpv, pytest.mark.slow, pytest.mark.timeout(120)]

FILM_SECONDS = 40.0
SAME_PICTURE_SECONDS = 0.002


async def test_a_film_of_pictures_alone_is_seen_in_step_and_pauses_on_one_picture(
    films: Films, open_room: OpenRoom
) -> None:
    film = films.film(FILM_SECONDS, sound=False)
    async with open_room(film, length=FILM_SECONDS, pictures=True) as room:
        await room.in_step(await room.play())
        await room.seek(room.guest, 20.0)
        await room.in_step(time.monotonic())
        await room.pause(room.guest)
        await room.stand(within=SAME_PICTURE_SECONDS)
        assert not [person.trouble() for person in room.people if person.trouble()]


@pytest.mark.parametrize(
    ("rate", "choose"),
    [
        pytest.param("50", "not(mod(n\\,3))+not(mod(n\\,7))+between(mod(n\\,100)\\,0\\,20)", id="uneven"),
        pytest.param("24000/1001", "", id="23.976"),
        pytest.param("60", "", id="60"),
    ],
)
async def test_whatever_its_rate_a_film_is_seen_in_step_and_pauses_on_one_picture(
    films: Films, open_room: OpenRoom, rate: str, choose: str
) -> None:
    film = films.film(FILM_SECONDS, rate=rate, choose=choose)
    async with open_room(film, length=FILM_SECONDS) as room:
        await room.in_step(await room.play())
        for pauser in room.people:
            await room.pause(pauser)
            await room.stand(within=SAME_PICTURE_SECONDS)
            stood = pauser.position()
            await room.play()
            await until("they play on", lambda: pauser.position() > stood + 0.3)  # noqa: B023 - within this turn
        assert not [person.trouble() for person in room.people if person.trouble()]
