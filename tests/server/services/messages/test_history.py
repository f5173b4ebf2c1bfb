"""Pages of what was said, both ways, each at the same price."""

import pytest
import pytest_asyncio

from tests.server.services.messages.deployment import Deployment, Talk
from tests.server.services.messages.test_resuming import fill

pytestmark = pytest.mark.asyncio(loop_scope="module")

COUNT = 450


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def talk(shared: Deployment) -> Talk:
    found = shared.talk()
    await fill(shared, found, COUNT)
    return found


async def seqs(shared: Deployment, talk: Talk, query: str = "") -> list[int]:
    return [one["seq"] for one in (await shared.page(talk, query))["items"]]


@pytest.mark.parametrize(
    ("query", "first", "last", "has_more"),
    [
        ("", 401, 450, True),
        ("limit=200", 251, 450, True),
        ("limit=1", 450, 450, True),
        ("before=101", 51, 100, True),
        ("before=51", 1, 50, False),
        ("before=2&limit=10", 1, 1, False),
        ("before=1000", 401, 450, True),
        ("after=0", 1, 50, True),
        ("after=400", 401, 450, False),
        ("after=440&limit=5", 441, 445, True),
        ("after=100&before=111", 101, 110, False),
        ("after=100&before=111&limit=3", 101, 103, True),
        ("cursor=", 401, 450, True),
    ],
)
async def test_a_page_has_what_was_asked_for(
    shared: Deployment, talk: Talk, query: str, first: int, last: int, has_more: bool
) -> None:
    page = await shared.page(talk, query)
    assert [one["seq"] for one in page["items"]] == list(range(first, last + 1))
    assert (page["next"] is not None) is has_more


@pytest.mark.parametrize("query", ["before=0", "before=1", "after=450", "after=9000", "after=10&before=11"])
async def test_where_there_is_nothing_the_page_is_empty(shared: Deployment, talk: Talk, query: str) -> None:
    assert await shared.page(talk, query) == {"items": [], "next": None}


@pytest.mark.parametrize(("start", "is_forward"), [("", False), ("after=0", True), ("after=20&before=400", True)])
async def test_next_leads_through_all_of_it_in_one_direction(
    shared: Deployment, talk: Talk, start: str, is_forward: bool
) -> None:
    pages, query = [], f"{start}&limit=70"
    while True:
        page = await shared.page(talk, query)
        pages.append([one["seq"] for one in page["items"]])
        if page["next"] is None:
            break
        query = f"{start}&limit=70&cursor={page['next']}"  # what is repeated beside a cursor does not count
    everything = [seq for page in (pages if is_forward else reversed(pages)) for seq in page]
    expected = range(21, 400) if "before" in start else range(1, COUNT + 1)
    assert everything == list(expected)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "limit"), ("limit=201", "limit"), ("before=-1", "before"), ("after=x", "after"),
        ("cursor=nonsense", "cursor"), ("cursor=%FF%FE", None), ("cursor=YTE6", "cursor"), ("after=1&after=2", "after"),
    ],
)  # fmt: skip
async def test_a_query_that_does_not_fit_is_refused(
    shared: Deployment, talk: Talk, query: str, field: str | None
) -> None:
    answer = await shared.page(talk, query, expect=400 if field is None else 422)
    assert field is None or answer["errors"][0]["field"] == field


async def test_a_page_is_one_read_of_computed_ids_at_any_depth(shared: Deployment, talk: Talk) -> None:
    await shared.page(talk)  # the session is in memory
    for query in ("before=60", "before=440", "after=0", "after=399", "after=0&before=300", "after=200&before=300"):
        with shared.commands() as commands:
            await shared.page(talk, query)
        assert commands == ["find"]


async def test_the_head_of_a_session_is_found_in_a_few_reads(shared: Deployment, talk: Talk) -> None:
    shared.service._handler._rooms.pop(talk.id, None)
    with shared.commands() as commands:
        assert (await shared.page(talk, "limit=1"))["items"][0]["seq"] == COUNT
    assert set(commands) == {"find"}
    assert len(commands) <= 5


async def test_the_newest_page_knows_what_another_service_has_written(shared: Deployment) -> None:
    talk = shared.talk()
    await shared.post(talk, talk.ana, {"content": "one"})
    async with shared.another() as other:
        assert (await other.post(talk, talk.bea, {"content": "two"}))["message"]["seq"] == 2
    assert await seqs(shared, talk) == [1, 2]
    assert await seqs(shared, talk, "after=1") == [2]
