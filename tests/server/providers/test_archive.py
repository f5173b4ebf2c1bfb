"""What the Internet Archive has for anybody to watch: which items are films, which of their files are played, and what
becomes of a run when its search or an item is not as it should be.
"""

import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from dateflicks.server.catalogue.records import COLLECTIONS, VIDEOS, offer_id
from dateflicks.server.catalogue.writing import Writer
from dateflicks.server.providers.answers import seconds_of
from dateflicks.server.providers.archive import ArchiveVideoSource
from dateflicks.server.providers.archive_answers import NotFree, item_of
from dateflicks.server.providers.discovery import config_of, find, load
from dateflicks.server.providers.records import MemoryLedger, SourceState
from dateflicks.server.providers.source import Item, SourceError
from dateflicks.settings.providers import ArchiveSettings, ProvidersSettings
from dateflicks.testing import Answers, check_source
from tests.providers import server as provider
from tests.providers.server import RECORDED, Asked, RecordedServer, Reply
from tests.server.providers.library import PASSING, QUICK, asking, ids, run
from tests.server.providers.sources import Kept
from tests.server.storage.engines import embedded

ARCHIVE = ArchiveVideoSource()
SEARCH = "/services/search/v1/scrape"
NIGHT, FRIDAY, GENERAL = "night_of_the_living_dead", "his_girl_friday", "fixture_the_general_1926"
BASE = "https://archive.org"


def recorded(name: str) -> Any:
    return json.loads((RECORDED / "archive" / f"{name}.json").read_text())


CURSOR = recorded("found-1")["cursor"]


@pytest.fixture
def server() -> Iterator[RecordedServer]:
    with RecordedServer("archive") as recorded_server:
        recorded_server.route(SEARCH, "found-1.json").route(SEARCH, "found-2.json", {"cursor": CURSOR})
        for name in (NIGHT, FRIDAY, GENERAL):
            recorded_server.route(f"/metadata/{name}", f"items/{name}.json")
        yield recorded_server


def settings(server: RecordedServer) -> ArchiveSettings:
    return ArchiveSettings(base_url=server.url)


def found(*names: str, total: int | None = None, cursor: str | None = None) -> dict[str, Any]:
    page: dict[str, Any] = {"items": [{"identifier": name} for name in names], "total": total or len(names)}
    return page | ({"cursor": cursor} if cursor else {})


def item(name: str = NIGHT, files: Any = None, **changes: Any) -> Item:
    answer = recorded(f"items/{name}")
    answer["metadata"] |= changes
    return item_of(name, answer if files is None else answer | {"files": files}, BASE)


def file(name: str, kind: str, **facts: Any) -> dict[str, Any]:
    return {"name": name, "format": kind, "source": "derivative", "height": "480", "length": "100.0", **facts}


# --- items ------------------------------------------------------------------------------------------------------------


def test_a_film_is_told_with_its_facts_its_licence_and_a_file_that_plays() -> None:
    assert item() == Item(
        source_id=NIGHT,
        url=f"{BASE}/download/{NIGHT}/{NIGHT}.mp4",
        title="Night of the Living Dead",
        year=1968,
        duration_seconds=5_718.38,
        genres=("zombies", "horror"),
        poster=f"{BASE}/services/img/{NIGHT}",
        people=("George A. Romero",),
        external_ids={"imdb": "tt0063350"},
        offer_type="free",
        playable=True,
        licence="http://creativecommons.org/licenses/publicdomain/",
    )


def test_the_other_name_of_h264_is_one_too_and_subjects_may_be_one_text() -> None:
    friday = item(FRIDAY)
    assert friday.url == f"{BASE}/download/{FRIDAY}/{FRIDAY}.mp4"
    assert friday.duration_seconds == 5_504.93
    assert friday.genres == ("Comedy", "Screwball")
    assert friday.people == ("Columbia Pictures",)


@pytest.mark.parametrize("licence", [None, "", [], "http://example.org/by-nc", "all rights reserved"])
def test_what_has_no_licence_that_lets_anybody_watch_is_no_offer(licence: Any) -> None:
    with pytest.raises(NotFree):
        item(licenseurl=licence)


@pytest.mark.parametrize(
    "licence",
    [
        "https://creativecommons.org/licenses/by/4.0/",
        "http://creativecommons.org/publicdomain/mark/1.0/",
        ["http://example.org", "https://www.creativecommons.org/publicdomain/zero/1.0/"],
    ],
)
def test_public_domain_and_creative_commons_are_free(licence: Any) -> None:
    told = item(licenseurl=licence).licence
    assert told is not None
    assert "creativecommons.org" in told


