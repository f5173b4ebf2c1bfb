"""The services and two accounts once for all of these tests, and an evening for each."""

import asyncio
import secrets
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager
from functools import partial
from pathlib import Path

import pytest

from dateflicks.client.http import ServiceClient
from tests.journeys.deployment import running_server
from tests.tui.journeys.people import Account, House, Two, evening_of_two

OpenEvening = Callable[..., AbstractAsyncContextManager[Two]]


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A server whose waits are as they come."""
    folder = tmp_path_factory.mktemp("house") / "data"
    folder.mkdir()
    with running_server(folder) as server:
        yield asyncio.run(house_at(server.url))


async def house_at(url: str) -> House:
    """Two fresh accounts at a server."""
    async with ServiceClient(url) as host, ServiceClient(url) as guest:
        accounts = []
        for client, name in ((host, "ana"), (guest, "bea")):
            await client.register(name, secrets.token_urlsafe(12))
            assert client.token is not None
            accounts.append(Account(name, client.token))
    return House(url, *accounts)


@pytest.fixture
def open_evening(house: House, tmp_path: Path) -> OpenEvening:
    """Open an evening: `async with open_evening(consent=…) as two`."""
    return partial(evening_of_two, house, tmp_path)
