"""The films of one's own Plex server: what is stored of them holds no token, what plays is made when it is asked for,
and what becomes of a run when the server is not as it should be.
"""

import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from dateflicks.server.catalogue.records import COLLECTIONS, VIDEOS, offer_id
from dateflicks.server.catalogue.writing import Writer
from dateflicks.server.providers.discovery import config_of, find, load
from dateflicks.server.providers.plex import PlexVideoSource
from dateflicks.server.providers.records import MemoryLedger, SourceState
from dateflicks.server.providers.source import AuthError, Item, NotOffered
from dateflicks.settings.providers import PlexSettings, ProvidersSettings
from dateflicks.testing import Answers, check_source
from tests.providers import server as provider
from tests.providers.server import RECORDED, Asked, RecordedServer, Reply
from tests.server.providers.library import PASSING, QUICK, asking, ids, run
from tests.server.providers.sources import Kept
from tests.server.storage.engines import embedded

PLEX = PlexVideoSource()
TOKEN = "a-token-of-plex"
MACHINE = "fedcba9876543210fedcba9876543210fedcba98"
FILMS = "/library/sections/1/all"
START = "X-Plex-Container-Start"


def recorded(name: str) -> Any:
    return json.loads((RECORDED / "plex" / f"{name}.json").read_text())


@pytest.fixture
def server() -> Iterator[RecordedServer]:
    with RecordedServer("plex", headers={"X-Plex-Token": TOKEN}) as recorded_server:
        recorded_server.route("/identity", "server.json")
        recorded_server.route("/library/sections", "sections.json")
        recorded_server.route(FILMS, "films-0.json", {START: 0})
        for film in recorded("films-0")["MediaContainer"]["Metadata"]:
            recorded_server.route(f"/library/metadata/{film['ratingKey']}", page(film))
        yield recorded_server


def settings(server: RecordedServer, **changes: Any) -> PlexSettings:
    return msgspec.structs.replace(PlexSettings(base_url=f"{server.url}/", token=TOKEN), **changes)


def page(*films: Any, total: int | None = None, start: int = 0) -> dict[str, Any]:
    container: dict[str, Any] = {"size": len(films), "offset": start}
    container["totalSize"] = len(films) if total is None else total
    return {"MediaContainer": container | ({"Metadata": [*films]} if films else {})}


def sections(*given: dict[str, Any]) -> dict[str, Any]:
    return {"MediaContainer": {"size": len(given), "Directory": [*given]}}


def section(key: str, title: str, **changes: Any) -> dict[str, Any]:
    return {"key": key, "type": "movie", "title": title, "agent": "tv.plex.agents.movie", **changes}


def film(number: int, **changes: Any) -> dict[str, Any]:
    media = [{"Part": [{"key": f"/library/parts/{number}/17/file.mkv"}]}]
    return {"ratingKey": str(number), "type": "movie", "title": f"Film {number}", "Media": media, **changes}


# --- films ------------------------------------------------------------------------------------------------------------


async def test_a_film_is_told_with_its_facts_and_a_reference_that_holds_no_token(server: RecordedServer) -> None:
    kept = Kept()
    record = await run(PLEX, settings(server), kept)
    assert (record.status, record.error) == ("ok", None)
    assert ids(kept) == {"101", "102"}
    assert kept.sweeps == [False]
    assert kept.there["101", ""] == Item(
        source_id="101",
        url=f"plex://{MACHINE}/101",
        title="His Girl Friday",
        year=1940,
        duration_seconds=5_520.0,
        genres=("Comedy", "Romance"),
        overview="Fixture text.",
        external_ids={"imdb": "tt0032599", "tmdb": "3085"},
        offer_type="owned",
        playable=True,
    )


