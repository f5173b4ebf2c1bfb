"""Writing behind: what was put is written, the latest per document, through outages and up to the end."""

import asyncio
import contextlib
import os
import signal
from pathlib import Path

import pytest

from dateflicks.core.errors import Unavailable
from dateflicks.server.storage import health
from dateflicks.server.storage import outbox as outbox_module
from dateflicks.server.storage.database import Database
from dateflicks.server.storage.outbox import WriteBehind
from dateflicks.server.storage.records import Document, Duplicate, Index
from tests.server.storage.engines import PLAIN, Engine, embedded, pid_of
from tests.waiting import until

shared = pytest.mark.asyncio(loop_scope="module")
IN_TIME = 5.0


async def hung_with_a_write_under_way(database: Database, outbox: WriteBehind, document: dict[str, object]) -> None:
    """Stop the engine, put a document, and wait until its write has left."""
    os.kill(pid_of(database), signal.SIGSTOP)
    sent = database.fence.command_count
    outbox.put(document)
    await until(lambda: database.fence.command_count > sent)


async def killed_and_replaced(database: Database) -> None:
    engine, killed = database.engine, pid_of(database)
    assert engine is not None
    os.kill(killed, signal.SIGKILL)
    await until(lambda: engine.pid not in (None, killed))


@shared
async def test_what_is_put_is_written_soon(engine: Engine) -> None:
    table = await engine.table()

    async with WriteBehind(table) as outbox:
        outbox.put({"_id": "a1", "n": 1})
        assert outbox.waiting_count == 1
        assert await outbox.flush(IN_TIME) == 0
        assert outbox.waiting_count == 0
        assert await table.get("a1") == {"_id": "a1", "n": 1, "rev": 1}


@shared
async def test_the_latest_per_document_wins(engine: Engine) -> None:
    table = await engine.table()

    async with WriteBehind(table) as outbox:
        for n in range(50):
            outbox.put({"_id": "a1", "n": n})
            outbox.put({"_id": f"b{n % 3}", "n": n})
            if n % 10 == 0:
                await asyncio.wait_for(asyncio.sleep(0), 1)  # let the writer take what is there
        assert await outbox.flush(IN_TIME) == 0
        assert (await table.get("a1") or {})["n"] == 49
        assert {key: one["n"] for key, one in (await table.get_many(["b0", "b1", "b2"])).items()} == {
            "b0": 48,
            "b1": 49,
            "b2": 47,
        }


@shared
async def test_what_waits_together_is_written_by_one_command(engine: Engine) -> None:
    table = await engine.table()
    ids = [f"a{n}" for n in range(20)]

    async with WriteBehind(table) as outbox:
        for id in ids:  # noqa: A001
            outbox.put({"_id": id, "n": 1})
        await outbox.flush(IN_TIME)  # their versions are known now
        sent = engine.database.fence.command_count
        for id in ids:  # noqa: A001
            outbox.put({"_id": id, "n": 2})
        await outbox.flush(IN_TIME)

        assert engine.database.fence.command_count == sent + 1
        assert {one["n"] for one in (await table.get_many(ids)).values()} == {2}


@shared
async def test_what_somebody_else_has_changed_keeps_nothing_else_from_being_written(engine: Engine) -> None:
    table = await engine.table()

    async with WriteBehind(table) as outbox:
        for n in (1, 2, 3):
            outbox.put({"_id": f"a{n}", "n": 0})
        await outbox.flush(IN_TIME)
        await table.upsert({"_id": "a2", "n": 5, "rev": 9})
        for n in (1, 2, 3):
            outbox.put({"_id": f"a{n}", "n": n})
        await outbox.flush(IN_TIME)

    stored = await table.get_many(["a1", "a2", "a3"])
    assert {id: (one["n"], one["rev"]) for id, one in stored.items()} == {"a1": (1, 2), "a2": (2, 10), "a3": (3, 2)}  # noqa: A001


@shared
async def test_one_reads_what_one_has_put_written_or_not(engine: Engine) -> None:
    table = await engine.table()
    await table.insert({"_id": "a1", "n": 0})

    async with WriteBehind(table) as outbox:
        assert (await outbox.get("a1") or {})["n"] == 0
        outbox.put({"_id": "a1", "n": 1})
        mine = await outbox.get("a1") or {}
        assert mine["n"] == 1
        mine["n"] = 2  # one's own copy
        await outbox.flush(IN_TIME)
        assert (await outbox.get("a1") or {})["n"] == 1
        assert await outbox.get("b9") is None


