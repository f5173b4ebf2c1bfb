"""Finding documents by indexed fields, on every engine."""

from collections.abc import Sequence

import pytest

from dateflicks.core import limits
from dateflicks.server.storage.records import Document, Index, Place, UnsafeValue
from dateflicks.server.storage.table import Table
from tests.server.storage.engines import Engine

pytestmark = pytest.mark.asyncio(loop_scope="module")

KIND = (Index(("kind",)), Index(("kind", "order")))


def ids(found: Sequence[Document]) -> list[str]:
    return [one["_id"] for one in found]


async def pages(table: Table, *, limit: int, descending: bool) -> list[list[str]]:
    """All pages of the kind `k`, one after the other."""
    found: list[list[str]] = []
    after: Place | None = None
    while page := await table.page("kind", "k", order_by="order", after=after, descending=descending, limit=limit):
        found.append(ids(page))
        after = Place.of(page[-1], "order")
    return found


async def test_documents_are_found_by_an_indexed_field(engine: Engine) -> None:
    table = await engine.table(Index(("kind",)))
    for number in range(6):
        await table.insert({"_id": f"a{number}", "kind": f"k{number % 2}"})

    assert sorted(ids(await table.find("kind", "k1"))) == ["a1", "a3", "a5"]
    assert await table.find("kind", "k2") == []
    assert len(await table.find("kind", "k1", limit=2)) == 2
    assert (await table.find_one("kind", "k0") or {})["kind"] == "k0"
    assert await table.find_one("kind", "k2") is None


@pytest.mark.parametrize(
    "text",
    [
        "a'b",
        'a"b',
        "a\\b",
        "a%_",
        "a; drop table things",
        "é".join("ab"),
        "a😀",
        "a" * 5_000,
        "a\nb",
        "a]b}",
        "a$b.c",
        "null",
        "true",
        "May",
        "January 5 2020",
        "T10:00:00Z",
        "t2025-11-25T16:00:00Z",
        "Infinity",
    ],
)
async def test_text_that_looks_like_something_else_is_found_as_text(engine: Engine, text: str) -> None:
    table = await engine.table(Index(("name",), unique=True))
    await table.insert({"_id": "a1", "name": text})
    await table.insert({"_id": "a2", "name": f"{text}."})

    assert ids(await table.find("name", text)) == ["a1"]


@pytest.mark.parametrize("number", [0, -5, 1.5, 2**53 + 1, 2**63 - 1, 1e300, 1_764_000_000.25])
async def test_numbers_are_found_as_they_are(engine: Engine, number: float) -> None:
    table = await engine.table(Index(("n",)))
    await table.insert({"_id": "a1", "n": number})
    await table.insert({"_id": "a2", "n": 7})

    assert ids(await table.find("n", number)) == ["a1"]


async def test_a_field_without_an_index_cannot_be_looked_up(engine: Engine) -> None:
    table = await engine.table(*KIND)

    with pytest.raises(ValueError, match="no index on other"):
        await table.find("other", "x")
    with pytest.raises(ValueError, match="no index on order alone"):
        await table.find("order", "x")
    with pytest.raises(ValueError, match="no index on order alone"):
        await table.between("order", below=1)
    with pytest.raises(ValueError, match="no index on kind and other"):
        await table.page("kind", "k", order_by="other")


@pytest.mark.parametrize("limit", [-1, 0, 201])
async def test_a_limit_that_is_none_is_refused(engine: Engine, limit: int) -> None:
    table = await engine.table(*KIND)

    with pytest.raises(ValueError, match="between 1 and 200"):
        await table.find("kind", "k", limit=limit)
    with pytest.raises(ValueError, match="between 1 and 200"):
        await table.page("kind", "k", order_by="order", limit=limit)
    with pytest.raises(ValueError, match="between 1 and 200"):
        await table.page("kind", "k", order_by="order", after=Place(1, "a1"), limit=limit)
    with pytest.raises(ValueError, match="between 1 and 200"):
        await table.between("kind", below="z", limit=limit)


