"""What to watch next, asked for over the wire alone: for one, for two, and never again what somebody has hidden."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest

from tests.fuzz.deployment import served
from tests.journeys.conftest import NAMED
from tests.journeys.deployment import Deployment
from tests.journeys.people import Crowd, Person, act, invite, items_of, walk_in
from tests.journeys.wire import WITHIN, Json, Rest, is_id, open_rest

PATH = "/recommendations"
BASES = {"own", "pair", "content", "popular", "new"}


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """A deployment with some films in its collection."""
    if NAMED:
        yield Deployment(NAMED, is_ours=False)
        return
    with served(tmp_path_factory.mktemp("library")) as server:
        yield Deployment(server.url, is_ours=True)


@pytest.fixture
async def films(library: Deployment) -> AsyncIterator[Rest]:
    async with open_rest(library, library.fresh_address()) as opened:
        yield opened


@pytest.fixture
async def couple(library: Deployment, films: Rest) -> tuple[Person, Person]:
    """Two who have accepted a session with each other."""
    ana = await Crowd(library).stranger("ana")
    bea, _ = await walk_in(library, films, ana, "bea")
    return ana, bea


def check(item: Json, *people: Person) -> None:
    """A film to watch has its reason, its place, and how well it fits each of those who asked."""
    assert is_id(item["videoId"], "vid")
    assert item["userId"] == people[0].id
    assert 0 <= item["score"] <= 1
    assert item["why"]
    assert item["variant"]
    assert item["basis"] in BASES
    assert item["title"]
    assert [fit["userId"] for fit in item["fits"]] == [one.id for one in people]
    for fit in item["fits"]:
        assert fit["fit"] is None or 0 <= fit["fit"] <= 1


async def test_there_is_something_to_watch_while_there_are_videos_and_what_is_hidden_is_gone(
    films: Rest, couple: tuple[Person, Person]
) -> None:
    ana, bea = couple
    page = (await films.call("GET", f"{PATH}?limit=2", token=ana.token)).body
    there = (await films.call("GET", "/videos?limit=1")).body["items"]
    assert bool(page["items"]) == bool(there)
    if not there:
        pytest.skip("this deployment has no videos")
    for item in page["items"]:
        check(item, ana)
    scores = [item["score"] for item in page["items"]]
    assert scores == sorted(scores, reverse=True)

    both = f"{PATH}?with={bea.id}"
    for item in (await films.call("GET", both, token=ana.token)).body["items"]:
        check(item, ana, bea)
    film = page["items"][0]["videoId"]
    for event in ("shown", "opened", "invited"):
        body = {"videoId": film, "event": event, "position": 0, "with": bea.id}
        for _ in range(2):
            await films.call("POST", f"{PATH}/events", body, token=ana.token, expect=(200, 202, 204))
    told = (await films.call("GET", f"{PATH}/{film}/why?with={bea.id}", token=ana.token)).body["recommendation"]
    check(told, ana, bea)

    await films.call("PUT", f"{PATH}/ratings/{film}", {"rating": "hide"}, token=bea.token)
    for person, path, is_there in ((bea, PATH, False), (bea, f"{PATH}?with={ana.id}", False), (ana, both, False),
                                   (ana, PATH, True)):  # fmt: skip
        found = {item["videoId"] for item in await items_of(films, person, path)}
        assert (film in found) is is_there
    await films.call("PUT", f"{PATH}/ratings/{film}", {"rating": None}, token=bea.token)
    assert film in {item["videoId"] for item in await items_of(films, bea, PATH)}
    assert (await films.call("GET", f"{PATH}/ratings", token=bea.token)).body == {"items": [], "next": None}


async def test_a_film_that_an_evening_brought_to_its_end_is_out_for_both_and_so_is_one_that_a_player_tells_of(
    films: Rest, couple: tuple[Person, Person]
) -> None:
    ana, bea = couple
    known = (await films.call("GET", PATH, token=ana.token)).body["items"]
    if len(known) < 2:
        pytest.skip("this deployment has not enough videos")
    film = known[0]["videoId"]
    body = {"session": {"guestUserId": bea.id, "videoId": film}}
    session = (await films.call("POST", "/sessions", body, token=ana.token, expect=201)).body["session"]
    await act(films, bea, session, "accept")
    await films.call(
        "POST", f"/sessions/{session['id']}/end", {"position": 5_750.0, "length": 5_760.0}, token=ana.token,
        expect=(200, 204),
    )  # fmt: skip
    other = known[1]["videoId"]
    event = {"videoId": other, "event": "watched"}
    await films.call("POST", f"{PATH}/events", event, token=ana.token, expect=(200, 202, 204))
    assert other not in {item["videoId"] for item in await items_of(films, ana, PATH)}
    for person in (ana, bea):
        async with asyncio.timeout(WITHIN):
            while film in {item["videoId"] for item in await items_of(films, person, PATH)}:  # noqa: ASYNC110 - asked
                await asyncio.sleep(0.1)
        assert film in {item["videoId"] for item in await items_of(films, person, f"{PATH}?seen=true")}


async def test_only_those_who_have_accepted_a_session_with_each_other_are_two(
    rest: Rest, deployment: Deployment, crowd: Crowd, host: Person
) -> None:
    strangers, _ = await walk_in(deployment, rest, await crowd.person("matchmaker"), "stranger")
    for other in (strangers.id, host.id, "nonsense", "usr_" + "a" * 26):
        await rest.call("GET", f"{PATH}?with={other}", token=host.token, expect=404)
    session = await invite(rest, host, strangers)
    await rest.call("GET", f"{PATH}?with={strangers.id}", token=host.token, expect=404)
    await act(rest, strangers, session, "accept")
    for one, two in ((host, strangers), (strangers, host)):
        await rest.call("GET", f"{PATH}?with={two.id}", token=one.token)


async def test_a_ticket_a_signed_out_token_and_nothing_open_no_list(
    rest: Rest, crowd: Crowd, host: Person, accepted: tuple[Json, dict[str, str]]
) -> None:
    _, tickets = accepted
    gone = await crowd.stranger("gone")
    await rest.call("DELETE", "/tokens/current", token=gone.token, expect=(200, 204))
    for bearer in (None, "nonsense", tickets[host.id], gone.token):
        await rest.call("GET", PATH, token=bearer, expect=401)


@pytest.mark.parametrize(
    ("query", "field"), [("limit=0", "limit"), ("limit=201", "limit"), ("cursor=nonsense", "cursor")]
)
async def test_a_query_that_does_not_fit_is_refused_by_its_field(
    rest: Rest, host: Person, query: str, field: str
) -> None:
    assert field in (await rest.call("GET", f"{PATH}?{query}", token=host.token, expect=(400, 422))).fields


async def test_what_is_said_of_a_film_that_is_not_there_is_not_found(rest: Rest, host: Person) -> None:
    nothing = "vid_" + "a" * 26
    body = {"videoId": nothing, "event": "shown"}
    await rest.call("POST", f"{PATH}/events", body, token=host.token, expect=(404, 422))
    await rest.call("PUT", f"{PATH}/ratings/{nothing}", {"rating": "up"}, token=host.token, expect=404)
    await rest.call("GET", f"{PATH}/{nothing}/why", token=host.token, expect=404)
