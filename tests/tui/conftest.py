"""A stage for the screens that need services: started once for all of them, with fresh people for each test."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from textual.css.model import RuleSet
from textual.css.stylesheet import Stylesheet

from tests.journeys.deployment import Deployment, running_server
from tests.journeys.people import Crowd, Person
from tests.tui.stage import Stage


@pytest.fixture(scope="session", autouse=True)
def styles_read_once() -> Iterator[None]:
    """Each app reads the same styles anew, a good part of what a test takes; here once for each theme."""
    read = Stylesheet._parse_rules
    known: dict[Any, list[RuleSet]] = {}

    def remember(self: Stylesheet, css: str, read_from: Any, *args: Any, **more: Any) -> list[RuleSet]:
        key = (tuple(self._variables.items()), css, read_from, args, tuple(more.items()))
        if key not in known:
            known[key] = read(self, css, read_from, *args, **more)
        return known[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Stylesheet, "_parse_rules", remember)
        yield


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