async def test_it_asks_for_containers_of_films(server: RecordedServer) -> None:
    server.route(FILMS, page(film(1), film(2), total=3), {START: 0})
    server.route(FILMS, page(film(3), total=3, start=2), {START: 2})
    kept = Kept()
    await run(PLEX, settings(server), kept)
    asked = server.asked_for(FILMS)
    assert [one.params[START] for one in asked] == ["0", "2"]
    assert {one.params["X-Plex-Container-Size"] for one in asked} == {"200"}
    assert {one.params["includeGuids"] for one in asked} == {"1"}
    assert {one.headers["accept"] for one in asked} == {"application/json"}
    assert ids(kept) == {"1", "2", "3"}
    assert kept.sweeps == [False]


async def test_only_sections_of_films_are_read_or_those_that_are_named(server: RecordedServer) -> None:
    server.route(
        "/library/sections",
        sections(
            section("1", "Movies"),
            section("2", "Series", type="show"),
            section("3", "At home", agent="com.plexapp.agents.none"),
        ),
    )
    server.route("/library/sections/3/all", page(film(9)))
    kept = Kept()
    await run(PLEX, settings(server), kept)
    assert ids(kept) == {"101", "102", "9"}
    assert (kept.there["9", ""].kind, kept.there["101", ""].kind) == ("other", "film")
    assert server.asked_for("/library/sections/2/all") == []
    kept = Kept()
    await run(PLEX, settings(server, sections=["At home"]), kept)
    assert ids(kept) == {"9"}
    record = await run(PLEX, settings(server, sections=["Movies", "Films"]))
    assert "'Films'" in (record.error or "")


async def test_one_section_may_stand_for_a_list_and_older_agents_have_the_id_in_the_guid(
    server: RecordedServer,
) -> None:
    server.route("/library/sections", {"MediaContainer": {"size": 1, "Directory": section("1", "Movies")}})
    old = film(1, guid="com.plexapp.agents.imdb://tt0032599?lang=en", year="1940", duration="60000", Role={"tag": "A"})
    other = film(2, guid="com.plexapp.agents.themoviedb://3085?lang=en", originallyAvailableAt="1926-02-05")
    server.route(FILMS, page(old, other), {START: 0})
    kept = Kept()
    await run(PLEX, settings(server), kept)
    first, second = kept.there["1", ""], kept.there["2", ""]
    assert (first.external_ids, first.year, first.duration_seconds) == ({"imdb": "tt0032599"}, 1940, 60.0)
    assert first.people == ("A",)
    assert (second.external_ids, second.year) == ({"tmdb": "3085"}, 1926)


async def test_a_film_in_several_files_or_in_none_is_no_offer(server: RecordedServer) -> None:
    parts = [{"key": "/library/parts/1/17/cd1.avi"}, {"key": "/library/parts/2/17/cd2.avi"}]
    films = [film(1), film(2, Media=[{"Part": parts}]), film(3, Media=[]), film(4, Media=[{"Part": [{"key": "/x"}]}])]
    server.route(FILMS, page(*films), {START: 0})
    kept = Kept()
    assert (await run(PLEX, settings(server), kept)).status == "ok"
    assert ids(kept) == {"1"}


async def test_an_empty_section_has_no_list(server: RecordedServer) -> None:
    server.route(FILMS, page(), {START: 0})
    kept = Kept()
    assert (await run(PLEX, settings(server), kept)).status == "unchanged"
    assert kept.sweeps == [False]


async def test_in_the_collection_a_second_run_writes_nothing(server: RecordedServer, tmp_path: Path) -> None:
    async with embedded(tmp_path, *COLLECTIONS, timeout_seconds=10.0) as database:
        for number, status in enumerate(("ok", "unchanged")):
            writer = Writer(database, "plex", f"run{number}", now=lambda: datetime.now(UTC).timestamp())
            assert (await run(PLEX, settings(server), writer)).status == status
        stored = await database.table(VIDEOS).get(offer_id("plex", "101", ""))
    assert stored is not None
    assert (stored["status"], stored["url"], stored["playable"]) == ("active", f"plex://{MACHINE}/101", True)


# --- what plays -------------------------------------------------------------------------------------------------------


async def resolved(server: RecordedServer, url: str, **changes: Any) -> str:
    context = asking(PLEX, settings(server, **changes))
    async with context.http:
        return await PLEX.resolve(context, url)


