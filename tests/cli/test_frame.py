"""The frame of the command line: help, global options, colours, errors, and what each exit code is for."""

import errno
import json
import sys
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from dateflicks import __version__
from dateflicks.cli.commands.topics import TOPICS, fitted
from dateflicks.cli.environment import CliEnvironment
from dateflicks.cli.exits import MEANINGS, Exit
from dateflicks.cli.failures import CliError, failure_of, nearest
from dateflicks.cli.main import Root, app
from dateflicks.cli.typer_lazy import report
from dateflicks.client import errors
from dateflicks.client.credentials import CredentialsUnreadable
from dateflicks.core.errors import DateflicksError
from dateflicks.server import runner, workers
from dateflicks.settings.errors import SettingsError
from tests.cli.conftest import Cli
from tests.scripted_server import Answer, ScriptedServer


@pytest.mark.parametrize("name", Root.entries)
def test_each_line_of_the_help_is_the_first_line_of_its_command(name: str, cli: Cli) -> None:
    group = typer.main.get_command(app)
    assert isinstance(group, Root)
    context = typer.Context(group)
    command = group.get_command(context, name)
    assert command is not None
    assert command.help is not None
    assert command.help.splitlines()[0].startswith(Root.entries[name].summary)
    assert cli(name, "--help").exit_code == 0


def test_help_lists_every_command_in_its_panel(cli: Cli) -> None:
    result = cli("--help")
    assert (result.exit_code, result.stderr) == (0, "")
    for name, entry in Root.entries.items():
        assert (name in result.stdout.split()) is not entry.is_hidden
        assert entry.panel in result.stdout


@pytest.mark.parametrize("flag", ["-V", "--version"])
def test_the_version_is_told(flag: str, cli: Cli) -> None:
    assert cli(flag).stdout == f"dateflicks {__version__}\n"


def test_nothing_typed_is_a_usage_error_that_shows_the_help(cli: Cli) -> None:
    result = cli()
    assert result.exit_code == 2
    assert "Usage" in result.output


@pytest.mark.parametrize("words", [(), ("serve", "all"), ("session",), ("session", "list"), ("host",), ("demo",)])
def test_the_help_shows_no_value_for_what_takes_none(words: tuple[str, ...], cli: Cli) -> None:
    shown = cli(*words, "--help").stdout
    assert "--help" in shown
    assert "<bool>" not in shown


def test_a_choice_that_is_none_is_told_in_plain_words(cli: Cli) -> None:
    told = cli("--output", "xml", "whoami").stderr
    assert "'xml' is not one of" in told
    assert "Value error" not in told


def test_a_near_miss_is_suggested(cli: Cli) -> None:
    result = cli("sesion", "list")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "Did you mean 'session'?" in result.stderr
    assert "--help" in result.stderr


@pytest.mark.parametrize(
    "words",
    [
        ("--json", "config", "show", "client"),
        ("config", "--json", "show", "client"),
        ("config", "show", "client", "--json"),
        ("config", "show", "--output=json", "client"),
        ("config", "show", "-o", "json", "client"),
    ],
)
def test_global_options_may_stand_anywhere(words: tuple[str, ...], cli: Cli) -> None:
    assert json.loads(cli(*words).stdout)[0]["key"] == "client.server"


def test_words_after_a_double_dash_are_not_options(cli: Cli) -> None:
    result = cli("help", "--", "--json")
    assert result.exit_code == 2
    assert "no topic '--json'" in result.stderr


def test_a_global_option_without_its_value_is_a_usage_error(cli: Cli) -> None:
    result = cli("config", "show", "--output")
    assert result.exit_code == 2
    assert "--output" in result.stderr


def test_a_server_can_be_named_for_one_command(cli: Cli) -> None:
    result = cli("whoami", "--server", "http://127.0.0.1:1/")
    assert (result.exit_code, result.stderr.splitlines()[0]) == (
        4,
        "Error: Nobody is signed in at http://127.0.0.1:1.",
    )
    assert cli("whoami", "--server", "ftp://x").exit_code == 2


def test_quiet_says_only_what_went_wrong(cli: Cli, server: ScriptedServer) -> None:
    cli.sign_in()
    server.on("DELETE", "/tokens/current", Answer(204))
    assert cli("logout", "-q").output == ""
    assert cli("whoami", "-q").stderr.startswith("Error: ")


@pytest.mark.parametrize("topic", TOPICS)
def test_each_topic_is_explained(topic: str, cli: Cli) -> None:
    assert topic in Root.entries["help"].summary
    assert len(cli("help", topic).stdout.splitlines()) > 3


@pytest.mark.parametrize(
    ("verb", "meant"),
    [
        ("history", "'session history', 'jobs history'?"),
        ("pause", "'remote pause', 'jobs pause'"),
        ("lst", ""),
        ("list", ""),
    ],
)
def test_a_verb_whose_place_was_forgotten_is_found(verb: str, meant: str, cli: Cli) -> None:
    result = cli(verb)
    assert (result.exit_code, f"No such command '{verb}'" in result.stderr) == (2, True)
    assert meant in result.stderr


