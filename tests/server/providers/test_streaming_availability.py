"""What Netflix, Amazon and Apple offer, by way of Streaming Availability: links into their programs, all films by
cursor, what came and went, and what becomes of a run when it is not as it should be.
"""

import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from dateflicks.server.providers.context import context_for
from dateflicks.server.providers.pacing import FetchLimits
from dateflicks.server.providers.records import MemoryLedger, RunRecord, SourceState
from dateflicks.server.providers.running import Plan, run_source
from dateflicks.server.providers.source import AuthError, Item
from dateflicks.server.providers.tmdb import (
    AmazonVideoSource,
    AppleVideoSource,
    NetflixVideoSource,
    VendorVideoSource,
)
from dateflicks.settings.providers import ProvidersSettings, TmdbSettings, VendorSettings
from dateflicks.testing import Answers, check_source
from tests.providers import server as provider
from tests.providers.server import JSON_TYPE, RECORDED, RecordedServer, Reply
from tests.server.providers.sources import Kept

KEY = "streaming-key"
FILMS = "/v4/shows/search/filters"
CHANGES = "/v4/changes"
CURSOR = "8:283587"
NETFLIX = NetflixVideoSource()
NUMBERS = {"283587", "387426", "396398"}


def recorded(name: str) -> Any:
    return json.loads((RECORDED / "streaming_availability" / f"{name}.json").read_text())


@pytest.fixture
def server() -> Iterator[RecordedServer]:
    with RecordedServer("streaming_availability", headers={"X-API-Key": KEY}) as one:
        one.route(FILMS, {"shows": [], "hasMore": False})
        one.route(FILMS, "netflix-us-1.json", {"country": "us", "catalogs": "netflix.subscription,netflix.free"})
        one.route(
            FILMS,
            "netflix-us-2.json",
            {"country": "us", "catalogs": "netflix.subscription,netflix.free", "cursor": CURSOR},
        )
        one.route(FILMS, "prime-us.json", {"country": "us", "catalogs": "prime.subscription,prime.free"})
        one.route(FILMS, "prime-us.json", {"country": "us", "catalogs": "apple.rent,apple.buy"})
        one.route(CHANGES, {"changes": [], "shows": {}, "hasMore": False})
        yield one


def settings(server: RecordedServer, source: VendorVideoSource = NETFLIX, **changes: Any) -> VendorSettings:
    shared = ProvidersSettings(tmdb=TmdbSettings(streaming_key=KEY, streaming_url=server.url))
    section = shared.section(source.name)
    assert isinstance(section, VendorSettings)
    return msgspec.structs.replace(section, **changes)


async def run(
    server: RecordedServer,
    kept: Kept | None = None,
    ledger: MemoryLedger | None = None,
    *,
    source: VendorVideoSource = NETFLIX,
    mode: Any = "full",
    limits: FetchLimits | None = None,
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
        )


async def _no_time(_: float) -> None:
    await asyncio.sleep(0)


def numbers(kept: Kept) -> set[str]:
    return {number for number, _ in kept.there}


# --- films ------------------------------------------------------------------------------------------------------------


async def test_a_film_is_told_with_a_link_into_the_vendors_program(server: RecordedServer) -> None:
    kept = Kept()
    record = await run(server, kept)
    assert (record.status, record.error) == ("ok", None)
    assert numbers(kept) == NUMBERS
    assert kept.there["387426", "US"] == Item(
        source_id="387426",
        region="US",
        url="https://www.netflix.com/title/80091936/",
        title="Okja",
        original_title="Okja",
        year=2017,
        duration_seconds=7_260.0,
        genres=("adventure", "drama", "scifi"),
        overview="A farm girl in Korea sets out to get her giant animal friend back from the company that bred it.",
        poster="https://cdn.movieofthenight.com/fixture/387426/vp/480.jpg",
        people=("Bong Joon Ho", "Tilda Swinton", "Paul Dano", "Ahn Seo-hyun"),
        external_ids={"tmdb": "387426", "imdb": "tt3967856"},
        offer_type="subscription",
        playable=False,
        keep_days=180,
    )
    assert kept.sweeps == [False]