@pytest.mark.parametrize("value", ["2025-11-25", "1", "", "éa", "a\0b", float("nan"), 2**63, True, None])
async def test_a_value_that_cannot_be_looked_up_alike_is_refused(engine: Engine, value: str | float) -> None:
    table = await engine.table(*KIND)

    with pytest.raises(UnsafeValue):
        await table.find("kind", value)
    with pytest.raises(UnsafeValue):
        await table.page("kind", value, order_by="order")
    with pytest.raises(UnsafeValue):
        await table.page("kind", "k", order_by="order", after=Place(value, "a1"))
    if value is not None:
        with pytest.raises(UnsafeValue):
            await table.between("kind", at_least=value)


async def test_pages_go_through_all_in_order(engine: Engine) -> None:
    table = await engine.table(*KIND)
    for number in (3, 0, 4, 1, 2):
        await table.insert({"_id": f"a{number}", "kind": "k", "order": f"t{number}"})
        await table.insert({"_id": f"b{number}", "kind": "other", "order": f"t{number}"})

    assert await pages(table, limit=2, descending=True) == [["a4", "a3"], ["a2", "a1"], ["a0"]]
    assert await pages(table, limit=2, descending=False) == [["a0", "a1"], ["a2", "a3"], ["a4"]]
    assert await pages(table, limit=5, descending=False) == [["a0", "a1", "a2", "a3", "a4"]]


@pytest.mark.parametrize("descending", [True, False])
@pytest.mark.parametrize("limit", [1, 2, 3, 4, 7])
async def test_pages_neither_repeat_nor_skip_what_stands_in_one_place(
    engine: Engine, limit: int, descending: bool
) -> None:
    table = await engine.table(*KIND)
    orders = [1, 2, 2, 2, 2, 2, 3, 1, 3, 0]
    for number, order in enumerate(orders):
        await table.insert({"_id": f"a{number}", "kind": "k", "order": order})
        if number == 4:  # ties keep their order when they are written again
            await table.compare_and_set("a2", 1, {"x": 1}, command="c")

    found = [one for page in await pages(table, limit=limit, descending=descending) for one in page]

    assert len(found) == len(orders)
    assert set(found) == {f"a{number}" for number in range(len(orders))}
    assert [orders[int(one[1:])] for one in found] == sorted(orders, reverse=descending)


async def test_what_comes_while_one_turns_pages_moves_nothing(engine: Engine) -> None:
    table = await engine.table(*KIND)
    for number in range(4):
        await table.insert({"_id": f"a{number}", "kind": "k", "order": number})

    first = await table.page("kind", "k", order_by="order", limit=2)
    await table.insert({"_id": "a9", "kind": "k", "order": 9})
    await table.delete("a2")  # the place itself
    second = await table.page("kind", "k", order_by="order", after=Place.of(first[-1], "order"), limit=2)

    assert ids(first) == ["a3", "a2"]
    assert ids(second) == ["a1", "a0"]


async def test_a_document_without_the_field_is_on_no_page(engine: Engine) -> None:
    table = await engine.table(*KIND)
    await table.insert({"_id": "a1", "kind": None, "order": 1})
    await table.insert({"_id": "a2", "order": 1})
    await table.insert({"_id": "a3", "kind": "k", "order": 1})

    assert ids(await table.page("kind", "k", order_by="order")) == ["a3"]
    assert ids(await table.between("kind", at_least="a")) == ["a3"]


async def test_a_range_has_its_lower_bound_and_not_its_upper(engine: Engine) -> None:
    table = await engine.table(Index(("expiresAt",)))
    for number in (5, 1, 4, 2, 3):
        await table.insert({"_id": f"a{number}", "expiresAt": number + 0.5})

    assert ids(await table.between("expiresAt", at_least=2.5, below=4.5)) == ["a2", "a3"]
    assert ids(await table.between("expiresAt", at_least=4.5)) == ["a4", "a5"]
    assert ids(await table.between("expiresAt", below=2.5)) == ["a1"]
    assert ids(await table.between("expiresAt", below=9, descending=True, limit=2)) == ["a5", "a4"]
    assert await table.between("expiresAt", at_least=0, below=0) == []


