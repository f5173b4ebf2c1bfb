"""One engine for the tests of a module, and no command of any test outside the fence."""

import logging
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from dateflicks.server.storage import fence
from dateflicks.server.storage.embedded import EmbeddedEngine
from tests.server.storage.engines import ENGINES, Engine, opened


class _Breaches(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.seen.append(record.getMessage())


@pytest.fixture(autouse=True)
def breaches() -> Iterator[list[str]]:
    """Fail a test when a command of any database left the fence; one that breaks out on purpose clears the list."""
    handler = _Breaches()
    fence.log.addHandler(handler)
    try:
        yield handler.seen
    finally:
        fence.log.removeHandler(handler)
    assert handler.seen == []


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=ENGINES)
async def engine(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Engine]:
    """Each engine in turn; tests bring their own collections."""
    async with opened(request.param, tmp_path_factory.mktemp("data")) as engine:
        yield engine


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A data folder that is not there yet."""
    return tmp_path / "data"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def socket_uri(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """An embedded engine without our client before it."""
    embedded = EmbeddedEngine(tmp_path_factory.mktemp("data"))
    await embedded.start()
    try:
        yield embedded.uri
    finally:
        await embedded.stop()
