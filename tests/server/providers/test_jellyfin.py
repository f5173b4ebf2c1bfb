"""The films of one's own Jellyfin server: what is stored of them holds no key, what plays is made when it is asked for,
and what becomes of a run when the server is not as it should be.
"""

import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest

from dateflicks.server.catalogue.records import COLLECTIONS, VIDEOS, offer_id
from dateflicks.server.catalogue.writing import Writer
from dateflicks.server.providers.discovery import config_of, find, load
from dateflicks.server.providers.jellyfin import JellyfinVideoSource
from dateflicks.server.providers.records import MemoryLedger, SourceState
from dateflicks.server.providers.source import AuthError, Item, NotOffered, SourceError
from dateflicks.settings.providers import JellyfinSettings, ProvidersSettings
from dateflicks.testing import Answers, check_source
from tests.providers import server as provider
from tests.providers.server import RECORDED, Asked, RecordedServer, Reply
from tests.server.providers.library import PASSING, QUICK, asking, ids, run
from tests.server.providers.sources import Kept
from tests.server.storage.engines import embedded

JELLYFIN = JellyfinVideoSource()
TOKEN = "0a1b2c3d4e5f0a1b2c3d4e5f0a1b2c3d"
SERVER = "0123456789abcdef0123456789abcdef"
NIGHT, SINTEL, HOLIDAY = "1" * 32, "2" * 32, "3" * 32
ITEMS = "/Items"


def recorded(name: str) -> Any:
    return json.loads((RECORDED / "jellyfin" / f"{name}.json").read_text())


@pytest.fixture
def server() -> Iterator[RecordedServer]:
    with RecordedServer("jellyfin", headers={"Authorization": f'MediaBrowser Token="{TOKEN}"'}) as recorded_server:
        recorded_server.route("/System/Info/Public", "server.json")
        recorded_server.route(ITEMS, "films-0.json", {"startIndex": 0})
        recorded_server.route(ITEMS, "films-2.json", {"startIndex": 2})
        for film in (*recorded("films-0")["Items"], *recorded("films-2")["Items"]):
            recorded_server.route(ITEMS, page(film), {"ids": film["Id"]})
        yield recorded_server


def settings(server: RecordedServer, **changes: Any) -> JellyfinSettings:
    return msgspec.structs.replace(JellyfinSettings(base_url=f"{server.url}/", token=TOKEN), **changes)


def page(*films: Any, total: int | None = None, start: int = 0) -> dict[str, Any]:
    return {"Items": [*films], "TotalRecordCount": len(films) if total is None else total, "StartIndex": start}


def film(number: int, **changes: Any) -> dict[str, Any]:
    return {"Id": f"{number:032x}", "Name": f"Film {number}", "Type": "Movie", "LocationType": "FileSystem", **changes}


# --- films ------------------------------------------------------------------------------------------------------------


async def test_a_film_is_told_with_its_facts_and_a_reference_that_holds_no_key(server: RecordedServer) -> None:
    kept = Kept()
    record = await run(JELLYFIN, settings(server), kept)
    assert (record.status, record.error) == ("ok", None)
    assert ids(kept) == {NIGHT, SINTEL, HOLIDAY}
    assert kept.sweeps == [False]
    assert kept.there[NIGHT, ""] == Item(
        source_id=NIGHT,
        url=f"jellyfin://{SERVER}/{NIGHT}",
        title="Night of the Living Dead",
        original_title="Night of the Living Dead",
        year=1968,
        duration_seconds=5_760.0,
        genres=("Horror", "Thriller"),
        overview="Fixture text.",
        external_ids={"imdb": "tt0063350", "tmdb": "10331"},
        offer_type="owned",
        playable=True,
    )
    assert kept.there[HOLIDAY, ""].external_ids == {}


async def test_it_asks_for_films_of_its_user_page_by_page(server: RecordedServer) -> None:
    await run(JELLYFIN, settings(server, user_id="abc"))
    asked = server.asked_for(ITEMS)
    assert [one.params["startIndex"] for one in asked] == ["0", "2"]
    assert {one.params["userId"] for one in asked} == {"abc"}
    assert {one.params["includeItemTypes"] for one in asked} == {"Movie"}


async def test_people_and_years_are_where_they_are_known(server: RecordedServer) -> None:
    people = [{"Name": "B", "Type": "Actor"}, {"Name": "A", "Type": "Director"}, {"Name": "C", "Type": "Writer"}, None]
    one = film(7, People=people, PremiereDate="1968-10-01T00:00:00.0000000Z", RunTimeTicks="36000000000")
    server.route(ITEMS, page(one), {"startIndex": 0})
    kept = Kept()
    await run(JELLYFIN, settings(server), kept)
    (found,) = kept.there.values()
    assert (found.people, found.year, found.duration_seconds) == (("A", "B"), 1968, 3_600.0)