@shared
async def test_what_one_does_to_a_document_after_putting_it_is_not_written(engine: Engine) -> None:
    table = await engine.table()
    document = {"_id": "a1", "n": 1}

    async with WriteBehind(table) as outbox:
        outbox.put(document)
        document["n"] = 2

    assert (await table.get("a1") or {})["n"] == 1


@shared
async def test_nothing_that_was_put_is_lost_at_the_end(engine: Engine) -> None:
    table = await engine.table()

    async with WriteBehind(table) as outbox:
        for n in range(150):
            outbox.put({"_id": f"a{n}", "n": n})

    assert len(await table.get_many([f"a{n}" for n in range(150)])) == 150
    assert (outbox.waiting_count, outbox.dropped_count) == (0, 0)


@shared
async def test_versions_go_on_counting_over_what_is_there(engine: Engine) -> None:
    table = await engine.table()
    await table.insert({"_id": "a1", "n": 0})
    await table.upsert({"_id": "a2", "n": 0})  # by something that counts no versions

    async with WriteBehind(table) as outbox:
        for n in (1, 2, 3):
            outbox.put({"_id": "a1", "n": n})
            outbox.put({"_id": "a2", "n": n})
            await outbox.flush(IN_TIME)

    assert await table.get("a1") == {"_id": "a1", "n": 3, "rev": 4}
    assert await table.get("a2") == {"_id": "a2", "n": 3, "rev": 3}


@shared
async def test_when_somebody_else_writes_the_document_too_the_last_one_stays(engine: Engine) -> None:
    table = await engine.table()

    async with WriteBehind(table) as outbox:
        outbox.put({"_id": "a1", "n": 1})
        await outbox.flush(IN_TIME)
        await table.replace({"_id": "a1", "n": "theirs", "rev": 9}, 1)
        outbox.put({"_id": "a1", "n": 2})
        await outbox.flush(IN_TIME)
        assert await table.get("a1") == {"_id": "a1", "n": 2, "rev": 10}
        await table.delete("a1")
        outbox.put({"_id": "a1", "n": 3})
        await outbox.flush(IN_TIME)

    assert await table.get("a1") == {"_id": "a1", "n": 3, "rev": 1}


@shared
async def test_an_insert_is_at_once_and_says_whether_there_was_one_already(engine: Engine) -> None:
    table = await engine.table()

    async with WriteBehind(table) as outbox:
        assert await outbox.insert({"_id": "a1", "n": 1}) is True
        assert (await table.get("a1") or {})["n"] == 1
        assert await outbox.insert({"_id": "a1", "n": 2}) is False
        outbox.put({"_id": "a2", "n": 1})
        assert await outbox.insert({"_id": "a2", "n": 2}) is False
        outbox.put({"_id": "a1", "n": 3})

    assert await table.get("a1") == {"_id": "a1", "n": 3, "rev": 2}
    assert (await table.get("a2") or {})["n"] == 1


@shared
async def test_an_insert_that_collides_in_another_field_is_no_document_that_is_there(engine: Engine) -> None:
    table = await engine.table(Index(("name",), unique=True))

    async with WriteBehind(table) as outbox:
        await outbox.insert({"_id": "a1", "name": "ada"})
        with pytest.raises(Duplicate) as caught:
            await outbox.insert({"_id": "a2", "name": "ada"})

    assert caught.value.field == "name"
    assert await table.get("a2") is None


@shared
async def test_a_document_that_cannot_be_written_is_counted_and_holds_up_no_other(engine: Engine) -> None:
    table = await engine.table(Index(("name",), unique=True))
    await table.insert({"_id": "a0", "name": "ada"})

    async with WriteBehind(table) as outbox:
        outbox.put({"_id": "a1", "name": "ada"})
        outbox.put({"_id": "a2", "name": float("nan")})
        outbox.put({"_id": "1", "name": "no"})
        outbox.put({"_id": "a3", "name": "eve", "text": "x" * 17_000_000})
        outbox.put({"_id": "a4", "name": "bob"})
        assert await outbox.flush(IN_TIME) == 0

    assert outbox.dropped_count == 4
    assert set(await table.get_many(["a1", "a2", "a3", "a4"])) == {"a4"}


