"""A running example service, and a client for it."""

from collections.abc import AsyncIterator

import httpx2
import pytest

from dateflicks.server.runner import Server, running
from tests.server.web.example import ExampleService


@pytest.fixture
async def service() -> ExampleService:
    return ExampleService()


@pytest.fixture
async def server(service: ExampleService) -> AsyncIterator[Server]:
    async with running([service]) as server:
        yield server


@pytest.fixture
async def client(server: Server) -> AsyncIterator[httpx2.AsyncClient]:
    async with httpx2.AsyncClient(base_url=server.url, verify=False, trust_env=False) as client:
        yield client
