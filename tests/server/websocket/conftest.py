"""A running relay."""

from collections.abc import AsyncIterator

import pytest

from dateflicks.server.observe.metrics import Metrics
from dateflicks.server.runner import Server, running
from dateflicks.server.websocket.connection import ConnectionRules
from tests.server.websocket.relay import Relay


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


@pytest.fixture
def rules() -> ConnectionRules:
    """The rules of the relay; tests that need others replace this."""
    return ConnectionRules()


@pytest.fixture
async def relay(metrics: Metrics, rules: ConnectionRules) -> Relay:
    return Relay(metrics=metrics, rules=rules)


@pytest.fixture
async def server(relay: Relay, metrics: Metrics) -> AsyncIterator[Server]:
    async with running([relay], metrics=metrics) as server:
        yield server
