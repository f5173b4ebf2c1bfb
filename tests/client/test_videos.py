"""The collection over HTTP: what is asked, page after page, and which film is opened of a video."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from dateflicks.client.errors import DoesNotFit, NotThere, ServiceDown
from dateflicks.client.films import Film
from dateflicks.client.http import ServiceClient
from dateflicks.client.videos import Videos, film_elsewhere, film_here, name_of, the_one
from dateflicks.protocol.videos import OfferBody
from tests.client.videos import CHARADE, NIGHT, OTHER, netflix_json, offer_json, page_json, video, video_json
from tests.scripted_server import Answer, ScriptedServer, scripted_server


def serving(server: ScriptedServer) -> ScriptedServer:
    server.on("GET", "/services", {"services": {"videos": server.url}})
    return server


async def test_what_is_asked_travels_and_what_is_not_does_not() -> None:
    with scripted_server() as server:
        serving(server).on("GET", "/videos", page_json(video_json()))
        async with ServiceClient(server.url) as client:
            page = await Videos(client).page("night & day", genre="noir", playable=False, sort="year", limit=5)
            assert [found.id for found in page.items] == [NIGHT]
            assert server.last.query == {
                "q": "night & day", "genre": "noir", "playable": "false", "sort": "year", "limit": "5",
            }  # fmt: skip
            assert "Authorization" not in server.last.headers


async def test_pages_are_read_to_the_end_and_an_empty_one_does_not_end_them() -> None:
    pages = [page_json(video_json(), next="a"), page_json(next="b"), page_json(video_json(CHARADE))]
    with scripted_server() as server:
        serving(server).on("GET", "/videos", pages[0])

        def turn(number: int) -> None:
            if number < len(pages):
                server.answers["GET", "/videos"] = Answer(200, pages[number], before=lambda: turn(number + 1))

        turn(0)
        async with ServiceClient(server.url) as client:
            found = [one.id async for one in Videos(client).all("x", limit=10)]
    assert found == [NIGHT, CHARADE]
    cursors = [asked.query.get("cursor") for asked in server.asked if asked.path == "/videos"]
    assert cursors == [None, "a", "b"]


async def test_no_more_are_read_than_wanted() -> None:
    with scripted_server() as server:
        serving(server).on("GET", "/videos", page_json(video_json(), next="more"))
        async with ServiceClient(server.url) as client:
            assert len([one async for one in Videos(client).all(limit=3)]) == 3
    limits = [asked.query["limit"] for asked in server.asked if asked.path == "/videos"]
    assert limits == ["3", "2", "1"]


async def test_one_video_and_the_sources_are_read() -> None:
    sources = {
        "items": [
            {
                "name": "archive", "count": 3, "lastRun": None, "lastSuccessAt": None, "ageSeconds": None,
                "attribution": "By the archive.",
            }
        ],
        "next": None, "index": {"count": 3, "isComplete": True, "asOf": None},
    }  # fmt: skip
    with scripted_server() as server:
        serving(server).on("GET", f"/videos/{NIGHT}", {"video": video_json()})
        server.on("GET", "/sources", sources)
        async with ServiceClient(server.url) as client:
            assert (await Videos(client).video(NIGHT)).title == "Night of the Living Dead"
            assert (await Videos(client).sources()).items[0].attribution == "By the archive."
            with pytest.raises(NotThere):
                await Videos(client).video(CHARADE)


@pytest.mark.parametrize(("status", "error"), [(422, DoesNotFit), (503, ServiceDown)])
async def test_what_the_service_refuses_is_an_error_of_the_client(status: int, error: type[Exception]) -> None:
    with scripted_server() as server:
        serving(server).on("GET", "/videos", Answer.problem(status, "No."))
        async with ServiceClient(server.url) as client:
            with pytest.raises(error):
                await Videos(client).page("x")


# --- which film -------------------------------------------------------------------------------------------------


def offer(**changes: Any) -> OfferBody:
    return msgspec.convert(offer_json(**changes), OfferBody)


def test_an_address_is_played_as_it_is() -> None:
    address = "https://archive.example/film.mp4"
    assert film_here(offer()) == Film(address, address)


def test_what_only_opens_elsewhere_is_not_played_but_its_link_is_known() -> None:
    found = video(offers=[netflix_json()])
    assert film_here(found.offers[0]) is None
    assert film_elsewhere(found) == Film("https://www.netflix.com/title/1", "https://www.netflix.com/title/1")
    assert film_elsewhere(video(offers=[])) is None


def test_a_file_is_opened_only_where_it_is_and_by_the_word_of_this_machine_s_own_server(tmp_path: Path) -> None:
    path = tmp_path / "The General.mkv"
    path.write_bytes(b"film")
    for url in (path.as_uri(), str(path)):
        assert film_here(offer(source="local", url=url)) is None
        assert film_here(offer(source="local", url=url), has_its_files=True) == Film(str(path), "The General.mkv")
    assert film_here(offer(source="local", url="file:///films/night.mkv"), has_its_files=True) is None


@pytest.mark.parametrize(
    "url", ["jellyfin://home/1", "edl://x", "file://elsewhere/x", "file:///dev/null", "http://", "film.mkv", "", "/"]
)
def test_an_offer_that_can_not_be_opened_here_is_none(url: str) -> None:
    assert film_here(offer(url=url), has_its_files=True) is None


def test_the_only_one_is_meant_and_of_several_the_only_one_of_that_title() -> None:
    night, charade, other = video(), video(id=CHARADE, title="Charade"), video(id=OTHER, title="The Charade Affair")
    assert the_one([night], "nigth") is night
    assert the_one([charade, other], "charade") is charade
    assert the_one([charade, other], "char") is None
    assert the_one([charade, video(id=OTHER, title="Charade", year=1953)], "Charade") is None
    assert the_one([], "x") is None


def test_a_film_is_called_by_its_title_and_year() -> None:
    assert name_of(video()) == "Night of the Living Dead (1968)"
    assert name_of(video(year=None)) == "Night of the Living Dead"