@pytest.mark.parametrize(
    ("source", "provider_ids", "way", "url"),
    [
        (AmazonVideoSource(), [9, 119], "subscription", "https://www.amazon.com/gp/video/detail/FIXTURE0MBTS/"),
        (AppleVideoSource(), [2], "rent", "https://tv.apple.com/us/movie/manchester-by-the-sea/umc.cmc.fixture"),
    ],
)
async def test_each_vendor_has_its_own_of_a_films_options(
    server: RecordedServer, source: VendorVideoSource, provider_ids: list[int], way: str, url: str
) -> None:
    kept = Kept()
    await run(server, kept, source=source, provider_ids=provider_ids)
    (one,) = kept.there.values()
    assert (one.source_id, one.offer_type, one.url, one.playable) == ("334541", way, url, False)


async def test_a_film_that_the_vendor_does_not_offer_is_none_of_its(server: RecordedServer) -> None:
    kept = Kept()
    server.route(FILMS, "prime-us.json", {"country": "us", "catalogs": "apple.subscription,apple.free"})
    record = await run(server, kept, source=AppleVideoSource())
    assert (record.status, kept.there) == ("unchanged", {})


async def test_what_is_not_known_is_left_open(server: RecordedServer) -> None:
    def bare(page: Any) -> None:
        one = page["shows"][0]
        one.update(tmdbId=None, genres=None, directors="Bong Joon Ho", cast=None, imageSet=None, overview=None)
        one.pop("runtime")

    kept = Kept()
    server.misbehave(provider.changed(bare), path=FILMS)
    assert (await run(server, kept)).status == "ok"
    one = kept.there["show/1426", "US"]
    assert (one.genres, one.people, one.poster, one.duration_seconds) == ((), ("Bong Joon Ho",), None, None)
    assert one.external_ids == {"imdb": "tt3967856"}


async def test_series_are_no_films(server: RecordedServer) -> None:
    kept = Kept()
    server.misbehave(provider.changed(lambda page: page["shows"][0].update(showType="series")), path=FILMS)
    await run(server, kept)
    assert numbers(kept) == NUMBERS - {"387426"}


@pytest.mark.parametrize(("language", "spoken"), [("fr-FR", "fr"), ("de-DE", "en")])
async def test_it_is_asked_in_a_language_that_it_speaks(server: RecordedServer, language: str, spoken: str) -> None:
    await run(server, language=language)
    assert {asked.params["output_language"] for asked in server.asked} == {spoken}


# --- pages ------------------------------------------------------------------------------------------------------------


async def test_a_full_run_goes_on_at_the_page_it_came_to(server: RecordedServer) -> None:
    kept, ledger = Kept(), MemoryLedger()
    server.misbehave(lambda answer: answer, provider.failing(401), path=FILMS)
    record = await run(server, kept, ledger)
    assert record.error_kind == "auth"
    assert len(kept.there) == 2
    server.asked.clear()
    record = await run(server, kept, ledger)
    assert (record.status, numbers(kept)) == ("ok", NUMBERS)
    assert [asked.params.get("cursor") for asked in server.asked] == [CURSOR]
    assert kept.sweeps == []  # it has not seen all of them itself


async def test_a_place_that_is_known_no_more_is_given_up(server: RecordedServer) -> None:
    kept = Kept()
    state = {"scope": "streaming netflix subscription,free US en-US", "began": 1, "region": "US", "cursor": "old"}
    server.route(
        FILMS,
        Reply(b'{"message": "bad cursor"}', 400, {"Content-Type": JSON_TYPE}),
        {"country": "us", "cursor": "old"} | {"catalogs": "netflix.subscription,netflix.free"},
    )
    record = await run(server, kept, MemoryLedger(SourceState(full=state)))
    assert (record.status, numbers(kept)) == ("ok", NUMBERS)


async def test_regions_are_read_one_after_another(server: RecordedServer) -> None:
    kept, ledger = Kept(), MemoryLedger()
    server.misbehave(*[lambda answer: answer] * 2, provider.failing(401), path=FILMS)
    await run(server, kept, ledger, regions=["US", "GB"])
    server.asked.clear()
    await run(server, kept, ledger, regions=["US", "GB"])
    assert [asked.params["country"] for asked in server.asked] == ["gb"]


