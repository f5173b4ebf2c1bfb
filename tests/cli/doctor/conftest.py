"""The program as checks find it where nothing is yet."""

import os
from pathlib import Path

import pytest

from dateflicks.cli.services import DEPLOYMENTS
from tests.cli.conftest import Cli


@pytest.fixture
def doctor(cli: Cli, tmp_path: Path) -> Cli:
    """The program where no settings file is and no port is anybody's."""
    (tmp_path / "empty").mkdir()
    cli.variables["DATEFLICKS_SETTINGS"] = str(tmp_path / "empty")
    cli.variables["PATH"] = os.environ["PATH"]
    for service in DEPLOYMENTS:
        cli.variables[f"DATEFLICKS_{service.upper()}_PORT"] = "0"
    return cli
