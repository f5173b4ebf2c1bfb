"""Typer, made lazy: a root group that knows its commands by name and loads one only to run it.

The one file that uses Typer's carried Click. Besides loading late it lets global options stand anywhere on the
line, and turns every exception into three lines and an exit code.
"""

import contextlib
import importlib
import os
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from inspect import cleandoc
from pathlib import Path
from typing import Any, ClassVar, Final

import typer
from typer import _click
from typer._click.exceptions import ClickException, NoArgsIsHelpError, UsageError
from typer._click.shell_completion import CompletionItem
from typer._coercion import RuntimeParam, build_runtime_param
from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption
from typer.main import get_command

from dateflicks.cli.environment import CliEnvironment, hang_up, is_hung_up, output_file
from dateflicks.cli.exits import Exit
from dateflicks.cli.failures import Failure, failure_of, traced

PROGRAM: Final = "dateflicks"
WORDS: Final = "dateflicks.words"  # by which the context has what was typed, without options of the root
EXAMPLE: Final = re.compile(
    r"(?:[A-Z_]+=\S+ |[^.]*\| |sudo )*dateflicks(?: |$)"
)  # a line of a help text, as it is typed
_WORDS: Final = {
    " Value error, ": " ",
    "Input should be a valid integer, unable to parse string as an integer": "it must be a whole number",
    "Input should be a valid number, unable to parse string as a number": "it must be a number",
    "Input should be less than or equal to": "it must be at most",
    "Input should be greater than or equal to": "it must be at least",
    "Input should be ": "it must be ",
}
MANY: Final = 1_000_000  # a bound of numbers that is none for people
HOMES_MAX: Final = 3  # so many places of a verb are named to whoever forgot where it stands
_VARIABLE: Final = "_DATEFLICKS_COMPLETE"  # by which a shell asks what may come next


@dataclass(frozen=True, slots=True)
class Entry:
    """A command of the root: its module below `cli/commands`, the line in the help, and the panel it stands in.

    A hidden one works, but stands nowhere.
    """

    module: str
    summary: str
    panel: str
    is_hidden: bool = False


class UnhurriedParam(RuntimeParam):
    """Converts only what needs it: loading pydantic to find that a default is a default costs 80 ms."""

    def coerce(self, value: Any, param: Any, ctx: _click.Context) -> Any:
        """Text for a text parameter, and what nobody typed, are right as they are."""
        is_one = param.nargs == 1 and not getattr(param, "multiple", False)
        is_text = isinstance(value, str) and self.annotation in (str, str | None)
        is_default = value is None or (type(value) is type(param.default) and value == param.default)
        return value if is_one and (is_text or is_default) else self._coerce_value(value, param, ctx)

    def _coerce_value(self, value: Any, param: Any, ctx: _click.Context) -> Any:
        return build_runtime_param(param.type_descriptor).coerce(value, param, ctx)


def _tidy_options(command: _click.Command, ctx: _click.Context) -> None:
    """Typer writes `--json <bool>` into its help, and whoever believes it types a word too many.

    Numbers are `N` and from where to where in words, an argument's name says enough, and what Typer adds to install
    completion is hidden: there is a command for that.
    """
    for param in command.get_params(ctx):
        if isinstance(param, TyperArgument | TyperOption) and not getattr(param, "count", False):
            param._get_number_range_help_str = partial(_range, param.min, param.max)  # type: ignore[method-assign]
        if isinstance(param, TyperArgument) and not param.type_descriptor.is_choice:
            param.display_type_rich = _no_type  # type: ignore[method-assign]  # Typer makes them, not we
        if not isinstance(param, TyperOption):
            continue
        if param.name in ("install_completion", "show_completion"):
            param.hidden = True
        if param.metavar is None:
            if param.is_flag or param.count:
                param.metavar = ""
            elif (param.display_type(ctx) or "").startswith(("<int", "<float")):
                param.metavar = "N"


def _no_type(ctx: _click.Context) -> None:  # noqa: ARG001 - Typer asks so
    return None


def _range(least: float | None, most: float | None) -> str | None:
    """What a number may be, in words; that it is not negative goes without saying."""
    if most is None or most >= MANY:
        return f"at least {least:g}" if least else None
    return f"at most {most:g}" if least is None else f"{least:g} to {most:g}"


def flowing(text: str) -> str:
    """A help text with each paragraph of prose on one line, to be broken where it is shown; examples stay."""
    paragraphs = re.split(r"\n\s*\n", cleandoc(text))
    return "\n\n".join(one if is_set(one.splitlines()) else " ".join(one.split()) for one in paragraphs)


def is_set(lines: Sequence[str]) -> bool:
    """Whether lines stand as they are: they are typed, or written into files."""
    return all(map(EXAMPLE.match, lines)) or lines[0].startswith("{")