@pytest.mark.parametrize("cursor", [CURSOR, None, "", 7])
async def test_a_cursor_that_leads_nowhere_ends_the_run(server: RecordedServer, cursor: Any) -> None:
    kept = Kept()
    fault = provider.changed(lambda page: page.update(hasMore=True, nextCursor=cursor))
    server.misbehave(lambda answer: answer, fault, path=FILMS)
    record = await run(server, kept)
    assert (record.status, record.error_kind) == ("failed", "schema")
    assert kept.sweeps == []


# --- what came and went -----------------------------------------------------------------------------------------------


@pytest.fixture
async def filled(server: RecordedServer) -> tuple[Kept, MemoryLedger]:
    kept, ledger = Kept(), MemoryLedger()
    assert (await run(server, kept, ledger)).status == "ok"
    server.asked.clear()
    return kept, ledger


async def test_what_came_and_what_went_is_all_that_is_asked_for(
    server: RecordedServer, filled: tuple[Kept, MemoryLedger]
) -> None:
    kept, ledger = filled
    del kept.there["387426", "US"]
    server.route(CHANGES, "netflix-us-new.json", {"country": "us", "change_type": "new", "show_type": "movie"})
    server.route(CHANGES, "netflix-us-removed.json", {"country": "us", "change_type": "removed", "show_type": "movie"})
    record = await run(server, kept, ledger, mode="incremental")
    assert (record.mode, record.counters.new, record.counters.removed) == ("incremental", 1, 1)
    assert numbers(kept) == {"387426", "396398"}
    assert kept.gone == ["283587"]
    assert {asked.path for asked in server.asked} == {CHANGES}
    since = {int(asked.params["from"]) for asked in server.asked}
    assert all(0 < datetime.now(UTC).timestamp() - one < 2 * 86_400 for one in since)


async def test_a_film_that_went_and_is_back_is_there(server: RecordedServer, filled: tuple[Kept, MemoryLedger]) -> None:
    kept, ledger = filled
    back = recorded("netflix-us-new")
    back["changes"][0]["changeType"] = "removed"
    server.route(CHANGES, back, {"change_type": "removed"})
    await run(server, kept, ledger, mode="incremental")
    assert (numbers(kept), kept.gone) == (NUMBERS, [])


async def test_changes_have_pages_too(server: RecordedServer, filled: tuple[Kept, MemoryLedger]) -> None:
    kept, ledger = filled
    server.route(CHANGES, recorded("netflix-us-new") | {"hasMore": True, "nextCursor": "2"}, {"change_type": "new"})
    server.route(CHANGES, "netflix-us-removed.json", {"change_type": "new", "cursor": "2"})
    await run(server, kept, ledger, mode="incremental")
    assert kept.gone == ["283587"]


async def test_what_is_too_long_ago_is_asked_for_as_a_whole_and_removes_nothing(
    server: RecordedServer, filled: tuple[Kept, MemoryLedger]
) -> None:
    kept, ledger = filled
    kept.sweeps.clear()
    assert ledger.state.incremental is not None
    ledger.state = SourceState(incremental={**ledger.state.incremental, "since": 1_500_000_000})
    record = await run(server, kept, ledger, mode="incremental")
    assert (record.status, record.counters.unchanged, kept.sweeps) == ("unchanged", 3, [])
    assert server.asked_for(CHANGES) == []
    server.asked.clear()
    await run(server, kept, ledger, mode="incremental")
    assert server.asked_for(FILMS) == []


async def test_a_change_of_a_film_of_which_nothing_is_said_is_left_out(
    server: RecordedServer, filled: tuple[Kept, MemoryLedger]
) -> None:
    kept, ledger = filled
    server.route(CHANGES, recorded("netflix-us-removed") | {"shows": {}}, {"change_type": "removed"})
    record = await run(server, kept, ledger, mode="incremental")
    assert (record.counters.quarantined, kept.gone) == (1, [])


async def test_a_key_makes_links_better_and_no_film_twice(server: RecordedServer) -> None:
    kept = Kept()
    listed = Item(source_id="387426", region="US", url="https://www.themoviedb.org/movie/387426", title="Okja")
    kept.there["387426", "US"] = listed
    record = await run(server, kept, MemoryLedger(SourceState(incremental={"scope": "tmdb US 8 en-US"})))
    assert record.counters.changed == 1
    assert kept.there["387426", "US"].url.startswith("https://www.netflix.com/")


