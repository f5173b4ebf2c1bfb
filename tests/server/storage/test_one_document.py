"""Operations on one document, on every engine."""

import asyncio
from typing import Any

import pytest

from dateflicks.server.storage.records import Document, Duplicate, Index, Missing, Stale, StorageFault, UnsafeValue
from dateflicks.server.storage.table import COMMANDS_KEPT
from tests.server.storage.engines import Engine

pytestmark = pytest.mark.asyncio(loop_scope="module")

VALUES: list[Any] = [
    True,
    False,
    None,
    0,
    -1,
    2**53 + 1,
    2**63 - 1,
    -(2**63),
    1.0,
    -0.0,
    0.1 + 0.2,
    1e308,
    5e-324,
    1_764_000_000.123456,
    "",
    'it\'s "quoted" \\ and ]}',
    "null\0byte",
    "emoji 😀, Ünïcode, \u2028 and \x7f",
    "2025-11-25",
    "2025-11-25T16:00:00Z",
    "1",
    [],
    {},
    [[1], [], {"a": []}],
    {"deep": {"er": [True, 1, "1", None]}},
]


async def test_a_document_comes_back_as_it_went(engine: Engine) -> None:
    table = await engine.table()

    for number, value in enumerate(VALUES):
        stored = await table.insert({"_id": f"a{number}", "value": value})
        found = await table.get(f"a{number}")
        assert found == stored
        assert repr(found["value"]) == repr(value)  # True is not 1, 1 is not 1.0


async def test_values_survive_a_change_of_another_field(engine: Engine) -> None:
    table = await engine.table()

    for number, value in enumerate(VALUES):
        await table.insert({"_id": f"a{number}", "value": value})
        changed = await table.compare_and_set(f"a{number}", 1, {"copy": value}, command="c")
        found = await table.get(f"a{number}")
        assert found == changed
        assert repr(found["value"]) == repr(found["copy"]) == repr(value)


async def test_what_is_not_there_is_none(engine: Engine) -> None:
    table = await engine.table()

    assert await table.get("a1") is None


@pytest.mark.parametrize("id", ["", "1", "1a", "a b", "a/b", "a'b", "$a", "0" * 24, "a" * 24, "é", "a\0", "a" * 201])
async def test_an_id_under_which_nothing_can_be_stored_is_not_there(engine: Engine, id: str) -> None:  # noqa: A002
    table = await engine.table()

    assert await table.get(id) is None
    assert await table.get_many([id]) == {}
    assert await table.delete(id) is False
    assert await table.delete_many([id]) == 0
    with pytest.raises(Missing):
        await table.compare_and_set(id, 1, {"x": 1}, command="c")
    for write in (table.insert, table.upsert):
        with pytest.raises(UnsafeValue):
            await write({"_id": id})


@pytest.mark.parametrize("id", ["a", "A", "null", "NaN", "e10", "a.b", "a:b-c_d", "x" + "0" * 24, "a" * 200])
async def test_ids_that_look_like_something_else_are_just_ids(engine: Engine, id: str) -> None:  # noqa: A002
    table = await engine.table()

    stored = await table.insert({"_id": id})

    assert await table.get(id) == stored
    assert await table.get_many([id]) == {id: stored}
    assert await table.replace({"_id": id, "rev": 2}, 1)
    assert await table.delete(id)


async def test_ids_are_told_apart_by_case(engine: Engine) -> None:
    table = await engine.table()

    await table.insert({"_id": "abc", "n": 1})
    await table.insert({"_id": "ABC", "n": 2})

    assert {key: one["n"] for key, one in (await table.get_many(["abc", "ABC"])).items()} == {"abc": 1, "ABC": 2}


async def test_many_are_found_by_id_and_those_that_are_not_there_left_out(engine: Engine) -> None:
    table = await engine.table()
    for number in range(3):
        await table.insert({"_id": f"a{number}", "n": number})

    found = await table.get_many(["a2", "b9", "a0", "a2", "1"])

    assert {key: one["n"] for key, one in found.items()} == {"a2": 2, "a0": 0}
    assert await table.get_many([]) == {}


