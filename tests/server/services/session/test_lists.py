"""Lists of one's own sessions: their order, their pages, and what a cursor opens."""

from typing import Any

import pytest

from tests.server.services.session.deployment import Deployment, Person, fields

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def pages(person: Person, path: str, limit: int) -> list[list[str]]:
    """The ids on each page, to the end."""
    joint = "&" if "?" in path else "?"
    found: list[list[str]] = []
    cursor = ""
    while True:
        page: dict[str, Any] = await person.get(f"{path}{joint}limit={limit}{cursor}")
        found.append([one.get("id") or one["sessionId"] for one in page["items"]])
        if page["next"] is None:
            return found
        cursor = f"&cursor={page['next']}"


async def test_sessions_are_newest_first_whether_one_is_host_or_guest(shared: Deployment) -> None:
    one, other = await shared.pair()
    asked = [await (one if number % 2 else other).ask(other if number % 2 else one) for number in range(4)]

    for person in (one, other):
        page = await person.get("/sessions")
        assert [session["id"] for session in page["items"]] == [session["id"] for session in reversed(asked)]
        assert page["next"] is None


async def test_a_state_filter_shows_these_states_and_no_others(shared: Deployment) -> None:
    host, guest = await shared.pair()
    ways = {"pending": "", "accepted": "accept", "rejected": "reject", "cancelled": "cancel", "ended": "accept"}
    ids = {}
    for state, verb in ways.items():
        session = await host.ask(guest)
        if verb:
            await (host if verb == "cancel" else guest).act(session, verb)
        if state == "ended":
            await guest.act(session, "end")
        ids[state] = session["id"]

    for person in (host, guest):
        for state, id in ids.items():  # noqa: A001
            assert await pages(person, f"/sessions?state={state}", 50) == [[id]]
        two = await pages(person, "/sessions?state=ended,%20pending,ended", 50)
        assert two == [[ids["ended"], ids["pending"]]]
        for everything in ("", "?state=", f"?state={','.join(ways)}"):
            assert await pages(person, f"/sessions{everything}", 50) == [list(reversed(ids.values()))]


async def test_a_link_is_in_its_hosts_list_alone_until_it_is_taken(shared: Deployment) -> None:
    host, guest = await shared.pair()
    link = await host.link()

    assert await pages(host, "/sessions?state=pending", 50) == [[link["id"]]]
    assert await pages(guest, "/sessions", 50) == [[]]
    await guest.call("POST", f"/invitations/{link['invitation']}/redeem")
    assert await pages(host, "/sessions?state=pending", 50) == [[]]
    for person in (host, guest):
        assert await pages(person, "/sessions?state=accepted", 50) == [[link["id"]]]


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 8])
async def test_pages_neither_repeat_nor_skip_what_was_asked_in_one_instant(shared: Deployment, limit: int) -> None:
    one, other = await shared.pair()
    with shared.clock.standing():
        asked = [(await (one if number % 3 else other).ask(other if number % 3 else one))["id"] for number in range(7)]

    whole = (await pages(one, "/sessions", 200))[0]
    assert sorted(whole) == sorted(asked)
    found = await pages(one, "/sessions", limit)
    assert [id for page in found for id in page] == whole  # noqa: A001
    assert [len(page) for page in found[:-1]] == [limit] * (len(found) - 1)
    assert all(found)  # the last page is not an empty one
    assert [id for page in await pages(other, "/sessions?state=pending", limit) for id in page] == whole  # noqa: A001


async def test_what_is_asked_meanwhile_does_not_disturb_the_pages_behind(shared: Deployment) -> None:
    host, guest = await shared.pair()
    asked = [(await host.ask(guest))["id"] for _ in range(4)]
    first = await host.get("/sessions?limit=2")
    await host.ask(guest)
    await host.call("POST", f"/sessions/{first['items'][-1]['id']}/cancel")  # where the cursor stands

    second = await host.get(f"/sessions?limit=2&cursor={first['next']}")

    assert [one["id"] for one in second["items"]] == [asked[1], asked[0]]


async def test_a_cursor_of_somebody_else_opens_nothing_of_theirs(shared: Deployment) -> None:
    host, guest = await shared.pair()
    stranger, friend = await shared.pair()
    own = await stranger.ask(friend)
    for _ in range(3):
        await host.ask(guest)
    cursor = (await host.get("/sessions?limit=2"))["next"]

    for path in ("/sessions", "/sessions?state=pending", "/history"):
        page = await stranger.get(f"{path}{'&' if '?' in path else '?'}cursor={cursor}")
        assert {one.get("id") for one in page["items"]} <= {own["id"]}


@pytest.mark.parametrize("path", ["/sessions", "/history"])
@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "limit"),
        ("limit=-1", "limit"),
        ("limit=201", "limit"),
        ("limit=1000000000", "limit"),
        ("limit=many", "limit"),
        ("limit=1.5", "limit"),
        ("limit=", "limit"),
        ("limit=1&limit=2", "limit"),
        ("cursor=nonsense", "cursor"),
        ("cursor=%00", "cursor"),
        ("cursor=%C3%BC", "cursor"),
        ("cursor=dDAwMDAwMDAwMDAwMDAwOnVzcl9h", "cursor"),
        ("cursor=" + "a" * 201, "cursor"),
    ],
)
async def test_a_query_that_does_not_fit_is_refused_with_its_field(
    shared: Deployment, path: str, query: str, field: str
) -> None:
    person = await shared.person()

    assert fields(await person.call("GET", f"{path}?{query}")) == [field]


@pytest.mark.parametrize("state", ["done", "pending,done", "PENDING", "%24ne", "x" * 101])
async def test_a_state_that_is_none_is_refused(shared: Deployment, state: str) -> None:
    person = await shared.person()

    assert fields(await person.call("GET", f"/sessions?state={state}")) == ["state"]


async def test_the_largest_page_fits(shared: Deployment) -> None:
    person, other = await shared.pair()
    session = await person.ask(other)

    assert [one["id"] for one in (await person.get("/sessions?limit=200"))["items"]] == [session["id"]]
