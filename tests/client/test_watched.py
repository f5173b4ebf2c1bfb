"""A film that came near its end: told once, by whoever watched it, and nobody waits for that."""

import time
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from dateflicks.client.http import ServiceClient
from dateflicks.client.watched import tell_when_watched
from dateflicks.core.playback.timeline import Timeline
from dateflicks.protocol.bodies import SessionBody
from tests.client.recommendations import ANA, BEA, film_id, recommends, told
from tests.scripted_server import Answer, ScriptedServer, scripted_server, session_json

LENGTH = 5400.0


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with scripted_server() as found:
        yield recommends(found)


def session(**changes: Any) -> SessionBody:
    return msgspec.convert(session_json(state="accepted", **{"videoId": film_id(1), **changes}), SessionBody)


class Film:
    """A film that stands where each look finds it, and how long was waited between two looks."""

    def __init__(self, *positions: float | None) -> None:
        self.positions = list(positions)
        self.waited: list[float] = []

    def line(self) -> Timeline | None:
        """Where it stands; the first of the positions that are left."""
        position = self.positions.pop(0)
        return None if position is None else Timeline(position, time.monotonic(), 0.0, LENGTH)

    async def pause(self, seconds: float) -> None:
        self.waited.append(seconds)


@pytest.mark.parametrize(("user_id", "other"), [(ANA, BEA), (BEA, ANA)])
async def test_it_is_told_once_the_film_has_come_so_far(
    server: ScriptedServer, client: ServiceClient, user_id: str, other: str
) -> None:
    film = Film(None, 0.0, 0.89 * LENGTH, 0.9 * LENGTH)
    await tell_when_watched(client, session(), user_id, film.line, pause=film.pause)
    assert told(server, "watched") == [{"videoId": film_id(1), "event": "watched", "position": None, "with": other}]
    assert (film.positions, len(film.waited)) == ([], 3)


async def test_a_film_that_the_collection_does_not_know_is_nobody_s_concern(
    server: ScriptedServer, client: ServiceClient
) -> None:
    await tell_when_watched(client, session(videoId=None), ANA, Film(LENGTH).line)
    assert server.asked == []


async def test_where_nothing_is_recommended_nothing_is_told(server: ScriptedServer, client: ServiceClient) -> None:
    server.on("GET", "/services", {"services": {"session": server.url}})
    await tell_when_watched(client, session(), ANA, Film().line)
    server.on("GET", "/services", Answer.problem(503, "Not now."))
    async with ServiceClient(server.url) as other:
        await tell_when_watched(other, session(), ANA, Film().line)


async def test_a_film_without_a_length_has_no_end(client: ServiceClient) -> None:
    class Enough(Exception):
        """Looked often enough."""

    async def pause(_: float) -> None:
        raise Enough

    with pytest.raises(Enough):
        await tell_when_watched(client, session(), ANA, lambda: Timeline(9e9, 0.0, 0.0, 0.0), pause=pause)
