"""The calls, as anybody makes them over HTTP: who may, what fits, and what comes back."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import pytest
import pytest_asyncio

from dateflicks.protocol.ids import new_id
from dateflicks.server.auth.caller import UserToken
from dateflicks.server.runner import running
from dateflicks.server.services.session.records import TOKENS, USERS, name_key
from dateflicks.server.storage.database import Database
from dateflicks.settings.recommendation import RecommendationSettings
from tests.journeys.deployment import Deployment as Address
from tests.journeys.wire import RECORD_TIME, Answer, Rest, open_rest
from tests.server.services.recommendation.scene import NOON, Scene, film_of, somebody

pytestmark = pytest.mark.asyncio(loop_scope="module")

FILMS = ("Charade", "The General", "Nosferatu", "M")


@dataclass
class Calls:
    """What runs, and a way to call it."""

    scene: Scene
    rest: Rest

    def token_of(self, user: str, token_id: str | None = None) -> str:
        """A user token as the session service signs it."""
        return self.scene.signer.issue_user_token(UserToken(token_id or new_id("tok"), user, "ana", NOON + 3_600))

    async def call(
        self, method: str, path: str, user: str | None = None, body: Any = None, *, expect: int = 200, **query: Any
    ) -> Answer:
        token = self.token_of(user) if user is not None else None
        where = f"{path}?{urlencode(query)}" if query else path
        return await self.rest.call(method, where, body, token=token, expect=expect)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def calls(database: Database) -> AsyncIterator[Calls]:
    scene = Scene(database, RecommendationSettings(poll_seconds=0.1))
    await scene.films(*FILMS)
    async with running([scene.service]) as server, open_rest(Address(server.url, is_ours=True)) as rest:
        yield Calls(scene, rest)
    await scene.empty()


async def test_a_list_has_the_form_that_it_is_documented_in(calls: Calls) -> None:
    ana = somebody()
    page = (await calls.call("GET", "/recommendations", ana, limit=2)).body
    assert set(page) == {"items", "next", "variant", "generatedAt", "note"}
    assert [one["title"] for one in page["items"]] == ["M", "Nosferatu"]
    assert page["items"][0] == {
        "userId": ana, "videoId": film_of("M"), "score": 1.0, "why": "because it is among the newest films",
        "variant": "newest", "fits": [{"userId": ana, "fit": None, "reasons": [], "hasSeen": False}], "basis": "new",
        "isNew": False, "title": "M", "year": 1950, "durationSeconds": 5760.0, "playable": True,
    }  # fmt: skip
    rest = (await calls.call("GET", "/recommendations", ana, cursor=page["next"])).body
    assert [one["title"] for one in rest["items"]] == ["The General", "Charade"]
    assert rest["next"] is None


async def test_a_list_for_two_needs_their_session(calls: Calls) -> None:
    ana, bea = somebody(), somebody()
    await calls.call("GET", f"/recommendations?with={bea}", ana, expect=404)
    await calls.scene.evening(ana, bea)
    page = (await calls.call("GET", f"/recommendations?with={bea}", ana)).body
    assert [fit["userId"] for fit in page["items"][0]["fits"]] == [ana, bea]
    found = (await calls.call("GET", f"/recommendations/{film_of('M')}/why?with={bea}", ana)).body
    assert found == {"recommendation": page["items"][0]}


async def test_what_is_said_of_a_film_is_answered_and_kept(calls: Calls) -> None:
    ana, path = somebody(), f"/recommendations/ratings/{film_of('M')}"
    assert (await calls.call("GET", path, ana)).body == {"videoId": film_of("M"), "rating": None, "ratedAt": None}
    said = (await calls.call("PUT", path, ana, {"rating": "hide"})).body
    assert RECORD_TIME.fullmatch(said["ratedAt"])
    assert said["rating"] == "hide"
    assert (await calls.call("GET", "/recommendations/ratings", ana)).body == {"items": [said], "next": None}
    assert "M" not in {one["title"] for one in (await calls.call("GET", "/recommendations", ana)).body["items"]}
    await calls.call("PUT", path, ana, {"rating": None})
    assert (await calls.call("GET", "/recommendations", ana)).body["items"][0]["title"] == "M"


async def test_an_event_is_taken_without_a_word(calls: Calls) -> None:
    ana, body = somebody(), {"videoId": film_of("M"), "event": "shown", "position": 0}
    for _ in range(2):
        assert (await calls.call("POST", "/recommendations/events", ana, body, expect=204)).text == ""
    assert len(await calls.scene.exposures(ana)) == 1
    await calls.call("POST", "/recommendations/events", ana, body | {"videoId": film_of("Nothing")}, expect=404)
    await calls.call("POST", "/recommendations/events", ana, body | {"with": somebody()}, expect=404)


@pytest.mark.parametrize(
    ("method", "path", "body", "field"),
    [
        ("GET", "/recommendations?limit=0", None, "limit"),
        ("GET", "/recommendations?limit=201", None, "limit"),
        ("GET", "/recommendations?cursor=nonsense", None, "cursor"),
        ("GET", "/recommendations?seen=perhaps", None, "seen"),
        ("GET", "/recommendations/ratings?cursor=nonsense", None, "cursor"),
        ("POST", "/recommendations/events", {"videoId": "x", "event": "eaten"}, "event"),
        ("POST", "/recommendations/events", {"event": "shown"}, "videoId"),
        ("POST", "/recommendations/events", {"videoId": "x", "event": "shown", "position": -1}, "position"),
        ("PUT", f"/recommendations/ratings/{film_of('M')}", {"rating": "nice"}, "rating"),
        ("PUT", f"/recommendations/ratings/{film_of('M')}", {}, "rating"),
    ],
)
async def test_what_does_not_fit_is_refused_by_its_field(
    calls: Calls, method: str, path: str, body: Any, field: str
) -> None:
    assert field in (await calls.rest.call(method, path, body, token=calls.token_of(somebody()), expect=422)).fields


@pytest.mark.parametrize("video_id", ["vid_" + "a" * 26, "ses_" + "a" * 26, "x", "%27", "vid_%00", "ratings"])
async def test_a_film_that_is_not_there_is_not_found(calls: Calls, video_id: str) -> None:
    ana = somebody()
    await calls.call("GET", f"/recommendations/{video_id}/why", ana, expect=404)
    await calls.call("PUT", f"/recommendations/ratings/{video_id}", ana, {"rating": "up"}, expect=404)


async def test_nobody_and_whoever_shows_a_ticket_is_refused(calls: Calls) -> None:
    ticket = calls.scene.signer.issue_ticket(new_id("ses"), somebody(), "ana", "host")
    for bearer in (None, ticket, "nonsense"):
        for method, path in (
            ("GET", "/recommendations"), ("GET", "/recommendations/ratings"), ("POST", "/recommendations/events"),
            ("GET", f"/recommendations/{film_of('M')}/why"), ("PUT", f"/recommendations/ratings/{film_of('M')}"),
        ):  # fmt: skip
            await calls.rest.call(method, path, None if method == "GET" else {}, token=bearer, expect=401)


async def test_a_token_that_was_signed_out_is_refused_and_one_of_elsewhere_believed(calls: Calls) -> None:
    ana, database = somebody(), calls.scene.database
    await database.table(USERS).insert(
        {"_id": ana, "id": ana, "name": "ana", "nameKey": name_key(ana), "passwordHash": None, "createdAt": NOON}
    )
    kept, over = new_id("tok"), new_id("tok")
    await database.table(TOKENS).insert({"_id": kept, "userId": ana, "createdAt": NOON, "expiresAt": NOON + 9.0})
    await calls.rest.call("GET", "/recommendations", token=calls.token_of(ana, kept))
    await calls.rest.call("GET", "/recommendations", token=calls.token_of(ana, over), expect=401)
    await calls.rest.call("GET", "/recommendations", token=calls.token_of(somebody(), over))


async def test_it_tells_of_its_health_and_documents_itself(calls: Calls) -> None:
    health = (await calls.call("GET", "/health")).body
    assert health == {
        "status": "ok", "service": "recommendation", "database": "ok", "note": "no run of blend yet; experiments: 0",
    }  # fmt: skip
    paths = (await calls.call("GET", "/docs/openapi.json")).body["paths"]
    assert {
        "/recommendations", "/recommendations/events", "/recommendations/ratings",
        "/recommendations/ratings/{videoId}", "/recommendations/{videoId}/why",
    } <= set(paths)  # fmt: skip
    names = {one["name"] for one in paths["/recommendations"]["get"]["parameters"]}
    assert names == {"limit", "cursor", "with", "seen"}
