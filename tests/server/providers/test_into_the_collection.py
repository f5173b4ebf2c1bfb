"""Runs of sources on a real database: what they write into the collection, keep for the next one, and remove."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from dateflicks.server.catalogue.records import COLLECTIONS, VIDEOS, offer_id
from dateflicks.server.catalogue.sources import SOURCES
from dateflicks.server.catalogue.writing import Writer
from dateflicks.server.providers import ledger as kept
from dateflicks.server.providers.ledger import DatabaseLedger, source_id
from dateflicks.server.providers.records import RunRecord
from dateflicks.server.providers.running import Plan, run_source
from dateflicks.server.providers.source import Checkpoint, Complete, Item, Removed, TransientError
from dateflicks.server.storage.database import Database, DatabaseSettings
from tests.server.providers.sources import Config, Scripted, item, of


@dataclass
class Collection:
    """The collection, and runs into it."""

    database: Database
    runs: int = 0
    touched: int = 0

    async def run(self, source: Scripted, **plan: Any) -> RunRecord:
        self.runs += 1
        writer = Writer(self.database, source.name, f"run-{self.runs}")
        record = await run_source(
            source,
            Plan(id=f"run-{self.runs}", **plan),
            config=Config(),
            writer=writer,
            ledger=DatabaseLedger(self.database, source.name, "Films by Scripted."),
        )
        self.touched = writer.touched
        return record

    async def offer(self, number: int) -> dict[str, Any]:
        found = await self.database.table(VIDEOS).get(offer_id("scripted", f"f{number}", ""))
        assert found is not None
        return found


@pytest_asyncio.fixture
async def collection(tmp_path: Path) -> AsyncIterator[Collection]:
    settings = DatabaseSettings(timeout_seconds=10.0)
    async with Database.open(settings, tmp_path / "data", (*COLLECTIONS, *kept.COLLECTIONS)) as database:
        yield Collection(database)


def films(count: int, start: int = 0) -> list[Item]:
    return [item(number) for number in range(start, start + count)]


async def test_a_run_fills_the_collection_and_a_second_one_writes_nothing(collection: Collection) -> None:
    source = of(*films(700), Checkpoint(state={"page": 2}), *films(50, 700), Complete(full=True, state={"since": 1}))
    first = await collection.run(source, mode="full")
    assert (first.status, first.counters.new, collection.touched) == ("ok", 750, 750)
    assert (await collection.offer(749))["title"] == "Film 749"
    second = await collection.run(source, mode="full")
    assert (second.status, second.counters.unchanged, collection.touched) == ("unchanged", 750, 0)


async def test_a_run_that_breaks_off_is_gone_on_with_to_the_same_end(collection: Collection) -> None:
    broken = of(*films(30), Checkpoint(state={"page": 2}), *films(5, 30), TransientError("No line."))
    assert (await collection.run(broken)).status == "partial"
    rest = of(*films(30, 30), Complete(full=True))
    record = await collection.run(rest)
    assert (record.cursor_before, record.counters.new, record.counters.unchanged) == ({"page": 2}, 25, 5)
    assert (await collection.offer(0))["status"] == "active"
    whole = of(*films(60), Complete(full=True))
    assert (await collection.run(whole)).status == "unchanged"


async def test_what_a_complete_run_has_not_seen_is_gone_unless_it_is_too_much(collection: Collection) -> None:
    await collection.run(of(*films(100), Complete(full=True)))
    record = await collection.run(of(*films(90), Complete(full=True)))
    assert (record.status, record.counters.removed) == ("ok", 10)
    assert (await collection.offer(95))["status"] == "gone"
    held = await collection.run(of(*films(20), Complete(full=True)))
    assert (held.status, held.counters.removed, held.removals_held) == ("unchanged", 0, 70)
    confirmed = await collection.run(of(*films(20), Complete(full=True)), is_confirmed=True)
    assert (confirmed.counters.removed, confirmed.removals_held) == (70, 0)


async def test_what_is_said_to_be_removed_is_gone(collection: Collection) -> None:
    await collection.run(of(*films(3), Complete(full=True, state={"since": 1})))
    record = await collection.run(of(Removed(source_id="f1"), Removed(source_id="f7"), Complete(full=False)))
    assert (record.mode, record.counters.removed) == ("incremental", 1)
    assert (await collection.offer(1))["status"] == "gone"


@pytest.mark.parametrize("year", [12, 9_999, -1])
async def test_what_is_no_sense_to_the_collection_is_counted_and_hides_nothing(
    collection: Collection, year: int
) -> None:
    record = await collection.run(of(*films(30), item(30, year=year), Complete(full=True)))
    assert record.status == "ok"
    assert record.counters.new + record.counters.quarantined == 31


async def test_what_others_keep_of_a_source_stays(collection: Collection) -> None:
    table = collection.database.table(SOURCES)
    await table.insert({"_id": source_id("scripted"), "kind": "source", "name": "scripted", "pausedAt": 5.0})
    await collection.run(of(*films(1), Complete(full=True, state={"since": 1})))
    stored = await table.get(source_id("scripted"))
    assert stored is not None
    assert (stored["pausedAt"], stored["attribution"]) == (5.0, "Films by Scripted.")
    assert (stored["lastRun"]["id"], stored["lastRun"]["status"]) == ("run-1", "ok")
