"""`dateflicks serve units`: units that systemd takes, whose commands exist and do what they are there for."""

import configparser
import os
import re
import shlex
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from dateflicks.cli.units import UNITS
from dateflicks.server.supervised import tell_supervisor
from tests.cli.conftest import Cli
from tests.conftest import require

SERVICES = [name for name in UNITS if name.endswith(".service")]


class Unit(dict[str, list[str]]):
    """The keys of a unit, each with all its values."""

    def __init__(self, text: str) -> None:
        for line in text.splitlines():
            name, is_key, value = line.partition("=")
            if is_key and not line.startswith("#"):
                self.setdefault(name, []).append(value)

    def commands(self) -> list[list[str]]:
        """The words of `dateflicks` that it runs, whatever is around them."""
        found = []
        for key in ("ExecStart", "ExecStartPost", "ExecReload"):
            for value in self.get(key, []):
                words = shlex.split(value)
                words = shlex.split(words[2]) if words[:2] == ["/bin/sh", "-c"] else words
                if "dateflicks" in words:
                    found.append(words[words.index("dateflicks") + 1 :])
        return found


@pytest.fixture
def written(cli: Cli, tmp_path: Path) -> Path:
    result = cli("serve", "units", "--into", str(tmp_path / "units"), "--program", sys.executable)
    assert result.exit_code == 0
    assert "systemctl enable --now dateflicks" in result.stderr
    return tmp_path / "units"


def test_all_of_them_are_printed_and_read_as_units(cli: Cli) -> None:
    printed = cli("serve", "units", "--program", "/opt/dateflicks/bin/python").stdout
    assert [line.split()[2] for line in printed.splitlines() if line.startswith("# --- ")] == list(UNITS)
    assert re.search(r"@[A-Z]+@", printed) is None
    for part in printed.split("# --- ")[1:]:
        parser = configparser.RawConfigParser(strict=False, allow_no_value=False)
        parser.read_string(part.partition("\n")[2])
        assert {"Unit"} < set(parser.sections()) <= {"Unit", "Service", "Timer", "Install"}


def test_nobody_has_more_rights_than_the_work_needs(written: Path) -> None:
    for name in SERVICES:
        unit = Unit((written / name).read_text())
        assert unit["DynamicUser"] == ["yes"]
        assert unit["NoNewPrivileges"] == unit["PrivateTmp"] == unit["PrivateDevices"] == ["yes"]
        assert unit["ProtectSystem"] == ["strict"]
        assert unit["StateDirectory"][0].split()[0] == "dateflicks"
        assert unit["CapabilityBoundingSet"] in ([""], ["CAP_NET_BIND_SERVICE"])


def test_systemd_has_nothing_against_them(written: Path) -> None:
    require("systemd-analyze")
    ended = subprocess.run(
        ["systemd-analyze", "verify", *(written / name for name in UNITS)],
        capture_output=True, text=True, timeout=50, check=False,
    )  # fmt: skip
    about_ours = [line for line in ended.stderr.splitlines() if "dateflicks" in line]
    assert (ended.returncode, about_ours) == (0, [])


@pytest.mark.parametrize("name", SERVICES)
def test_each_command_in_them_is_one_of_ours(cli: Cli, written: Path, tmp_path: Path, name: str) -> None:
    (words,) = Unit((written / name).read_text()).commands()
    assert words[:2] == ["--settings", "/etc/dateflicks"]
    result = cli("--settings", str(tmp_path), *words[2:], "--help")
    assert result.exit_code == 0
    assert "Usage:" in result.stdout


