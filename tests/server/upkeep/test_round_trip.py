"""What is backed up is what is restored: every database, every type, on either engine, while others write."""

import asyncio
import io
import itertools
import os
from pathlib import Path

import pytest

from dateflicks.server.services.messages.records import MESSAGES
from dateflicks.server.storage.kept import Kept
from dateflicks.server.storage.mongokept import MongoKept, connected
from dateflicks.server.storage.nxfiles import NxFiles
from dateflicks.server.upkeep.backup import back_up
from dateflicks.server.upkeep.declared import COLLECTIONS, DATABASES, declared
from dateflicks.server.upkeep.restore import NotEmpty, check, restore_files, restore_mongo
from tests.server.upkeep.kept import EVERY_TYPE, deployment, everything, furnish

MONGO = os.environ.get("DATEFLICKS_TEST_MONGO", "")


def untold(_what: str, _done: int, _total: int) -> None:
    """Nobody looks on."""


async def archived(kept: Kept, *, key: bytes | None = None) -> io.BytesIO:
    stream = io.BytesIO()
    await back_up(kept, stream, program="dateflicks 0", made_at="2026-11-25T00:00:00Z", key=key, tell=untold)
    return stream


@pytest.mark.slow
async def test_a_backup_made_while_services_run_is_restored_into_another_folder_as_it_was(tmp_path: Path) -> None:
    async with deployment(tmp_path / "one") as (_, client):
        await furnish(client)
        with NxFiles.open(tmp_path / "one", DATABASES) as kept:
            before = await everything(kept)
            stream = await archived(kept)
            await client["SessionDb"]["users"].insert_one({"_id": "usr_late", "nameKey": "name:late"})
            assert await everything(kept) == before, "a transaction that reads sees what was there when it began"
        sent = await client["MessageDb"]["messages"].find_one({"_id": EVERY_TYPE["_id"]})
    assert sent == EVERY_TYPE
    assert EVERY_TYPE in before["MessageDb", "messages"]
    assert set(before) == {(one.database, one.name) for one in COLLECTIONS if one.name != "schema"}

    checked = check(stream, untold)
    await restore_files(stream, checked, tmp_path / "two", replace=False, tell=untold)
    with NxFiles.open(tmp_path / "two") as kept:
        assert await everything(kept) == before
        for name in await kept.databases():
            for found in await kept.collections(name):
                wanted = declared(name, found.name)
                assert wanted is not None
                assert found.lacks(wanted) == []
    async with deployment(tmp_path / "two") as (database, client):
        assert await client["MessageDb"]["messages"].find_one({"_id": EVERY_TYPE["_id"]}) == EVERY_TYPE
        assert await database.table(MESSAGES).find_one("messageId", "v7") is not None
    assert sorted(path.name for path in (tmp_path / "two" / "mongo").iterdir() if path.is_dir()) == ["databases"]

    with pytest.raises(NotEmpty, match="documents already"):
        await restore_files(stream, checked, tmp_path / "two", replace=False, tell=untold)
    await restore_files(stream, checked, tmp_path / "two", replace=True, tell=untold)
    with NxFiles.open(tmp_path / "two") as kept:
        assert await everything(kept) == before


@pytest.mark.long
@pytest.mark.timeout(180)
async def test_what_was_acknowledged_before_a_backup_began_is_in_it_and_numbers_have_no_gaps(tmp_path: Path) -> None:
    acknowledged: list[int] = []
    async with deployment(tmp_path / "one") as (database, _):
        table = database.table(MESSAGES)

        async def write() -> None:
            for number in itertools.count():
                if stopping.is_set():
                    return
                await table.insert({"_id": f"m{number:06d}", "messageId": f"msg{number}", "seq": number})
                acknowledged.append(number)

        stopping = asyncio.Event()
        writing = asyncio.create_task(write())
        try:
            for _ in range(2):
                seen = len(acknowledged)
                async with asyncio.timeout(30):
                    while len(acknowledged) < seen + 20:  # noqa: ASYNC110 - each of them is a sign
                        await asyncio.sleep(0.01)
                before = len(acknowledged)
                with NxFiles.open(tmp_path / "one", DATABASES) as kept:
                    stream = await archived(kept)
                manifest = check(stream, untold).manifest
                count = manifest.databases["MessageDb"]["messages"].documents
                assert count >= before
                await restore_files(stream, check(stream, untold), tmp_path / "two", replace=True, tell=untold)
                with NxFiles.open(tmp_path / "two") as kept:
                    restored = (await everything(kept))["MessageDb", "messages"]
                assert [one["seq"] for one in restored] == list(range(count))
        finally:
            stopping.set()
            await writing


@pytest.mark.long
async def test_a_backup_is_filled_through_a_driver_and_undone_where_that_fails(tmp_path: Path) -> None:
    async with deployment(tmp_path / "one") as (_, client):
        await furnish(client)
        with NxFiles.open(tmp_path / "one", DATABASES) as kept:
            before = await everything(kept)
            stream = await archived(kept)
    checked = check(stream, untold)
    async with deployment(tmp_path / "server") as (database, client):  # it speaks as a MongoDB does
        assert database.engine is not None
        uri = database.engine.uri
        with pytest.raises(RuntimeError, match="half-way"):
            await restore_mongo(stream, checked, uri, replace=False, tell=half_way)
        async with connected(uri) as other, MongoKept.open(other) as there:
            assert {place: found for place, found in (await everything(there)).items() if found} == {}
        await restore_mongo(stream, checked, uri, replace=False, tell=untold)
        async with connected(uri) as other, MongoKept.open(other) as there:
            found = {
                place: sorted(all_, key=lambda one: str(one["_id"]))
                for place, all_ in (await everything(there)).items()
            }
            assert found == before
            again = await archived(there)
        assert check(again, untold).manifest.databases == checked.manifest.databases
        with pytest.raises(NotEmpty):
            await restore_mongo(stream, checked, uri, replace=False, tell=untold)


def half_way(what: str, done: int, total: int) -> None:
    if what == "writing works" and done > total // 2:
        raise RuntimeError("half-way")


@pytest.mark.skipif(not MONGO, reason="DATEFLICKS_TEST_MONGO names no MongoDB")
async def test_a_backup_of_the_embedded_engine_is_restored_on_a_mongodb(tmp_path: Path) -> None:
    async with deployment(tmp_path / "one") as (_, client):
        await furnish(client)
        with NxFiles.open(tmp_path / "one", DATABASES) as kept:
            before = await everything(kept)
            stream = await archived(kept)
    checked = check(stream, untold)
    async with connected(MONGO) as client:
        for name in DATABASES:
            await client.drop_database(name)
        try:
            for replace in (False, True):
                await restore_mongo(stream, checked, MONGO, replace=replace, tell=untold)
                async with MongoKept.open(client) as there:
                    found = await everything(there)
                    assert {place: all_ for place, all_ in found.items() if place[0] in DATABASES} == before
                    again = await archived(there)
                assert check(again, untold).manifest.databases == checked.manifest.databases
            await restore_files(again, check(again, untold), tmp_path / "two", replace=False, tell=untold)
        finally:
            for name in DATABASES:
                await client.drop_database(name)
    with NxFiles.open(tmp_path / "two") as kept:
        assert await everything(kept) == before
