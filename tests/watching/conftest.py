"""The services and two accounts once for all of these tests, the films as they are asked for, and a room for each."""

import asyncio
import secrets
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager
from functools import partial
from pathlib import Path

import pytest

from dateflicks.cli.demo.stage import demo_folder
from dateflicks.client.http import ServiceClient
from tests.conftest import require
from tests.journeys.deployment import running_server
from tests.watching.films import Films
from tests.watching.room import Account, House, Room, room

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
        yield asyncio.run(_house(server.url))


async def _house(url: str) -> House:
    async with ServiceClient(url) as host, ServiceClient(url) as guest:
        accounts = []
        for client, name in ((host, "ana"), (guest, "bea")):
            await client.register(name, secrets.token_urlsafe(12))
            assert client.token is not None
            accounts.append(Account(name, client.token))
    return House(url, *accounts)


@pytest.fixture
def open_room(house: House) -> Iterator[OpenRoom]:
    """Open a room with a film: `async with open_room(film, length=…) as room`."""
    with demo_folder(is_kept=False) as folder:
        yield partial(room, house, Path(folder))