def test_the_backup_makes_one_and_old_ones_go(cli: Cli, written: Path, tmp_path: Path) -> None:
    """The unit's own line, by the shell that it names, with a program that notes what it is asked."""
    state, program = tmp_path / "state", tmp_path / "program"
    (state / "dateflicks-backup").mkdir(parents=True)
    program.write_text('#!/bin/sh\necho "$@"\nwhile [ "$1" != backup ]; do shift; done\necho whole > "$2"\n')
    program.chmod(0o755)
    cli("serve", "units", "--into", str(written), "--program", str(program), "--yes")
    unit = Unit((written / "dateflicks-backup.service").read_text())
    old = state / "dateflicks-backup" / "old.dfb"
    old.write_text("old")
    os.utime(old, (0, 0))
    for key in ("ExecStart", "ExecStartPost"):
        (line,) = unit[key]
        words = shlex.split(line.replace("%%", "\0").replace("%S", str(state)).replace("\0", "%"))
        subprocess.run(words, check=True, timeout=50, stdout=subprocess.DEVNULL)
    (made,) = (state / "dateflicks-backup").iterdir()
    assert made.read_text() == "whole\n"


def test_an_account_and_a_folder_of_settings_can_be_chosen(cli: Cli) -> None:
    printed = cli("serve", "units", "--user", "films", "--config", "/srv/films/settings").stdout
    unit = Unit(printed)
    assert unit["User"] == ["films"] * len(SERVICES)
    assert "DynamicUser" not in unit
    assert "--settings /srv/films/settings serve all" in unit["ExecStart"][0]
    assert "ConfigurationDirectory" not in unit


@pytest.mark.parametrize(
    "words",
    [
        ("--user", "films\nExecStart=/bin/evil"),
        ("--user", "-films"),
        ("--user", ""),
        ("--config", "/etc/$HOME"),
        ("--config", "/etc/two words"),
        ("--program", "/opt/%h/python"),
        ("--program", "/opt/python; rm"),
    ],
)
def test_what_would_mean_something_else_in_a_unit_is_refused(cli: Cli, words: tuple[str, str]) -> None:
    result = cli("serve", "units", *words)
    assert result.exit_code == 2
    assert words[0] in result.stderr
    assert result.stdout == ""


def test_a_program_in_a_home_is_told_for_no_other_account_can_run_it(cli: Cli) -> None:
    result = cli("serve", "units", "--program", "/home/ana/.venv/bin/python")
    assert "ProtectHome=read-only" in result.stdout
    assert "python3 -m venv /opt/dateflicks" in result.stderr


def test_a_program_elsewhere_is_not_taken_for_one_in_a_home(cli: Cli) -> None:
    assert "home" not in cli("serve", "units", "--program", "/opt/dateflicks/bin/python").stderr


def test_what_was_changed_there_is_not_replaced_without_a_yes(cli: Cli, written: Path) -> None:
    unit = written / UNITS[0]
    flags = ("serve", "units", "--into", str(written), "--program", sys.executable)
    assert "as it was" in cli(*flags).stdout
    unit.write_text("changed by hand")
    assert cli(*flags).exit_code == 2
    assert unit.read_text() == "changed by hand"
    assert cli(*flags, "--yes").exit_code == 0
    assert "[Service]" in unit.read_text()


def test_a_folder_that_cannot_be_had_is_said(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    result = cli("serve", "units", "--into", str(tmp_path / "file" / "below"))
    assert result.exit_code == 1
    assert "cannot be written" in result.stderr


def test_the_compose_file_is_the_one_that_lies_beside(cli: Cli, tmp_path: Path) -> None:
    root = Path(__file__).parents[2]
    assert cli("serve", "units", "--compose").stdout == (root / "compose.yaml").read_text()
    assert cli("serve", "units", "--compose", "--into", str(tmp_path)).exit_code == 0
    assert (tmp_path / "Containerfile").read_text() == (root / "Containerfile").read_text()


@pytest.mark.parametrize("is_abstract", [False, True])
def test_whoever_started_the_services_is_told_that_they_serve(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_abstract: bool
) -> None:
    name = f"@{tmp_path}" if is_abstract else str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard:
        heard.bind(name.replace("@", "\0"))
        heard.settimeout(30)
        monkeypatch.setenv("NOTIFY_SOCKET", name)
        tell_supervisor("READY=1")
        assert heard.recv(100) == b"READY=1"
    tell_supervisor("nobody is there any more")
    monkeypatch.setenv("NOTIFY_SOCKET", "vsock:2:1234")
    tell_supervisor("what nobody here speaks")
