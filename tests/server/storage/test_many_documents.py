"""Writing many documents at once, on every engine."""

import asyncio
from typing import Any

import pytest
from pymongo.monitoring import CommandStartedEvent

from dateflicks.server.storage.records import Document, Duplicate, Index, UnsafeValue
from dateflicks.server.storage.table import MANY_MAX, PIECE
from tests.server.storage.engines import Engine

pytestmark = pytest.mark.asyncio(loop_scope="module")


def things(*numbers: int, **fields: Any) -> list[Document]:
    return [{"_id": f"a{number}", "n": number, **fields} for number in numbers]


async def test_many_new_documents_are_written_at_once(engine: Engine) -> None:
    table = await engine.table()

    assert await table.insert_many(things(*range(MANY_MAX))) == []

    assert await table.get("a499") == {"_id": "a499", "n": 499, "rev": 1}


async def test_no_command_writes_so_many_that_readers_wait_for_long(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = await engine.table()
    sizes: list[int] = []

    def listen(event: CommandStartedEvent) -> None:
        sizes.append(len(event.command.get("documents") or event.command.get("updates") or ()))

    monkeypatch.setattr(engine.database.fence, "started", listen)
    await table.insert_many(things(*range(60)))
    await table.upsert_many(things(*range(60), rev=2))
    await table.replace_many(things(*range(60), rev=3))

    assert sum(sizes) == 180
    assert max(sizes) == PIECE


async def test_what_is_there_is_told_and_stays_and_the_rest_is_written(engine: Engine) -> None:
    table = await engine.table(Index(("name",), unique=True))
    await table.insert({"_id": "a2", "n": "old", "name": "x2"})

    there = await table.insert_many([{"_id": f"a{number}", "n": number, "name": f"x{number}"} for number in range(4)])

    assert there == ["a2"]
    found = await table.get_many(["a0", "a1", "a2", "a3"])
    assert [found[f"a{number}"]["n"] for number in range(4)] == [0, 1, "old", 3]


async def test_whoever_writes_what_is_there_waits_for_no_second_turn(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine.database, "_turns", asyncio.Semaphore(1))
    table = await engine.table()
    await table.insert_many(things(1))

    assert await table.insert_many(things(1, 2)) == ["a1"]


async def test_a_unique_field_that_is_taken_is_an_error_and_no_known_id(engine: Engine) -> None:
    table = await engine.table(Index(("name",), unique=True))
    await table.insert({"_id": "b1", "name": "ada"})

    with pytest.raises(Duplicate) as raised:
        await table.insert_many([{"_id": "a1", "name": "ada"}, {"_id": "a2", "name": "bob"}])

    assert raised.value.field == "name"


async def test_upserting_many_writes_over_what_is_there(engine: Engine) -> None:
    table = await engine.table(Index(("n",)))
    await table.insert_many(things(1, 2, word="old"))

    await table.upsert_many(things(2, 3, word="new", rev=7))

    found = await table.get_many(["a1", "a2", "a3"])
    assert [found[key]["word"] for key in ("a1", "a2", "a3")] == ["old", "new", "new"]
    assert found["a2"] == {"_id": "a2", "n": 2, "word": "new", "rev": 7}


async def test_replacing_many_leaves_alone_what_somebody_else_has_changed(engine: Engine) -> None:
    table = await engine.table()
    await table.insert_many(things(1, 2, 3))
    await table.compare_and_set("a2", 1, {"word": "theirs"}, command="c1")
    await table.delete("a3")

    failed = await table.replace_many(things(1, 2, 3, word="ours", rev=2))

    assert failed == ["a2", "a3"]
    found = await table.get_many(["a1", "a2", "a3"])
    assert {key: one["word"] for key, one in found.items()} == {"a1": "ours", "a2": "theirs"}


async def test_of_many_who_replace_the_same_documents_one_wins_each(engine: Engine) -> None:
    table = await engine.table()
    await table.insert_many(things(*range(20)))

    tries = [table.replace_many(things(*range(20), by=one, rev=2)) for one in range(4)]
    failures = await asyncio.gather(*tries)

    found = await table.get_many([f"a{number}" for number in range(20)])
    for number in range(20):
        winner = found[f"a{number}"]["by"]
        assert [one for one in range(4) if f"a{number}" not in failures[one]] == [winner]


async def test_nothing_to_write_sends_nothing(engine: Engine) -> None:
    table = await engine.table()
    before = engine.database.fence.command_count

    assert await table.insert_many([]) == []
    await table.upsert_many([])
    assert await table.replace_many([]) == []

    assert engine.database.fence.command_count == before


async def test_too_many_a_repeated_and_an_unsafe_document_are_refused_before_anything_is_sent(engine: Engine) -> None:
    table = await engine.table()

    for write in (table.insert_many, table.upsert_many, table.replace_many):
        with pytest.raises(ValueError, match="at most 500"):
            await write(things(*range(MANY_MAX + 1), rev=2))
        with pytest.raises(ValueError, match="twice"):
            await write(things(1, 1, rev=2))
        with pytest.raises(UnsafeValue):
            await write([*things(1, rev=2), {"_id": "a2", "n": float("nan"), "rev": 2}])

    assert await table.get("a1") is None