def _complete_options_of_all_commands(command: _click.Command) -> None:
    """Offer the root's options below it too: they may stand anywhere on the line."""
    own = command.shell_complete

    def complete(ctx: _click.Context, incomplete: str) -> list[CompletionItem]:
        found = own(ctx, incomplete)
        root = ctx.find_root()
        if incomplete.startswith("-") and root is not ctx:
            known = {item.value for item in found}
            options = [
                one for one in root.command.params if isinstance(one, TyperOption) and not (one.is_eager or one.hidden)
            ]
            names = [(name, one.help) for one in options for name in (*one.opts, *one.secondary_opts)]
            new = [(name, words) for name, words in names if name.startswith(incomplete) and name not in known]
            found += [CompletionItem(name, help=words) for name, words in new]
        return found

    command.shell_complete = complete  # type: ignore[method-assign]  # Typer makes the commands, not we


def _with_commands(command: _click.Command) -> Iterator[_click.Command]:
    """A command and all below it."""
    yield command
    for below in command.commands.values() if isinstance(command, TyperGroup) else ():
        yield from _with_commands(below)


def _unhurry(command: _click.Command, ctx: _click.Context) -> None:
    for param in command.get_params(ctx):
        if isinstance(param, TyperArgument | TyperOption):
            descriptor = param.type_descriptor
            param._runtime_param = UnhurriedParam(descriptor.parameter_info, descriptor.annotation)


class LazyGroup(TyperGroup):
    """The root group; a subclass says what it holds in `entries`."""

    entries: ClassVar[dict[str, Entry]] = {}
    package: ClassVar[str] = "dateflicks.cli.commands"
    command_epilog: ClassVar[str | None] = None

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self._is_listing = False
        for name, entry in self.entries.items():
            self.commands[name] = TyperCommand(
                name, help=entry.summary, rich_help_panel=entry.panel, hidden=entry.is_hidden
            )

    def get_command(self, ctx: _click.Context, cmd_name: str) -> _click.Command | None:
        """The command itself, or only its line while the help is written."""
        entry = self.entries.get(cmd_name)
        if entry is None or self._is_listing:
            return self.commands.get(cmd_name)
        found = get_command(importlib.import_module(f"{self.package}.{entry.module}").app)
        if isinstance(found, TyperGroup) and entry.module != cmd_name:
            found = found.commands[cmd_name]
        found.name = cmd_name
        for command in _with_commands(found):
            assert isinstance(command, TyperGroup | TyperCommand)
            _unhurry(command, ctx)
            _tidy_options(command, ctx)
            _complete_options_of_all_commands(command)
            command.epilog = command.epilog or self.command_epilog
            command.help = flowing(command.help) if command.help else None
        return found

    def resolve_command(
        self, ctx: _click.Context, args: list[str]
    ) -> tuple[str | None, _click.Command | None, list[str]]:
        """The command that is meant; of one that stands below others it is said where."""
        is_typed = args[0] in self.entries or ctx.resilient_parsing
        if not is_typed and 0 < len(below := self._with_verb(ctx, args[0])) <= HOMES_MAX:
            meant = ", ".join(f"'{name} {args[0]}'" for name in below)
            raise UsageError(f"No such command '{args[0]}'. Did you mean {meant}?", ctx)
        return super().resolve_command(ctx, args)

    def _with_verb(self, ctx: _click.Context, verb: str) -> list[str]:
        """The commands that have this one below them."""
        shown = [name for name, entry in self.entries.items() if not entry.is_hidden]
        found = ((name, self.get_command(ctx, name)) for name in shown)
        return [name for name, one in found if isinstance(one, TyperGroup) and verb in one.commands]

    def format_help(self, ctx: _click.Context, formatter: _click.HelpFormatter) -> None:
        """Write the help from the lines alone."""
        self._is_listing = True
        try:
            super().format_help(ctx, formatter)
        finally:
            self._is_listing = False

    def shell_complete(self, ctx: _click.Context, incomplete: str) -> list[CompletionItem]:
        """Complete the names from the lines alone."""
        self._is_listing = True
        try:
            return super().shell_complete(ctx, incomplete)
        finally:
            self._is_listing = False

    def parse_args(self, ctx: _click.Context, args: list[str]) -> list[str]:
        """Take global options from wherever they stand."""
        _unhurry(self, ctx)
        _tidy_options(self, ctx)
        front, rest = self._parted(args)
        ctx.meta[WORDS] = rest
        return super().parse_args(ctx, front + rest)

    def _parted(self, args: Sequence[str]) -> tuple[list[str], list[str]]:
        """The options of the root with their values, and what else was typed."""
        takes_value = {
            name: not option.is_flag and not option.count
            for option in self.params
            if isinstance(option, TyperOption) and not option.is_eager
            for name in option.opts
        }
        front: list[str] = []
        rest: list[str] = []
        words = iter(args)
        for word in words:
            name = word.split("=", 1)[0] if word.startswith("--") else word
            if word == "--":
                rest += [word, *words]
            elif name in takes_value:
                front.append(word)
                if takes_value[name] and name == word:
                    front += [value for value in [next(words, None)] if value is not None]
            else:
                rest.append(word)
        return front, rest

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        windows_expand_args: bool = True,
        **extra: Any,
    ) -> Any:
        """Run, and end the process with one of our exit codes."""
        _open_what_is_closed()
        output = output_file()
        environment = extra.setdefault("obj", CliEnvironment())
        try:
            with _unwrapped_for_shells():
                code = super().main(args, prog_name or PROGRAM, complete_var, False, windows_expand_args, **extra)
            sys.stdout.flush()
            if code == Exit.INTERRUPTED:
                environment.complain("Interrupted.")
        except SystemExit as stop:
            if not isinstance(stop.__context__, BrokenPipeError):
                raise
            code = _ended_by(environment, stop.__context__, output)
        except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - the last one who can tell the user
            code = _ended_by(environment, error, output)
        if standalone_mode:
            sys.exit(code if isinstance(code, int) else Exit.OK)
        return code