def test_dark_lent_and_empty_items_are_no_offers() -> None:
    for answer in (recorded("items/fixture_dark"), recorded(f"items/{NIGHT}") | {"files": []}):
        with pytest.raises(NotFree):
            item_of("fixture", answer, BASE)
    with pytest.raises(NotFree):
        item(NIGHT, None, **{"access-restricted-item": "true"})


@pytest.mark.parametrize(
    ("files", "chosen"),
    [
        ([file("a.mpeg", "MPEG2", source="original"), file("b.mp4", "h.264")], "b.mp4"),
        ([file("a.mp4", "h.264", height="2160"), file("b.mp4", "h.264 IA", height="1080")], "b.mp4"),
        ([file("a.mp4", "h.264", height="2160"), file("b.mp4", "512Kb MPEG4", height="240")], "b.mp4"),
        ([file("a.mp4", "h.264", height="480"), file("b.mp4", "h.264", height="720")], "b.mp4"),
        ([file("a.mp4", "h.264", source="original"), file("b.mp4", "h.264")], "b.mp4"),
        ([file("a.mp4", "h.264", private="true"), file("b.ogv", "Ogg Video")], "b.ogv"),
        ([file("trailer.mp4", "h.264", length="90"), file("b.mpeg", "MPEG2", length="1:30:00")], "b.mpeg"),
        ([file("a.mp4", "h.264", height="4320")], "a.mp4"),
        ([file("a.jpg", "Thumbnail"), file("b.mp4", "h.264", length=None, height=None)], "b.mp4"),
        ([None, "one", {"format": "h.264"}, file("b c#1.mp4", "h.264")], "b%20c%231.mp4"),
    ],
)
def test_the_file_is_the_whole_film_as_h264_that_is_not_too_large_where_there_is_one(files: Any, chosen: str) -> None:
    assert item(files=files).url == f"{BASE}/download/{NIGHT}/{chosen}"


@pytest.mark.parametrize(
    ("told", "seconds"),
    [
        ("5718.38", 5_718.38),
        ("1:35:18", 5_718.0),
        ("95:18", 5_718.0),
        ("00:00:02.023000000", 2.023),
        (5_718, 5_718.0),
        ("0", None),
        ("", None),
        (None, None),
        (True, None),
        ("about two hours", None),
        (float("nan"), None),
        (["5718"], None),
    ],
)
def test_lengths_are_told_in_seconds_or_by_the_clock(told: Any, seconds: float | None) -> None:
    assert seconds_of(told) == seconds


@pytest.mark.parametrize(
    ("told", "seconds"), [("1:35:18", 5_718.0), ("95 min.", 5_700.0), ("95 minutes", 5_700.0), ("95", None)]
)
def test_without_a_length_of_the_file_the_item_says_it(told: str, seconds: float | None) -> None:
    assert item(files=[file("a.mp4", "h.264", length=None)], runtime=told).duration_seconds == seconds


def test_a_year_may_be_in_any_of_its_places_and_is_no_part_of_the_title() -> None:
    license_url = "https://creativecommons.org/publicdomain/mark/1.0/"
    assert (item(GENERAL, licenseurl=license_url).title, item(GENERAL, licenseurl=license_url).year) == (
        "The General",
        1926,
    )
    assert item(year=["1968", "1990"]).year == 1968
    assert item(year=None, date="1968-10-01").year == 1968
    assert item(year=None, title="Charade (1963)").year == 1963
    assert item(year=1968).year == 1968
    assert item(year="no such thing").year is None


def test_what_is_told_of_it_loses_its_markup() -> None:
    told = item(description=["<p>A farm &amp; its <b>visitors</b>.</p>", "Public domain."]).overview
    assert told is not None
    assert " ".join(told.split()) == "A farm & its visitors . Public domain."


def test_titles_and_creators_may_be_lists() -> None:
    urns = {"external-identifier": ["urn:asin:B0", "urn:imdb:tt1"]}
    one = item(NIGHT, None, title=["Night", "Nacht"], creator=["A", "B"], **urns)
    assert (one.title, one.people, one.external_ids) == ("Night", ("A", "B"), {"imdb": "tt1"})


# --- runs -------------------------------------------------------------------------------------------------------------


async def test_a_full_run_walks_by_cursor_and_leaves_out_what_is_not_free(server: RecordedServer) -> None:
    kept, ledger = Kept(), MemoryLedger()
    record = await run(ARCHIVE, settings(server), kept, ledger, contact="films@example.org")
    assert (record.status, record.error) == ("ok", None)
    assert ids(kept) == {NIGHT, FRIDAY}
    assert kept.sweeps == [False]
    first, second = server.asked_for(SEARCH)
    assert "cursor" not in first.params
    assert second.params["cursor"] == CURSOR
    assert "mediatype:movies" in first.params["q"]
    assert "licenseurl:" in first.params["q"]
    assert "collection:(feature_films)" in first.params["q"]
    assert first.headers["user-agent"].startswith("dateflicks/")
    assert first.headers["user-agent"].endswith("(films@example.org)")


