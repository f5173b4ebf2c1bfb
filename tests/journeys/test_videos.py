"""What there is to watch, looked for by somebody who speaks the wire alone, in a full collection or an empty one."""

from typing import Any
from urllib.parse import urlencode

import pytest

from tests.journeys.conftest import NAMED
from tests.journeys.deployment import Deployment
from tests.journeys.people import Person
from tests.journeys.test_services_alone import alone
from tests.journeys.wire import RECORD_TIME, Json, Rest, is_id, open_rest

TYPES = {"owned", "free", "subscription", "rent", "buy"}


async def ask(rest: Rest, **query: Any) -> Json:
    answer = await rest.call("GET", f"/videos?{urlencode(query)}")
    page: Json = answer.body
    assert set(page) >= {"items", "next"}
    return page


def check_video(video: Json) -> None:
    """A film has its id, its best offer first, and nothing that no film has."""
    assert is_id(video["id"], "vid")
    assert video["title"]
    assert isinstance(video["title"], str)
    assert video["year"] is None or 1870 <= video["year"] <= 2100
    assert video["durationSeconds"] is None or 0 < video["durationSeconds"] <= 172_800
    assert RECORD_TIME.fullmatch(video["addedAt"])
    offers = video["offers"]
    assert offers
    for offer in offers:
        assert offer["source"]
        assert offer["url"]
        assert isinstance(offer["playable"], bool)
        assert offer["type"] in TYPES
    assert (video["source"], video["url"]) == (offers[0]["source"], offers[0]["url"])
    assert offers[0]["playable"] == any(offer["playable"] for offer in offers)


async def test_anybody_may_look_around_and_every_page_has_its_form(rest: Rest, host: Person) -> None:
    for token in (None, host.token, "nonsense"):
        page = (await rest.call("GET", "/videos?limit=5", token=token)).body
        assert len(page["items"]) <= 5
        for video in page["items"]:
            check_video(video)
            assert (await rest.call("GET", f"/videos/{video['id']}")).body["video"]["id"] == video["id"]
    await rest.call("GET", "/videos/vid_" + "a" * 26, expect=404)


async def test_pages_neither_repeat_nor_go_on_for_ever(rest: Rest) -> None:
    found, cursor = list[str](), ""
    for _ in range(20):
        page = await ask(rest, limit=20, **({"cursor": cursor} if cursor else {}))
        found += [video["id"] for video in page["items"]]
        if (cursor := page["next"]) is None:
            break
    assert len(found) == len(set(found))


async def test_what_is_found_fits_what_was_asked(rest: Rest) -> None:
    for video in (await ask(rest, playable="true", limit=50))["items"]:
        assert video["playable"]
    for video in (await ask(rest, year="1920-1929"))["items"]:
        assert 1920 <= video["year"] <= 1929
    for video in (await ask(rest, sort="title", limit=3))["items"]:
        again = await ask(rest, q=video["title"], limit=200)
        assert video["id"] in {one["id"] for one in again["items"]}


@pytest.mark.parametrize(
    ("query", "field"),
    [("limit=0", "limit"), ("limit=201", "limit"), ("cursor=nonsense", "cursor"), ("year=soon", "year"),
     ("sort=x", "sort")],
)  # fmt: skip
async def test_a_query_that_does_not_fit_is_refused_by_its_field(rest: Rest, query: str, field: str) -> None:
    assert field in (await rest.call("GET", f"/videos?{query}", expect=(400, 422))).fields


@pytest.mark.parametrize("text", ['"', "NEAR(a b)", "a OR b", "' OR 1=1 --", "\0", "*", "{x} : y", "🍿", "a" * 300])
async def test_strange_words_are_words_like_others(rest: Rest, text: str) -> None:
    await ask(rest, q=text)


async def test_sources_tell_how_fresh_they_are(rest: Rest) -> None:
    answer = (await rest.call("GET", "/sources")).body
    assert answer["next"] is None
    for source in answer["items"]:
        assert source["name"]
        assert source["count"] >= 0
        assert source["ageSeconds"] is None or source["ageSeconds"] >= 0
        assert source["lastRun"] is None or source["lastRun"]["status"]


@pytest.mark.slow
@pytest.mark.timeout(120)
async def test_alone_it_answers_at_once_and_is_limited_by_address(tmp_path: Any) -> None:
    if NAMED:
        pytest.skip("a deployment that is named from outside is not ours to start anew")
    folder = tmp_path / "data"
    folder.mkdir()
    with alone(folder, "videos", asked_burst="5", asked_per_second="0.01") as (_, deployment):
        one, other = deployment.fresh_address(), deployment.fresh_address()
        async with open_rest(deployment, one) as rest:
            health = (await rest.call("GET", "/health")).body
            assert (health["service"], health["status"]) == ("videos", "ok")
            assert "videos" in (await rest.call("GET", "/services")).text
            for _ in range(5):
                assert (await ask(rest))["items"] == []
            refused = await rest.call("GET", "/videos", expect=429)
            assert int(refused.headers["retry-after"]) > 0
            await rest.call("GET", "/sources", expect=429)
            await rest.call("GET", "/sessions", expect=404)
        async with open_rest(deployment, other) as rest:
            await ask(rest)


def test_the_deployment_says_where_its_videos_are(deployment: Deployment) -> None:
    import httpx2

    assert httpx2.get(f"{deployment.url}/services", trust_env=False).json()["services"]["videos"].startswith("http")
