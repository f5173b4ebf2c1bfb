"""What fits into a terminal: how wide the columns of a table are, and where a line goes on below.

What somebody copies stays in one piece, ids and commands; what is read goes on between words. A path or an address
that its column has no room for has a line of its own. Pure: texts and a width in. Where a table has no room there are
no widths, and each record stands by itself.
"""

import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

GAP: Final = 2  # between two columns
WORD_MAX: Final = 12  # so much of a word stays in one piece, but for what is copied
LINES_MAX: Final = 6  # of one cell: what is taller is no row any more
MINOR: Final = ("created_at", "added_at")  # is told in a table only where there is room
_MINUTE: Final = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\dZ")
_DATE_WIDTH: Final = 10
_TYPED: Final = re.compile(r"(?<!\w)'[^']+'(?!\w)|(?<=: )\s*dateflicks .+$|^dateflicks .+$")
_COPIED: Final = re.compile(r"(?:~?/|[a-z][a-z0-9+]*://|dateflicks ).+")  # a path, an address, a command
_GLUE: Final = "\0"  # for a space that no line ends at; what is printed has none


@dataclass(frozen=True, slots=True)
class Column:
    """What stands in it, its title among it; `is_kept` when it is never broken: ids, and names that are typed."""

    name: str
    title: str
    cells: Sequence[str]
    is_kept: bool

    @property
    def natural(self) -> int:
        """So wide that nothing in it needs a second line, nor its title."""
        return max(map(wide, (self.title, *self.cells)))

    @property
    def told(self) -> int:
        """So wide that none of the cells needs a second line."""
        return max(self.least, *map(wide, self.cells))

    @property
    def least(self) -> int:
        """So wide that words stay in one piece."""
        words = max(
            (min(wide(word), WORD_MAX) for text in (self.title, *self.cells) for word in text.split()), default=1
        )
        if self.is_kept:
            return max(words, *map(wide, self.cells))
        return max(words, _DATE_WIDTH) if self.is_time else words

    @property
    def is_time(self) -> bool:
        """Whether times stand in it."""
        return any(map(_MINUTE.fullmatch, self.cells))


def columns_of(cells: Mapping[str, Sequence[str]], titles: Mapping[str, str]) -> list[Column]:
    """Columns by name. The first one is kept whole where its cells are names, of one word each."""
    first = next(iter(cells), "")
    is_name = not any(" " in text for text in cells.get(first, ()))
    return [
        Column(name, titles[name], found, name in ("id", "name") or name.endswith("_id") or (name == first and is_name))
        for name, found in cells.items()
    ]


def fitted(columns: Sequence[Column], width: int) -> dict[str, int] | None:
    """The width of each column that is told; None where they do not fit."""
    for told in (list(columns), [one for one in columns if one.name not in MINOR]):
        room = width - GAP * (len(told) - 1)
        natural, least = {one.name: one.natural for one in told}, {one.name: one.least for one in told}
        if sum(natural.values()) <= room:
            return natural
    if sum(least.values()) > room:
        return None
    wanted = {one.name: one.told for one in told}
    for name in [one.name for one in reversed(told) if one.is_time]:  # in two lines, or in one
        if sum(wanted.values()) > room:
            wanted[name] = least[name]
    widths = _shared(wanted, least, room)
    towers = sum(
        any(_is_high(text, widths[one.name]) for one, text in zip(told, row, strict=True)) for row in _rows(told)
    )
    return None if towers > len(told[0].cells) / 2 else widths


def _rows(columns: Sequence[Column]) -> Iterator[tuple[str, ...]]:
    return zip(*(one.cells for one in columns), strict=True)


def _shared(natural: dict[str, int], least: Mapping[str, int], room: int) -> dict[str, int]:
    """Take from the widest that can give, until there is room."""
    widths = dict(natural)
    while sum(widths.values()) > room:
        widest = max((name for name in widths if widths[name] > least[name]), key=widths.__getitem__)
        widths[widest] -= 1
    return widths


def has_own_line(text: str, width: int) -> bool:
    """Whether it is copied, and would have to be broken."""
    return wide(text) > width and _COPIED.fullmatch(text) is not None


def _is_high(text: str, width: int) -> bool:
    return len(text) > width and not has_own_line(text, width) and len(textwrap.wrap(text, width)) > LINES_MAX


def folded(line: str, width: int) -> str:
    """A line in several where it is too long for one, below its own beginning; a command that is told is not broken."""
    if wide(line) <= width:
        return line
    whole = _TYPED.sub(lambda found: found[0].replace(" ", _GLUE), line)
    indent = line[: len(line) - len(line.lstrip())]
    lines = textwrap.wrap(whole, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)
    return "\n".join(lines).replace(_GLUE, " ")


def wide(text: str) -> int:
    """How many columns of a terminal a text takes."""
    from rich.cells import cell_len

    return cell_len(text)
