"""`dateflicks config`: one key changed with all around it kept, every mistake with its line, edits that last."""

import json
import os
import stat
import tomllib
from pathlib import Path

import jsonschema_rs
import pytest

from dateflicks.cli.commands.config import SERVICES
from dateflicks.cli.editing import blank
from dateflicks.cli.exits import Exit
from dateflicks.settings import loader, writing
from dateflicks.settings.checking import line_of, mistakes_of_text
from dateflicks.settings.errors import SettingsError
from dateflicks.settings.models import model_text
from dateflicks.settings.schema import schema_of
from tests.cli.conftest import Cli

FILE = """\
# What I like.
gentle = true   # for the neighbours
player = "mpv"

[consent]
# Ask me first.
seek = "ask"
"""


@pytest.fixture
def folder(cli: Cli, tmp_path: Path) -> Path:
    """The only folder of settings files, with one in it."""
    folder = tmp_path / "settings"
    folder.mkdir()
    (folder / "client.toml").write_text(FILE, encoding="utf-8")
    cli.variables["DATEFLICKS_SETTINGS"] = str(folder)
    return folder


def text_of(folder: Path, service: str = "client") -> str:
    return (folder / f"{service}.toml").read_text(encoding="utf-8")


def test_the_help_names_every_service_that_has_settings(cli: Cli) -> None:
    assert tuple(loader.SERVICES) == SERVICES
    shown = " ".join(cli("config", "model", "--help").stdout.split())
    assert all(name in shown for name in SERVICES)


# --- one key --------------------------------------------------------------------------------------------------------


def test_a_key_is_read_as_it_is_typed(cli: Cli, folder: Path) -> None:
    assert cli("config", "get", "client.gentle").stdout == "true\n"
    assert cli("config", "get", "client.films").stdout == "[]\n"
    assert cli("config", "get", "client.tui.theme").stdout == "dateflicks-dark\n"
    assert cli("config", "get", "client.consent").stdout.splitlines()[3] == "client.consent.seek\task"
    row = json.loads(cli("config", "get", "client.gentle", "--json").stdout)
    assert row == {"key": "client.gentle", "value": True, "origin": str(folder / "client.toml")}


def test_a_changed_key_leaves_all_else_as_it_was(cli: Cli, folder: Path) -> None:
    assert cli("config", "set", "client.gentle", "false").exit_code == 0
    assert cli("config", "set", "client.consent.seek", "free").exit_code == 0
    assert text_of(folder) == FILE.replace("true", "false").replace('"ask"', '"free"')
    done = cli.json("config", "set", "client.consent.play", "ask")
    assert done == {"key": "client.consent.play", "value": "ask", "file": str(folder / "client.toml")}
    assert cli("config", "unset", "client.consent.play").exit_code == 0
    assert tomllib.loads(text_of(folder))["consent"] == {"seek": "free"}


def test_what_was_read_can_be_typed_again(cli: Cli, folder: Path) -> None:
    for key, value in (("films", '["/films", "/a, b"]'), ("trim_seconds", "0.25"), ("tui.theme", "nord")):
        assert cli("config", "set", f"client.{key}", value).exit_code == 0
        assert cli("config", "get", f"client.{key}").stdout == f"{value}\n"
    assert cli("config", "set", "client.films", "/one,/two").exit_code == 0
    assert tomllib.loads(text_of(folder))["films"] == ["/one", "/two"]


