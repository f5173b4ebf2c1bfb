"""The history of a talk, page after page in both directions."""

import asyncio
from typing import Any

import pytest

from tests.journeys.talk import Talk
from tests.journeys.wire import Json


async def fill(talk: Talk, count: int) -> list[Json]:
    """So many messages, from both; all of them in order."""
    for number in range(count):
        person = talk.guest if number % 2 else talk.host
        await talk.post(person, f"line {number + 1}")
    return await talk.history()


def seqs(page: Json) -> list[int]:
    return [message["seq"] for message in page["items"]]


async def test_the_newest_page_comes_first_and_each_is_in_the_order_of_the_talk(talk: Talk) -> None:
    everything = await fill(talk, 30)
    assert [message["content"] for message in everything] == [f"line {number}" for number in range(1, 31)]
    assert seqs(await talk.page()) == list(range(1, 31))
    assert seqs(await talk.page(limit=10)) == list(range(21, 31))

    # Backwards by the number of the oldest one known, forwards by that of the newest one.
    assert seqs(await talk.page(before=21, limit=10)) == list(range(11, 21))
    assert seqs(await talk.page(before=4, limit=10)) == [1, 2, 3]
    assert seqs(await talk.page(before=1, limit=10)) == []
    assert seqs(await talk.page(after=0, limit=10)) == list(range(1, 11))
    assert seqs(await talk.page(after=25, limit=10)) == [26, 27, 28, 29, 30]
    assert seqs(await talk.page(after=30, limit=10)) == []


@pytest.mark.parametrize(("query", "is_back"), [({}, True), ({"before": 31}, True), ({"after": 0}, False)])
async def test_following_the_cursor_leads_through_everything_once(talk: Talk, query: Json, is_back: bool) -> None:
    await fill(talk, 30)
    found: list[int] = []
    asked: dict[str, Any] = dict(query)
    while True:
        page = await talk.page(limit=7, **asked)
        found = seqs(page) + found if is_back else found + seqs(page)
        if page["next"] is None:
            break
        assert page["items"]
        asked = {"cursor": page["next"]}
    assert found == list(range(1, 31))


async def test_what_is_said_between_two_pages_repeats_and_hides_nothing(talk: Talk) -> None:
    await fill(talk, 12)
    first = await talk.page(limit=5)
    await talk.post(talk.host, "meanwhile")
    second = await talk.page(limit=5, cursor=first["next"])
    assert seqs(first) == [8, 9, 10, 11, 12]
    assert seqs(second) == [3, 4, 5, 6, 7]


async def test_a_talk_that_has_not_begun_is_an_empty_page(talk: Talk) -> None:
    assert await talk.page() == {"items": [], "next": None}
    assert await talk.page(after=0) == {"items": [], "next": None}
    assert await talk.page(before=1) == {"items": [], "next": None}


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=-1", "limit=many", "before=x", "after=-1", "after=1.5", "cursor=nonsense", "after=%00"],
)
async def test_a_page_that_makes_no_sense_is_refused(talk: Talk, query: str) -> None:
    ticket = talk.tickets[talk.host.id]
    await talk.rest.call("GET", f"{talk.path}?{query}", token=ticket, expect=(400, 422))


async def test_numbers_far_beyond_the_talk_are_empty_pages_or_refused(talk: Talk) -> None:
    await fill(talk, 3)
    ticket = talk.tickets[talk.host.id]
    for query in ("after=999999999", "after=99999999999999999999", "before=9007199254740992"):
        answer = await talk.rest.call("GET", f"{talk.path}?{query}", token=ticket, expect=(200, 400, 422))
        if answer.status == 200:
            assert seqs(answer.body) in ([], [1, 2, 3])


async def test_the_cursor_of_another_talk_shows_nothing_of_it(
    talk: Talk, accepted: tuple[Json, dict[str, str]]
) -> None:
    await fill(talk, 12)
    cursor = (await talk.page(limit=5))["next"]
    session, tickets = accepted
    answer = await talk.rest.call(
        "GET", f"/messages/{session['id']}?cursor={cursor}", token=next(iter(tickets.values())), expect=(200, 400, 422)
    )
    assert "line" not in answer.text


async def test_many_readers_at_once_all_find_the_same(talk: Talk) -> None:
    everything = await fill(talk, 10)
    found = await asyncio.gather(*(talk.history(person) for person in (talk.host, talk.guest) for _ in range(4)))
    assert all(one == everything for one in found)
