"""What holds for every command alike, found by walking over all of them: help, examples, global options, mistakes."""

import json
import re
import shlex
from collections.abc import Iterator
from typing import Any

import pytest
import typer
from typer.core import TyperCommand, TyperGroup, TyperOption

from dateflicks.cli.exits import Exit
from dateflicks.cli.main import Root, app
from dateflicks.cli.manual import Page, pages
from dateflicks.cli.typer_lazy import PROGRAM
from tests.cli.conftest import Cli
from tests.scripted_server import ScriptedServer, session_json

Command = TyperGroup | TyperCommand


def walked(
    command: Command, context: typer.Context, words: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], Command]]:
    yield words, command
    if isinstance(command, TyperGroup):
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            assert isinstance(found, TyperGroup | TyperCommand)
            yield from walked(found, typer.Context(found, info_name=name, parent=context), (*words, name))


@pytest.fixture(scope="module")
def commands() -> dict[tuple[str, ...], Command]:
    """Every command, hidden ones too, by the words that are typed for it."""
    root = typer.main.get_command(app)
    assert isinstance(root, Root)
    return dict(walked(root, typer.Context(root, info_name=PROGRAM), ()))


@pytest.fixture(scope="module")
def shown() -> list[Page]:
    return pages()


def leaves(commands: dict[tuple[str, ...], Command]) -> list[tuple[str, ...]]:
    return [words for words, command in commands.items() if not isinstance(command, TyperGroup)]


# --- help -------------------------------------------------------------------------------------------------------


def test_each_command_says_what_it_is_for_in_a_sentence(shown: list[Page]) -> None:
    for page in shown:
        first = page.summary.split(". ")[0]
        assert page.summary.endswith((".", ":")), page.name
        assert first[:1].isupper(), page.name
        assert len(first) <= 120, page.name


def test_each_argument_and_option_says_what_it_is_for(shown: list[Page]) -> None:
    silent = [(page.name, item.typed) for page in shown for item in (*page.arguments, *page.options) if not item.text]
    assert silent == []


def test_what_is_typed_has_a_name_and_no_type(shown: list[Page]) -> None:
    typed = {item.typed for page in shown for item in (*page.arguments, *page.options)}
    assert [one for one in typed if any(word in one for word in ("<int", "<float", "<str", "<path", "<bool"))] == []


def test_each_command_of_the_root_that_takes_something_has_an_example(shown: list[Page]) -> None:
    without = []
    for top in (page for page in shown if len(page.words) == 1):
        below = [page for page in shown if page.words[:1] == top.words]
        takes = any(page.arguments or page.options for page in below)
        if takes and not any(page.examples for page in below):
            without.append(top.name)
    assert without == []


def test_each_example_is_a_command_that_is_there_with_options_that_it_has(
    shown: list[Page], commands: dict[tuple[str, ...], Command]
) -> None:
    root = commands[()]
    everywhere = {name for one in root.params if isinstance(one, TyperOption) for name in (*one.opts, "--help", "-h")}
    for page in shown:
        for example in page.examples:
            line = example[example.index(PROGRAM) :].split(" | ")[0].split(" > ")[0]
            typed = shlex.split(line)[1:]
            words = [word for word in without_values(typed, root) if not word.startswith("-")]
            names = max((one for one in commands if list(one) == words[: len(one)]), key=len)
            assert names, f"{page.name}: {example}"
            own = {name for one in commands[names].params if isinstance(one, TyperOption) for name in one.opts}
            options = {word.split("=")[0] for word in typed if re.match(r"-[a-z-]", word)}
            assert options <= own | everywhere, f"{page.name}: {example}"


def without_values(typed: list[str], root: Command) -> list[str]:
    """What is typed, less the values of the root's options."""
    options = [one for one in root.params if isinstance(one, TyperOption) and not one.is_flag and not one.count]
    takes_value = {name for one in options for name in one.opts}
    return [word for before, word in zip(["", *typed], typed, strict=False) if before not in takes_value]


@pytest.mark.parametrize("flag", ["-h", "--help"])
def test_each_command_answers_to_h_within_80_columns(
    flag: str, cli: Cli, commands: dict[tuple[str, ...], Command], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    chosen = [words for number, words in enumerate(commands) if number % 2 == (flag == "-h") or len(words) == 1]
    for words in chosen:
        result = cli(*words, flag)
        assert (result.exit_code, result.stderr) == (0, ""), words
        assert "Usage: " in result.stdout
        assert max(map(len, result.stdout.splitlines())) <= 80, words
        assert "\x1b" not in result.stdout


# --- what is typed wrongly --------------------------------------------------------------------------------------


def test_an_option_that_no_command_has_is_a_usage_error_of_at_most_three_lines(
    cli: Cli, commands: dict[tuple[str, ...], Command]
) -> None:
    for words in leaves(commands):
        result = cli(*words, "--nosuchoption")
        assert (result.exit_code, result.stdout) == (Exit.USAGE, ""), words
        assert result.stderr.startswith("Error: "), words
        assert len(result.stderr.splitlines()) <= 3, words
        assert "--help" in result.stderr


def test_a_number_that_is_none_is_a_usage_error(cli: Cli, commands: dict[tuple[str, ...], Command]) -> None:
    tried = 0
    for words in leaves(commands):
        for option in commands[words].params:
            if isinstance(option, TyperOption) and option.type_descriptor.annotation in (int, float):
                result = cli(*words, option.opts[-1], "many")
                assert (result.exit_code, result.stdout) == (Exit.USAGE, ""), (words, option.opts)
                assert "Traceback" not in result.stderr
                assert "it must be a" in result.stderr
                tried += 1
    assert tried > 5


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("serve", "all", "--port", "99999"), "Invalid value for '--port': it must be at most 65535"),
        (("session", "list", "--limit", "0"), "Invalid value for '--limit': it must be at least 1"),
        (("session", "create", "film.mkv", "--link", "--length", "soon"), "--length: 'soon' is not a length."),
    ],
)
def test_a_number_out_of_its_range_is_told_in_words(words: tuple[str, ...], said: str, cli: Cli) -> None:
    result = cli(*words)
    assert (result.exit_code, result.stderr.splitlines()[0]) == (Exit.USAGE, f"Error: {said}")


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (("recs", "--with", "bea"), "It belongs to 'root recs list'."),
        (("config", "--origin"), "It belongs to 'root config show'."),
        (("jobs", "--limit", "3"), "Try 'root jobs --help'."),
    ],
)
def test_an_option_of_a_verb_that_nobody_typed_is_answered_with_the_verb(
    words: tuple[str, ...], hint: str, cli: Cli
) -> None:
    result = cli(*words)
    assert (result.exit_code, result.stderr.splitlines()[-1]) == (Exit.USAGE, hint)


