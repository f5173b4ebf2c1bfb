"""What goes to stdout: one record or many, as a table, JSON, JSON lines or plain tab-separated text.

A record is a struct of the protocol, or a mapping; its fields have their snake_case names here. Text from other
people is cleaned here, at the sink, whatever was done to it before.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, TextIO, get_args

from dateflicks.cli.exits import Exit
from dateflicks.cli.failures import CliError, nearest
from dateflicks.protocol.printable import escaped_json, printable

if TYPE_CHECKING:
    from rich.console import Console

Record = dict[str, Any]

_TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")


class Format(StrEnum):
    """How records are written."""

    TABLE = "table"
    JSON = "json"
    JSONL = "jsonl"
    PLAIN = "plain"


def record_of(value: Any) -> Any:
    """A struct as a mapping under its Python names, all the way down; fields that were not sent are left out."""
    import msgspec

    if isinstance(value, msgspec.Struct):
        names = (field.name for field in msgspec.structs.fields(value))
        found = ((name, getattr(value, name)) for name in names)
        return {name.rstrip("_"): record_of(item) for name, item in found if item is not msgspec.UNSET}
    if isinstance(value, Mapping):
        return {str(name): record_of(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [record_of(item) for item in value]
    return value


def field_names(record: Record, prefix: str = "") -> list[str]:
    """Every name that `--fields` may ask of this record."""
    names: list[str] = []
    for name, value in record.items():
        names.append(f"{prefix}{name}")
        if isinstance(value, dict):
            names += field_names(value, f"{prefix}{name}.")
    return names


def names_of(kind: type) -> list[str]:
    """Every name that `--fields` may ask of a struct, also of one that has not been sent in full."""
    import msgspec

    return list(_names_of(kind, "")) if issubclass(kind, msgspec.Struct) else []


def _names_of(kind: Any, prefix: str) -> Iterator[str]:
    import msgspec

    for one in msgspec.structs.fields(kind):
        name = f"{prefix}{one.name.rstrip('_')}"
        yield name
        for inner in (one.type, *get_args(one.type)):
            if isinstance(inner, type) and issubclass(inner, msgspec.Struct):
                yield from _names_of(inner, f"{name}.")


def pick(record: Record, path: str) -> Any:
    """The value at a dotted path, or None where the path ends early."""
    found: Any = record
    for word in path.split("."):
        found = found.get(word) if isinstance(found, dict) else None
    return found


def cell(value: Any) -> str:
    """A value as one line of text without tabs, safe to print."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.3f}".rstrip("0").rstrip(".")
    if isinstance(value, dict | list):
        import msgspec

        return printable(msgspec.json.encode(value).decode())
    return printable(str(value))


