"""The way around the bus: what could not be written waits, and goes when the database is back."""

import os
import signal
from pathlib import Path
from typing import Any

import pytest

from dateflicks.core.errors import Unavailable
from dateflicks.core.playback import PlaybackControl
from dateflicks.server.bus.local import LocalBus
from dateflicks.server.clock import ServerClock
from dateflicks.server.services.timecode.detour import Detour
from dateflicks.server.services.timecode.records import COLLECTIONS, LETTERS, TIMECODES, to_document
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


class Ear:
    """A connection to a playback that is kept elsewhere."""

    def __init__(self) -> None:
        self.heard: list[bytes] = []

    def tell(self, frame: bytes) -> None:
        self.heard.append(frame)


class Some:
    """A house with people in two sessions, who take what comes."""

    def __init__(self) -> None:
        self.ears = {"ses_a": Ear(), "ses_b": Ear()}
        self.letters: list[Any] = []

    def far_chairs(self) -> dict[str, list[Any]]:
        return {session_id: [ear] for session_id, ear in self.ears.items()}

    def deliver(self, letter: Any) -> None:
        self.letters.append(letter)


async def test_one_record_that_cannot_be_read_keeps_nobody_else_from_being_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    house = Some()
    async with Database.open(DatabaseSettings(timeout_seconds=10.0), tmp_path, COLLECTIONS) as database:
        timecodes = database.table(TIMECODES)
        for session_id, length in (("ses_a", -1.0), ("ses_b", 600.0)):
            record = to_document(PlaybackControl(session_id, 600.0, 1.0).to_record(1.0))
            await timecodes.insert(record | {"length": length})
        detour = Detour(database.table(LETTERS), timecodes, LocalBus(), ServerClock())
        for _ in range(2):
            await detour._carry(house, is_away=True)  # type: ignore[arg-type]

    assert house.ears["ses_a"].heard == []
    assert len(house.ears["ses_b"].heard) == 1
    assert [getattr(record, "session", None) for record in caplog.records] == ["ses_a"]


@pytest.mark.parametrize("wrong", [{"letter": "["}, {"letter": "[" * 50_000}, {"at": "never"}])
async def test_one_letter_that_makes_no_sense_keeps_no_other_from_arriving(
    tmp_path: Path, wrong: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    house, bus, clock = Some(), LocalBus(), ServerClock()
    async with Database.open(DatabaseSettings(timeout_seconds=10.0), tmp_path, COLLECTIONS) as database:
        letters = database.table(LETTERS)
        good = {"to": bus.worker_id, "at": clock.now(), "letter": '{"do":"stand"}'}
        await letters.insert_many(
            [{"_id": "req_a", "order": "t1", **good, **wrong}, {"_id": "req_b", "order": "t2", **good}]
        )
        await Detour(letters, database.table(TIMECODES), bus, clock)._carry(house, is_away=False)  # type: ignore[arg-type]

    assert house.letters == [{"do": "stand"}]
    assert len(caplog.records) == 1


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