def test_a_key_of_the_terminal_client_is_moved_and_one_that_cannot_be_is_refused(cli: Cli, folder: Path) -> None:
    assert cli("config", "set", "client.keys.leave", "ctrl+l").exit_code == 0
    assert cli("config", "get", "client.keys.leave").stdout == "ctrl+l\n"
    assert ["^l", "leave"] in [line.split()[:2] for line in cli("help", "keys").stdout.splitlines()]
    for name, key, words in (("leave", "ctrl+m", "same as enter"), ("leeve", "x", "Did you mean 'leave'?")):
        refused = cli("config", "set", f"client.keys.{name}", key)
        assert (refused.exit_code, words in refused.stderr) == (Exit.USAGE, True)
    assert cli("config", "unset", "client.keys.leave").exit_code == 0
    assert cli("config", "get", "client.keys.leave").exit_code == Exit.NOT_FOUND


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("get", "client.gentel"), "Did you mean 'client.gentle'?"),
        (("get", "gentle"), "Did you mean 'client.gentle'?"),
        (("set", "clint.gentle", "true"), "Did you mean 'client.gentle'?"),
        (("get", "client.timeout"), "Did you mean 'client.timeout_seconds'?"),
        (("get", "client.nonsense"), "See all with 'dateflicks config show'."),
        (("unset", "client.gentel"), "Did you mean 'client.gentle'?"),
        (("set", "client.player", "mpvv"), "Did you mean 'mpv'?"),
        (("set", "client.films", "[1"), "is not TOML"),
        (("set", "client.server", "a\x1b[2Jb"), "is no address"),
        (("set", "client.films", "/films/\udcff"), "is no UTF-8"),
        (("set", "client.keys.", "x"), "no setting"),
        (("edit", "--no-input"), "dateflicks config set KEY VALUE"),
        (("set", "recommendation.experiments.one", "x"), "config edit recommendation"),
        (("path", "clint"), "Did you mean 'client'?"),
    ],
)
def test_a_slip_is_told_with_what_was_meant_and_changes_nothing(
    words: tuple[str, ...], told: str, cli: Cli, folder: Path
) -> None:
    result = cli("config", *words)
    assert (result.exit_code, result.stdout) == (Exit.USAGE, "")
    assert told in result.stderr
    assert text_of(folder) == FILE
    assert len(list(folder.iterdir())) == 1


def test_a_secret_is_read_from_stdin_kept_for_its_owner_and_never_shown(cli: Cli, folder: Path) -> None:
    refused = cli("config", "set", "all.mongo.uri", "mongodb://ana:s3cret@db/")
    assert (refused.exit_code, "config set all.mongo.uri -" in refused.stderr) == (Exit.USAGE, True)
    done = cli("config", "set", "all.mongo.uri", "-", keys="mongodb://ana:s3cret@db/\n")
    assert done.exit_code == 0
    assert "s3cret" in text_of(folder, "all")
    assert stat.S_IMODE((folder / "all.toml").stat().st_mode) == 0o600
    assert "s3cret" not in done.output + cli("config", "get", "all.mongo.uri").output
    assert cli("config", "set", "all.mongo.uri", "embedded").exit_code == 0  # there is nothing to hide


def test_a_variable_that_wins_over_the_changed_file_is_named(cli: Cli, folder: Path) -> None:
    result = cli("config", "set", "client.gentle", "false", DATEFLICKS_CLIENT_GENTLE="true")
    assert (result.exit_code, "DATEFLICKS_CLIENT_GENTLE is set" in result.stderr) == (0, True)


def test_without_a_file_the_users_own_is_made(cli: Cli) -> None:
    done = cli.json("config", "set", "timecode.confirm_seconds", "7")
    path = Path(done["file"])
    assert path.name == "timecode.toml"
    assert path.is_relative_to(os.environ["XDG_CONFIG_HOME"])
    assert cli("config", "get", "timecode.confirm_seconds").stdout == "7.0\n"
    assert cli("config", "path", "timecode").stdout == f"{path}\n"
    assert "No settings file" in cli("config", "unset", "timecode.band_seconds").stderr


# --- mistakes -------------------------------------------------------------------------------------------------------


