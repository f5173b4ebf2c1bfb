"""The calls, as anybody makes them: what they answer, what they refuse, and that they need no token."""

from typing import Any

import pytest

from dateflicks.server.catalogue.sources import RUNS, SOURCES
from tests.journeys.wire import RECORD_TIME, is_id
from tests.server.services.videos.collection import small_collection, vid, work
from tests.server.services.videos.deployment import Deployment

pytestmark = pytest.mark.asyncio(loop_scope="module")

NIGHT = vid("Night of the Living Dead", 1968)


async def test_a_title_of_several_sources_is_one_video_with_several_offers(shared: Deployment) -> None:
    page = await shared.get("/videos", q="nigth of the livng dead")
    video = page["items"][0]
    assert (video["id"], video["title"], video["year"]) == (NIGHT, "Night of the Living Dead", 1968)
    assert is_id(video["id"], "vid")
    assert [offer["source"] for offer in video["offers"]] == ["archive", "amazon"]
    assert (video["source"], video["url"], video["playable"]) == ("archive", "https://archive.example/x", True)
    assert video["offers"][0] | {"url": ""} == {
        "source": "archive", "url": "", "region": None, "type": "free", "playable": True, "licence": None,
    }  # fmt: skip
    assert RECORD_TIME.fullmatch(video["addedAt"])
    assert (video["durationSeconds"], video["people"], video["genres"]) == (5760, ["George A. Romero"], ["horror"])
    assert (page["next"], page["isComplete"]) == (None, True)


async def test_one_video_is_read_by_its_id(shared: Deployment) -> None:
    assert (await shared.get(f"/videos/{NIGHT}"))["video"]["title"] == "Night of the Living Dead"


@pytest.mark.parametrize("video_id", ["vid_" + "a" * 26, "vid_", "x", "ses_" + "a" * 26, "%27", "vid_%00"])
async def test_what_is_not_there_is_not_found(shared: Deployment, video_id: str) -> None:
    await shared.get(f"/videos/{video_id}", expect=404)


async def test_a_token_is_not_needed_and_not_looked_at(shared: Deployment) -> None:
    await shared.rest.call("GET", "/videos", token="nonsense")
    await shared.rest.call("GET", "/sources", token="nonsense")


async def test_pages_follow_one_another_to_the_end(shared: Deployment) -> None:
    queries: list[dict[str, Any]] = [{}, {"q": "the"}, {"sort": "title"}, {"q": "night", "sort": "year"}]
    for query in queries:
        found, cursor = list[str](), ""
        while True:
            page = await shared.get("/videos", **query, limit=3, cursor=cursor)
            assert len(page["items"]) <= 3
            found += [item["id"] for item in page["items"]]
            cursor = page["next"]
            if cursor is None:
                break
        assert len(found) == len(set(found))
        assert found == [item["id"] for item in (await shared.get("/videos", **query))["items"]]
    assert len(found) < len(small_collection())


async def test_the_limits_of_a_page_hold(shared: Deployment) -> None:
    assert len((await shared.get("/videos", limit=200))["items"]) == len(small_collection())
    for limit in (0, 201, -1, "many"):
        await shared.get("/videos", limit=limit, expect=422)


@pytest.mark.parametrize(
    ("query", "titles"),
    [
        ({"source": "apple"}, ["Star Wars"]),
        ({"source": "apple,nobody"}, ["Star Wars"]),
        ({"source": "APPLE", "region": "us"}, ["Star Wars"]),
        ({"source": "apple", "region": "de"}, []),
        ({"genre": "noir"}, ["The Night of the Hunter"]),
        ({"genre": "noir, silent", "year": "1950-"}, ["The Night of the Hunter"]),
        ({"year": "1963"}, ["Charade"]),
        ({"year": "-1921"}, ["Das Cabinet des Dr. Caligari"]),
        ({"year": "1920-1922", "sort": "year"}, ["Nosferatu", "Das Cabinet des Dr. Caligari"]),
        ({"q": "night", "playable": "false"}, ["Night of the Living Dead"]),
        ({"q": "cary grant", "genre": "comedy", "sort": "year"}, ["Charade", "His Girl Friday"]),
        ({"q": "", "year": "1931", "unknown": "x"}, ["M"]),
    ],
)
async def test_what_is_shown_can_be_narrowed(shared: Deployment, query: dict[str, str], titles: list[str]) -> None:
    assert await shared.titles(**query) == titles


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"year": "soon"}, "year"), ({"year": "1969-1960"}, "year"), ({"year": "19601970"}, "year"),
        ({"year": "-"}, "year"), ({"sort": "price"}, "sort"), ({"playable": "perhaps"}, "playable"),
        ({"q": "a" * 301}, "q"), ({"cursor": "a" * 900}, "cursor"),
        ({"genre": ",".join("abcdefghijklmnopqrstuvw")}, "genre"),
        ({"cursor": "bm9uc2Vuc2U"}, "cursor"), ({"cursor": "%%%"}, "cursor"), ({"cursor": "[]"}, "cursor"),
    ],
)  # fmt: skip
async def test_a_query_that_does_not_fit_says_which_field(
    shared: Deployment, query: dict[str, str], field: str
) -> None:
    answer = await shared.answer("/videos", expect=422, **query)
    assert answer.fields == {field}


