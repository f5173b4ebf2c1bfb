"""What Netflix, Amazon and Apple offer, by way of TMDB: films as offers that lead elsewhere, lists of any length, what
came, went and changed since the last run, and what becomes of a run when TMDB is not as it should be.
"""

import asyncio
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from dateflicks.server.catalogue.records import COLLECTIONS, VIDEOS, offer_id
from dateflicks.server.catalogue.writing import Writer
from dateflicks.server.providers.context import context_for
from dateflicks.server.providers.discovery import config_of, find, load
from dateflicks.server.providers.known_ids import packed
from dateflicks.server.providers.pacing import FetchLimits
from dateflicks.server.providers.records import MemoryLedger, RunRecord, SourceState
from dateflicks.server.providers.running import Plan, run_source
from dateflicks.server.providers.source import AuthError, Item, SourceError
from dateflicks.server.providers.tmdb import (
    AmazonVideoSource,
    AppleVideoSource,
    NetflixVideoSource,
    VendorVideoSource,
)
from dateflicks.server.providers.tmdb_client import Found, TmdbClient
from dateflicks.settings.providers import ProvidersSettings, TmdbSettings, VendorSettings
from dateflicks.testing import Answers, check_source
from tests.providers import server as provider
from tests.providers.server import Asked, RecordedServer, Reply
from tests.providers.tmdb import DISCOVER, TOKEN, error, film, films, listed, recorded, tmdb
from tests.server.providers.sources import Kept
from tests.server.storage.engines import embedded

NETFLIX = NetflixVideoSource()
NUMBERS = ["283587", "387426", "396398", "414425"]
QUICK = FetchLimits(try_seconds=2.0)


@pytest.fixture
def server() -> Iterator[RecordedServer]:
    with RecordedServer("tmdb", headers={"Authorization": f"Bearer {TOKEN}"}) as recorded_server:
        yield tmdb(recorded_server)


def settings(server: RecordedServer, source: VendorVideoSource = NETFLIX, **changes: Any) -> VendorSettings:
    shared = ProvidersSettings(tmdb=TmdbSettings(token=TOKEN, base_url=server.url))
    section = shared.section(source.name)
    assert isinstance(section, VendorSettings)
    return msgspec.structs.replace(section, **changes)


async def run(
    server: RecordedServer,
    kept: Kept | Writer | None = None,
    ledger: MemoryLedger | None = None,
    *,
    source: VendorVideoSource = NETFLIX,
    mode: Any = "full",
    limits: FetchLimits | None = None,
    stopping: asyncio.Event | None = None,
    **changes: Any,
) -> RunRecord:
    async with asyncio.timeout(60):
        return await run_source(
            source,
            Plan(id="run-1", mode=mode, fetch_limits=limits or FetchLimits()),
            config=settings(server, source, **changes),
            writer=kept or Kept(),
            ledger=ledger or MemoryLedger(),
            sleep=_no_time,
            stopping=stopping,
        )


async def _no_time(_: float) -> None:
    await asyncio.sleep(0)


def numbers(kept: Kept, region: str = "US") -> list[str]:
    return sorted((number for number, where in kept.there if where == region), key=int)


def entry(number: int, **changes: Any) -> dict[str, Any]:
    return {"id": number, "title": f"Film {number}", "release_date": "2020-01-01", **changes}


# --- films ------------------------------------------------------------------------------------------------------------