class Printer:
    """Writes records to one stream in one format."""

    def __init__(self, stream: TextIO, form: Format, fields: Sequence[str], *, color: bool, width: int | None) -> None:
        self._stream = stream
        self._form = form
        self._fields = tuple(fields)
        self._color = color
        self._width = width

    @property
    def form(self) -> Format:
        """How it writes."""
        return self._form

    def many(self, values: Iterable[Any], columns: Sequence[str], *, empty: str = "") -> str:
        """Write a list; what to say on stderr when it is empty comes back."""
        values = list(values)
        records = [record_of(value) for value in values]
        self._check(records, values, columns)
        if self._form is Format.JSON:
            self._json([self._chosen(record) for record in records], indent=2)
        elif self._form is Format.TABLE and records:
            self._table(records, self._fields or columns)
        else:
            for record in records:
                self._row(record, columns)
        return "" if records else empty

    def one(self, value: Any, columns: Sequence[str]) -> None:
        """Write a single record: as a table it stands upright, a line for each field."""
        record = record_of(value)
        self._check([record], [value], columns)
        if self._form is Format.JSON:
            self._json(self._chosen(record), indent=2)
        elif self._form is Format.TABLE:
            self._upright(record, self._fields or columns)
        else:
            self._row(record, columns)

    def event(self, value: Any, columns: Sequence[str]) -> None:
        """Write one of a stream of records at once: a line each, whatever the format."""
        record = record_of(value)
        self._check([record], [value], columns)
        if self._form is Format.JSON:
            self._json(self._chosen(record), indent=0)
        else:
            self._row(record, columns)
        self._stream.flush()

    def _check(self, records: Sequence[Record], values: Sequence[Any], columns: Sequence[str]) -> None:
        """Raises CliError for a field that is in no record and can be in none."""
        if not self._fields or not records:
            return
        known = list(dict.fromkeys(name for record in records for name in field_names(record)))
        wanted = [name for name in self._fields if name not in known and name not in columns]
        if wanted:
            known += [name for kind in {type(value) for value in values} for name in names_of(kind)]
        for name in wanted:
            if name not in known:
                raise CliError(Exit.USAGE, f"There is no field '{name}' here.", hint=nearest(name, known))

    def _chosen(self, record: Record) -> Record:
        return {name: pick(record, name) for name in self._fields} if self._fields else record

    def _json(self, value: Any, *, indent: int) -> None:
        import msgspec

        text = msgspec.json.encode(value)
        if indent:
            text = msgspec.json.format(text, indent=indent)
        self._stream.write(escaped_json(text.decode()) + "\n")

    def _row(self, record: Record, columns: Sequence[str]) -> None:
        if self._form is Format.JSONL:
            self._json(self._chosen(record), indent=0)
        else:
            self._stream.write("\t".join(cell(pick(record, name)) for name in self._fields or columns) + "\n")

    def _console(self) -> "Console":
        from rich.console import Console

        return Console(
            file=self._stream,
            color_system="auto" if self._color else None,
            force_terminal=self._color,
            width=self._width,
            highlight=False,
        )

    def _table(self, records: Sequence[Record], columns: Sequence[str]) -> None:
        from rich.table import Table
        from rich.text import Text

        from dateflicks.cli.tables import columns_of, fitted, has_own_line

        texts = {name: [_in_a_table(_for_people(pick(record, name))) for record in records] for name in columns}
        if not self._fields:  # what nobody asked for and is nowhere takes no room
            texts = {name: found for name, found in texts.items() if any(found)} or texts
        console = self._console()
        widths = fitted(columns_of(texts, {name: _title(name) for name in texts}), console.width)
        if widths is None:
            for number, record in enumerate(records):
                self._stream.write("\n" if number else "")
                self._upright(record, columns)
            return

        def begun(*, has_header: bool) -> Table:
            table = Table(box=None, pad_edge=False, header_style="bold", show_header=has_header)
            for name, width in widths.items():
                table.add_column(Text(_title(name)), overflow="fold", width=width)
            return table

        table = begun(has_header=True)
        for row in zip(*(texts[name] for name in widths), strict=True):
            below = [text for text, width in zip(row, widths.values(), strict=True) if has_own_line(text, width)]
            table.add_row(*(Text("" if text in below else text) for text in row))
            if below:
                console.print(table)
                _print_whole(console, below)
                table = begun(has_header=False)
        if table.row_count:
            console.print(table)

    def _upright(self, record: Record, columns: Sequence[str]) -> None:
        from rich.table import Table
        from rich.text import Text

        from dateflicks.cli.tables import GAP, has_own_line, wide

        shown = {_title(name): value for name in columns if (value := _for_people(pick(record, name))) != ""}
        console = self._console()
        widest = max(map(wide, shown), default=0)

        def begun() -> Table:
            table = Table(box=None, pad_edge=False, show_header=False)
            table.add_column(style="bold", no_wrap=True, min_width=min(widest, console.width - GAP))
            table.add_column(overflow="fold")
            return table

        table = begun()
        for title, value in shown.items():
            is_below = has_own_line(value, console.width - widest - GAP)
            table.add_row(Text(title), Text("" if is_below else value))
            if is_below:
                console.print(table)
                _print_whole(console, [value])
                table = begun()
        if table.row_count:
            console.print(table)


def _print_whole(console: "Console", texts: Sequence[str]) -> None:
    """A line for each, which the terminal may break and gives back whole to whoever copies it."""
    from rich.text import Text

    for text in texts:
        console.print(Text(f"  {text}"), soft_wrap=True)


def _for_people(value: Any) -> str:
    """A value as a person reads it: of a list what is in it."""
    if isinstance(value, list) and value and not any(isinstance(one, dict | list) for one in value):
        return ", ".join(map(cell, value))
    return cell(value)


def _in_a_table(text: str) -> str:
    """A time to the minute, where there is no room for more."""
    return f"{text[:10]} {text[11:16]}Z" if _TIME.fullmatch(text) else text


def _title(name: str) -> str:
    return name.replace("_", " ").replace(".", " ")