@shared
@pytest.mark.parametrize("hook", ["may_write", "refused"])
async def test_where_a_hook_fails_its_document_is_dropped_and_all_others_are_written(
    engine: Engine, hook: str, caplog: pytest.LogCaptureFixture
) -> None:
    table = await engine.table()

    def fails(document: Document) -> None:
        if document["_id"] == "a1":
            raise RuntimeError("nobody foresaw this")

    def may_write(_: Document | None, document: Document) -> bool:
        if hook == "may_write":
            fails(document)
        return hook == "may_write" or document["_id"] != "a1"

    async with WriteBehind(table, may_write=may_write, refused=fails) as outbox:
        for n in range(3):
            outbox.put({"_id": f"a{n}", "n": 1})
        assert await outbox.flush(IN_TIME) == 0
        outbox.put({"_id": "a3", "n": 1})
        assert await outbox.flush(IN_TIME) == 0
        assert outbox.dropped_count == 1
    assert sorted(await table.get_many([f"a{n}" for n in range(4)])) == ["a0", "a2", "a3"]
    assert any("a1" in record.getMessage() and record.exc_info for record in caplog.records)


@shared
async def test_who_waits_for_a_write_goes_on_when_the_writer_is_called_off(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = await engine.table()
    outbox, is_read = WriteBehind(table), asyncio.Event()
    await outbox.__aenter__()

    async def never(_: str) -> None:
        is_read.set()
        await asyncio.Event().wait()

    with monkeypatch.context() as patched:
        patched.setattr(table, "get", never)
        outbox.put({"_id": "a1", "n": 1})
        await is_read.wait()
    deleting = asyncio.create_task(outbox.delete("a1"))
    await asyncio.sleep(0)
    assert outbox._task is not None
    outbox._task.cancel()

    async with asyncio.timeout(IN_TIME):
        assert await deleting
        await outbox.__aexit__()
    assert await table.get("a1") is None


@shared
async def test_a_full_outbox_drops_what_has_waited_longest(engine: Engine) -> None:
    table = await engine.table()
    outbox = WriteBehind(table, capacity=3)

    for n in range(3):
        outbox.put({"_id": f"a{n}", "n": n})
    outbox.put({"_id": "a0", "n": 10})  # not another document, and the newest now
    assert outbox.dropped_count == 0
    outbox.put({"_id": "a3", "n": 3})

    async with outbox:
        pass
    assert outbox.dropped_count == 1
    assert set(await table.get_many(["a0", "a1", "a2", "a3"])) == {"a0", "a2", "a3"}


@shared
async def test_a_delete_takes_back_what_was_put(engine: Engine) -> None:
    table = await engine.table()
    await table.insert({"_id": "a2", "n": 0})

    async with WriteBehind(table) as outbox:
        outbox.put({"_id": "a1", "n": 1})
        assert await outbox.delete("a1") is True
        outbox.put({"_id": "a2", "n": 1})
        assert await outbox.delete("a2") is True
        assert await outbox.delete("b9") is False
        await outbox.flush(IN_TIME)

    assert await table.get_many(["a1", "a2"]) == {}


async def test_a_delete_waits_for_a_write_under_way_and_comes_after_it(folder: Path) -> None:
    async with embedded(folder) as database:
        table = database.table(PLAIN)
        async with WriteBehind(table) as outbox:
            await hung_with_a_write_under_way(database, outbox, {"_id": "a1", "n": 1})
            delete = asyncio.create_task(outbox.delete("a1"))
            await asyncio.wait([delete], timeout=0.05)
            assert not delete.done()
            os.kill(pid_of(database), signal.SIGCONT)

            assert await delete is True
            assert await outbox.flush(IN_TIME) == 0
        assert await table.get("a1") is None


@pytest.mark.slow
async def test_what_was_put_in_an_outage_is_written_after_it(folder: Path) -> None:
    async with embedded(folder, timeout_seconds=0.2) as database:
        table = database.table(PLAIN)
        async with WriteBehind(table, capacity=20) as outbox:
            outbox.put({"_id": "a0", "n": 0})
            await outbox.flush(IN_TIME)
            os.kill(pid_of(database), signal.SIGSTOP)
            for n in range(15):
                outbox.put({"_id": f"a{n}", "n": n})
            await until(lambda: not database.is_up())
            outbox.put({"_id": "a0", "n": "newest"})
            assert (await outbox.get("a0") or {})["n"] == "newest"
            assert outbox.waiting_count == 15
            with pytest.raises(Unavailable):
                await outbox.insert({"_id": "b1"})

            os.kill(pid_of(database), signal.SIGCONT)
            assert await outbox.flush(IN_TIME) == 0
        found = await table.get_many([f"a{n}" for n in range(15)])
        assert len(found) == 15
        assert found["a0"]["n"] == "newest"
        assert outbox.dropped_count == 0


@pytest.mark.slow
async def test_what_is_dropped_in_an_outage_is_what_has_waited_longest(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "IDLE_SECONDS", 0.1)
    monkeypatch.setattr(health, "JUST_GONE_SECONDS", 0.0)  # an outage of some seconds: nobody waits for its end
    async with embedded(folder, timeout_seconds=0.2) as database:
        table = database.table(PLAIN)
        async with WriteBehind(table, capacity=10) as outbox:
            os.kill(pid_of(database), signal.SIGSTOP)
            await until(lambda: not database.is_up())
            for n in range(10):
                outbox.put({"_id": f"a{n}", "n": n})
            assert await outbox.flush(0.05) == 10  # it has tried some of them meanwhile
            outbox.put({"_id": "a10", "n": 10})
            assert outbox.waiting_count == 10

            os.kill(pid_of(database), signal.SIGCONT)
            assert await outbox.flush(IN_TIME) == 0
        assert outbox.dropped_count == 1
        assert set(await table.get_many([f"a{n}" for n in range(11)])) == {f"a{n}" for n in range(1, 11)}


@pytest.mark.slow
async def test_a_write_that_is_carried_out_late_does_not_undo_a_newer_one(folder: Path) -> None:
    async with embedded(folder, timeout_seconds=0.2) as database:
        table = database.table(PLAIN)
        async with WriteBehind(table) as outbox:
            outbox.put({"_id": "a1", "n": 1})
            await outbox.flush(IN_TIME)  # its version is known now: the next write is sent without a look
            await hung_with_a_write_under_way(database, outbox, {"_id": "a1", "n": 2})
            await until(lambda: not database.is_up())
            outbox.put({"_id": "a1", "n": 3})

            os.kill(pid_of(database), signal.SIGCONT)
            assert await outbox.flush(IN_TIME) == 0
        assert (await table.get("a1") or {})["n"] == 3


@pytest.mark.slow
async def test_what_was_acknowledged_before_a_crash_is_not_written_over_by_less(folder: Path) -> None:
    async with embedded(folder) as database:
        table = database.table(PLAIN)
        async with WriteBehind(table) as outbox:
            for n in range(1, 200):
                outbox.put({"_id": f"a{n % 7}", "n": n})
                if n % 50 == 0:
                    await killed_and_replaced(database)
            assert await outbox.flush(IN_TIME) == 0
        found = await table.get_many([f"a{n}" for n in range(7)])
        assert {one["n"] for one in found.values()} == set(range(193, 200))


@pytest.mark.slow
async def test_an_end_during_an_outage_does_not_wait_for_ever(
    folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(outbox_module, "CLOSE_SECONDS", 0.2)
    async with embedded(folder) as database:
        table = database.table(PLAIN)
        async with WriteBehind(table) as outbox:
            os.kill(pid_of(database), signal.SIGSTOP)
            outbox.put({"_id": "a1", "n": 1})
        assert "1 documents of plain could not be written" in caplog.text
        os.kill(pid_of(database), signal.SIGCONT)
    assert outbox.waiting_count == 1


@shared
async def test_a_write_that_does_not_end_holds_up_no_stop(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    table, is_enough, is_read = await engine.table(), asyncio.Event(), asyncio.Event()

    async def never(_: str) -> None:
        is_read.set()
        while not is_enough.is_set():
            with contextlib.suppress(asyncio.CancelledError):
                await is_enough.wait()

    monkeypatch.setattr(table, "get", never)
    monkeypatch.setattr(outbox_module, "CLOSE_SECONDS", 0.0)
    outbox = WriteBehind(table)
    async with asyncio.timeout(30):
        async with outbox:
            outbox.put({"_id": "a1", "n": 1})
            await is_read.wait()

    assert outbox.waiting_count == 1
    assert f"outbox of {table.collection.name}" in [getattr(record, "task", None) for record in caplog.records]
    is_enough.set()
