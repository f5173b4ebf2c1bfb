"""One entry of the talk as lines of styled text: columns, wrapping, marks. Pure, and the sink of other people's text.

A line is parts of (text, style name); nothing in it is markup, and everything of others goes through `printable` here.
The first cell of a line is left free for the cursor's mark.
"""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, tzinfo
from functools import lru_cache
from typing import Final, Literal

from rich.cells import cell_len, chop_cells, split_graphemes

from dateflicks.protocol.printable import printable
from dateflicks.tui.emoji import EmojiMode, reaction_name, reaction_shown, shown
from dateflicks.tui.model import ChatEntry

Style = Literal["clock", "name", "mine", "film", "text", "action", "reaction", "system", "quote", "mark", "fail", "day"]
Part = tuple[str, Style]

NAME_CELLS_MAX: Final = 12  # longer names are cut
NAME_CELLS_TINY: Final = 8
TEXT_CELLS_MIN: Final = 12  # below this, columns to the left go
FILM_FROM_CELLS: Final = 72  # from this width on, film time has a column of its own before what people say
LINES_MAX: Final = 400  # of one entry: nobody pushes the rest of the talk away
GROUP_SECONDS: Final = 5.0  # the same reaction of one person within this much film is one line
_CLOCK_CELLS: Final = 5
_FILM_CELLS: Final = 9  # 0:27:40 and two spaces
_FILM_TEXT_CELLS_MIN: Final = 4  # with less room than this after it, film time goes


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """How wide, and what is shown."""

    width: int
    name_cells: int = 3
    shows_clock: bool = True
    shows_film: bool = True
    emoji: EmojiMode = "names"
    is_ascii: bool = False
    zone: tzinfo | None = None  # None: of this computer

    has_clock: bool = field(init=False)
    """Whether there is room for clock time."""
    has_film: bool = field(init=False)
    """Whether film time stands in a column before what people say."""
    names: int = field(init=False)
    """Cells of the column of names."""
    text_column: int = field(init=False)
    """Where texts begin."""

    def __post_init__(self) -> None:
        room = max(3, self.width - TEXT_CELLS_MIN - 3)
        names = min(self.name_cells, room, NAME_CELLS_MAX if self.shows_clock else NAME_CELLS_TINY)
        after_clock = 1 + _CLOCK_CELLS + 2
        has_clock = self.shows_clock and self.width - after_clock - names - 2 >= TEXT_CELLS_MIN
        text_column = after_clock + names + 2 if has_clock else 1 + names + (2 if self.shows_clock else 1)
        object.__setattr__(self, "has_clock", has_clock)
        object.__setattr__(self, "has_film", self.shows_film and self.shows_clock and self.width >= FILM_FROM_CELLS)
        object.__setattr__(self, "names", names)
        object.__setattr__(self, "text_column", text_column)


@dataclass(frozen=True, slots=True)
class ChatLine:
    """One line on the screen."""

    parts: tuple[Part, ...]
    text: str


@dataclass(frozen=True, slots=True)
class Context:
    """What the lines of an entry depend on beside the entry."""

    entry: ChatEntry
    begins_day: bool = False
    count: int = 1  # of reactions told in one line; none: another entry tells of it
    is_read: bool = False  # the others have read up to here, and this is my last line of it
    answered: ChatEntry | None = None


def entry_lines(context: Context, layout: Layout) -> tuple[ChatLine, ...]:
    """The lines of one entry; none if another one tells of it."""
    entry = context.entry
    lines: list[list[Part]] = []
    if context.begins_day:
        lines.append(_day(entry, layout))
    if context.count:
        first = _left(entry, layout)
        body = _body(context, layout)
        indent: Part = (" " * layout.text_column, "text")
        lines.extend([*(first if at == 0 else [indent]), *parts] for at, parts in enumerate(body))
    return tuple(_line(parts) for parts in lines)


def belongs(entry: ChatEntry, leader: ChatEntry, zone: tzinfo | None) -> bool:
    """Whether one line can tell of both reactions."""
    if not entry.kind == leader.kind == "reaction" or entry.author != leader.author or entry.name != leader.name:
        return False
    if entry.is_deleted or leader.is_deleted or "failed" in (entry.state, leader.state):
        return False
    if entry.reply_to != leader.reply_to or reaction_name(entry.content) != reaction_name(leader.content):
        return False
    if day_of(entry, zone) != day_of(leader, zone):
        return False
    if entry.position is None or leader.position is None:
        return entry.position is leader.position and abs(entry.at - leader.at) <= GROUP_SECONDS
    return abs(entry.position - leader.position) <= GROUP_SECONDS


