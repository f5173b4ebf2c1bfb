"""The clock of a host is set by an hour while a film runs: nobody is moved, and nothing that is said is lost."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from dateflicks.server.auth.tokens import Signer
from dateflicks.server.bus.local import LocalBus
from dateflicks.server.clock import ServerClock
from dateflicks.server.runner import running
from dateflicks.server.services.messages import records as messages_records
from dateflicks.server.services.messages.app import MessagesService
from dateflicks.server.services.session import records as session_records
from dateflicks.server.services.session.app import SessionService
from dateflicks.server.services.timecode import records as timecode_records
from dateflicks.server.services.timecode.app import TimecodeService
from dateflicks.server.storage.database import Database, DatabaseSettings
from dateflicks.server.web.service import Service
from tests.faults.couple import Couple, couple

HOUR = 3600.0
KEY = b"the key of a deployment in a test"
COLLECTIONS = (*session_records.COLLECTIONS, *timecode_records.COLLECTIONS, *messages_records.COLLECTIONS)


class HostClock:
    """Unix time as the host of the services believes it."""

    def __init__(self) -> None:
        self.set_by = 0.0
        self._unix = time.time

    def __call__(self) -> float:
        return self._unix() + self.set_by


@contextlib.asynccontextmanager
async def services(folder: Path, now: HostClock) -> AsyncIterator[str]:
    """A deployment in this process, on a clock that is set; where it is."""
    signer, bus = Signer(KEY, now), LocalBus()
    async with Database.open(DatabaseSettings(), folder / "data", COLLECTIONS) as database:
        made: list[Service] = [
            SessionService(database, signer, bus, now=now),
            TimecodeService(database, signer, bus, clock=ServerClock(unix=now)),
            MessagesService(database, signer, bus, now=now),
        ]
        async with running(made) as server:
            yield server.url


async def runs_on(pair: Couple, since: float) -> None:
    """Nobody has noticed anything."""
    await asyncio.sleep(1.5)
    assert pair.is_whole
    pair.check_unmoved(since)
    pair.check_went_on(since)
    assert max(one.apart(since) for one in pair.both) == 0.0
    await pair.ask("pause", pair.guest)
    await pair.ask("play", pair.host)


@pytest.mark.parametrize("by", [HOUR, pytest.param(-HOUR, marks=pytest.mark.long)])
async def test_the_clock_of_the_services_is_set_and_nobody_notices(tmp_path: Path, by: float) -> None:
    now = HostClock()
    async with services(tmp_path, now) as url, couple(url) as pair:
        await pair.play(0.5)
        names = {one.clock_id for one in pair.both}
        since = time.monotonic()
        now.set_by = by
        await runs_on(pair, since)
        assert {one.clock_id for one in pair.both} == names
        await pair.settle()


@pytest.mark.parametrize("by", [pytest.param(HOUR, marks=pytest.mark.long), -HOUR])
async def test_the_clock_of_the_people_is_set_and_nobody_notices(
    tmp_path: Path, by: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, unix = HostClock(), time.time
    async with services(tmp_path, now) as url, couple(url) as pair:
        await pair.play(0.5)
        since = time.monotonic()
        monkeypatch.setattr(time, "time", lambda: unix() + by)
        await runs_on(pair, since)
        await pair.settle()