def test_ranges_are_told_in_words(cli: Cli) -> None:
    told = [cli(*words, "--help").stdout for words in (("serve", "all"), ("session", "list"), ("chat", "tail"))]
    assert "[0 to 65535]" in told[0]
    assert not any("<=x" in text or "x>=" in text for text in told)


def test_prose_of_the_help_flows_into_the_terminal_and_examples_stand_as_they_are(cli: Cli) -> None:
    lines = [line.strip() for line in cli("recommenders", "run", "--help").stdout.splitlines()]
    prose = lines[lines.index("dateflicks recommenders run edlae --user ana") + 2 :]
    prose = prose[: prose.index("")]
    assert all(len(line) > 60 for line in prose[:-1])
    assert ' "length":5400}' in cli("replay", "--help").stdout


def test_a_slip_in_a_verb_or_an_option_is_answered_with_the_nearest(
    cli: Cli, commands: dict[tuple[str, ...], Command]
) -> None:
    for words, command in commands.items():
        if isinstance(command, TyperGroup) and words and not command.hidden:
            name = max((name for name, one in command.commands.items() if not one.hidden), key=len)
            result = cli(*words, f"{name}x")
            assert result.exit_code == Exit.USAGE, words
            assert f"Did you mean '{name}'" in result.stderr, words
    for slip, meant in {"--limt": "--limit", "--stat": "--state"}.items():
        assert meant in cli("session", "list", slip, "3").stderr


def test_too_many_words_are_a_usage_error(cli: Cli, commands: dict[tuple[str, ...], Command]) -> None:
    for words in leaves(commands):
        if all(one.nargs == 1 for one in commands[words].params):
            result = cli(*words, *["--", *["word"] * 9])
            assert (result.exit_code, result.stdout) == (Exit.USAGE, ""), words


# --- options of all commands ------------------------------------------------------------------------------------


def test_no_command_has_an_option_of_its_own_that_the_root_takes_away(
    commands: dict[tuple[str, ...], Command],
) -> None:
    root = commands[()]
    taken = {name for one in root.params if isinstance(one, TyperOption) and not one.is_eager for name in one.opts}
    for words in leaves(commands):
        own = {name for one in commands[words].params if isinstance(one, TyperOption) for name in one.opts}
        assert not own & taken, words


@pytest.mark.parametrize(
    ("words", "path", "answer"),
    [
        (("session", "list"), "/sessions", {"items": [session_json()], "next": None}),
        (("session", "history"), "/history", {"items": [], "next": None}),
        (("whoami",), "/users/me", {"id": "usr_" + "a" * 26, "name": "ana"}),
        (("config", "show", "client"), None, None),
    ],
)
def test_what_reads_writes_in_every_form_and_only_to_stdout(
    words: tuple[str, ...], path: str | None, answer: Any, cli: Cli, server: ScriptedServer
) -> None:
    cli.sign_in()
    if path is not None:
        server.on("GET", path, answer)
    for form in ("table", "json", "jsonl", "plain"):
        result = cli(*words, "-o", form)
        assert result.exit_code == 0, (words, form, result.stderr)
        if form == "json":
            json.loads(result.stdout)
        if form == "jsonl":
            assert all(isinstance(json.loads(line), dict) for line in result.stdout.splitlines())
    assert cli(*words, "--json").stdout == cli(*words, "-o", "json").stdout


def test_whoever_cannot_be_asked_is_told_what_to_type(cli: Cli) -> None:
    for words in (("login",), ("register",), ("login", "ana"), ("register", "ana")):
        result = cli(*words, "--no-input", is_interactive=True, keys="an answer\n")
        assert (result.exit_code, result.stdout) == (Exit.USAGE, ""), words
        assert "nobody to ask" in result.stderr


@pytest.mark.parametrize("no_color", ["1", ""])
def test_nothing_is_coloured_where_nobody_wants_colour(no_color: str, cli: Cli) -> None:
    for words in (("config", "show", "-o", "table"), ("--help",), ("help", "output"), ("nosuch",)):
        assert "\x1b" not in cli(*words, NO_COLOR=no_color, TERM="dumb").output
