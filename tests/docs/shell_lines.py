"""Shell lines of the pages, held against the program as it is: every word of a `dateflicks …` line is parsed by the
real commands, and nothing is run."""

import re
import shlex
from collections.abc import Iterator, Sequence
from typing import Any, Final

from typer._click.exceptions import ClickException
from typer.core import TyperGroup
from typer.main import get_command

from dateflicks.cli.main import app

_BREAKS: Final = {"|", "||", "&&", ";", "&"}
_FOUND: Final[dict[tuple[str, str], tuple[Any, Any]]] = {}  # commands by where they are: to make one takes long
_VARIABLE: Final = re.compile(r"[A-Z][A-Z0-9_]*=")


def programs_of(line: str) -> Iterator[list[str]]:
    """Each program of a line with its words: pipes and lists are taken apart, remarks and redirections left out."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars="|&;<>")
    lexer.whitespace_split = True
    lexer.commenters = "#"
    words: list[str] = []
    is_file = False
    for word in lexer:
        if word in _BREAKS:
            yield from _program(words)
            words = []
        elif set(word) <= set("<>&"):
            if words and words[-1].isdigit():
                words.pop()
            is_file = True
        elif is_file:
            is_file = False
        else:
            words.append(word)
    yield from _program(words)


def _program(words: Sequence[str]) -> Iterator[list[str]]:
    """Without the variables and the `sudo -u …` in front of it."""
    rest = list(words)
    while rest and (_VARIABLE.match(rest[0]) or rest[0] in ("sudo", "exec", "env")):
        if rest.pop(0) == "sudo" and rest and rest[0] == "-u":
            del rest[:2]
    if rest:
        yield rest


def complaint_about(words: Sequence[str]) -> str:
    """What the program would say of these words (without its own name), or nothing where they are all known to it."""
    command: Any = get_command(app)
    context: Any = None
    name, rest = "dateflicks", list(words)
    if set(rest) & {"--help", "-h", "--version", "-V"}:
        rest = [word for word in rest if word not in ("--help", "-h", "--version", "-V")]
        if not rest:
            return ""
    try:
        while True:
            context = command.make_context(name, rest, parent=context)
            if not isinstance(command, TyperGroup):
                return ""
            waiting = [*context._protected_args, *context.args]
            if not waiting:
                return "" if command.invoke_without_command else f"'{context.command_path}' needs a command"
            where = (context.command_path, waiting[0])
            if where not in _FOUND:
                _FOUND[where] = command.resolve_command(context, waiting)[:2]
            (name, command), rest = _FOUND[where], waiting[1:]
    except ClickException as error:
        return error.format_message()
