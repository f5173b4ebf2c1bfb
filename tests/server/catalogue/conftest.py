"""A collection of one's own on a real engine, that no command of a test may leave the fence of."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from dateflicks.server.catalogue.records import COLLECTIONS
from dateflicks.server.storage.database import Database, DatabaseSettings
from tests.server.catalogue.collection import Collected


@pytest_asyncio.fixture
async def collected(tmp_path: Path) -> AsyncIterator[Collected]:
    """An empty collection, with a clock that goes when it is told to."""
    settings = DatabaseSettings(timeout_seconds=10.0)
    async with Database.open(settings, tmp_path / "data", COLLECTIONS) as database:
        yield Collected(database)
        assert not database.fence.breaches