async def test_a_film_is_told_with_its_facts_and_a_page_that_leads_to_it(server: RecordedServer) -> None:
    kept = Kept()
    record = await run(server, kept)
    assert (record.status, record.error) == ("ok", None)
    assert numbers(kept) == NUMBERS
    assert kept.there["387426", "US"] == Item(
        source_id="387426",
        region="US",
        url="https://www.themoviedb.org/movie/387426-okja/watch?locale=US",
        title="Okja",
        original_title="Okja",
        year=2017,
        duration_seconds=7_260.0,
        genres=("Adventure", "Drama", "Science Fiction"),
        overview="A farm girl in Korea sets out to get her giant animal friend back from the company that bred it.",
        poster="https://image.tmdb.org/t/p/w500/fixture-poster-387426.jpg",
        external_ids={"tmdb": "387426", "imdb": "tt3967856"},
        offer_type="subscription",
        playable=False,
        keep_days=180,
    )


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (AmazonVideoSource(), ["4808", "334541", "370755", "416477"]),
        (AppleVideoSource(), ["441130", "516486", "776503"]),
    ],
)
async def test_the_other_vendors_are_the_same_with_other_numbers(
    server: RecordedServer, source: VendorVideoSource, expected: list[str]
) -> None:
    kept = Kept()
    assert (await run(server, kept, source=source)).status == "ok"
    assert numbers(kept) == expected
    assert {one.offer_type for one in kept.there.values()} == {"subscription"}
    assert not any(one.playable for one in kept.there.values())


async def test_a_store_that_is_asked_for_rents_and_sells(server: RecordedServer) -> None:
    kept = Kept()
    listed(server, 10, entry(334541))
    await run(server, kept, source=AmazonVideoSource(), provider_ids=[10])
    assert kept.there["334541", "US"].offer_type == "rent"


async def test_each_region_has_offers_of_its_own_and_a_film_is_asked_for_once(server: RecordedServer) -> None:
    kept = Kept()
    listed(server, 8, entry(387426), region="DE")
    await run(server, kept, regions=["us", "DE", "FR"])
    assert (numbers(kept), numbers(kept, "DE"), numbers(kept, "FR")) == (NUMBERS, ["387426"], [])
    assert kept.there["387426", "DE"].url.endswith("?locale=DE")
    assert len(server.asked_for("/3/movie/387426")) == 1


async def test_what_tmdb_leaves_null_is_not_known(server: RecordedServer) -> None:
    bare = film(entry(283587, title=None, original_title="Beasts"), 8) | {"runtime": 0, "release_date": ""}
    bare |= {"genres": None, "poster_path": None, "overview": "", "external_ids": None, "credits": None}
    server.route("/3/movie/283587", bare)
    kept = Kept()
    assert (await run(server, kept)).status == "ok"
    one = kept.there["283587", "US"]
    assert (one.title, one.year, one.duration_seconds, one.genres) == ("Beasts", None, None, ())
    assert (one.poster, one.overview, one.people, one.external_ids) == (None, None, (), {"tmdb": "283587"})
    assert one.url == "https://www.themoviedb.org/movie/283587/watch?locale=US"


async def test_people_are_those_who_directed_and_those_who_play(server: RecordedServer) -> None:
    crew = [{"job": "Editor", "name": "Yang Jin-mo"}, {"job": "Director", "name": "Bong Joon Ho"}]
    cast = [{"name": "Tilda Swinton"}, {"name": "Bong Joon Ho"}, {"name": None}]
    server.route("/3/movie/387426", recorded("films/387426") | {"credits": {"cast": cast, "crew": crew}})
    kept = Kept()
    await run(server, kept)
    assert kept.there["387426", "US"].people == ("Bong Joon Ho", "Tilda Swinton")


async def test_genres_are_told_in_english_in_whatever_language_the_films_are(server: RecordedServer) -> None:
    server.route("/3/movie/387426", recorded("films/387426") | {"genres": [{"id": 12, "name": "Abenteuer"}]})
    kept = Kept()
    await run(server, kept, language="de-DE")
    assert kept.there["387426", "US"].genres == ("Adventure",)
    (asked,) = server.asked_for("/3/movie/387426")
    assert asked.params["language"] == "de-DE"


async def test_in_the_collection_a_second_run_writes_nothing_and_facts_have_an_end(
    server: RecordedServer, tmp_path: Path
) -> None:
    async with embedded(tmp_path, *COLLECTIONS, timeout_seconds=10.0) as database:
        now = datetime.now(UTC).timestamp()
        for number, status in enumerate(("ok", "unchanged")):
            writer = Writer(database, "netflix", f"run{number}", now=lambda: now)
            assert (await run(server, writer)).status == status
        stored = await database.table(VIDEOS).get(offer_id("netflix", "387426", "US"))
    assert stored is not None
    assert (stored["status"], stored["playable"], stored["offer"]) == ("active", False, {"type": "subscription"})
    assert stored["genres"] == ["adventure", "drama", "science-fiction"]
    assert stored["fieldsExpireAt"] == pytest.approx(now + 180 * 86_400, abs=1.0)


