"""Completion: what the shells are given, what they offer, and what is remembered for it."""

import json
import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest
from typer.testing import CliRunner

from dateflicks.cli.commands.completion import READS_IT, Shell
from dateflicks.cli.completing import PEOPLE_MAX, remember
from dateflicks.cli.environment import CliEnvironment
from dateflicks.cli.main import app
from dateflicks.protocol.bodies import SessionBody
from tests.cli.conftest import Cli
from tests.conftest import require
from tests.scripted_server import Answer, ScriptedServer, session_json

A = "ses_" + "a" * 26
B = "ses_" + "b" * 26
BINARIES = Path(sys.executable).parent


def offered(cli: Cli, words: str, **variables: str) -> list[str]:
    """What bash would offer after these words, the last of which is not complete yet."""
    environ = {
        "_DATEFLICKS_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": str(len(words.split(" ")) - 1),
        "DATEFLICKS_HOME": str(cli.home), "DATEFLICKS_CLIENT_SERVER": cli.server.url, **variables,
    }  # fmt: skip
    result = CliRunner(env=environ).invoke(app, [], prog_name="dateflicks")
    assert (result.exit_code, result.stderr) == (0, "")
    return result.stdout.split()


def in_shell(home: Path, *command: str) -> list[str]:
    environ = {**os.environ, "HOME": str(home), "PATH": f"{BINARIES}:{os.environ['PATH']}"}
    done = subprocess.run(command, capture_output=True, text=True, env=environ, timeout=30, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()


# --- the scripts ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shell", Shell)
def test_the_script_that_is_installed_is_the_one_that_is_shown(shell: Shell, cli: Cli) -> None:
    installed = cli("completion", "install", shell.value)
    assert installed.exit_code == 0
    assert "started from now on" in installed.stderr
    file = Path(installed.stdout.split("\t")[0])
    shown = cli("completion", "show", shell.value).stdout
    assert file.read_text(encoding="utf-8") == shown
    assert "_DATEFLICKS_COMPLETE" in shown


@pytest.mark.parametrize("shell", READS_IT)
def test_what_the_shell_reads_first_is_kept_and_gets_its_line_once(shell: Shell, cli: Cli) -> None:
    file = Path(READS_IT[shell]).expanduser()
    file.write_text("alias ll='ls -l'\n\n\n", encoding="utf-8")
    assert cli("completion", "install", shell.value).exit_code == 0
    once = file.read_text(encoding="utf-8")
    assert once.startswith("alias ll='ls -l'\n")
    assert len(once) > 30
    assert cli("completion", "install", shell.value).exit_code == 0
    assert file.read_text(encoding="utf-8") == once


def test_zsh_is_told_where_it_looks_for_its_settings(cli: Cli, tmp_path: Path) -> None:
    require("zsh")
    folder = tmp_path / "zsh"
    folder.mkdir()
    (folder / ".zshrc").write_text("# mine", encoding="utf-8")
    installed = cli("completion", "install", "zsh", "--json", ZDOTDIR=str(folder))
    assert json.loads(installed.stdout)["read_by"] == str(folder / ".zshrc")
    assert not (Path.home() / ".zshrc").exists()
    assert (folder / ".zshrc").read_text(encoding="utf-8").splitlines()[0] == "# mine"
    found = in_shell(Path.home(), "zsh", "-c", f"ZDOTDIR={folder} zsh -i -c 'echo $_comps[dateflicks]' 2>&1")
    assert found[-1] == "_dateflicks"


def test_a_file_that_is_no_text_is_left_as_it_is(cli: Cli) -> None:
    file = Path.home() / ".bashrc"
    file.write_bytes(b"\xff\xfe")
    result = cli("completion", "install", "bash")
    assert (result.exit_code, result.stdout, file.read_bytes()) == (1, "", b"\xff\xfe")
    assert "could not be installed" in result.stderr


def test_a_home_that_cannot_be_written_is_told(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("HOME", str(tmp_path / "file"))
    result = cli("completion", "install", "fish")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "dateflicks completion show fish" in result.stderr


def test_a_shell_that_nobody_knows_is_a_usage_error(cli: Cli) -> None:
    result = cli("completion", "install", "tcsh")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "'bash', 'zsh'" in result.stderr


def test_bash_completes_by_it(cli: Cli) -> None:
    assert cli("completion", "install", "bash").exit_code == 0
    script = (
        "source ~/.bashrc; complete -p dateflicks; COMP_WORDS=(dateflicks session li); COMP_CWORD=2;"
        " _dateflicks_completion dateflicks; printf '%s\\n' \"${COMPREPLY[@]}\""
    )
    lines = in_shell(Path.home(), "bash", "--norc", "-c", script)
    assert lines == ["complete -o default -F _dateflicks_completion dateflicks", "list"]


@pytest.mark.parametrize("variable", ["", "XDG_CONFIG_HOME"])
def test_fish_completes_by_it(variable: str, cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    require("fish")
    monkeypatch.delenv("XDG_CONFIG_HOME")
    if variable:
        monkeypatch.setenv(variable, str(tmp_path / "elsewhere"))
        cli.variables[variable] = str(tmp_path / "elsewhere")
    assert cli("completion", "install", "fish").exit_code == 0
    assert in_shell(Path.home(), "fish", "-c", 'complete -C "dateflicks session li"')[0].split("\t")[0] == "list"


def test_zsh_reads_it(cli: Cli, tmp_path: Path) -> None:
    require("zsh")
    script = tmp_path / "_dateflicks"
    script.write_text(cli("completion", "show", "zsh").stdout, encoding="utf-8")
    assert in_shell(tmp_path, "zsh", "-f", "-n", str(script)) == []


# --- what is offered --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "some"),
    [
        ("dateflicks se", {"session", "serve"}),
        ("dateflicks session ", {"list", "create"}),
        ("dateflicks --json session li", {"list"}),
        ("dateflicks session list --", {"--state", "--json", "--output", "--server"}),
        ("dateflicks session list -o ", {"table", "json", "jsonl", "plain"}),
        ("dateflicks session list --color ", {"auto", "always", "never"}),
        ("dateflicks host --player m", {"mpv", "manual"}),
        ("dateflicks completion show ", {"bash", "zsh", "fish"}),
        ("dateflicks api schema ", {"all", "session"}),
        ("dateflicks help ", {"exit-codes", "output"}),
        ("dateflicks config get cl", {"client."}),
        ("dateflicks config set client.t", {"client.token", "client.tui.theme"}),
        ("dateflicks session list --status pending,e", {"pending,ended"}),
        ("dateflicks serve all --only session,m", {"session,messages"}),
    ],
)
def test_what_may_come_next_is_offered(words: str, some: set[str], cli: Cli) -> None:
    assert some <= set(offered(cli, words))


@pytest.mark.parametrize(
    "words",
    ["dateflicks nosuch verb ", "dateflicks session list --nosuch x ", "dateflicks host 'unclosed ", "dateflicks -"],
)
def test_nothing_that_is_typed_makes_it_complain(words: str, cli: Cli) -> None:
    assert "Traceback" not in " ".join(offered(cli, words))


def test_sessions_and_people_are_offered_once_they_were_seen(cli: Cli, server: ScriptedServer) -> None:
    assert offered(cli, "dateflicks session show ") == []
    cli.sign_in()
    one, other = session_json(id=A), session_json(id=B, guestName="cyd")
    server.on("GET", "/sessions", {"items": [one, other], "next": None})
    assert cli("session", "list").exit_code == 0
    asked = len(server.asked)
    assert offered(cli, "dateflicks session show ") == [one["id"], other["id"]]
    assert offered(cli, "dateflicks chat tail ses_b") == [other["id"]]
    assert offered(cli, "dateflicks watch bb") == [other["id"].removeprefix("ses_")]
    assert {"bea", "cyd"} <= set(offered(cli, "dateflicks host film.mkv --guest "))
    assert offered(cli, "dateflicks recommendations list --with c") == ["cyd"]
    assert offered(cli, "dateflicks --server http://127.0.0.1:1 session show ") == []
    assert len(server.asked) == asked
    assert stat.S_IMODE((cli.home / "completion.json").stat().st_mode) == 0o600


def test_what_was_seen_is_forgotten_with_the_sign_in(cli: Cli, server: ScriptedServer) -> None:
    cli.sign_in()
    server.on("GET", "/sessions", {"items": [session_json(id=A)], "next": None})
    server.on("DELETE", "/tokens/current", Answer(204))
    assert cli("session", "list").exit_code == 0
    assert offered(cli, "dateflicks session show ") != []
    assert cli("logout").exit_code == 0
    assert offered(cli, "dateflicks session show ") == []


@pytest.mark.parametrize("content", ["", "{", "[]", '{"http://x": 3}', '{"SERVER": {"sessions": [1], "people": {}}}'])
def test_a_file_that_makes_no_sense_offers_nothing_and_is_replaced(
    content: str, cli: Cli, server: ScriptedServer
) -> None:
    cli.sign_in()
    (cli.home / "completion.json").write_text(content.replace("SERVER", server.url), encoding="utf-8")
    assert offered(cli, "dateflicks session show ") == []
    server.on("GET", "/sessions", {"items": [session_json(id=A)], "next": None})
    assert cli("session", "list").exit_code == 0
    assert offered(cli, "dateflicks session show ") == [A]


def test_settings_that_are_wrong_offer_nothing_and_say_nothing(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "settings").mkdir()
    (tmp_path / "settings" / "client.toml").write_text("gentel = true\n", encoding="utf-8")
    assert offered(cli, "dateflicks session show ") == []


def test_a_name_or_a_title_cannot_run_anything_in_the_shell(cli: Cli, tmp_path: Path) -> None:
    environment = CliEnvironment(environ={"DATEFLICKS_HOME": str(cli.home), "DATEFLICKS_CLIENT_SERVER": cli.server.url})
    remember(environment, [made(title="$(touch gotcha) `touch gotcha` \"'; touch gotcha")], ["$(touch gotcha)", "ok"])
    assert set(offered(cli, "dateflicks host film.mkv --guest ")) == {"ana", "bea", "ok"}
    words = "dateflicks session show "
    zsh = {"_DATEFLICKS_COMPLETE": "complete_zsh", "_TYPER_COMPLETE_ARGS": words, **environment.environ}
    told = CliRunner(env=zsh).invoke(app, [], prog_name="dateflicks").stdout
    assert "touch gotcha" in told
    assert not set("$`;") & set(told)
    assert told.count('"') == 4


def test_a_long_title_offers_nothing_beside_the_session(cli: Cli) -> None:
    environment = CliEnvironment(environ={"DATEFLICKS_HOME": str(cli.home), "DATEFLICKS_CLIENT_SERVER": cli.server.url})
    remember(environment, [made(title="and yes to all " * 18)])
    fish = {"_DATEFLICKS_COMPLETE": "complete_fish", "_TYPER_COMPLETE_ARGS": "dateflicks session show "}
    fish |= {"_TYPER_COMPLETE_FISH_ACTION": "get-args", **environment.environ}
    told = CliRunner(env=fish).invoke(app, [], prog_name="dateflicks").stdout
    assert [line.partition("\t")[0] for line in told.splitlines()] == [A]


def test_what_is_remembered_has_an_end(cli: Cli) -> None:
    environment = CliEnvironment(environ={"DATEFLICKS_HOME": str(cli.home), "DATEFLICKS_CLIENT_SERVER": cli.server.url})
    remember(environment, [], [f"person-{number:04}" for number in range(PEOPLE_MAX + 50)])
    assert len(offered(cli, "dateflicks host film.mkv --guest ")) == PEOPLE_MAX


def made(**video: Any) -> SessionBody:
    body = session_json(id=A)
    return msgspec.convert({**body, "video": {**body["video"], **video}}, SessionBody)
