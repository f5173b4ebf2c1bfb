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