async def test_a_reference_becomes_a_stream_with_the_token_of_whoever_asks(server: RecordedServer) -> None:
    stream = await resolved(server, f"plex://{MACHINE}/101")
    assert stream == f"{server.url}/library/parts/10100/1700000100/file.mkv?X-Plex-Token={TOKEN}"


@pytest.mark.parametrize(
    "url",
    [
        "plex://another-machine/101",
        f"plex://{MACHINE}/999",
        f"plex://{MACHINE}/../accounts",
        f"jellyfin://{MACHINE}/101",
        f"plex://{MACHINE}/55",
    ],
)
async def test_what_is_not_on_this_server_does_not_play(server: RecordedServer, url: str) -> None:
    server.route("/library/metadata/55", page(film(55, Media=[{"Part": [{"key": "/library/parts/../../accounts"}]}])))
    with pytest.raises(NotOffered):
        await resolved(server, url)


async def test_with_a_wrong_token_nothing_plays(server: RecordedServer) -> None:
    with pytest.raises(AuthError):
        await resolved(server, f"plex://{MACHINE}/101", token="another-token")


# --- what changed -----------------------------------------------------------------------------------------------------


async def test_an_incremental_run_asks_for_what_was_updated_since(server: RecordedServer) -> None:
    kept, ledger = Kept(), MemoryLedger()
    await run(PLEX, settings(server), kept, ledger)
    server.asked.clear()
    server.route(FILMS, page(film(101), film(7)), {START: 0})
    record = await run(PLEX, settings(server), kept, ledger, mode="incremental")
    assert (record.mode, record.counters.new, record.counters.changed) == ("incremental", 1, 1)
    (asked,) = server.asked_for(FILMS)
    assert 0 < datetime.now(UTC).timestamp() - int(asked.params["updatedAt>>"]) < 3 * 3_600
    assert ids(kept) == {"101", "102", "7"}


async def test_other_sections_begin_with_everything(server: RecordedServer) -> None:
    kept = Kept()
    state = SourceState(incremental={"scope": "another", "since": 1_700_000_000})
    await run(PLEX, settings(server), kept, MemoryLedger(state), mode="incremental")
    assert "updatedAt>>" not in server.asked_for(FILMS)[0].params
    assert ids(kept) == {"101", "102"}


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (page(film(1), film(2), total=4), page(film(3), total=3, start=2)),  # one went while pages were turned
        (page(film(1), film(2), total=4), page(film(2), film(3), total=4, start=2)),  # one came in between
        (page(film(1), film(2), total=4), page(total=4, start=2)),  # it says more than it has
    ],
)
async def test_nothing_counts_as_gone_when_pages_have_moved(server: RecordedServer, first: Any, second: Any) -> None:
    kept = Kept()
    server.route(FILMS, first, {START: 0}).route(FILMS, second, {START: 2})
    assert (await run(PLEX, settings(server), kept)).status == "ok"
    assert kept.sweeps == []


async def test_a_run_that_broke_off_goes_on_in_its_section(server: RecordedServer) -> None:
    server.route("/library/sections", sections(section("1", "Movies"), section("2", "More")))
    server.route("/library/sections/2/all", Reply(status=403))
    kept, ledger = Kept(), MemoryLedger()
    record = await run(PLEX, settings(server), kept, ledger)
    assert record.error_kind == "auth"
    assert ids(kept) == {"101", "102"}
    server.asked.clear()
    server.route("/library/sections/2/all", page(film(7)), {START: 0})
    await run(PLEX, settings(server), kept, ledger)
    assert server.asked_for(FILMS) == []
    assert ids(kept) == {"101", "102", "7"}
    assert kept.sweeps == []


async def test_a_run_that_should_end_ends_at_a_place_to_go_on_from(server: RecordedServer) -> None:
    kept, stopping = Kept(), asyncio.Event()

    def stop(asked: Asked) -> Reply:
        stopping.set()
        return Reply(headers={"Content-Type": provider.JSON_TYPE}).with_value(page(film(1), total=2))

    server.route(FILMS, stop, {START: 0})
    record = await run(PLEX, settings(server), kept, stopping=stopping)
    assert (record.status, record.error) == ("partial", None)
    assert kept.sweeps == []


