"""One database for the tests of a module; each test has a scene of its own on it."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from dateflicks.server.storage.database import Database
from tests.server.services.recommendation.scene import Scene, opened


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def database(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Database]:
    async with opened(tmp_path_factory.mktemp("data")) as database:
        yield database


@pytest_asyncio.fixture(loop_scope="module")
async def scene(database: Database) -> AsyncIterator[Scene]:
    found = Scene(database)
    yield found
    await found.empty()
