"""The services and two accounts once for all of these tests, and an evening for each."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager
from functools import partial
from pathlib import Path

import pytest

from tests.houses import House, house_at
from tests.journeys.deployment import running_server
from tests.tui.journeys.people import Two, evening_of_two

OpenEvening = Callable[..., AbstractAsyncContextManager[Two]]


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A server whose waits are as they come."""
    folder = tmp_path_factory.mktemp("house") / "data"
    folder.mkdir()
    with running_server(folder) as server:
        yield asyncio.run(house_at(server.url))


@pytest.fixture
def open_evening(house: House, tmp_path: Path) -> OpenEvening:
    """Open an evening: `async with open_evening(consent=…) as two`."""
    return partial(evening_of_two, house, tmp_path)
