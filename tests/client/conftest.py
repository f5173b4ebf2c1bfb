"""A server of which each test says what it answers, and a client that is signed in at it."""

from collections.abc import AsyncIterator, Iterator

import pytest

from dateflicks.client.http import ServiceClient
from tests.scripted_server import ScriptedServer, scripted_server


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with scripted_server() as found:
        yield found


@pytest.fixture
async def client(server: ScriptedServer) -> AsyncIterator[ServiceClient]:
    async with ServiceClient(server.url, token="t0ken", timeout=30) as found:
        yield found
