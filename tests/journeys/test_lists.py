"""One's own sessions in pages, and the history of what was watched."""

import asyncio
import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.journeys.deployment import Deployment
from tests.journeys.people import Crowd, Person, act, film, ids_in_state, invite, items_of, ticket_of
from tests.journeys.room import Room, make_timecode, seats
from tests.journeys.wire import RECORD_TIME, Json, Rest

FILM = film(title="Nosferatu, a Symphony of Horror")


async def test_a_list_in_small_pages_has_everything_once(rest: Rest, crowd: Crowd) -> None:
    host, guest = [await crowd.stranger(stem) for stem in ("host", "guest")]
    made = [(await invite(rest, host, guest))["id"] for _ in range(5)]
    first = (await rest.call("GET", "/sessions?limit=2", token=host.token)).body
    assert len(first["items"]) == 2
    assert isinstance(first["next"], str)
    for person in (host, guest):
        paged = [item["id"] for item in await items_of(rest, person, "/sessions?limit=2")]
        assert sorted(paged) == sorted(made)
    whole = (await rest.call("GET", "/sessions", token=host.token)).body
    assert sorted(item["id"] for item in whole["items"]) == sorted(made)
    assert whole["next"] is None


async def test_a_session_made_between_two_pages_repeats_and_hides_nothing(rest: Rest, crowd: Crowd) -> None:
    host, guest = [await crowd.stranger(stem) for stem in ("host", "guest")]
    made = [(await invite(rest, host, guest))["id"] for _ in range(4)]
    first = (await rest.call("GET", "/sessions?limit=2", token=host.token)).body
    await invite(rest, host, guest)
    rest_of_it = (await rest.call("GET", f"/sessions?limit=10&cursor={first['next']}", token=host.token)).body
    seen = [item["id"] for item in first["items"] + rest_of_it["items"]]
    assert len(seen) == len(set(seen))
    assert set(made) <= set(seen)


async def test_a_list_can_be_asked_for_several_states(rest: Rest, crowd: Crowd) -> None:
    host, guest = [await crowd.stranger(stem) for stem in ("host", "guest")]
    by_state: dict[str, str] = {}
    for state, action in {"pending": "", "accepted": "accept", "rejected": "reject", "cancelled": "cancel"}.items():
        session = await invite(rest, host, guest)
        if action:
            await act(rest, host if action == "cancel" else guest, session, action)
        by_state[state] = session["id"]
    over = await invite(rest, host, guest)
    await act(rest, guest, over, "accept")
    await act(rest, guest, over, "end")
    by_state["ended"] = over["id"]
    for state, session_id in by_state.items():
        assert await ids_in_state(rest, guest, state) == [session_id]
    assert sorted(await ids_in_state(rest, host, "pending,ended")) == sorted([by_state["pending"], by_state["ended"]])


@pytest.mark.parametrize("query", ["limit=0", "limit=-1", "limit=x", "limit=1.5", "limit=", "cursor=nonsense"])
async def test_a_page_that_makes_no_sense_is_refused(rest: Rest, host: Person, query: str) -> None:
    await rest.call("GET", f"/sessions?{query}", token=host.token, expect=(400, 422))
    await rest.call("GET", f"/history?{query}", token=host.token, expect=(400, 422))


async def test_an_empty_cursor_is_the_first_page(rest: Rest, host: Person) -> None:
    first, empty = [
        (await rest.call("GET", path, token=host.token)).body for path in ("/sessions", "/sessions?cursor=")
    ]
    assert [one["id"] for one in empty["items"]] == [one["id"] for one in first["items"]]
    assert empty["next"] == first["next"]


async def test_a_state_that_is_none_is_refused(rest: Rest, host: Person) -> None:
    await rest.call("GET", "/sessions?state=flying", token=host.token, expect=(400, 422))


async def test_a_limit_beyond_the_largest_gives_no_more_than_the_largest(rest: Rest, host: Person) -> None:
    # Refused, or cut to what is allowed: both keep the limit.
    for limit in ("201", "1000000000"):
        answer = await rest.call("GET", f"/sessions?limit={limit}", token=host.token, expect=(200, 400, 422))
        if answer.status == 200:
            assert len(answer.body["items"]) <= 200


async def test_the_cursor_of_somebody_else_shows_nothing_of_theirs(rest: Rest, crowd: Crowd) -> None:
    host, guest, third = [await crowd.stranger(stem) for stem in ("host", "guest", "third")]
    for _ in range(3):
        await invite(rest, host, guest)
    cursor = (await rest.call("GET", "/sessions?limit=1", token=host.token)).body["next"]
    answer = await rest.call("GET", f"/sessions?cursor={cursor}", token=third.token, expect=(200, 400, 422))
    if answer.status == 200:
        assert answer.body["items"] == []


async def test_nobody_has_a_history_before_they_watched(rest: Rest, crowd: Crowd) -> None:
    host, guest = [await crowd.stranger(stem) for stem in ("host", "guest")]
    session = await invite(rest, host, guest)
    await act(rest, guest, session, "reject")
    for person in (host, guest):
        assert (await rest.call("GET", "/history", token=person.token)).body == {"items": [], "next": None}


def numbers_in(value: Any) -> Iterator[float]:
    if isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from numbers_in(inner)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield value


async def test_history_tells_the_film_with_whom_when_and_how_far(
    rest: Rest, deployment: Deployment, crowd: Crowd
) -> None:
    host, guest = [await crowd.stranger(stem) for stem in ("host", "guest")]
    session = await invite(rest, host, guest, video=FILM | {"length": 1000.0})
    await act(rest, guest, session, "accept")
    tickets = {person.id: await ticket_of(rest, person, session["id"]) for person in (host, guest)}
    await make_timecode(rest, session, tickets[host.id], 1000.0)
    async with seats(deployment, host, guest, session, tickets) as (one, other):
        room = Room(deployment, rest, session, one, other, tickets)
        before = one.latest
        await one.seek(777)
        asked = await room.pending("seek", one, 777, after=before)
        await other.seek(777)
        await room.both(lambda frame: frame["pending"] is None and frame["currentPosition"] > 770, "moved", after=asked)
        playing = await room.play()
        await room.start_of(playing)
        await room.watch_for(0.7)
        await one.ask("stop")
        await other.timecode(lambda frame: frame["status"] == "stop", "stop", after=playing)
        await other.ask("stop")
        await room.settled("stop", None, after=playing)
    await act(rest, host, session, "end")
    for person, partner in ((host, guest), (guest, host)):
        text = json.dumps(await watched(rest, person), ensure_ascii=False)
        # Which fields it has is not said; the film, the partner and the time can be told by what is in them.
        assert FILM["title"] in text or session["videoId"] in text
        assert partner.id in text or partner.name in text
        assert RECORD_TIME.search(text)


async def watched(rest: Rest, person: Person) -> Json:
    """The one entry of a history, once it says how far: another service knows, and may take a moment to tell."""
    items: list[Json] = []
    deadline = time.monotonic() + 12
    while time.monotonic() < deadline:
        items = await items_of(rest, person, "/history")
        if items and how_far(items[0]):
            assert len(items) == 1
            return items[0]
        await asyncio.sleep(0.2)
    raise AssertionError(f"no history of 777 seconds and a little more: {items}")


def how_far(item: Json) -> bool:
    """Somewhere it says 777 seconds and a little more: in seconds, or as a part or percentage of the whole."""
    return any(
        777 <= number <= 785 or 77.7 <= number <= 78.5 or 0.777 <= number <= 0.785 for number in numbers_in(item)
    )