def _ended_by(environment: CliEnvironment, error: BaseException, output: tuple[int, int]) -> Exit:
    """The exit code of what ended the program: whoever read our output and has seen enough is no error."""
    if _is_broken_pipe(error) and is_hung_up(output):
        hang_up()
        return Exit.OK
    return report(environment, error)


def _is_broken_pipe(error: BaseException) -> bool:
    """Whether it is one, also where it comes out of tasks."""
    if isinstance(error, BaseExceptionGroup):
        return all(_is_broken_pipe(one) for one in error.exceptions)
    return isinstance(error, BrokenPipeError)


@contextlib.contextmanager
def _unwrapped_for_shells() -> Iterator[None]:
    """What a shell is offered has a line each: Typer wraps what is said of it as if a person read it."""
    if _VARIABLE not in os.environ:
        yield
        return
    before = os.environ.get("COLUMNS")
    os.environ["COLUMNS"] = "100000"
    try:
        yield
    finally:
        if before is None:
            del os.environ["COLUMNS"]
        else:
            os.environ["COLUMNS"] = before


def completion_script(shell: str) -> str:
    """What a shell has to read so that it asks us what may come next."""
    from typer._completion_shared import get_completion_script

    return get_completion_script(prog_name=PROGRAM, complete_var=_VARIABLE, shell=shell)


def _open_what_is_closed() -> None:
    """Whoever starts us with a closed stream (`>&-`) does not want it; Python then has None in its place.

    To open the lowest free descriptor first also keeps a socket or a file from becoming our stdout.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))  # noqa: SIM115 - as long as the process


def report(environment: CliEnvironment, error: BaseException) -> Exit:
    """Say what went wrong, and give its exit code."""
    if isinstance(error, NoArgsIsHelpError):
        return Exit.USAGE  # the help is already written
    if isinstance(error, typer.Abort | KeyboardInterrupt):
        environment.complain("", "Interrupted.")  # below the half-typed line
        return Exit.INTERRUPTED
    failure = _of_click(error) if isinstance(error, ClickException) else failure_of(error)
    if environment.is_debug and not isinstance(error, ClickException):
        sys.stderr.write(traced(error))
    if failure is None:
        failure = _unforeseen(environment, error)
    lines = (failure.what, *map(environment.retyped, (failure.why, failure.hint)))
    environment.complain(*(line for line in (f"Error: {lines[0]}", *lines[1:]) if line))
    return failure.exit


def _of_click(error: ClickException) -> Failure:
    hint = ""
    if isinstance(error, UsageError) and error.ctx is not None:
        hint = _verb_with(error, error.ctx) or f"Try '{error.ctx.command_path} --help'."
    return Failure(Exit.USAGE, _in_words(error.format_message()), hint=hint)


def _verb_with(error: UsageError, ctx: _click.Context) -> str:
    """Where an option belongs that was typed before any verb: to what the group does anyway, or to one verb."""
    option, group = getattr(error, "option_name", None), ctx.command
    if option is None or not isinstance(group, TyperGroup):
        return ""
    verbs = [name for name, one in group.commands.items() if not one.hidden and _has_option(one, option)]
    is_clear = len(verbs) == 1 or verbs[:1] == ["list"]
    return f"It belongs to '{ctx.command_path} {verbs[0]}'." if is_clear else ""


def _has_option(command: _click.Command, option: str) -> bool:
    return any(option in param.opts for param in command.params)


def _in_words(text: str) -> str:
    """What is wrong with a value, without the words of the library that looks at it."""
    for theirs, ours in _WORDS.items():
        text = text.replace(theirs, ours)
    return text


def _unforeseen(environment: CliEnvironment, error: BaseException) -> Failure:
    what = f"Something unforeseen went wrong: {type(error).__name__}: {error}"
    hint = next(iter(getattr(error, "__notes__", [])), "Or see it with --debug.")  # a note says how to go on
    try:
        environment.home.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(environment.log_path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(descriptor, "a", encoding="utf-8") as log:
            log.write(f"\n{environment.now().isoformat()}\n{traced(error)}")
    except OSError:
        return Failure(Exit.FAILED, what, hint="See the whole of it with --debug.")
    return Failure(Exit.FAILED, what, f"The whole of it is in {environment.log_path}.", hint)
