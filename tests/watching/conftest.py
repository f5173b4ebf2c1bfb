"""The services and two accounts once for all of these tests, the films as they are asked for, and a room for each."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager
from functools import partial
from pathlib import Path

import pytest

from dateflicks.cli.demo.stage import demo_folder
from tests.conftest import require
from tests.houses import House, house_at
from tests.journeys.deployment import running_server
from tests.watching.films import Films
from tests.watching.room import Room, room

OpenRoom = Callable[..., AbstractAsyncContextManager[Room]]


@pytest.fixture(scope="session")
def films(tmp_path_factory: pytest.TempPathFactory) -> Films:
    require("mpv", "ffmpeg")
    return Films(tmp_path_factory.mktemp("watched"))


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A server whose waits are as they come, and whose open questions are soon closed."""
    require("mpv", "ffmpeg")
    folder = tmp_path_factory.mktemp("house") / "data"
    folder.mkdir()
    with running_server(folder, "--confirm-seconds", "4") as server:
        yield asyncio.run(house_at(server.url))


@pytest.fixture
def open_room(house: House) -> Iterator[OpenRoom]:
    """Open a room with a film: `async with open_room(film, length=…) as room`."""
    with demo_folder(is_kept=False) as folder:
        yield partial(room, house, Path(folder))
