"""One deployment for the tests of a module: each test brings its own evening."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from dateflicks.settings.services import PredictionSettings
from tests.server.services.prediction.deployment import Deployment, deployed


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Deployment]:
    async with deployed(tmp_path_factory.mktemp("data")) as deployment:
        yield deployment


@pytest_asyncio.fixture
async def own(tmp_path: Path) -> AsyncIterator[Deployment]:
    async with deployed(tmp_path / "data") as deployment:
        yield deployment


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def impatient(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Deployment]:
    """Silence is over soon here."""
    settings = PredictionSettings(confirm_seconds=0.2)
    async with deployed(tmp_path_factory.mktemp("impatient"), settings) as deployment:
        yield deployment
