"""One deployment for the tests of a module: each test brings its own people."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.server.services.session.deployment import Deployment, deployed


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Deployment]:
    async with deployed(tmp_path_factory.mktemp("data")) as deployment:
        yield deployment