async def test_two_hundred_come_in_one_answer_and_more_are_refused(engine: Engine) -> None:
    table = await engine.table()
    ids = [f"a{number}" for number in range(200)]
    await asyncio.gather(*(table.insert({"_id": one}) for one in ids))

    assert set(await table.get_many(ids)) == set(ids)
    with pytest.raises(ValueError, match="200"):
        await table.get_many([*ids, "b"])
    with pytest.raises(ValueError, match="200"):
        await table.delete_many([*ids, "b"])


async def test_a_new_document_starts_at_rev_one_or_where_it_says(engine: Engine) -> None:
    table = await engine.table()

    assert (await table.insert({"_id": "a1"}))["rev"] == 1
    assert (await table.insert({"_id": "a2", "rev": 7}))["rev"] == 7


async def test_a_second_document_with_an_id_is_a_duplicate_of_the_id(engine: Engine) -> None:
    table = await engine.table()
    await table.insert({"_id": "a1", "n": 1})

    with pytest.raises(Duplicate) as caught:
        await table.insert({"_id": "a1", "n": 1})

    assert caught.value.field == "_id"


async def test_a_duplicate_says_which_field_it_is_of(engine: Engine) -> None:
    table = await engine.table(Index(("name",), unique=True), Index(("mailKey",), unique=True))
    await table.insert({"_id": "a1", "name": "n1", "mailKey": "m1"})
    await table.insert({"_id": "a2", "name": "n2", "mailKey": "m2"})

    for document, field in (
        ({"_id": "a3", "name": "n1", "mailKey": "m3"}, "name"),
        ({"_id": "a3", "name": "n3", "mailKey": "m1"}, "mailKey"),
        ({"_id": "a1", "name": "n3", "mailKey": "m3"}, "_id"),
    ):
        with pytest.raises(Duplicate) as caught:
            await table.insert(document)
        assert caught.value.field == field
    with pytest.raises(Duplicate) as caught:
        await table.compare_and_set("a1", 1, {"name": "n2"}, command="c")
    assert caught.value.field == "name"
    with pytest.raises(Duplicate):
        await table.upsert({"_id": "a1", "rev": 2, "name": "n2", "mailKey": "m1"})
    assert (await table.get("a1") or {})["name"] == "n1"


async def test_of_many_who_insert_one_id_at_once_exactly_one_does(engine: Engine) -> None:
    table = await engine.table()

    results = await asyncio.gather(
        *(table.insert({"_id": "a1", "n": number}) for number in range(10)), return_exceptions=True
    )

    (winner,) = [one for one in results if isinstance(one, dict)]
    assert sum(isinstance(one, Duplicate) for one in results) == 9
    assert await table.get("a1") == winner


async def test_a_change_at_the_right_rev_is_made_and_counted(engine: Engine) -> None:
    table = await engine.table()
    await table.insert({"_id": "a1", "kept": True, "state": "old"})

    changed = await table.compare_and_set("a1", 1, {"state": "new", "more": [1]}, command="c1")

    assert changed == {"_id": "a1", "rev": 2, "cmds": ["c1"], "kept": True, "state": "new", "more": [1]}
    assert await table.get("a1") == changed


async def test_a_change_at_an_old_rev_is_stale_and_shows_what_is_there(engine: Engine) -> None:
    table = await engine.table()
    await table.insert({"_id": "a1", "n": 0})
    now = await table.compare_and_set("a1", 1, {"n": 1}, command="c1")

    for rev in (1, 3):
        with pytest.raises(Stale) as caught:
            await table.compare_and_set("a1", rev, {"n": 2}, command="c2")
        assert caught.value.current == now
    assert await table.get("a1") == now


async def test_a_change_of_nothing_is_missing(engine: Engine) -> None:
    table = await engine.table()

    with pytest.raises(Missing):
        await table.compare_and_set("a1", 1, {"n": 1}, command="c1")


async def test_a_command_that_is_repeated_changes_nothing_more(engine: Engine) -> None:
    table = await engine.table()
    await table.insert({"_id": "a1", "n": 0})
    await table.compare_and_set("a1", 1, {"n": 1}, command="c1")
    after = await table.compare_and_set("a1", 2, {"n": 2}, command="c2")

    assert await table.compare_and_set("a1", 1, {"n": 1}, command="c1") == after
    assert await table.get("a1") == after


