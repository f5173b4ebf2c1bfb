"""`dateflicks api schema`: what a service serves as its documentation, without a service."""

import asyncio
import json
from pathlib import Path

import pytest

from dateflicks.cli.services import DEPLOYMENTS, SERVICES
from dateflicks.server.deployment import _KINDS, Deployment
from dateflicks.server.observe.metrics import Metrics
from dateflicks.server.web.openapi import openapi_document
from dateflicks.settings.loader import SERVICES as SETTINGS
from tests.cli.conftest import Cli


def test_it_knows_every_service() -> None:
    assert tuple(_KINDS) == SERVICES


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_each_service_has_a_document_of_its_own(name: str, cli: Cli) -> None:
    result = cli("api", "schema", name)
    assert (result.exit_code, result.stderr) == (0, "")
    found = json.loads(result.stdout)
    assert found["info"]["title"] == f"DATEFLICKS: {name}"
    assert {"health": "/health" in found["paths"], "more": len(found["paths"]) > 7} == {"health": True, "more": True}
    assert not cli.home.exists()


async def test_it_is_what_the_services_say_that_are_started(cli: Cli, tmp_path: Path) -> None:
    settings = {name: SETTINGS[name]() for name in SERVICES}
    deployment = Deployment("all", SETTINGS["all"](), settings, tmp_path / "data")  # type: ignore[arg-type]
    async with deployment.deploy(Metrics()) as services:
        served = openapi_document("all", services)
    result = await asyncio.to_thread(cli, "api", "schema", "all")
    assert json.loads(result.stdout) == json.loads(json.dumps(served))


def test_a_service_that_is_none_is_answered_with_the_nearest(cli: Cli) -> None:
    result = cli("api", "schema", "message")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "Did you mean 'messages'?" in result.stderr
