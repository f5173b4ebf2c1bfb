"""The manual, made of the commands themselves: what every page says, and the forms in which it is written.

One walk over the commands gives pages; a page becomes lines of the help tree, a section of `docs/cli.md`, or part of a
man page. Hidden commands and options stand nowhere.
"""

import re
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from inspect import cleandoc
from itertools import groupby
from typing import Final

import typer
from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption

from dateflicks import __version__
from dateflicks.cli.commands.topics import ENVIRONMENT
from dateflicks.cli.exits import MEANINGS, Exit
from dateflicks.cli.typer_lazy import EXAMPLE, PROGRAM, is_set

TREE_COLUMNS: Final = 100
_NAMES_COLUMNS: Final = 30  # what stands beside an explanation; longer names have a line of their own
_OF_TYPER: Final = ("help", "install_completion", "show_completion")
_FILES: Final = (
    ("settings/SERVICE.toml", "settings of this folder, and below it those of $XDG_CONFIG_HOME/dateflicks"),
    ("$XDG_DATA_HOME/dateflicks", "sign-ins, the log of errors, and the data of services; or $DATEFLICKS_HOME"),
)


@dataclass(frozen=True, slots=True)
class Item:
    """An argument or an option: how it is typed, and what it is for."""

    typed: str
    text: str


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph of a help text: prose as one line, or lines that stand as they are, such as examples."""

    lines: tuple[str, ...]
    is_example: bool


@dataclass(frozen=True, slots=True)
class Page:
    """What the help says of one command; `words` are its name without the program's."""

    words: tuple[str, ...]
    panel: str
    summary: str
    blocks: tuple[Block, ...] = ()
    arguments: tuple[Item, ...] = ()
    options: tuple[Item, ...] = ()
    is_group: bool = False
    arguments_typed: tuple[str, ...] = field(default=())

    @property
    def name(self) -> str:
        """As it is typed."""
        return " ".join((PROGRAM, *self.words))

    @property
    def usage(self) -> str:
        """As it is typed, with what it takes."""
        return " ".join((self.name, *self.arguments_typed, *(["COMMAND"] if self.is_group else [])))

    @property
    def examples(self) -> tuple[str, ...]:
        """Every line that is an example."""
        set_lines = (line for block in self.blocks if block.is_example for line in block.lines)
        return tuple(line for line in set_lines if EXAMPLE.match(line))


# --- the walk ---------------------------------------------------------------------------------------------------


def pages() -> list[Page]:
    """All commands that the help shows, each group before its commands, in the order of the help."""
    from dateflicks.cli.main import app

    root = typer.main.get_command(app)
    return list(_walk(root, typer.Context(root, info_name=PROGRAM), (), ""))


def _walk(command: object, context: typer.Context, words: tuple[str, ...], panel: str) -> Iterator[Page]:
    assert isinstance(command, TyperGroup | TyperCommand)
    yield _page(command, context, words, panel)
    if not isinstance(command, TyperGroup):
        return
    for name in command.list_commands(context):
        shown = command.commands[name]
        if shown.hidden:
            continue
        found = command.get_command(context, name)
        assert isinstance(found, TyperGroup | TyperCommand)
        below = typer.Context(found, info_name=name, parent=context)
        yield from _walk(found, below, (*words, name), panel or str(getattr(shown, "rich_help_panel", "")))


def _page(command: TyperGroup | TyperCommand, context: typer.Context, words: tuple[str, ...], panel: str) -> Page:
    summary, *blocks = _blocks(command.help or "")
    arguments: list[Item] = []
    options: list[Item] = []
    typed: list[str] = []
    for param in command.get_params(context):
        assert isinstance(param, TyperArgument | TyperOption)
        record = param.get_help_record(context)
        if record is None or param.name in _OF_TYPER:
            continue
        if isinstance(param, TyperArgument):
            name = (param.metavar or (param.name or "").upper()) + ("..." if param.nargs != 1 else "")
            typed.append(name if param.required else f"[{name}]")
            arguments.append(Item(name, _plain(record[1].removesuffix("[required]"))))
        else:
            options.append(Item(record[0], _plain(record[1])))
    return Page(
        words, panel, " ".join(summary.lines), tuple(blocks), tuple(arguments), tuple(options),
        isinstance(command, TyperGroup), tuple(typed),
    )  # fmt: skip