def test_every_mistake_has_its_file_its_line_and_what_was_meant(cli: Cli, folder: Path) -> None:
    wrong = 'gentel = true\n\n[tui]\ntheme = "nord"\nemoji = "some"\n[consnet]\nplay = "ask"\n'
    (folder / "client.toml").write_text(wrong, encoding="utf-8")
    (folder / "clients.toml").write_text("", encoding="utf-8")
    result = cli("config", "validate", "-o", "jsonl", DATEFLICKS_TIMECODE_WAIT_SECOND="3")
    assert result.exit_code == Exit.PROBLEMS
    found = [json.loads(line) for line in result.stdout.splitlines()]
    client = str(folder / "client.toml")
    assert [(one["file"], one["line"], one["suggestion"]) for one in found] == [
        (str(folder / "clients.toml"), None, "client.toml"),
        ("DATEFLICKS_TIMECODE_WAIT_SECOND", None, "DATEFLICKS_TIMECODE_WAIT_SECONDS"),
        (client, 1, "gentle"),
        (client, 5, "simple"),
        (client, 6, "consent"),
    ]  # fmt: skip
    lines = cli("config", "validate", "-o", "table").stdout.splitlines()
    assert f"{client}:1: gentel: no such key. Did you mean 'gentle'?" in lines
    assert cli("config", "unset", "client.gentel").exit_code == 0  # a mistake can be taken out


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("gentle = true\nplayer = \n", 2, "is not TOML"),
        ("gentle = 3\n", 1, "must be"),
        ("\ntui = 1\n", 2, "is a section"),
        ('[keys]\nleave = "ctrl+m"\n', 2, "same as enter"),
        ('server = "ftp://x"\n', 1, "is no address"),
        ("a = " + "[" * 5000, None, "is not TOML"),
    ],
)
def test_a_file_is_checked_by_its_name_alone(text: str, line: int | None, words: str, cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "client.toml"
    path.write_text(text, encoding="utf-8")
    result = cli("config", "validate", str(path), "--json")
    (found,) = json.loads(result.stdout)
    assert (result.exit_code, found["line"], words in found["problem"]) == (Exit.PROBLEMS, line, True)


def test_files_that_are_in_order_are_said_to_be(cli: Cli, folder: Path, tmp_path: Path) -> None:
    result = cli("config", "validate")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "The settings file is in order.\n")
    (folder / "all.toml").write_bytes(b"\xff\xfe")
    assert "not UTF-8" in cli("config", "validate").stdout
    assert cli("config", "validate", str(tmp_path / "other.toml")).exit_code == Exit.USAGE
    assert cli("config", "validate", str(tmp_path / "all.toml")).exit_code == Exit.NOT_FOUND


def test_lines_are_found_in_every_way_to_write_a_key() -> None:
    text = 'a = """\n[b]\nc = 1\n"""\n[ "b" ]\nc.d = 1\n\'e\' = { f = 1 }\n'
    assert [line_of(text, name) for name in ("a", "b", "b.c.d", "b.e", "b.e.f", "z")] == [1, 5, 6, 7, 7, None]
    assert line_of("zz = [\n[" + " " * 30_000 + "\n]]\nd = 1\n", "d") == 4  # within the time of a test


@pytest.mark.parametrize("service", SERVICES)
def test_what_an_edit_begins_with_sets_nothing_and_is_in_order(service: str) -> None:
    begun = blank(service)
    assert mistakes_of_text(begun, "new", service) == []
    leaves = [value for value in tomllib.loads(begun).values() if value and not isinstance(value, dict)]
    assert leaves == []


@pytest.mark.parametrize("service", SERVICES)
def test_the_schema_takes_the_model_file_and_nothing_unknown(service: str, cli: Cli) -> None:
    schema = json.loads(cli("config", "schema", service).stdout)
    assert schema == schema_of(service)
    validator = jsonschema_rs.validator_for(schema)
    model = tomllib.loads(model_text(service))
    validator.validate(model)
    assert not validator.is_valid({**model, "nothing": 1})
    if service == "client":
        assert not validator.is_valid({"player": "mpvv"})
        assert schema["properties"]["gentle"]["description"].startswith("Smaller speed changes")


# --- edits ----------------------------------------------------------------------------------------------------------


