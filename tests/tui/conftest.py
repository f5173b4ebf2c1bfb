"""A stage for the screens that need services: started once for all of them, with fresh people for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.journeys.deployment import Deployment, running_server
from tests.journeys.people import Crowd, Person
from tests.tui.stage import Stage


@pytest.fixture(scope="session")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """All services in a process of their own."""
    folder = tmp_path_factory.mktemp("services") / "data"
    folder.mkdir()
    with running_server(folder) as server:
        yield Deployment(server.url, is_ours=True)


@pytest.fixture
def stage(services: Deployment, tmp_path: Path) -> Stage:
    """The services, and nobody there yet."""
    return Stage(services, Crowd(services), tmp_path)


@pytest.fixture
async def ana(stage: Stage) -> Person:
    return await stage.crowd.person("ana")


@pytest.fixture
async def bea(stage: Stage) -> Person:
    return await stage.crowd.person("bea")
