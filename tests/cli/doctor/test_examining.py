"""All checks at once: none breaks another, and no secret gets out."""

import asyncio
import json
import threading
import time
from pathlib import Path

import pytest

from dateflicks.cli.commands.doctor import _names
from dateflicks.cli.doctor import examining, installation
from dateflicks.cli.doctor.examining import CHECKS, Check, examine
from dateflicks.cli.doctor.finding import Finding, fine, wrong
from dateflicks.cli.environment import CliEnvironment
from dateflicks.cli.exits import Exit
from tests.cli.conftest import Cli
from tests.cli.doctor.looking import look


def test_it_runs_without_server_player_and_settings_and_changes_nothing(doctor: Cli, tmp_path: Path) -> None:
    result = doctor("doctor", "--json", PATH=str(tmp_path), DATEFLICKS_CLIENT_SERVER="http://127.0.0.1:1")
    found = {row["name"] for row in json.loads(result.stdout)}
    assert found == {check.name for check in CHECKS}
    assert not doctor.home.exists()
    assert list((tmp_path / "empty").iterdir()) == []


def test_it_is_written_for_people_for_pipes_and_for_programs(doctor: Cli) -> None:
    lines = doctor("doctor", "--only", "bus,ports", "-o", "table").stdout.splitlines()
    assert [line.split()[:2] for line in lines] == [["ok", "ports"], ["ok", "ports"], ["ok", "bus"]]
    plain = doctor("doctor", "--only", "bus").stdout
    assert plain.split("\t")[:2] == ["bus", "ok"]
    assert doctor("doctor", "--only", "bus", "--fields", "state", "-o", "table").stdout.split() == ["state", "ok"]
    assert doctor("doctor", "--only", "bus", "-q").stderr == ""
    assert "Nothing is wrong." in doctor("doctor", "--only", "bus").stderr


def test_checks_are_named_and_slips_are_told(doctor: Cli) -> None:
    refused = doctor("doctor", "--only", "plaier")
    assert (refused.exit_code, "Did you mean 'player'?" in refused.stderr) == (Exit.USAGE, True)
    shown = " ".join(doctor("doctor", "--help").stdout.replace("│", " ").split())
    assert ", ".join(_names()) in shown


def test_a_check_that_fails_or_hangs_is_a_finding_and_stops_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    is_over = threading.Event()

    async def never(_: CliEnvironment) -> list[Finding]:
        await asyncio.Event().wait()
        return []

    def raises(_: CliEnvironment) -> list[Finding]:
        raise ZeroDivisionError("of mongodb://ana:s3cret@db")

    def hangs(_: CliEnvironment) -> list[Finding]:
        is_over.wait(30.0)
        return []

    def works(_: CliEnvironment) -> list[Finding]:
        return [fine("works", "well")]

    for function in (never, raises, hangs, works):
        monkeypatch.setattr(installation, function.__name__, function, raising=False)
    checks = [Check(name, "installation", 0.2) for name in ("never", "raises", "hangs", "works")]
    began = time.monotonic()
    found = asyncio.run(examine(CliEnvironment(environ={}), checks))
    is_over.set()
    assert [(each.name, each.state.value) for each in found] == [
        ("never", "wrong"), ("raises", "wrong"), ("hangs", "wrong"), ("works", "ok")
    ]  # fmt: skip
    assert "ZeroDivisionError: of mongodb://********@db" in found[1].found
    assert time.monotonic() - began < 20


def test_secrets_and_what_others_wrote_are_not_passed_on(doctor: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        installation, "python", lambda _: [wrong("python", "the t0psecret \x1b[31mone\n two", "use t0psecret")]
    )
    row = look(doctor, "python", DATEFLICKS_CLIENT_TOKEN="t0psecret")[0]
    assert row["found"] == "the ******** [31mone two"
    assert row["fix"] == "use ********"


def test_every_check_has_a_function_of_its_name() -> None:
    assert len({check.name for check in CHECKS}) == len(CHECKS)
    assert all(callable(examining._function(check)) for check in CHECKS)
