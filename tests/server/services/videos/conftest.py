"""One service with the small collection for the tests of a module, and an empty one for a test of its own."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.server.services.videos.collection import small_collection
from tests.server.services.videos.deployment import Deployment, deployed


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Deployment]:
    async with deployed(tmp_path_factory.mktemp("data")) as deployment:
        await deployment.fill(small_collection())
        yield deployment


@pytest_asyncio.fixture
async def own(tmp_path: Path) -> AsyncIterator[Deployment]:
    async with deployed(tmp_path / "data") as deployment:
        yield deployment