async def test_a_cursor_goes_with_its_own_query(shared: Deployment) -> None:
    cursor = (await shared.get("/videos", q="the", limit=1))["next"]
    await shared.get("/videos", q="the", limit=9, cursor=cursor)
    for other in ({"q": "night"}, {"q": "the", "sort": "title"}, {"q": "the", "genre": "noir"}):
        answer = await shared.answer("/videos", expect=422, limit=1, cursor=cursor, **other)
        assert answer.fields == {"cursor"}


@pytest.mark.parametrize("text", ['"', "\0", "a\0b", "' OR 1", "NEAR(", "🍿", "a" * 300, "\ud7ff\uffff", "* " * 100])
async def test_no_question_is_too_strange(shared: Deployment, text: str) -> None:
    await shared.get("/videos", q=text)


async def test_ten_kilobytes_of_question_are_refused(shared: Deployment) -> None:
    await shared.answer("/videos", q="night " * 1_700, expect=(400, 413, 414, 422))  # type: ignore[arg-type]  # one of them


async def test_of_two_that_became_one_the_old_id_finds_the_film(shared: Deployment) -> None:
    old, gone = vid("merged", 1), vid("gone", 1)
    merged = {"status": "merged", "mergedInto": NIGHT, "offers": []}
    await shared.fill(
        [
            work("Night of the Living Dead", 1968, id=old, at=3_000.0) | merged,
            work("Lost Film", 1920, id=gone, at=3_001.0) | {"status": "gone", "offers": [], "url": None},
        ]
    )
    assert (await shared.get(f"/videos/{old}"))["video"]["id"] == NIGHT
    assert [item["id"] for item in (await shared.get("/videos", q="night of the living dead"))["items"]].count(old) == 0
    lost = (await shared.get(f"/videos/{gone}"))["video"]
    assert (lost["title"], lost["offers"], lost["playable"]) == ("Lost Film", [], False)
    assert await shared.titles(q="lost film") == []


async def test_sources_are_told_with_their_last_run_their_count_and_their_age(shared: Deployment) -> None:
    sources, runs = shared.database.table(SOURCES), shared.database.table(RUNS)
    for name in ("archive", "apple"):
        await sources.upsert(
            {
                "_id": f"src:{name}",
                "rev": 1,
                "kind": "source",
                "name": name,
                "state": "{}",
                "attribution": f"By {name}.",
            }
        )
    for number, status in enumerate(["ok", "failed"]):
        begun = 1_700_000_000.0 + number
        await runs.upsert(
            {
                "_id": f"run:{number}", "rev": 1, "source": "archive", "startedAt": begun, "endedAt": begun + 0.5,
                "status": status, "error": "a secret",
            }
        )  # fmt: skip
    shared.service._handler._sources._kept = None
    answer = await shared.answer("/sources")
    apple, archive = answer.body["items"]
    assert "secret" not in answer.text
    assert (archive["name"], archive["attribution"]) == ("archive", "By archive.")
    assert archive["count"] == sum(any(o["source"] == "archive" for o in one["offers"]) for one in small_collection())
    assert archive["lastRun"] == {
        "startedAt": "2023-11-14T22:13:21.000Z", "endedAt": "2023-11-14T22:13:21.500Z", "status": "failed",
    }  # fmt: skip
    assert archive["lastSuccessAt"] == "2023-11-14T22:13:20.500Z"
    assert archive["ageSeconds"] > 86_400
    assert (apple["count"], apple["lastRun"], apple["ageSeconds"]) == (1, None, None)
    index: dict[str, Any] = answer.body["index"]
    assert (index["count"], index["isComplete"]) == (len(small_collection()), True)
    assert RECORD_TIME.fullmatch(index["asOf"])


async def test_health_says_how_far_the_index_is(shared: Deployment) -> None:
    health = (await shared.rest.call("GET", "/health")).body
    assert (health["status"], health["service"], health["database"]) == ("ok", "videos", "ok")
    assert health["note"] == f"the index is complete: {len(small_collection())} videos"


async def test_the_documentation_has_every_call(shared: Deployment) -> None:
    paths = (await shared.rest.call("GET", "/docs/openapi.json")).body["paths"]
    assert {"/videos", "/videos/{id}", "/sources"} <= set(paths)
    names = {one["name"] for one in paths["/videos"]["get"]["parameters"]}
    assert names >= {"q", "source", "genre", "year", "region", "playable", "sort", "limit", "cursor"}
