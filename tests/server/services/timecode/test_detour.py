"""The way around the bus: what could not be written waits, and goes when the database is back."""

import os
import signal
from pathlib import Path
from typing import Any

import pytest

from dateflicks.core.errors import Unavailable
from dateflicks.server.bus.local import LocalBus
from dateflicks.server.clock import ServerClock
from dateflicks.server.services.timecode.detour import Detour
from dateflicks.server.services.timecode.records import COLLECTIONS, LETTERS, TIMECODES
from dateflicks.server.storage.database import Database, DatabaseSettings
from tests.server.storage.engines import pid_of
from tests.waiting import until

REPORT = '{"type":"report","cause":"tick"}'


class Nobody:
    """A house with nobody in it."""

    def far_chairs(self) -> dict[str, list[Any]]:
        return {}

    def deliver(self, letter: Any) -> None:
        raise AssertionError(letter)


@pytest.mark.slow
async def test_what_was_asked_while_the_database_was_away_too_is_sent_once_it_is_back(tmp_path: Path) -> None:
    async with Database.open(DatabaseSettings(timeout_seconds=0.2), tmp_path, COLLECTIONS) as database:
        letters = database.table(LETTERS)
        detour = Detour(letters, database.table(TIMECODES), LocalBus(), ServerClock())
        os.kill(pid_of(database), signal.SIGSTOP)
        await until(lambda: not database.is_up())
        for n in range(3):
            detour.post("wrk_b", {"do": "hear", "chair": "c1", "frame": f'{{"type":"seek","to":{n}}}'})
        detour.post("wrk_b", {"do": "hear", "chair": "c1", "frame": REPORT})
        with pytest.raises(Unavailable):
            await detour._carry(Nobody(), is_away=True)  # type: ignore[arg-type]
        detour.post("wrk_b", {"do": "hear", "chair": "c1", "frame": REPORT})  # newer than the one that waits
        os.kill(pid_of(database), signal.SIGCONT)
        await database.wait_up()

        await detour._carry(Nobody(), is_away=True)  # type: ignore[arg-type]
        found = await letters.page("to", "wrk_b", order_by="order", descending=False)
        assert [one["letter"].count("seek") for one in found] == [1, 1, 1, 0]
        await detour._carry(Nobody(), is_away=True)  # type: ignore[arg-type]
        assert len(await letters.page("to", "wrk_b", order_by="order")) == 4