async def test_what_is_only_mentioned_is_no_offer(server: RecordedServer) -> None:
    films = [film(1), film(2, LocationType="Virtual"), film(3, IsPlaceHolder=True), film(4, IsFolder=True)]
    server.route(ITEMS, page(*films), {"startIndex": 0})
    kept = Kept()
    record = await run(JELLYFIN, settings(server), kept)
    assert record.status == "ok"
    assert len(kept.there) == 1
    assert kept.sweeps == [False]


async def test_in_the_collection_a_second_run_writes_nothing(server: RecordedServer, tmp_path: Path) -> None:
    async with embedded(tmp_path, *COLLECTIONS, timeout_seconds=10.0) as database:
        for number, status in enumerate(("ok", "unchanged")):
            writer = Writer(database, "jellyfin", f"run{number}", now=lambda: datetime.now(UTC).timestamp())
            assert (await run(JELLYFIN, settings(server), writer)).status == status
        stored = await database.table(VIDEOS).get(offer_id("jellyfin", NIGHT, ""))
    assert stored is not None
    assert (stored["status"], stored["url"], stored["playable"]) == ("active", f"jellyfin://{SERVER}/{NIGHT}", True)


# --- what plays -------------------------------------------------------------------------------------------------------


async def resolved(server: RecordedServer, url: str, **changes: Any) -> str:
    context = asking(JELLYFIN, settings(server, **changes))
    async with context.http:
        return await JELLYFIN.resolve(context, url)


async def test_a_reference_becomes_a_stream_with_the_key_of_whoever_asks(server: RecordedServer) -> None:
    stream = urlsplit(await resolved(server, f"jellyfin://{SERVER}/{NIGHT}", user_id="abc"))
    assert f"{stream.scheme}://{stream.netloc}" == server.url
    assert stream.path == f"/Videos/{NIGHT}/stream.mkv"
    assert parse_qs(stream.query) == {"static": ["true"], "mediaSourceId": [NIGHT], "ApiKey": [TOKEN]}
    assert server.asked_for(ITEMS)[-1].params["userId"] == "abc"


@pytest.mark.parametrize(
    "url",
    [
        f"jellyfin://{'f' * 32}/{NIGHT}",
        f"jellyfin://{SERVER}/{'9' * 32}",
        f"jellyfin://{SERVER}/../../System/Logs",
        f"plex://{SERVER}/{NIGHT}",
        "jellyfin://",
    ],
)
async def test_what_is_not_on_this_server_or_not_for_this_user_does_not_play(server: RecordedServer, url: str) -> None:
    server.route(ITEMS, page(), {"ids": "9" * 32})
    with pytest.raises(NotOffered):
        await resolved(server, url)


async def test_with_a_wrong_key_nothing_plays(server: RecordedServer) -> None:
    with pytest.raises(AuthError):
        await resolved(server, f"jellyfin://{SERVER}/{NIGHT}", token="another-key")


# --- what changed -----------------------------------------------------------------------------------------------------


async def test_an_incremental_run_asks_for_what_was_saved_since(server: RecordedServer) -> None:
    kept, ledger = Kept(), MemoryLedger()
    await run(JELLYFIN, settings(server), kept, ledger)
    server.asked.clear()
    changed = recorded("films-0")["Items"][0] | {"Name": "Night"}
    server.route(ITEMS, page(changed, film(8)), {"startIndex": 0})
    record = await run(JELLYFIN, settings(server), kept, ledger, mode="incremental")
    assert (record.mode, record.counters.new, record.counters.changed) == ("incremental", 1, 1)
    (asked,) = server.asked_for(ITEMS)
    since = datetime.fromisoformat(asked.params["minDateLastSaved"])
    assert 0 < (datetime.now(UTC) - since).total_seconds() < 3 * 3_600
    assert len(kept.there) == 4


async def test_another_server_or_user_begins_with_everything(server: RecordedServer) -> None:
    kept = Kept()
    state = SourceState(incremental={"scope": "another", "since": "2026-01-01T00:00:00Z"})
    await run(JELLYFIN, settings(server), kept, MemoryLedger(state), mode="incremental")
    assert "minDateLastSaved" not in server.asked_for(ITEMS)[0].params
    assert len(kept.there) == 3


async def test_a_film_that_was_taken_off_the_server_is_gone_after_a_full_run(server: RecordedServer) -> None:
    kept, ledger = Kept(), MemoryLedger()
    await run(JELLYFIN, settings(server), kept, ledger)
    server.route(ITEMS, page(*recorded("films-0")["Items"]), {"startIndex": 0})
    later = Kept()
    later.there = kept.there
    record = await run(JELLYFIN, settings(server), later, ledger)
    assert record.counters.removed == 1
    assert ids(kept) == {NIGHT, SINTEL}


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
    server.route(ITEMS, first, {"startIndex": 0}).route(ITEMS, second, {"startIndex": 2})
    assert (await run(JELLYFIN, settings(server), kept)).status == "ok"
    assert kept.sweeps == []