def _plain(text: str) -> str:
    return " ".join(text.split())


def _blocks(text: str) -> Iterator[Block]:
    for paragraph in re.split(r"\n\s*\n", cleandoc(text)):
        lines = tuple(line.rstrip() for line in paragraph.splitlines())
        is_example = is_set(lines)
        yield Block(lines if is_example else (" ".join(lines),), is_example)


# --- the tree ---------------------------------------------------------------------------------------------------


def tree(found: Iterable[Page]) -> str:
    """All commands with all that they take, as plain text of at most 100 columns."""
    return "\n".join("\n".join(_branch(page)) + "\n" for page in found)


def _branch(page: Page) -> Iterator[str]:
    yield page.usage
    yield from _wrapped(page.summary, "  ")
    for block in page.blocks:
        if block.is_example:
            yield from (f"    {line}" for line in block.lines)
        else:
            yield from _wrapped(block.lines[0], "  ")
    for item in (*page.arguments, *page.options):
        if len(item.typed) > _NAMES_COLUMNS - 2:
            yield f"  {item.typed}"
            yield from _wrapped(item.text, " " * (_NAMES_COLUMNS + 2))
        else:
            first = f"  {item.typed:<{_NAMES_COLUMNS}}"
            yield from (line.rstrip() for line in _wrapped(item.text, " " * (_NAMES_COLUMNS + 2), first) or [first])


def _wrapped(text: str, indent: str, first: str | None = None) -> list[str]:
    return textwrap.wrap(
        text,
        TREE_COLUMNS,
        initial_indent=indent if first is None else first,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )


# --- Markdown ---------------------------------------------------------------------------------------------------

_INTRODUCTION: Final = """\
# The command line

For everybody: every command, as `dateflicks COMMAND --help` tells it. The program makes this page: `make help-tree`.

Data goes to stdout and words go to stderr; what a command exits with is in `dateflicks help exit-codes`, what it writes
in `dateflicks help output`. A verb that is left out is the one that lists.
"""


def markdown(found: Sequence[Page]) -> str:
    """The page of the documentation."""
    root, rest = found[0], found[1:]
    parts = [_INTRODUCTION]
    tops = [page for page in rest if len(page.words) == 1]
    for panel, group in groupby(tops, key=lambda page: page.panel):
        parts.append(f"**{panel}**\n")
        parts.append("".join(f"- [`{page.name}`](#{_anchor(page.name)}): {_prose(page.summary)}\n" for page in group))
    parts.append("## Options of all commands\n\nThey may stand anywhere on the line.\n")
    parts.append(_items(root.options))
    for page in rest:
        parts += _section(page)
    return "\n".join(part for part in parts if part)