def editor(folder: Path, *lines: str) -> str:
    """An editor that does the same each time."""
    path = folder.parent / "editor"
    path.write_text("\n".join(["#!/bin/sh", *lines]), encoding="utf-8")
    path.chmod(0o755)
    return str(path)


def test_an_edit_that_is_in_order_is_put_in_place(cli: Cli, folder: Path) -> None:
    result = cli("config", "edit", VISUAL=editor(folder, 'sed -i s/true/false/ "$1"'), EDITOR="/nowhere")
    assert (result.exit_code, str(folder / "client.toml") in result.stderr) == (0, True)
    assert text_of(folder) == FILE.replace("true", "false")
    assert cli("config", "edit", EDITOR="true").stderr == "Nothing was changed.\n"
    assert [path.name for path in folder.iterdir()] == ["client.toml"]


def test_what_was_typed_is_kept_until_it_is_in_order(cli: Cli, folder: Path) -> None:
    spoil = editor(folder, 'printf "gentel = true\\n" > "$1"')
    result = cli("config", "edit", EDITOR=spoil)
    draft = folder / "client.toml.edited"
    assert result.exit_code == Exit.PROBLEMS
    assert f"{draft}:1: gentel: no such key. Did you mean 'gentle'?" in result.stderr
    assert (text_of(folder), draft.read_text(encoding="utf-8")) == (FILE, "gentel = true\n")
    mend = editor(folder, 'sed -i s/gentel/gentle/ "$1"')
    assert cli("config", "edit", EDITOR=mend).exit_code == 0
    assert (text_of(folder), draft.exists()) == ("gentle = true\n", False)


def test_what_was_typed_is_kept_where_it_could_not_be_put_in_place(
    cli: Cli, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, write = folder / "client.toml", writing.replace_file

    def full(to: Path, text: str) -> None:
        if to == path:
            raise SettingsError(str(to), "", "cannot be written: No space left on device")
        write(to, text)

    monkeypatch.setattr(writing, "replace_file", full)
    result = cli("config", "edit", EDITOR=editor(folder, 'sed -i s/true/false/ "$1"'))
    assert (result.exit_code, "No space left" in result.stderr) == (Exit.USAGE, True)
    draft = folder / "client.toml.edited"
    assert (text_of(folder), draft.read_text(encoding="utf-8")) == (FILE, FILE.replace("true", "false"))
    monkeypatch.setattr(writing, "replace_file", write)
    assert cli("config", "edit", EDITOR="true").exit_code == 0
    assert (text_of(folder), draft.exists()) == (FILE.replace("true", "false"), False)


def test_what_is_no_utf8_can_be_mended_in_the_editor(cli: Cli, folder: Path) -> None:
    path = folder / "client.toml"
    path.write_bytes(b"# caf\xe9\n" + FILE.encode())
    result = cli("config", "edit", EDITOR="true")
    assert (result.exit_code, "client.toml.edited" in result.stderr) == (Exit.PROBLEMS, True)
    assert cli("config", "edit", EDITOR=editor(folder, 'sed -i 1d "$1"')).exit_code == 0
    assert text_of(folder) == FILE
    assert [one.name for one in folder.iterdir()] == ["client.toml"]


def test_without_a_terminal_no_editor_is_opened_that_nobody_has_named(cli: Cli, folder: Path) -> None:
    result = cli("config", "edit", PATH=str(Path(editor(folder, "touch opened")).parent))
    assert (result.exit_code, result.stdout) == (Exit.USAGE, "")
    assert "needs a terminal" in result.stderr
    assert "dateflicks config set KEY VALUE" in result.stderr
    assert [path.name for path in folder.iterdir()] == ["client.toml"]


def test_an_editor_that_fails_changes_nothing(cli: Cli, folder: Path) -> None:
    for words in ("false", "/nowhere/vi -u", "'"):
        result = cli("config", "edit", "timecode", EDITOR=words)
        assert (result.exit_code, result.stdout) == (Exit.FAILED, "")
        assert [path.name for path in folder.iterdir()] == ["client.toml"]
