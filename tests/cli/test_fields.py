"""Completion of `--fields`: the names of what a command shows, without running it or asking anybody."""

from pathlib import Path
from typing import Final

import pytest
from typer.testing import CliRunner

from dateflicks.cli.fields import SHOWN, names_for, offered
from dateflicks.cli.main import app
from dateflicks.cli.manual import pages
from tests.cli import test_completion
from tests.cli.conftest import Cli
from tests.cli.test_completion import in_shell
from tests.conftest import require
from tests.scripted_server import ScriptedServer, session_json

# They write sentences, texts of their own, or nothing.
SILENT: Final = {
    "api schema", "chat react", "chat send", "completion show", "config edit", "config model", "config schema", "demo",
    "friends remove", "help", "host", "jobs pause", "jobs resume", "jobs start", "join", "lobby", "login", "logout",
    "passwd", "recommenders prior remove", "register", "serve all", "serve messages", "serve prediction",
    "serve recommendation", "serve session", "serve timecode", "serve videos", "serve web", "users export", "watch",
}  # fmt: skip


def test_each_command_that_shows_records_has_names_to_offer() -> None:
    commands = {" ".join(page.words) for page in pages() if page.words and not page.is_group}
    assert set(SHOWN) == commands - SILENT, "say in cli/fields.py what the command shows, or here that it shows nothing"
    assert [command for command in SHOWN if not names_for(command.split())] == []


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("session list --fields start", ["start_time"]),
        ("session --fields start", ["start_time"]),
        ("recs --fields fi", ["fit", "fits"]),
        ("--json session list --status live --fields id,host_n", ["id,host_name"]),
        ("session list --fields id,i", ["id,is_accepted", "id,invitation"]),
        ("session list --fields vid", ["video", "video_id"]),
        ("session list --fields video.t", ["video.title"]),
        ("users disable ana --fields sign", ["sign_ins"]),
        ("recommenders prior list --fields with", ["with_ids"]),
        ("friends remove bea --fields n", []),
        ("--fields n", []),
        ("nosuch list --fields n", []),
    ],
)
def test_what_a_command_shows_is_offered(typed: str, found: list[str], cli: Cli, server: ScriptedServer) -> None:
    assert sorted(test_completion.offered(cli, f"dateflicks {typed}")) == sorted(found)
    assert server.asked == []


def test_what_is_offered_may_be_asked_for_though_nothing_of_it_was_sent(cli: Cli, server: ScriptedServer) -> None:
    cli.sign_in()
    server.on("GET", "/sessions", {"items": [session_json()], "next": None})
    for name in names_for(["session", "list"]):
        found = cli("session", "list", "-o", "jsonl", "--fields", name)
        assert (found.exit_code, name in found.stdout) == (0, True), found.stderr
    assert cli("session", "list", "--fields", "nosuch").exit_code == 2


def test_a_field_is_offered_once() -> None:
    assert "id" not in offered(["session", "list"], "state,id,")
    assert "state,id,host_name" in offered(["session", "list"], "state,id,")


@pytest.mark.parametrize("shell", ["bash", "fish"])
def test_shells_offer_them(shell: str, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    require(shell)
    monkeypatch.delenv("XDG_CONFIG_HOME")
    assert cli("completion", "install", shell).exit_code == 0
    line = "dateflicks session list --fields id,host_n"
    scripts = {
        "bash": f"source ~/.bashrc; COMP_WORDS=({line}); COMP_CWORD=4; _dateflicks_completion dateflicks;"
        " printf '%s\\n' \"${COMPREPLY[@]}\"",
        "fish": f'complete -C "{line}"',
    }
    found = in_shell(Path.home(), shell, *(["--norc"] if shell == "bash" else []), "-c", scripts[shell])
    assert [one.split("\t")[0] for one in found] == ["id,host_name"]


def test_zsh_is_offered_them(cli: Cli) -> None:
    environ = {"_TYPER_COMPLETE_ARGS": "dateflicks session list --fields id,host_n"}
    done = CliRunner(env={"_DATEFLICKS_COMPLETE": "complete_zsh", **environ}).invoke(app, [], prog_name="dateflicks")
    assert '"id,host_name"' in done.stdout
