"""Recommendations over HTTP: what is asked, what is told, and how both read."""

import msgspec
import pytest

from dateflicks.client import errors
from dateflicks.client.http import ServiceClient
from dateflicks.client.recommendations import (
    PAUSES_SECONDS,
    Recommendations,
    fit_of,
    fits_text,
    partners_of,
    reasons_text,
)
from dateflicks.protocol.bodies import SessionBody
from dateflicks.protocol.recommendations import RecommendationBody
from tests.client.recommendations import ANA, BEA, film_id, fit_json, pair_json, pick_json, picks_json, recommends, told
from tests.scripted_server import Answer, ScriptedServer, session_json


def pick(number: int = 1, title: str = "Charade", **changes: object) -> RecommendationBody:
    return msgspec.convert(pick_json(number, title, **changes), RecommendationBody)


async def no_pause(_: float) -> None:
    """Time does not pass."""


async def test_a_list_is_asked_for_oneself_and_for_two(server: ScriptedServer, client: ServiceClient) -> None:
    recommends(server, pick_json())
    page = await Recommendations(client).page()
    assert [one.title for one in page.items] == ["Charade"]
    assert (server.last.query, server.last.headers["Authorization"]) == ({"limit": "50"}, "Bearer t0ken")
    await Recommendations(client).page(BEA, limit=7, cursor="c", seen=True)
    assert server.last.query == {"with": BEA, "limit": "7", "cursor": "c", "seen": "true"}


async def test_several_pages_are_read_as_one(server: ScriptedServer, client: ServiceClient) -> None:
    recommends(server, pick_json(), next="more", note="popular")
    page = await Recommendations(client).up_to(2)
    assert (len(page.items), page.note, server.last.query["limit"]) == (2, "popular", "1")
    assert server.last.query["cursor"] == "more"
    server.on("GET", "/recommendations", picks_json(next="for ever"))
    assert (await Recommendations(client).up_to(2)).items == []


async def test_why_is_asked_of_one_film(server: ScriptedServer, client: ServiceClient) -> None:
    recommends(server, pick_json())
    server.on("GET", f"/recommendations/{film_id(1)}/why", {"recommendation": pick_json()})
    assert (await Recommendations(client).why(film_id(1), BEA)).title == "Charade"
    assert server.last.query == {"with": BEA}


async def test_what_one_thinks_of_a_film_is_said_and_taken_back(server: ScriptedServer, client: ServiceClient) -> None:
    recommends(server, pick_json())
    rated = [
        {"videoId": film_id(number), "rating": rating, "ratedAt": None} for number, rating in ((1, "up"), (2, None))
    ]
    server.on("GET", "/recommendations/ratings", {"items": rated, "next": None})
    assert (await Recommendations(client).rate(film_id(1), "up")).rating == "up"
    assert server.last.body == {"rating": "up"}
    await Recommendations(client).rate(film_id(1), None)
    assert server.last.body == {"rating": None}
    assert await Recommendations(client).ratings() == {film_id(1): "up"}


async def test_what_became_of_a_film_is_told(server: ScriptedServer, client: ServiceClient) -> None:
    recommends(server, pick_json())
    assert await Recommendations(client).tell(film_id(1), "shown", position=3, other=BEA)
    assert told(server, "shown") == [{"videoId": film_id(1), "event": "shown", "position": 3, "with": BEA}]


@pytest.mark.parametrize(
    ("status", "tries"), [(503, 1 + len(PAUSES_SECONDS)), (429, 1 + len(PAUSES_SECONDS)), (404, 1)]
)
async def test_what_cannot_be_told_is_let_go_after_a_few_tries(
    server: ScriptedServer, client: ServiceClient, status: int, tries: int
) -> None:
    recommends(server)
    server.on("POST", "/recommendations/events", Answer.problem(status, "Not now."))
    assert not await Recommendations(client, pause=no_pause).tell(film_id(1), "watched")
    assert len(told(server, "watched")) == tries


async def test_a_server_that_recommends_nothing_says_so(server: ScriptedServer, client: ServiceClient) -> None:
    with pytest.raises(errors.NotThere, match="no recommendation service"):
        await Recommendations(client).page()
    assert not await Recommendations(client).tell(film_id(1), "shown")


def test_partners_are_those_who_said_yes_the_last_one_first() -> None:
    sessions = [
        session_json(isAccepted=True, hostUserId="usr_c", hostName="cleo", guestUserId=ANA),
        session_json(isAccepted=True),
        session_json(isAccepted=False, guestUserId="usr_d", guestName="dan"),
        session_json(guestUserId=None, guestName=None),
        session_json(isAccepted=True, hostUserId="usr_c", hostName="cleo", guestUserId=ANA),
    ]
    found = partners_of((msgspec.convert(one, SessionBody) for one in sessions), ANA)
    assert list(found.items()) == [("usr_c", "cleo"), (BEA, "bea")]


def test_fits_and_reasons_read_as_people_say_them() -> None:
    both = msgspec.convert(pair_json(1, "Charade", (0.92, 0.781)), RecommendationBody)
    names = {BEA: "bea"}
    assert fits_text(both, ANA, names.__getitem__) == "92 % you · 78 % bea"
    assert reasons_text(both, ANA, names.__getitem__) == "you: Laura · bea: D.O.A., Detour"
    assert fits_text(pick(fits=[fit_json(fit=None)]), ANA, names.__getitem__) == ""
    found = fit_of(both, BEA)
    assert found is not None
    assert found.fit == 0.781
    assert fit_of(both, "usr_c") is None