async def test_a_run_that_broke_off_goes_on_at_its_page(server: RecordedServer) -> None:
    kept, ledger = Kept(), MemoryLedger()

    def deny_the_second(asked: Asked) -> Reply:
        return Reply(status=403)

    server.route(ITEMS, deny_the_second, {"startIndex": 2})
    record = await run(JELLYFIN, settings(server), kept, ledger)
    assert record.error_kind == "auth"
    assert ids(kept) == {NIGHT, SINTEL}
    server.route(ITEMS, "films-2.json", {"startIndex": 2})
    server.asked.clear()
    await run(JELLYFIN, settings(server), kept, ledger)
    assert [one.params["startIndex"] for one in server.asked_for(ITEMS)] == ["2"]
    assert len(kept.there) == 3
    assert kept.sweeps == []


async def test_a_run_that_should_end_ends_at_a_place_to_go_on_from(server: RecordedServer) -> None:
    kept, stopping = Kept(), asyncio.Event()

    def stop(asked: Asked) -> Reply:
        stopping.set()
        return Reply(headers={"Content-Type": provider.JSON_TYPE}).with_value(recorded("films-0"))

    server.route(ITEMS, stop, {"startIndex": 0})
    record = await run(JELLYFIN, settings(server), kept, stopping=stopping)
    assert (record.status, record.error) == ("partial", None)
    assert kept.sweeps == []


# --- what goes wrong --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", PASSING)
async def test_what_passes_is_waited_for(server: RecordedServer, fault: provider.Fault) -> None:
    kept = Kept()
    server.misbehave(fault, path="/System/Info/Public")
    server.misbehave(fault, path=ITEMS)
    assert (await run(JELLYFIN, settings(server), kept, limits=QUICK)).status == "ok"
    assert len(kept.there) == 3


async def test_a_wrong_key_is_told_and_not_tried_again(server: RecordedServer) -> None:
    record = await run(JELLYFIN, settings(server, token="another-key"))
    assert (record.status, record.error_kind) == ("failed", "auth")
    assert len(server.asked) == 1
    assert "another-key" not in str(record)


@pytest.mark.parametrize("changes", [{"base_url": ""}, {"token": ""}])
async def test_without_address_or_key_it_says_where_to_put_one(server: RecordedServer, changes: dict[str, Any]) -> None:
    record = await run(JELLYFIN, settings(server, **changes))
    assert record.error_kind == "auth"
    assert "[jellyfin]" in (record.error or "")
    assert server.asked == []


@pytest.mark.parametrize(
    "fault",
    [
        provider.malformed,
        provider.changed(lambda answer: answer.pop("Items")),
        provider.changed(lambda answer: answer.update(Items=None)),
        provider.changed(lambda answer: answer.update(TotalRecordCount=None)),
        provider.changed(lambda answer: [answer]),
        provider.changed(lambda answer: answer.update(Items=[{"id": "1", "name": "in lower case"}] * 3)),
    ],
)
async def test_a_page_that_cannot_be_read_ends_the_run_and_removes_nothing(
    server: RecordedServer, fault: provider.Fault
) -> None:
    kept, ledger = Kept(), MemoryLedger()
    await run(JELLYFIN, settings(server), kept, ledger)
    kept.sweeps.clear()
    server.misbehave(fault, path=ITEMS, always=True)
    for mode in ("full", "incremental"):
        record = await run(JELLYFIN, settings(server), kept, ledger, mode=mode)
        assert (record.status, record.error_kind) == ("failed", "schema")
    assert len(kept.there) == 3
    assert kept.sweeps == []


async def test_an_item_that_cannot_be_read_is_left_out_and_not_taken_for_gone(server: RecordedServer) -> None:
    kept, ledger = Kept(), MemoryLedger()
    await run(JELLYFIN, settings(server), kept, ledger)
    kept.sweeps.clear()
    server.misbehave(provider.changed(lambda answer: answer["Items"][0].update(Name=None)), path=ITEMS)
    record = await run(JELLYFIN, settings(server), kept, ledger)
    assert record.counters.quarantined == 1
    assert len(kept.there) == 3
    assert kept.sweeps == []


# --- what it says of itself -------------------------------------------------------------------------------------------


async def test_a_check_says_which_server_it_is(server: RecordedServer) -> None:
    context = asking(JELLYFIN, settings(server))
    async with context.http:
        assert await JELLYFIN.check(context) == "The Jellyfin server 'fixture' has 3 films."
    context = asking(JELLYFIN, settings(server, base_url="ftp://films"))
    async with context.http:
        with pytest.raises(SourceError):
            await JELLYFIN.check(context)


def test_it_is_built_in() -> None:
    source = load(find("jellyfin"))
    assert isinstance(config_of(source, ProvidersSettings()), JellyfinSettings)


async def test_it_is_what_a_source_should_be() -> None:
    base = "http://jellyfin.example:8096"
    answers = {
        f"{base}/System/Info/Public": recorded("server"),
        f"{base}{ITEMS}?startIndex=0": recorded("films-0"),
        f"{base}{ITEMS}?startIndex=2": recorded("films-2"),
        f"{base}{ITEMS}?startIndex=3": page(total=3, start=3),
    }
    await check_source(JELLYFIN, Answers(answers), JellyfinSettings(base_url=base, token=TOKEN))