# --- what goes wrong --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fault",
    [provider.too_many(1), provider.failing(500), provider.failing(502), provider.cut_off, provider.silent],
)
async def test_what_passes_is_waited_for(server: RecordedServer, fault: provider.Fault) -> None:
    kept = Kept()
    server.misbehave(fault, lambda answer: answer, fault, path=FILMS)
    assert (await run(server, kept, limits=FetchLimits(try_seconds=2.0))).status == "ok"
    assert numbers(kept) == NUMBERS


async def test_a_days_quota_ends_the_run_and_the_next_goes_on(server: RecordedServer) -> None:
    kept, ledger = Kept(), MemoryLedger()
    server.misbehave(lambda answer: answer, provider.too_many(40_000), path=FILMS)
    record = await run(server, kept, ledger)
    assert (record.status, record.error_kind) == ("partial", "quota")
    assert record.resume_at is not None
    assert (await run(server, kept, ledger)).status == "ok"
    assert numbers(kept) == NUMBERS


async def test_a_wrong_key_is_told_and_not_tried_again(server: RecordedServer) -> None:
    record = await run(server, streaming_key="another")
    assert (record.status, record.error_kind) == ("failed", "auth")
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    "fault",
    [
        provider.malformed,
        provider.changed(lambda page: page.pop("shows")),
        provider.changed(lambda page: page.pop("hasMore")),
        provider.changed(lambda page: page.update(shows={})),
        provider.changed(lambda page: page["shows"]),
        provider.changed(lambda page: [one.pop("streamingOptions") for one in page["shows"]] and None),
    ],
)
async def test_a_page_that_cannot_be_read_ends_the_run_and_removes_nothing(
    server: RecordedServer, filled: tuple[Kept, MemoryLedger], fault: provider.Fault
) -> None:
    kept, ledger = filled
    kept.sweeps.clear()
    server.misbehave(fault, path=FILMS)
    record = await run(server, kept, ledger)
    assert (record.status, record.error_kind) == ("failed", "schema")
    assert (numbers(kept), kept.sweeps, kept.gone) == (NUMBERS, [], [])


@pytest.mark.parametrize(
    "change",
    [
        lambda one: one.update(title=None, originalTitle=None),
        lambda one: one.update(streamingOptions=None),
        lambda one: one["streamingOptions"].update(us="netflix"),
        lambda one: one["streamingOptions"]["us"][0].update(link=None, videoLink=None),
        lambda one: one.update(id=None, tmdbId="tv/5"),
    ],
)
async def test_a_film_that_cannot_be_read_is_left_out_and_not_taken_for_gone(
    server: RecordedServer, filled: tuple[Kept, MemoryLedger], change: Any
) -> None:
    kept, ledger = filled
    kept.sweeps.clear()
    server.misbehave(provider.changed(lambda page: change(page["shows"][0])), path=FILMS)
    record = await run(server, kept, ledger)
    assert (record.status, record.counters.quarantined) == ("unchanged", 1)
    assert (numbers(kept), kept.sweeps, kept.gone) == (NUMBERS, [], [])


# --- what it says of itself -------------------------------------------------------------------------------------------


async def test_a_check_asks_for_one_page_in_each_region(server: RecordedServer) -> None:
    context = context_for(NETFLIX, settings(server, regions=["US", "GB"]), sleep=_no_time)
    async with context.http:
        assert await NETFLIX.check(context) == "Streaming Availability answers for netflix in US, GB."
    context = context_for(NETFLIX, settings(server, streaming_key="another"), sleep=_no_time)
    async with context.http:
        with pytest.raises(AuthError):
            await NETFLIX.check(context)


def test_it_names_whose_data_it_is() -> None:
    assert "Streaming Availability API by Movie of the Night" in NETFLIX.attribution


async def test_it_is_what_a_source_should_be_with_a_key() -> None:
    base = "https://api.movieofthenight.com"
    answers = {
        f"{base}{FILMS}?country=us": recorded("netflix-us-1"),
        f"{base}{FILMS}?country=us&cursor={CURSOR}": recorded("netflix-us-2"),
        f"{base}{CHANGES}?change_type=new": recorded("netflix-us-new"),
        f"{base}{CHANGES}?change_type=removed": recorded("netflix-us-removed"),
    }
    await check_source(NETFLIX, Answers(answers), VendorSettings(streaming_key="a-long-key-of-streaming"))
