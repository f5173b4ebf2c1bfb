"""A source of somebody else's, a database as jobs use it, and what runs jobs as real processes."""

import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from dateflicks.server.catalogue.records import VIDEOS, offer_id
from dateflicks.server.jobs.declared import Job
from dateflicks.server.jobs.executing import COLLECTIONS as USED
from dateflicks.server.jobs.records import COLLECTIONS
from dateflicks.server.jobs.supervising import Supervisor
from dateflicks.server.storage.database import Database, DatabaseSettings
from tests.server.jobs.plugged import FILMS, Plugged, plug

FILMS_JOB = Job(name="films", subject="films", kind="source", schedule="0 0 1 1 *")
MERGE_JOB = Job(name="merge", subject="merge", kind="merge")

Supervised = Callable[..., Supervisor]


@pytest.fixture
def plugged(tmp_path: Path) -> Plugged:
    """The source, installed."""
    return plug(tmp_path)


@pytest_asyncio.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    """The database of the data folder, run by this process."""
    collections = list(dict.fromkeys([*COLLECTIONS, *USED]))
    settings = DatabaseSettings(timeout_seconds=10.0)
    async with Database.open(settings, tmp_path / "home" / "server", collections, role="worker") as database:
        yield database


@pytest.fixture
def supervised(database: Database, plugged: Plugged, tmp_path: Path) -> Supervised:
    """Makes what runs jobs, with bounds."""

    def make(**bounds: Any) -> Supervisor:
        environ = {**os.environ, "DATEFLICKS_HOME": str(tmp_path / "home"), "PYTHONPATH": str(plugged.site)}
        wanted: dict[str, Any] = {"timeout_seconds": 60.0, "memory_mib": 512, "grace_seconds": 0.5, **bounds}
        return Supervisor(database, plugged.command(), environ, **wanted)

    return make


async def offered(database: Database) -> set[str]:
    """What of the source is in the collection."""
    keys = {offer_id("films", f"f{number}", ""): f"f{number}" for number in range(FILMS)}
    found = await database.table(VIDEOS).get_many(list(keys))
    return {keys[key] for key, one in found.items() if one["status"] == "active"}