async def test_a_range_needs_a_bound(engine: Engine) -> None:
    table = await engine.table(Index(("expiresAt",)))

    with pytest.raises(ValueError, match="bound"):
        await table.between("expiresAt")


async def test_two_hundred_is_the_most_that_a_list_brings(engine: Engine) -> None:
    table = await engine.table(Index(("kind",)))
    for number in range(201):
        await table.insert({"_id": f"a{number}", "kind": "k"})

    assert len(await table.find("kind", "k", limit=200)) == 200
    assert len(await table.find("kind", "k")) == 50


async def test_a_few_fields_come_as_they_are_stored_and_nothing_else_does(engine: Engine) -> None:
    table = await engine.table(*KIND)
    told = {
        "word": 'a "b" {c} 😀\n',
        "whole": 3,
        "part": 2.0,
        "yes": True,
        "none": None,
        "more": {"x": [1, False, "y"]},
    }
    await table.insert({"_id": "a1", "kind": "k", "order": 1, "other": "z", **told})
    await table.insert({"_id": "a2", "kind": "k", "order": 2, "word": "w"})
    wanted = [*told, "kind"]
    expected = [{"_id": "a1", "kind": "k", **told}, {"_id": "a2", "kind": "k", **dict.fromkeys(told), "word": "w"}]

    page = await table.page("kind", "k", order_by="order", descending=False, only=wanted)
    found = await table.get_many(["a1", "a2", "a3"], only=wanted)

    assert page == expected
    assert [type(page[0][name]) for name in told] == [type(value) for value in told.values()]
    assert found == {"a1": expected[0], "a2": expected[1]}


async def test_one_field_is_a_few_and_so_is_the_id_alone(engine: Engine) -> None:
    table = await engine.table(*KIND)
    await table.insert({"_id": "a1", "kind": "k", "order": 1, "more": [1]})

    assert await table.get_many(["a1"], only=["more"]) == {"a1": {"_id": "a1", "more": [1]}}
    assert await table.get_many(["a1"], only=["_id"]) == {"a1": {"_id": "a1"}}


async def test_pages_come_one_after_the_other_until_there_are_no_more(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "PAGE_MAX", 4)
    table = await engine.table(*KIND)
    await table.insert_many([{"_id": f"a{number}", "kind": "k", "order": number} for number in range(8)])

    whole = [ids(page) async for page in table.pages("kind", "k", order_by="order", descending=False)]
    behind = [ids(page) async for page in table.pages("kind", "k", order_by="order", after=Place(6, "a6"))]

    assert whole == [["a0", "a1", "a2", "a3"], ["a4", "a5", "a6", "a7"]]
    assert behind == [["a5", "a4", "a3", "a2"], ["a1", "a0"]]
    assert [page async for page in table.pages("kind", "none", order_by="order")] == []


async def test_pages_of_a_few_fields_go_through_all_in_order(engine: Engine) -> None:
    table = await engine.table(*KIND)
    await table.insert_many([{"_id": f"a{number}", "kind": "k", "order": number // 3} for number in range(10)])

    found: list[str] = []
    after: Place | None = None
    while page := await table.page("kind", "k", order_by="order", after=after, limit=4, only=["order"]):
        found += ids(page)
        after = Place.of(page[-1], "order")

    assert sorted(found) == [f"a{number}" for number in range(10)]
    assert found[0] == "a9"


async def test_a_few_fields_of_a_collection_with_nothing_in_it_are_none(engine: Engine) -> None:
    table = await engine.table(*KIND)

    assert await table.get_many(["a1"], only=["kind"]) == {}
    assert await table.page("kind", "k", order_by="order", only=["kind"]) == []