async def test_a_document_remembers_its_last_commands_only(engine: Engine) -> None:
    table = await engine.table()
    await table.insert({"_id": "a1"})
    for number in range(1, COMMANDS_KEPT + 3):
        changed = await table.compare_and_set("a1", number, {"n": number}, command=f"c{number}")

    assert changed["cmds"] == [f"c{number}" for number in range(3, COMMANDS_KEPT + 3)]


@pytest.mark.parametrize("field", ["_id", "rev", "cmds"])
async def test_a_change_cannot_touch_what_changes_are_kept_by(engine: Engine, field: str) -> None:
    table = await engine.table()
    await table.insert({"_id": "a1"})

    with pytest.raises(UnsafeValue, match=field):
        await table.compare_and_set("a1", 1, {field: "x"}, command="c1")


async def test_many_who_count_at_once_lose_no_count(engine: Engine) -> None:
    table = await engine.table()
    await table.insert({"_id": "a1", "n": 0})

    async def count(who: int) -> int:
        stale = 0
        current: Document = {"rev": 1, "n": 0}
        for number in range(5):
            while True:
                try:
                    current = await table.compare_and_set(
                        "a1", current["rev"], {"n": current["n"] + 1}, command=f"c{who}.{number}"
                    )
                except Stale as error:
                    current = error.current
                    stale += 1
                else:
                    break
        return stale

    stale = await asyncio.gather(*(count(who) for who in range(6)))

    found = await table.get("a1") or {}
    assert (found["n"], found["rev"]) == (30, 31)
    assert sum(stale) > 0


async def test_a_replacement_is_whole_and_needs_the_rev_it_replaces(engine: Engine) -> None:
    table = await engine.table()
    await table.insert({"_id": "a1", "old": 1})

    assert await table.replace({"_id": "a1", "rev": 2, "new": 1}, 1) is True
    assert await table.replace({"_id": "a1", "rev": 2, "late": 1}, 1) is False
    assert await table.replace({"_id": "a2", "rev": 2}, 1) is False
    assert await table.get("a1") == {"_id": "a1", "rev": 2, "new": 1}
    assert await table.get("a2") is None


async def test_an_upsert_writes_what_is_new_and_over_what_is_there(engine: Engine) -> None:
    table = await engine.table()

    await table.upsert({"_id": "a1", "old": 1})
    assert await table.get("a1") == {"_id": "a1", "old": 1}
    await table.upsert({"_id": "a1", "new": 1})
    assert await table.get("a1") == {"_id": "a1", "new": 1}


async def test_a_delete_says_whether_there_was_one(engine: Engine) -> None:
    table = await engine.table()
    await table.insert({"_id": "a1"})
    await table.insert({"_id": "a2"})

    assert await table.delete("a1") is True
    assert await table.delete("a1") is False
    assert await table.get("a1") is None
    assert await table.get("a2") is not None


async def test_many_are_deleted_by_id_and_counted(engine: Engine) -> None:
    table = await engine.table()
    for number in range(4):
        await table.insert({"_id": f"a{number}"})

    assert await table.delete_many(["a1", "a3", "b9", "1"]) == 2
    assert set(await table.get_many(["a0", "a1", "a2", "a3"])) == {"a0", "a2"}
    assert await table.delete_many([]) == 0


async def test_a_collection_that_was_never_written_to_is_empty(engine: Engine) -> None:
    table = await engine.table()

    assert await table.replace({"_id": "a1", "rev": 2}, 1) is False
    assert await table.delete("a1") is False
    assert await table.delete_many(["a1"]) == 0
    assert await table.get_many(["a1"]) == {}


async def test_a_document_that_is_too_large_is_a_fault_and_the_next_one_is_written(engine: Engine) -> None:
    table = await engine.table()

    with pytest.raises(StorageFault):
        await table.insert({"_id": "a1", "text": "x" * 17_000_000})

    await table.insert({"_id": "a1", "text": "x" * 1_000_000})
    assert engine.database.is_up()


async def test_what_a_caller_does_to_its_document_later_is_not_stored(engine: Engine) -> None:
    table = await engine.table()
    document: Document = {"_id": "a1", "n": 1}

    stored = await table.insert(document)
    stored["n"] = document["n"] = 2

    assert (await table.get("a1") or {})["n"] == 1
    assert "rev" not in document