async def test_in_the_collection_a_second_run_writes_nothing(server: RecordedServer, tmp_path: Path) -> None:
    async with embedded(tmp_path, *COLLECTIONS, timeout_seconds=10.0) as database:
        for number, status in enumerate(("ok", "unchanged")):
            writer = Writer(database, "archive", f"run{number}", now=lambda: datetime.now(UTC).timestamp())
            assert (await run(ARCHIVE, settings(server), writer)).status == status
        stored = await database.table(VIDEOS).get(offer_id("archive", NIGHT, ""))
    assert stored is not None
    assert (stored["status"], stored["playable"], stored["genres"]) == ("active", True, ["horror"])


@pytest.mark.parametrize("answer", ["items/unknown.json", "items/fixture_dark.json", Reply(status=404)])
async def test_what_has_gone_dark_or_is_unknown_is_gone(server: RecordedServer, answer: Any) -> None:
    kept, ledger = Kept(), MemoryLedger()
    await run(ARCHIVE, settings(server), kept, ledger)
    server.route(f"/metadata/{FRIDAY}", answer)
    record = await run(ARCHIVE, settings(server), kept, ledger)
    assert record.counters.removed == 1
    assert ids(kept) == {NIGHT}


async def test_nothing_said_of_an_item_once_is_not_believed(server: RecordedServer) -> None:
    kept = Kept()
    server.misbehave(provider.changed(lambda _: {}), path=f"/metadata/{FRIDAY}")
    assert (await run(ARCHIVE, settings(server), kept)).status == "ok"
    assert ids(kept) == {NIGHT, FRIDAY}


async def test_an_archive_that_has_lost_most_of_a_page_is_not_believed(server: RecordedServer) -> None:
    names = [f"film_{number}" for number in range(30)]
    server.route(SEARCH, found(*names))
    for name in names:
        server.route(f"/metadata/{name}", "items/unknown.json")
    kept = Kept()
    record = await run(ARCHIVE, settings(server), kept)
    assert (record.status, record.error_kind) == ("failed", "schema")
    assert kept.gone == []


async def test_nothing_counts_as_gone_when_the_search_lists_less_than_it_says(server: RecordedServer) -> None:
    kept = Kept()
    server.route(SEARCH, found(NIGHT, total=9))
    assert (await run(ARCHIVE, settings(server), kept)).status == "ok"
    assert kept.sweeps == []


async def test_an_incremental_run_asks_for_what_was_added_or_changed(server: RecordedServer) -> None:
    kept, ledger = Kept(), MemoryLedger()
    await run(ARCHIVE, settings(server), kept, ledger)
    server.asked.clear()
    server.route(SEARCH, found(NIGHT))
    record = await run(ARCHIVE, settings(server), kept, ledger, mode="incremental")
    assert (record.mode, record.status) == ("incremental", "unchanged")
    (asked,) = server.asked_for(SEARCH)
    assert "publicdate:[" in asked.params["q"]
    assert "oai_updatedate:[" in asked.params["q"]
    assert ids(kept) == {NIGHT, FRIDAY}


async def test_other_collections_begin_with_everything(server: RecordedServer) -> None:
    kept = Kept()
    state = SourceState(incremental={"scope": "of other settings", "since": "2026-01-01"})
    await run(ARCHIVE, settings(server), kept, MemoryLedger(state), mode="incremental")
    assert "publicdate" not in server.asked_for(SEARCH)[0].params["q"]
    assert ids(kept) == {NIGHT, FRIDAY}


async def test_a_run_that_broke_off_goes_on_at_its_page(server: RecordedServer) -> None:
    kept, ledger = Kept(), MemoryLedger()
    server.misbehave(provider.failing(403), path=f"/metadata/{GENERAL}")
    record = await run(ARCHIVE, settings(server), kept, ledger)
    assert record.error_kind == "auth"
    assert ids(kept) == {NIGHT, FRIDAY}
    server.asked.clear()
    record = await run(ARCHIVE, settings(server), kept, ledger)
    assert record.status == "unchanged"
    assert [asked.params["cursor"] for asked in server.asked_for(SEARCH)] == [CURSOR]
    assert kept.sweeps == []  # it has not seen all of them itself


async def test_a_cursor_that_is_known_no_more_is_forgotten(server: RecordedServer) -> None:
    kept, ledger = Kept(), MemoryLedger()
    server.misbehave(provider.failing(403), path=f"/metadata/{GENERAL}")
    await run(ARCHIVE, settings(server), kept, ledger)
    server.misbehave(provider.failing(400), path=SEARCH)
    record = await run(ARCHIVE, settings(server), kept, ledger)
    assert record.error is None
    assert "cursor" not in server.asked_for(SEARCH)[-2].params