@pytest.mark.parametrize("width", [40, 80, 120])
@pytest.mark.parametrize("topic", TOPICS)
def test_each_topic_is_told_in_lines_that_fit_and_loses_no_word(topic: str, width: int) -> None:
    text = TOPICS[topic](CliEnvironment(environ={}))
    lines = fitted(text, width).splitlines()
    assert " ".join(lines).split() == text.split()
    assert all(len(line) <= width or len(line.split()) == 1 for line in lines)


def test_what_is_told_in_a_column_goes_on_in_it() -> None:
    told = fitted("GREEN   the colour of\n        grass in May\nRED     not that one\n", 20)
    assert told == "GREEN   the colour\n        of grass in\n        May\nRED     not that one\n"


def test_every_exit_code_is_explained(cli: Cli) -> None:
    assert set(MEANINGS) == set(Exit)
    assert {runner.CUT_OFF_EXIT, workers.CUT_OFF_EXIT} == {Exit.CUT_OFF}
    shown = cli("help", "exit-codes").stdout.splitlines()
    assert [int(line.split()[0]) for line in shown] == [code.value for code in Exit]


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.ServiceFailed("x"), 1),
        (errors.AskedTooOften("x"), 1),
        (DateflicksError("x"), 1),
        (CredentialsUnreadable("x"), 1),
        (errors.DoesNotFit("x"), 2),
        (SettingsError("file", "key", "wrong"), 2),
        (errors.NotThere("x"), 3),
        (errors.NotSignedIn("x"), 4),
        (errors.NotAllowed("x"), 4),
        (errors.AtOdds("x"), 5),
        (errors.Unreachable("x"), 6),
        (errors.TimedOut("x"), 6),
        (errors.ServiceDown("x"), 6),
        (CliError(Exit.TIMED_OUT, "x"), 7),
        (CliError(Exit.PARTLY, "x"), 8),
        (CliError(Exit.PROBLEMS, "x"), 9),
        (KeyboardInterrupt(), 130),
        (typer.Abort(), 130),
        (ExceptionGroup("x", [ExceptionGroup("y", [errors.NotThere("z")])]), 3),
    ],
)
def test_each_failure_has_its_exit_code_and_at_most_three_lines(
    error: BaseException, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert report(CliEnvironment(environ={}), error) == code
    printed = capsys.readouterr()
    assert printed.out == ""
    assert 1 <= len(printed.err.splitlines()) <= 3


def test_a_folder_that_may_not_be_written_to_is_named_with_what_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    assert report(CliEnvironment(environ={}), PermissionError(errno.EROFS, "Read-only file system", "/data")) == 1
    told = capsys.readouterr().err.splitlines()
    assert told[0] == "Error: /data cannot be used: Read-only file system."
    assert "DATEFLICKS_HOME" in told[1]


def test_a_file_in_the_place_of_a_folder_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert report(CliEnvironment(environ={}), NotADirectoryError(errno.ENOTDIR, "Not a directory", "/data/x")) == 1
    assert capsys.readouterr().err.splitlines()[0].startswith("Error: /data/x cannot be used: there is a file")


def test_what_an_error_says_in_lines_is_told_in_lines(capsys: pytest.CaptureFixture[str]) -> None:
    report(CliEnvironment(environ={}), DateflicksError("It is taken.\nTake another."))
    assert capsys.readouterr().err == "Error: It is taken.\nTake another.\n"


def test_an_unforeseen_failure_is_one_word_here_and_the_whole_in_the_log(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    environment = CliEnvironment(environ={"DATEFLICKS_HOME": str(tmp_path / "data")})
    assert report(environment, ZeroDivisionError("by zero")) == 1
    shown = capsys.readouterr().err
    assert "Traceback" not in shown
    assert str(environment.log_path) in shown
    assert "ZeroDivisionError" in environment.log_path.read_text(encoding="utf-8")
    assert environment.log_path.stat().st_mode & 0o077 == 0
    environment.is_debug = True
    report(environment, ZeroDivisionError("by zero"))
    assert "ZeroDivisionError: by zero" in capsys.readouterr().err


def test_an_error_from_elsewhere_cannot_steer_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    report(CliEnvironment(environ={}), errors.AtOdds("\x1b]0;gotcha\x07taken"))
    assert capsys.readouterr().err == "Error: ]0;gotchataken\n"
    report(CliEnvironment(environ={}, is_debug=True), errors.AtOdds("\x1b]0;gotcha\x07taken"))
    told = capsys.readouterr().err
    assert "AtOdds: ]0;gotchataken\n" in told
    assert not set("\x1b\x07") & set(told)


@pytest.mark.parametrize(
    ("environ", "choice", "is_colored"),
    [
        ({}, "auto", True),
        ({"NO_COLOR": "1"}, "auto", False),
        ({"NO_COLOR": "1"}, "always", True),
        ({"TERM": "dumb"}, "auto", False),
        ({}, "never", False),
    ],
)
def test_colour_on_a_terminal(environ: dict[str, str], choice: Any, is_colored: bool) -> None:
    class Terminal:
        def isatty(self) -> bool:
            return True

    terminal: Any = Terminal()
    assert CliEnvironment(environ=environ, color=choice).is_colored(terminal) is is_colored


def test_colour_goes_into_a_pipe_only_when_forced(cli: Cli) -> None:
    words = ("config", "show", "client", "-o", "table")
    assert "\x1b[" not in cli(*words).stdout
    assert "\x1b[" in cli(*words, "--color", "always").stdout
    assert "\x1b[" in cli(*words, NO_COLOR="", FORCE_COLOR="1", TERM="xterm").stdout
    assert cli(*words, "--color", "sometimes").exit_code == 2


@pytest.mark.parametrize(
    ("url", "hint"),
    [
        ("http://127.0.0.1:8700", "Start one with"),
        ("http://[::1]:8700", "Start one with"),
        ("", "Start one with"),
        ("https://films.example.org", "Check the address"),
    ],
)
def test_a_server_elsewhere_is_none_that_could_be_started_here(url: str, hint: str) -> None:
    failure = failure_of(errors.Unreachable("It cannot be reached.", url=url))
    assert failure is not None
    assert failure.hint.startswith(hint)


@pytest.mark.parametrize("url", ["https://127.0.0.1:8700", "https://films.example.org"])
def test_a_server_that_signed_its_own_certificate_is_trusted_by_a_file(url: str) -> None:
    failure = failure_of(errors.Untrusted("Its certificate is not trusted.", url=url))
    assert failure is not None
    assert "dateflicks config set client.ca_file" in failure.hint


def test_what_a_service_says_to_programs_is_not_told_to_people() -> None:
    failure = failure_of(errors.NotThere("There is no such thing. Look for it with GET /videos?q=TITLE."))
    assert failure is not None
    assert failure.what == "There is no such thing."


def test_where_there_is_nothing_to_choose_from_nothing_is_listed() -> None:
    assert nearest("odd", []) == "There are none yet."
    assert nearest("odd", ["one", "two"]) == "There are: one, two."


def test_danger_needs_a_yes(monkeypatch: pytest.MonkeyPatch) -> None:
    CliEnvironment(is_agreed=True, is_interactive=False).agree("Sure?")
    with pytest.raises(CliError, match="Nobody can be asked"):
        CliEnvironment(is_interactive=False).agree("Sure?")
    monkeypatch.setattr(typer, "confirm", lambda *_, **__: False)
    with pytest.raises(CliError) as caught:
        CliEnvironment(is_interactive=True).agree("Sure?")
    assert caught.value.failure.exit is Exit.REFUSED


def test_a_mistake_in_a_settings_file_names_file_key_and_nearest(cli: Cli, tmp_path: Path) -> None:
    folder = tmp_path / "settings"
    folder.mkdir()
    (folder / "client.toml").write_text("gentel = true\n", encoding="utf-8")
    result = cli("whoami")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == "Error: settings/client.toml: gentel: no such key\nDid you mean 'gentle'?\n"


def test_a_settings_folder_can_be_named_and_must_be_there(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "client.toml").write_text("gentle = true\n", encoding="utf-8")
    rows = {row["key"]: row for row in cli.json("config", "show", "--origin", "--settings", str(tmp_path))}
    assert rows["client.gentle"]["value"] is True
    assert rows["client.gentle"]["origin"] == str(tmp_path / "client.toml")
    assert rows["client.server"]["origin"] == "DATEFLICKS_CLIENT_SERVER"
    assert rows["timecode.confirm_seconds"]["origin"] == "default"
    assert cli("config", "show", "--settings", str(tmp_path / "nowhere")).exit_code == 2


def test_secrets_are_masked(cli: Cli) -> None:
    result = cli("config", "show", "client", "--origin", DATEFLICKS_CLIENT_TOKEN="top secret")
    assert "top secret" not in result.output
    assert "DATEFLICKS_CLIENT_TOKEN" in result.stdout


def test_a_model_file_is_printed_to_be_copied(cli: Cli) -> None:
    assert cli("config", "model", "timecode").stdout.startswith("# Settings of the timecode service")
    result = cli("config", "model", "timecod")
    assert (result.exit_code, "'timecode'" in result.stderr) == (2, True)


def test_completion_names_the_commands_without_loading_them(cli: Cli) -> None:
    sys.modules.pop("dateflicks.cli.commands.session", None)
    environ = {"_DATEFLICKS_COMPLETE": "complete_bash", "COMP_WORDS": "dateflicks se", "COMP_CWORD": "1"}
    result = CliRunner(env=environ).invoke(app, [], prog_name="dateflicks")
    assert {"session", "serve"} <= set(result.stdout.split())
    assert "dateflicks.cli.commands.session" not in sys.modules
