"""Whatever was acknowledged is there, however often the engine is killed in the middle of it."""

import asyncio
import os
import signal
import sqlite3
from pathlib import Path

import pytest

from dateflicks.core.errors import Unavailable
from dateflicks.server.storage.records import Stale
from dateflicks.server.storage.table import Table
from tests.server.storage.engines import PLAIN, embedded, pid_of
from tests.waiting import until

WRITERS = 6
KILLS = 4
BETWEEN_KILLS = 30  # acknowledged inserts


async def write(table: Table, who: int, goes_on: asyncio.Event, acknowledged: set[str]) -> None:
    number = 0
    while goes_on.is_set():
        number += 1
        try:
            await table.insert({"_id": f"a{who}:{number}", "who": who, "text": "x" * 500})
        except Unavailable:
            await asyncio.sleep(0.01)
        else:
            acknowledged.add(f"a{who}:{number}")


async def count(table: Table, goes_on: asyncio.Event) -> int:
    """Changes of one document that were acknowledged."""
    rev = acknowledged = attempt = 1
    found: list[tuple[int, int]] = []
    while goes_on.is_set():
        attempt += 1
        try:
            rev = (await table.compare_and_set("counter", rev, {"n": rev}, command=f"c{attempt}"))["rev"]
            acknowledged = rev
        except Stale as error:  # an unanswered change of before had been made
            found.append((rev, error.current["rev"]))
            rev = error.current["rev"]
        except Unavailable:
            await asyncio.sleep(0.01)
    assert all(now == before + 1 for before, now in found)
    return acknowledged


@pytest.mark.slow
async def test_every_acknowledged_write_survives_the_engines_deaths(folder: Path) -> None:
    acknowledged: set[str] = set()
    goes_on = asyncio.Event()
    goes_on.set()
    async with embedded(folder) as database:
        table = database.table(PLAIN)
        await table.insert({"_id": "counter"})
        async with asyncio.TaskGroup() as group:
            for who in range(WRITERS):
                group.create_task(write(table, who, goes_on, acknowledged))
            counting = group.create_task(count(table, goes_on))
            for _ in range(KILLS):
                before = len(acknowledged)
                await until(lambda: len(acknowledged) >= before + BETWEEN_KILLS)  # noqa: B023 - awaited here
                os.kill(pid_of(database), signal.SIGKILL)
            before = len(acknowledged)
            await until(lambda: len(acknowledged) > before)
            goes_on.clear()

        ids = sorted(acknowledged)
        assert len(ids) > KILLS * BETWEEN_KILLS
        found = [await table.get_many(ids[start : start + 200]) for start in range(0, len(ids), 200)]
        assert sum(map(len, found)) == len(ids)
        assert (await table.get("counter") or {})["rev"] >= counting.result() > 1

    with sqlite3.connect(folder / "mongo" / "databases" / "Things.db") as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    connection.close()