async def test_a_run_that_should_end_ends_at_a_place_to_go_on_from(server: RecordedServer) -> None:
    kept, ledger, stopping = Kept(), MemoryLedger(), asyncio.Event()

    def stop(asked: Asked) -> Reply:
        stopping.set()
        return Reply(headers={"Content-Type": provider.JSON_TYPE}).with_value(recorded(f"items/{FRIDAY}"))

    server.route(f"/metadata/{FRIDAY}", stop)
    record = await run(ARCHIVE, settings(server), kept, ledger, stopping=stopping)
    assert (record.status, record.error) == ("partial", None)
    assert kept.sweeps == []


# --- what goes wrong --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", PASSING)
async def test_what_passes_is_waited_for(server: RecordedServer, fault: provider.Fault) -> None:
    kept = Kept()
    server.misbehave(fault, path=SEARCH)
    server.misbehave(fault, path=f"/metadata/{NIGHT}")
    assert (await run(ARCHIVE, settings(server), kept, limits=QUICK)).status == "ok"
    assert ids(kept) == {NIGHT, FRIDAY}


@pytest.mark.parametrize(
    "fault",
    [
        provider.malformed,
        provider.changed(lambda one: {"item": one}),
        provider.changed(lambda one: one.pop("metadata")),
        provider.changed(lambda one: one.update(files={"a.mp4": {}})),
        provider.changed(lambda one: one["metadata"].update(title=7)),
        provider.changed(lambda _: []),
    ],
)
async def test_an_item_that_cannot_be_read_is_left_out_and_not_taken_for_gone(
    server: RecordedServer, fault: provider.Fault
) -> None:
    kept, ledger = Kept(), MemoryLedger()
    await run(ARCHIVE, settings(server), kept, ledger)
    kept.sweeps.clear()
    server.misbehave(fault, path=f"/metadata/{FRIDAY}")
    record = await run(ARCHIVE, settings(server), kept, ledger)
    assert record.counters.quarantined == 1
    assert ids(kept) == {NIGHT, FRIDAY}
    assert kept.sweeps == []


@pytest.mark.parametrize(
    "fault",
    [
        provider.malformed,
        provider.changed(lambda page: page.pop("items")),
        provider.changed(lambda page: page.update(items={})),
        provider.changed(lambda page: page.pop("total")),
        provider.changed(lambda _: {"error": "bad query", "errorType": "RangeException"}),
        provider.changed(lambda page: page["items"].extend([{"identifier": "../etc"}, {"identifier": 7}, None])),
        provider.changed(lambda page: page.update(cursor=CURSOR)),
    ],
)
async def test_a_search_that_cannot_be_read_ends_the_run_and_removes_nothing(
    server: RecordedServer, fault: provider.Fault
) -> None:
    kept, ledger = Kept(), MemoryLedger()
    await run(ARCHIVE, settings(server), kept, ledger)
    kept.sweeps.clear()
    server.misbehave(fault, path=SEARCH, always=True)
    record = await run(ARCHIVE, settings(server), kept, ledger)
    assert (record.status, record.error_kind) == ("failed", "schema")
    assert ids(kept) == {NIGHT, FRIDAY}
    assert kept.sweeps == []


async def test_a_quota_ends_the_run_and_says_until_when(server: RecordedServer) -> None:
    server.misbehave(provider.too_many(3_600), path=SEARCH, always=True)
    record = await run(ARCHIVE, settings(server))
    assert record.error_kind == "quota"
    assert record.resume_at is not None


# --- what it says of itself -------------------------------------------------------------------------------------------


async def test_a_check_says_how_many_films_there_are(server: RecordedServer) -> None:
    context = asking(ARCHIVE, settings(server))
    async with context.http:
        assert await ARCHIVE.check(context) == "The Internet Archive has 3 films that anybody may watch."


async def test_a_collection_that_is_no_name_is_told() -> None:
    context = asking(ARCHIVE, ArchiveSettings(collections=["a OR b"]))
    async with context.http:
        with pytest.raises(SourceError, match="collections"):
            await ARCHIVE.check(context)


def test_it_is_built_in() -> None:
    source = load(find("archive"))
    assert isinstance(config_of(source, ProvidersSettings()), ArchiveSettings)
    assert "archive.org" in source.attribution


async def test_it_is_what_a_source_should_be() -> None:
    answers: dict[str, Any] = {
        f"{BASE}/metadata/{name}": recorded(f"items/{name}") for name in (NIGHT, FRIDAY, GENERAL)
    }
    answers[f"{BASE}{SEARCH}"] = recorded("found-1")
    answers[f"{BASE}{SEARCH}?cursor={CURSOR}"] = recorded("found-2")
    await check_source(ARCHIVE, Answers(answers))