# --- lists ------------------------------------------------------------------------------------------------------------


class Long:
    """A provider with more films than five hundred pages hold, answered as TMDB does: no page beyond that is given."""

    def __init__(self, per_day: int, days: int, undated: int = 0) -> None:
        first = date(2000, 1, 1)
        self.films = [(first + timedelta(days=at // per_day), at + 1) for at in range(per_day * days)]
        self.undated = undated
        self.deepest = 0

    def __call__(self, asked: Asked) -> Reply:
        page = int(asked.params["page"])
        self.deepest = max(self.deepest, page)
        if page > 500:
            return error("page-over-500", 400)
        since = date.fromisoformat(asked.params.get("primary_release_date.gte", "0001-01-01"))
        until = date.fromisoformat(asked.params.get("primary_release_date.lte", "9999-12-31"))
        found = [number for day, number in self.films if since <= day <= until]
        if "primary_release_date.gte" not in asked.params:
            found += [-number for number in range(self.undated)]
        shown = [{"id": number} for number in found[(page - 1) * 20 : page * 20]]
        answer = {"page": page, "results": shown, "total_pages": -(-len(found) // 20), "total_results": len(found)}
        return Reply(headers={"Content-Type": provider.JSON_TYPE}).with_value(answer)


async def test_a_list_beyond_five_hundred_pages_is_read_in_spans_of_release_dates(server: RecordedServer) -> None:
    long = Long(per_day=55, days=190)
    server.route(DISCOVER, long, {"with_watch_providers": 7})
    found = await _offered(server, 7)
    assert found.ids == {number for _, number in long.films}
    assert found.is_whole
    assert long.deepest <= 500


@pytest.mark.long
async def test_what_has_no_date_is_in_no_span_so_that_the_list_is_not_whole(server: RecordedServer) -> None:
    server.route(DISCOVER, Long(per_day=55, days=190, undated=3), {"with_watch_providers": 7})
    found = await _offered(server, 7)
    assert len(found.ids) == 55 * 190
    assert not found.is_whole


async def _offered(server: RecordedServer, provider_id: int) -> Found:
    async with context_for(NETFLIX, settings(server), sleep=_no_time).http as http:
        client = TmdbClient(http, base_url=server.url, token=TOKEN, language="en-US")
        return await client.offered("US", [provider_id], date(2026, 1, 1))


async def test_a_list_that_moves_while_it_is_read_is_read_again(server: RecordedServer) -> None:
    kept = Kept()
    params: dict[str, str | int] = {"with_watch_providers": 8, "watch_region": "US", "page": 2}
    second, first = recorded("lists/netflix-us-2"), recorded("lists/netflix-us-1")
    answers = iter([second | {"results": first["results"]}, second])
    server.route(
        DISCOVER, lambda _: Reply(headers={"Content-Type": provider.JSON_TYPE}).with_value(next(answers)), params
    )
    await run(server, kept)
    assert numbers(kept) == NUMBERS
    assert kept.sweeps == [False]


async def test_nothing_counts_as_gone_when_a_list_stays_shorter_than_it_says(server: RecordedServer) -> None:
    kept = Kept()
    server.misbehave(provider.changed(lambda page: page.update(total_results=9)), path=DISCOVER, always=True)
    record = await run(server, kept)
    assert record.status == "ok"
    assert numbers(kept) == NUMBERS
    assert kept.sweeps == []


# --- what came, went and changed --------------------------------------------------------------------------------------


@pytest.fixture
async def filled(server: RecordedServer) -> tuple[Kept, MemoryLedger]:
    kept, ledger = Kept(), MemoryLedger()
    assert (await run(server, kept, ledger)).status == "ok"
    server.asked.clear()
    return kept, ledger


def entries() -> list[dict[str, Any]]:
    return [*recorded("lists/netflix-us-1")["results"], *recorded("lists/netflix-us-2")["results"]]


async def test_only_films_that_changed_are_asked_for(server: RecordedServer, filled: tuple[Kept, MemoryLedger]) -> None:
    kept, ledger = filled
    record = await run(server, kept, ledger, mode="incremental")
    assert (record.mode, record.status, record.error) == ("incremental", "unchanged", None)
    assert [asked.path for asked in server.asked if asked.path.startswith("/3/movie/3")] == ["/3/movie/387426"]
    (asked,) = server.asked_for("/3/movie/changes")
    today = datetime.now(UTC).date()
    assert date.fromisoformat(asked.params["start_date"]) >= today - timedelta(days=1)
    assert date.fromisoformat(asked.params["end_date"]) <= today


async def test_a_changed_film_is_written_anew_and_one_that_is_as_it_was_costs_no_body(
    server: RecordedServer, filled: tuple[Kept, MemoryLedger]
) -> None:
    kept, ledger = filled
    server.route("/3/movie/387426", recorded("films/387426") | {"runtime": 122})
    record = await run(server, kept, ledger, mode="incremental")
    assert record.counters.changed == 1
    assert kept.there["387426", "US"].duration_seconds == 7_320.0
    record = await run(server, kept, ledger, mode="incremental")
    assert record.counters.seen == 0
    assert "if-none-match" in server.asked_for("/3/movie/387426")[-1].headers


async def test_a_new_film_of_the_list_is_asked_for(server: RecordedServer, filled: tuple[Kept, MemoryLedger]) -> None:
    kept, ledger = filled
    listed(server, 8, *entries(), entry(5))
    server.route("/3/movie/5", film(entry(5), 8))
    record = await run(server, kept, ledger, mode="incremental")
    assert record.counters.new == 1
    assert numbers(kept) == ["5", *NUMBERS]


async def test_a_film_that_is_on_no_list_any_more_is_gone_when_tmdb_confirms_it(
    server: RecordedServer, filled: tuple[Kept, MemoryLedger]
) -> None:
    kept, ledger = filled
    listed(server, 8, *(one for one in entries() if one["id"] != 283587))
    await run(server, kept, ledger, mode="incremental")
    assert kept.gone == []
    server.route("/3/movie/283587", film(entry(283587), None))
    record = await run(server, kept, ledger, mode="incremental")
    assert record.counters.removed == 1
    assert kept.gone == ["283587"]


@pytest.mark.parametrize("answer", [recorded("films/387426-withdrawn"), error("404", 404)])
async def test_a_changed_film_that_nobody_offers_any_more_is_gone(
    server: RecordedServer, filled: tuple[Kept, MemoryLedger], answer: Any
) -> None:
    kept, ledger = filled
    server.route("/3/movie/387426", answer)
    await run(server, kept, ledger, mode="incremental")
    assert kept.gone == ["387426"]
    assert numbers(kept) == ["283587", "396398", "414425"]


async def test_films_that_vanish_in_masses_are_left_to_a_full_run(server: RecordedServer) -> None:
    kept = Kept()
    before = {"scope": "tmdb US 8 en-US", "since": datetime.now(UTC).date().isoformat()}
    ledger = MemoryLedger(SourceState(incremental={**before, "known": {"US": packed(range(1, 60))}}))
    record = await run(server, kept, ledger, mode="incremental")
    assert record.status == "ok"
    assert kept.gone == []
    assert server.asked_for("/3/movie/7") == []


async def test_after_too_long_everything_is_asked_for_anew(
    server: RecordedServer, filled: tuple[Kept, MemoryLedger]
) -> None:
    kept, ledger = filled
    assert ledger.state.incremental is not None
    ledger.state = SourceState(incremental={**ledger.state.incremental, "since": "2020-01-01"})
    record = await run(server, kept, ledger, mode="incremental")
    assert record.counters.unchanged == 4
    assert server.asked_for("/3/movie/changes") == []


async def test_other_regions_begin_with_everything(server: RecordedServer, filled: tuple[Kept, MemoryLedger]) -> None:
    kept, ledger = filled
    listed(server, 8, entry(387426), region="DE")
    record = await run(server, kept, ledger, mode="incremental", regions=["DE"])
    assert record.counters.new == 1
    assert kept.gone == []


@pytest.mark.parametrize("known", [None, {}, {"US": "no such thing"}, {"US": 7}])
async def test_a_state_that_cannot_be_read_is_one_of_nothing(server: RecordedServer, known: Any) -> None:
    kept = Kept()
    state = {"scope": "tmdb US 8 en-US", "since": datetime.now(UTC).date().isoformat(), "known": known}
    record = await run(server, kept, MemoryLedger(SourceState(incremental=state)), mode="incremental")
    assert record.counters.new == 4


async def test_a_full_run_goes_on_after_the_film_it_came_to(server: RecordedServer) -> None:
    kept, ledger = Kept(), MemoryLedger()
    many = [entry(number) for number in range(1, 131)]
    listed(server, 8, *many)
    for one in many:
        server.route(f"/3/movie/{one['id']}", film(one, 8))
    server.misbehave(provider.failing(401), path="/3/movie/110")
    record = await run(server, kept, ledger)
    assert (record.status, record.error_kind) == ("failed", "auth")
    server.asked.clear()
    record = await run(server, kept, ledger)
    assert record.status == "ok"
    assert len(kept.there) == 130
    assert server.asked_for("/3/movie/100") == []
    assert kept.sweeps == []  # it has not seen all of them itself


async def test_a_run_that_should_end_ends_at_a_place_to_go_on_from(server: RecordedServer) -> None:
    kept, ledger, stopping = Kept(), MemoryLedger(), asyncio.Event()
    many = [entry(number) for number in range(1, 131)]
    listed(server, 8, *many)
    for one in many:
        server.route(f"/3/movie/{one['id']}", film(one, 8))

    def stop(asked: Asked) -> Reply:
        stopping.set()
        return Reply(headers={"Content-Type": provider.JSON_TYPE}).with_value(film(many[99], 8))

    server.route("/3/movie/100", stop)
    record = await run(server, kept, ledger, stopping=stopping)
    assert record.status == "partial"
    assert record.error is None
    assert kept.sweeps == []


# --- what goes wrong --------------------------------------------------------------------------------------------------


async def test_a_wrong_token_is_told_and_not_tried_again(server: RecordedServer) -> None:
    record = await run(server, token="another")
    assert (record.status, record.error_kind) == ("failed", "auth")
    assert record.error is not None
    assert "valid key" in record.error
    assert len(server.asked) == 1


async def test_without_a_token_it_says_where_to_put_one(server: RecordedServer) -> None:
    record = await run(server, token="")
    assert record.error_kind == "auth"
    assert "DATEFLICKS_PROVIDERS_TMDB_TOKEN_FILE" in (record.error or "")
    assert server.asked == []


@pytest.mark.parametrize(
    "fault",
    [
        lambda _: error("429", 429, {"Retry-After": "1"}),
        provider.failing(500),
        provider.failing(503),
        provider.cut_off,
        provider.silent,
    ],
)
async def test_what_passes_is_waited_for(server: RecordedServer, fault: provider.Fault) -> None:
    kept = Kept()
    server.misbehave(fault, path="/3/movie/387426")
    server.misbehave(fault, path=DISCOVER)
    record = await run(server, kept, limits=QUICK)
    assert record.status == "ok"
    assert numbers(kept) == NUMBERS


async def test_a_quota_ends_the_run_and_says_until_when(server: RecordedServer) -> None:
    kept = Kept()
    server.misbehave(lambda _: error("429", 429, {"Retry-After": "3600"}), path="/3/movie/396398", always=True)
    record = await run(server, kept)
    assert record.error_kind == "quota"
    assert record.resume_at is not None
    assert kept.sweeps == []


@pytest.mark.parametrize(
    "fault",
    [
        provider.malformed,
        provider.changed(lambda one: {"movie": one}),
        provider.changed(lambda one: one.pop("watch/providers")),
        provider.changed(lambda one: one.update({"watch/providers": None})),
        provider.changed(lambda one: one["watch/providers"]["results"].update(US=["Netflix"])),
        provider.changed(lambda one: one.update(title=None, original_title=7)),
        provider.changed(lambda _: []),
    ],
)
async def test_a_film_that_cannot_be_read_is_left_out_and_not_taken_for_gone(
    server: RecordedServer, fault: provider.Fault
) -> None:
    kept, ledger = Kept(), MemoryLedger()
    await run(server, kept, ledger)
    server.misbehave(fault, path="/3/movie/387426")
    record = await run(server, kept, ledger)
    assert record.status == "unchanged"
    assert record.counters.quarantined == 1
    assert numbers(kept) == NUMBERS
    assert kept.gone == []


@pytest.mark.parametrize(
    "fault",
    [
        provider.malformed,
        provider.changed(lambda page: page.pop("results")),
        provider.changed(lambda page: page.update(results={})),
        provider.changed(lambda page: page.pop("total_pages")),
        provider.changed(lambda page: page["results"][0].update(id="none")),
        provider.changed(lambda page: [page]),
    ],
)
async def test_a_list_that_cannot_be_read_ends_the_run_and_removes_nothing(
    server: RecordedServer, fault: provider.Fault
) -> None:
    kept, ledger = Kept(), MemoryLedger()
    await run(server, kept, ledger)
    kept.sweeps.clear()
    server.misbehave(fault, path=DISCOVER, always=True)
    for mode in ("full", "incremental"):
        record = await run(server, kept, ledger, mode=mode)
        assert (record.status, record.error_kind) == ("failed", "schema")
    assert numbers(kept) == NUMBERS
    assert kept.sweeps == []


async def test_numbers_as_text_are_numbers(server: RecordedServer) -> None:
    changed = recorded("films/387426") | {"runtime": "121", "id": "387426"}
    changed["watch/providers"]["results"]["US"]["flatrate"] = {"provider_id": "8"}
    server.route("/3/movie/387426", changed)
    kept = Kept()
    await run(server, kept)
    assert kept.there["387426", "US"].duration_seconds == 7_260.0


# --- what it says of itself -------------------------------------------------------------------------------------------


async def test_a_check_says_which_vendor_is_known_where(server: RecordedServer) -> None:
    context = context_for(NETFLIX, settings(server), sleep=_no_time)
    async with context.http:
        assert await NETFLIX.check(context) == "TMDB knows Netflix (8) in US."


async def test_a_check_says_what_is_wrong(server: RecordedServer) -> None:
    for changes, wrong in (
        ({"provider_ids": [7]}, SourceError),
        ({"regions": ["USA"]}, SourceError),
        ({"regions": []}, SourceError),
        ({"token": "another"}, AuthError),
    ):
        context = context_for(NETFLIX, settings(server, **changes), sleep=_no_time)
        async with context.http:
            with pytest.raises(wrong):
                await NETFLIX.check(context)


@pytest.mark.parametrize("name", ["netflix", "amazon", "apple"])
def test_they_are_built_in_and_name_whose_data_it_is(name: str) -> None:
    source = load(find(name))
    assert isinstance(config_of(source, ProvidersSettings()), VendorSettings)
    assert "not endorsed or certified by TMDB" in source.attribution
    assert "JustWatch" in source.attribution


@pytest.mark.parametrize("source", [NetflixVideoSource(), AmazonVideoSource(), AppleVideoSource()])
async def test_each_is_what_a_source_should_be(source: VendorVideoSource) -> None:
    base = "https://api.themoviedb.org"
    vendor = source.vendor.provider_ids[0]
    pages = {8: ["netflix-us-1", "netflix-us-2"], 9: ["prime-us"], 350: ["apple-us"]}[vendor]
    answers: dict[str, Any] = {f"{base}/3/movie/{number}": one for number, one in films().items()}
    answers[f"{base}/3/genre/movie/list"] = recorded("genres")
    answers[f"{base}/3/movie/changes"] = recorded("changes")
    for number, page in enumerate(pages, 1):
        answers[f"{base}{DISCOVER}?page={number}"] = recorded(f"lists/{page}")
    await check_source(source, Answers(answers), VendorSettings(token="a-long-token-of-tmdb"))
