"""Which process keeps a playback: what one that was overtaken has still to write takes nothing from the next one."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from dateflicks.core.playback import PlaybackControl
from dateflicks.server.bus.local import LocalBus
from dateflicks.server.services.timecode.kept import KeptElsewhere, KeptRecords
from dateflicks.server.services.timecode.records import TIMECODES, to_document
from dateflicks.server.storage.database import Database, DatabaseSettings
from dateflicks.server.storage.records import Document
from dateflicks.server.storage.table import Table

SESSION = "ses_a"


class Process(LocalBus):
    """One of several; `others` are those that it believes to be there."""

    def __init__(self, table: Table) -> None:
        super().__init__()
        self.others: set[str] = set()
        self.overtaken: list[str] = []
        self.records = KeptRecords(table, self, self.overtaken.append)

    def is_there(self, worker_id: str) -> bool:
        """As it believes."""
        return worker_id in self.others


@pytest_asyncio.fixture
async def table(tmp_path: Path) -> AsyncIterator[Table]:
    async with Database.open(DatabaseSettings(timeout_seconds=10.0), tmp_path, [TIMECODES]) as database:
        yield database.table(TIMECODES)


def document(length: float = 600.0) -> Document:
    return to_document(PlaybackControl(SESSION, length, 1.0).to_record(1.0))


async def test_who_was_overtaken_takes_nothing_back_by_what_it_had_not_written(table: Table) -> None:
    first, second = Process(table), Process(table)
    first.others = {second.worker_id}  # the second one does not see the first: it was frozen, say
    assert await first.records.insert(document())
    first.records.put(document(700.0))  # its outbox does not run: the database is slow for this one
    taken = await second.records.get(SESSION)
    assert taken is not None
    assert (taken["keeper"], taken["epoch"]) == (second.worker_id, 2)

    first.records.let_go(SESSION)
    with pytest.raises(KeptElsewhere):
        await first.records.get(SESSION)
    assert await table.get(SESSION) == taken
    async with first.records:
        pass
    assert await table.get(SESSION) == taken


async def test_what_was_put_down_in_an_earlier_turn_takes_nothing_from_the_next_one_of_the_same_process(
    table: Table,
) -> None:
    first, second = Process(table), Process(table)
    assert await first.records.insert(document())
    first.records.put(document(700.0))  # and is not written yet when it is overtaken, and comes back to it
    assert await second.records.get(SESSION) is not None
    first.records.let_go(SESSION)
    taken = await first.records.get(SESSION)
    assert taken is not None
    assert taken["epoch"] == 3

    async with first.records:
        assert await first.records.flush(30.0) == 0
        assert await table.get(SESSION) == taken
        assert first.records.keeps(SESSION)
        first.records.put(document(800.0))
    kept = await table.get(SESSION)
    assert kept is not None
    assert (kept["length"], kept["epoch"]) == (800.0, 3)
    assert first.overtaken == []


async def test_what_waits_is_written_though_an_earlier_turn_is_refused_at_that_moment(
    table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = Process(table), Process(table)
    assert await first.records.insert(document())
    assert await second.records.get(SESSION) is not None
    first.records.put(document(700.0))
    get, is_first = table.get, True

    async def found(session_id: str) -> Document | None:
        nonlocal is_first
        if is_first:
            is_first = False
            first.records.let_go(SESSION)
            assert await first.records.get(SESSION) is not None
            first.records.put(document(800.0))
        return await get(session_id)

    monkeypatch.setattr(table, "get", found)
    async with first.records:
        assert await first.records.flush(30.0) == 0

    kept = await table.get(SESSION)
    assert kept is not None
    assert (kept["length"], kept["epoch"]) == (800.0, 3)
    assert first.overtaken == []


@pytest.mark.parametrize("knows_its_version", [True, False])
async def test_a_record_that_another_process_has_deleted_does_not_come_back(
    table: Table, *, knows_its_version: bool
) -> None:
    first, second = Process(table), Process(table)
    assert await first.records.insert(document())
    if not knows_its_version:
        first.records._outbox._revs.clear()
    assert await second.records.delete(SESSION)
    first.records.put(document(700.0))  # nobody has told it yet

    async with first.records:
        assert await first.records.flush(30.0) == 0
    assert await table.get(SESSION) is None
    assert first.overtaken == [SESSION]


async def test_one_that_was_made_anew_elsewhere_is_not_written_over(table: Table) -> None:
    first, second = Process(table), Process(table)
    assert await first.records.insert(document())
    assert await second.records.delete(SESSION)
    assert await second.records.insert(document(900.0))
    there = await table.get(SESSION)
    first.records.put(document(700.0))

    async with first.records:
        assert await first.records.flush(30.0) == 0
    assert await table.get(SESSION) == there
    assert first.overtaken == [SESSION]


@pytest.mark.parametrize("is_made_anew", [True, False])
async def test_a_look_finds_what_was_deleted_meanwhile(table: Table, *, is_made_anew: bool) -> None:
    first, second = Process(table), Process(table)
    assert await first.records.insert(document())
    await first.records.look_again()
    assert first.overtaken == []
    assert await second.records.delete(SESSION)
    if is_made_anew:
        assert await second.records.insert(document(900.0))

    await first.records.look_again()
    assert first.overtaken == [SESSION]
    assert not first.records.keeps(SESSION)