# --- what goes wrong --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", PASSING)
async def test_what_passes_is_waited_for(server: RecordedServer, fault: provider.Fault) -> None:
    kept = Kept()
    server.misbehave(fault, path="/library/sections")
    server.misbehave(fault, path=FILMS)
    assert (await run(PLEX, settings(server), kept, limits=QUICK)).status == "ok"
    assert ids(kept) == {"101", "102"}


async def test_a_wrong_token_is_told_and_not_tried_again(server: RecordedServer) -> None:
    record = await run(PLEX, settings(server, token="another-token"))
    assert (record.status, record.error_kind) == ("failed", "auth")
    assert len(server.asked) == 1
    assert "another-token" not in str(record)


@pytest.mark.parametrize("changes", [{"base_url": ""}, {"token": ""}])
async def test_without_address_or_token_it_says_where_to_put_one(
    server: RecordedServer, changes: dict[str, Any]
) -> None:
    record = await run(PLEX, settings(server, **changes))
    assert record.error_kind == "auth"
    assert "[plex]" in (record.error or "")
    assert server.asked == []


@pytest.mark.parametrize("path", [FILMS, "/library/sections", "/identity"])
@pytest.mark.parametrize(
    "fault",
    [
        provider.malformed,
        provider.changed(lambda answer: {"Container": answer["MediaContainer"]}),
        provider.changed(lambda answer: [answer]),
        provider.changed(lambda _: {"MediaContainer": {}}),
    ],
)
async def test_an_answer_that_cannot_be_read_ends_the_run_and_removes_nothing(
    server: RecordedServer, path: str, fault: provider.Fault
) -> None:
    kept, ledger = Kept(), MemoryLedger()
    await run(PLEX, settings(server), kept, ledger)
    kept.sweeps.clear()
    server.misbehave(fault, path=path, always=True)
    for mode in ("full", "incremental"):
        record = await run(PLEX, settings(server), kept, ledger, mode=mode)
        assert (record.status, record.error_kind) == ("failed", "schema")
    assert ids(kept) == {"101", "102"}
    assert kept.sweeps == []


async def test_an_item_that_cannot_be_read_is_left_out_and_not_taken_for_gone(server: RecordedServer) -> None:
    kept, ledger = Kept(), MemoryLedger()
    await run(PLEX, settings(server), kept, ledger)
    kept.sweeps.clear()
    fault = provider.changed(lambda answer: answer["MediaContainer"]["Metadata"][0].update(title=None))
    server.misbehave(fault, path=FILMS)
    record = await run(PLEX, settings(server), kept, ledger)
    assert record.counters.quarantined == 1
    assert ids(kept) == {"101", "102"}
    assert kept.sweeps == []


# --- what it says of itself -------------------------------------------------------------------------------------------


async def test_a_check_says_what_is_read(server: RecordedServer) -> None:
    context = asking(PLEX, settings(server))
    async with context.http:
        assert await PLEX.check(context) == "The Plex server has 2 films in 'Movies'."


def test_it_is_built_in() -> None:
    source = load(find("plex"))
    assert isinstance(config_of(source, ProvidersSettings()), PlexSettings)


async def test_it_is_what_a_source_should_be() -> None:
    base = "http://plex.example:32400"
    answers = {
        f"{base}/identity": recorded("server"),
        f"{base}/library/sections": sections(section("1", "Movies"), section("2", "More")),
        f"{base}{FILMS}?{START}=0": recorded("films-0"),
        f"{base}/library/sections/2/all?{START}=0": page(film(7), film(8), total=3),
        f"{base}/library/sections/2/all?{START}=2": page(film(9), total=3, start=2),
    }
    await check_source(PLEX, Answers(answers), PlexSettings(base_url=base, token=TOKEN))