def _anchor(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def _section(page: Page) -> Iterator[str]:
    yield f"{'#' * (1 + len(page.words))} {page.name}\n"
    yield f"```text\n{page.usage}{' [OPTIONS]' if page.options else ''}\n```\n"
    yield f"{_prose(page.summary)}\n"
    for block in page.blocks:
        language = "sh" if EXAMPLE.match(block.lines[0]) else "text"
        fenced = f"```{language}\n" + "\n".join(block.lines) + "\n```\n"
        yield fenced if block.is_example else f"{_prose(block.lines[0])}\n"
    yield _items((*page.arguments, *page.options))


def _items(items: Iterable[Item]) -> str:
    return "".join(f"- `{item.typed}`{': ' if item.text else ''}{_prose(item.text)}\n" for item in items)


def _prose(text: str) -> str:
    return re.sub(r"([\\<>*_`\[\]|])", r"\\\1", text)


# --- man pages --------------------------------------------------------------------------------------------------


def man_pages(found: Sequence[Page]) -> dict[str, str]:
    """Man pages by the names of their files: one of the program, and one of each of its commands."""
    root, rest = found[0], found[1:]
    written = {f"{PROGRAM}.1": _man_root(root, [page for page in rest if len(page.words) == 1])}
    for name, group in groupby(rest, key=lambda page: page.words[0]):
        written[f"{PROGRAM}-{name}.1"] = _man_command(list(group))
    return written


def _man_root(root: Page, commands: Sequence[Page]) -> str:
    lines = [_heading(PROGRAM), *_named(root)]
    lines += [".SH SYNOPSIS", *_synopsis([root]), ".SH DESCRIPTION", *_described(root)]
    lines.append(".SH COMMANDS")
    for panel, group in groupby(commands, key=lambda page: page.panel):
        lines.append(f".SS {_roff(panel)}")
        for page in group:
            lines += [".TP", rf"\fB{_roff('-'.join((PROGRAM, *page.words)))}\fR(1)", _roff(page.summary)]
    lines += [".SH OPTIONS", "They may stand anywhere on the line.", *_man_items(root.options)]
    lines.append(".SH EXIT STATUS")
    for code in Exit:
        lines += [".TP", rf"\fB{code.value}\fR", _roff(MEANINGS[code])]
    lines += [".SH ENVIRONMENT", ".nf", *(_roff(line) for line in ENVIRONMENT.rstrip().splitlines()), ".fi"]
    lines.append(".SH FILES")
    for path, text in _FILES:
        lines += [".TP", rf"\fI{_roff(path)}\fR", _roff(text)]
    return "\n".join(lines) + "\n"


def _man_command(found: Sequence[Page]) -> str:
    top, verbs = found[0], found[1:]
    lines = [_heading(f"{PROGRAM}-{top.words[0]}"), *_named(top), ".SH SYNOPSIS", *_synopsis(verbs or [top])]
    lines += [".SH DESCRIPTION", *_described(top)]
    if top.arguments or top.options:
        lines += [".SH OPTIONS", *_man_items((*top.arguments, *top.options))]
    if verbs:
        lines.append(".SH COMMANDS")
    for page in verbs:
        lines += [f".SS {_roff(page.usage)}", *_described(page), *_man_items((*page.arguments, *page.options))]
    lines += [".SH SEE ALSO", rf"\fB{PROGRAM}\fR(1), which has the options of all commands"]
    return "\n".join(lines) + "\n"


def _heading(name: str) -> str:
    # No date: the same program writes the same pages.
    return f'.TH "{_roff(name.upper())}" 1 "" "{PROGRAM} {__version__}" "{PROGRAM.upper()}"\n.nh\n.ad l'


def _named(page: Page) -> list[str]:
    summary = page.summary.split(". ")[0].rstrip(".")
    return [".SH NAME", rf"{_roff('-'.join((PROGRAM, *page.words)))} \- {_roff(summary[0].lower() + summary[1:])}"]


def _synopsis(found: Iterable[Page]) -> list[str]:
    lines: list[str] = []
    for page in found:
        takes = " ".join([*page.arguments_typed, *(["COMMAND"] if page.is_group else []), "[OPTIONS]"])
        lines += [rf"\fB{_roff(page.name)}\fR {_roff(takes)}", ".br"]
    return lines[:-1]


def _described(page: Page) -> list[str]:
    lines = [_roff(page.summary)]
    for block in page.blocks:
        if block.is_example:
            lines += [".PP", ".RS 4", ".nf", *(_roff(line) for line in block.lines), ".fi", ".RE"]
        else:
            lines += [".PP", _roff(block.lines[0])]
    return lines


def _man_items(items: Iterable[Item]) -> list[str]:
    lines: list[str] = []
    for item in items:
        lines += [".TP", rf"\fB{_roff(item.typed)}\fR", _roff(item.text) or r"\&"]
    return lines


def _roff(text: str) -> str:
    escaped = text.replace("\\", r"\e").replace("-", r"\-")
    return rf"\&{escaped}" if escaped.startswith((".", "'")) else escaped