def day_of(entry: ChatEntry, zone: tzinfo | None) -> date | None:
    """The day somebody said it, here; None when that is no time at all."""
    return _moment(int(entry.at // 60), zone)[1]


def author_of(entry: ChatEntry) -> str:
    """Whom a line is shown to be from."""
    return "you" if entry.is_mine else printable(entry.name) or "somebody"


def plain_text(entry: ChatEntry) -> str:
    """What an entry says, to be copied or searched."""
    return "" if entry.is_deleted else printable(entry.content, keep_newlines=True)


def searched_text(entry: ChatEntry, emoji: EmojiMode) -> str:
    """What an entry shows, as one line, to be searched."""
    if entry.kind == "reaction":
        return f"{author_of(entry)} reacted :{printable(reaction_name(entry.content))}:"
    return f"{author_of(entry)} {shown(plain_text(entry), emoji)}"


def film_clock(position: float) -> str:
    """A position in the film, always with its hour."""
    whole = int(position)
    return f"{whole // 3600}:{whole % 3600 // 60:02d}:{whole % 60:02d}"


def cut(text: str, cells: int, *, is_ascii: bool = False) -> str:
    """A text of at most so many cells, with a mark where it was cut."""
    if cell_len(text) <= cells:
        return text
    mark = "~" if is_ascii else "…"
    kept = chop_cells(text, cells - 1)[0] if cells > 1 else ""
    return (kept + mark)[: max(0, cells)]


def wrap(text: str, width: int) -> list[str]:
    """Lines of at most `width` cells, broken at spaces where there are any; several paragraphs stay apart."""
    found: list[str] = []
    for paragraph in text.split("\n"):
        if cell_len(paragraph) <= width:
            found.append(paragraph)
        else:
            _wrap_long(paragraph, width, found)
    return found


def _wrap_long(text: str, width: int, found: list[str]) -> None:
    start = cells = 0
    space = -1  # the last one that the line can be broken at
    spans = [(at, at + 1, 1) for at in range(len(text))] if text.isascii() else split_graphemes(text)[0]
    for begin, end, size in spans:
        if begin < start:
            continue
        if text[begin] == " " and 0 < start == begin:  # of the spaces at a break none begins the next line
            start = end
            continue
        if text[begin] == " " and begin > start:
            space = begin
        if cells + size > width and begin > start:
            if text[begin] == " ":
                found.append(text[start:begin])
                start, cells, space = end, 0, -1
                continue
            at = space if space > start else begin
            found.append(text[start:at].rstrip(" "))
            start = at + 1 if at == space else at
            cells, space = cell_len(text[start:begin]), -1
        cells += size
    if start < len(text):
        found.append(text[start:])


# --- the columns --------------------------------------------------------------------------------------------------


def _left(entry: ChatEntry, layout: Layout) -> list[Part]:
    """Clock and name, up to where texts begin."""
    parts: list[Part] = [(" ", "text")]
    used = 1
    if layout.has_clock:
        parts += [(_moment(int(entry.at // 60), layout.zone)[0], "clock"), ("  ", "text")]
        used += _CLOCK_CELLS + 2
    if entry.kind == "text":
        name = cut(shown(author_of(entry), "names"), layout.names, is_ascii=layout.is_ascii)
        parts.append((name, "mine" if entry.is_mine else "name"))
        used += cell_len(name)
    parts.append((" " * (layout.text_column - used), "text"))
    return parts


def _body(context: Context, layout: Layout) -> list[list[Part]]:
    """What stands right of the names, line by line."""
    entry = context.entry
    room = max(1, layout.width - layout.text_column - (1 if layout.shows_clock else 0))
    lead: list[Part] = []
    is_told = entry.kind != "text" or layout.has_film
    if entry.position is not None and is_told and not _is_coming(entry) and room >= _FILM_CELLS + _FILM_TEXT_CELLS_MIN:
        lead = [(cut(film_clock(entry.position), 7).ljust(_FILM_CELLS), "film")]
    hanging = _FILM_CELLS if lead and layout.has_film else 0
    head = _FILM_CELLS if lead else 0
    lines: list[list[Part]] = []
    if entry.reply_to is not None and not entry.is_deleted:
        lines.append([(cut(_quote(context, layout), room, is_ascii=layout.is_ascii), "quote")])
    said, style = _said(context, layout)
    wrapped = _wrap_hanging(said, room, head, hanging)
    if len(wrapped) > LINES_MAX:
        more = cut(f"({len(wrapped) - LINES_MAX} more lines)", room, is_ascii=layout.is_ascii)
        wrapped = [*wrapped[:LINES_MAX], more]
    for at, text in enumerate(wrapped):
        before = lead if at == 0 else [(" " * hanging, style)] if hanging else []
        lines.append([*before, (text, style)] if text else list(before))
    _mark(context, layout, lines, room)
    return lines


def _wrap_hanging(text: str, room: int, head: int, hanging: int) -> list[str]:
    """Wrapped, with so many cells taken on the first line and on the others."""
    if head == hanging:
        return wrap(text, max(1, room - head))
    first = wrap(text, max(1, room - head))
    if len(first) == 1:
        return first
    rest = text[len(first[0]) :].lstrip(" ").removeprefix("\n")
    return [first[0], *wrap(rest, room)]


def _said(context: Context, layout: Layout) -> tuple[str, Style]:
    entry = context.entry
    if entry.is_deleted:
        return (
            "message deleted" if entry.kind == "text" else f"{shown(author_of(entry), 'names')} took back a line"
        ), "mark"
    content = shown(printable(entry.content, keep_newlines=True), layout.emoji)
    match entry.kind:
        case "reaction":
            return _reacted(context, layout), "reaction"
        case "action":
            who = shown(printable(entry.name) or author_of(entry), "names")  # "you waves" is no English
            return f"* {who} {content}", "action"
        case "system":
            dash = "-" if layout.is_ascii else "—"
            return (f"{dash} {content} {dash}" if _is_coming(entry) else content), "system"
        case "text":
            return content, "text"


def _reacted(context: Context, layout: Layout) -> str:
    """An emoji stands last, so that nothing depends on its width."""
    entry, times = context.entry, f"(x{context.count})"
    reaction = printable(reaction_shown(entry.content, layout.emoji))
    who = f"{shown(author_of(entry), 'names')} reacted"
    if context.count == 1:
        return f"{who}  {reaction}"
    return f"{who}  {reaction}  {times}" if reaction.startswith(":") else f"{who} {times}  {reaction}"


def _quote(context: Context, layout: Layout) -> str:
    answered, sign = context.answered, "> " if layout.is_ascii else "↳ "
    if answered is None:
        return f"{sign}an earlier line"
    who = shown(author_of(answered), "names")
    if answered.is_deleted:
        return f"{sign}{who}: (deleted)"
    if answered.kind == "reaction":
        return f"{sign}{who} reacted {printable(reaction_shown(answered.content, 'names'))}"
    said = shown(printable(answered.content), "names")
    return sign + (said if answered.kind == "system" else f"{who}: {said}")


def _mark(context: Context, layout: Layout, lines: list[list[Part]], room: int) -> None:
    """In words what became of it: edited, on its way, not sent, read."""
    entry = context.entry
    words = []
    if entry.is_edited and not entry.is_deleted:
        words.append("(edited)")
    if entry.state == "sending":
        words.append("(sending)")
    if words:
        text = " ".join(words)
        used = sum(cell_len(part) for part, _ in lines[-1])
        if used and used + 1 + len(text) <= room:
            lines[-1].append((f" {text}", "mark"))
        else:
            lines.append([(cut(text, room), "mark")])
    if entry.state == "failed":
        why = f": {printable(entry.failure)}" if entry.failure else ""
        lines.extend([(text, "fail")] for text in wrap(f"{'x' if layout.is_ascii else '✗'} not sent{why}", room))
    if context.is_read:
        lines.append([("read", "mark")])


def _is_coming(entry: ChatEntry) -> bool:
    return entry.kind == "system" and entry.event in ("joined", "left")


def _day(entry: ChatEntry, layout: Layout) -> list[Part]:
    day = day_of(entry, layout.zone)
    dash = "-" if layout.is_ascii else "—"
    told = f"{day:%A} {day.day} {day:%B} {day.year}" if day is not None else "some day"
    return [(cut(f" {dash} {told} {dash}", layout.width - 1, is_ascii=layout.is_ascii), "day")]


def _line(parts: list[Part]) -> ChatLine:
    kept = tuple(part for part in parts if part[0])
    return ChatLine(kept, "".join(text for text, _ in kept))


@lru_cache(maxsize=4096)
def _moment(minute: int, zone: tzinfo | None) -> tuple[str, date | None]:
    """Clock time and day of a minute of Unix time."""
    try:
        there = datetime.fromtimestamp(minute * 60, tz=UTC).astimezone(zone)
    except (ValueError, OverflowError, OSError):
        return "--:--", None
    return f"{there:%H:%M}", there.date()
