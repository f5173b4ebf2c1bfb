"""The command line under test: run in this process, with a home of its own, against whatever server a test names."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from dateflicks.cli.environment import CliEnvironment
from dateflicks.cli.main import app
from dateflicks.client.credentials import CredentialStore, SignIn
from tests.cli.engine import engine_beside
from tests.conftest import require
from tests.scripted_server import ScriptedServer, scripted_server


@dataclass
class Cli:
    """Runs `dateflicks`; `server` is the one it talks to unless a test names another."""

    home: Path
    server: ScriptedServer
    variables: dict[str, str] = field(default_factory=dict)

    def __call__(self, *args: str, keys: str | None = None, is_interactive: bool = False, **variables: str) -> Result:
        environ = {
            "DATEFLICKS_HOME": str(self.home), "DATEFLICKS_CLIENT_SERVER": self.server.url,
            "NO_COLOR": "1", "TERM": "dumb", **self.variables, **variables,
        }  # fmt: skip
        environment = CliEnvironment(environ=environ, is_interactive=is_interactive)
        return CliRunner().invoke(app, list(args), input=keys, catch_exceptions=False, obj=environment)

    def json(self, *args: str) -> Any:
        """Run, expect success, and read what came out."""
        result = self(*args, "--json")
        assert result.exit_code == 0, result.stderr
        return json.loads(result.stdout)

    @property
    def store(self) -> CredentialStore:
        return CredentialStore(self.home / "credentials.json", keep_in="file")

    def sign_in(self) -> None:
        """As if `login` had been typed before."""
        kept = SignIn(name="ana", user_id="usr_a", expires_at="2026-12-24T01:43:00.123Z", token="t0ken")
        self.store.put(self.server.url, kept)


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with scripted_server() as found:
        yield found


@pytest.fixture
def cli(tmp_path: Path, server: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> Cli:
    """The program in an empty folder; nobody is signed in."""
    monkeypatch.chdir(tmp_path)
    return Cli(tmp_path / "data", server)


@pytest.fixture
def engine(cli: Cli) -> Iterator[None]:
    """The database of the services' folder runs beside: commands need not start it."""
    with engine_beside(cli.home / "server"):
        yield


@pytest.fixture
def silent_mpv(cli: Cli) -> None:
    """An mpv that needs neither picture nor sound; skips where there is none."""
    require("mpv")
    cli.variables["DATEFLICKS_CLIENT_MPV_ARGUMENTS"] = "--vo=null,--ao=null"
