"""Rows of a text screen: segments of text with the name of a style, put together so that they fit a width exactly."""

from collections.abc import Iterable, Sequence

from dateflicks.tui.drawing.cells import cut, width_of
from dateflicks.tui.glyphs import Glyphs, own_text
from dateflicks.tui.themes import Style

Segment = tuple[str, Style]
Row = tuple[Segment, ...]


def row_width(row: Iterable[Segment]) -> int:
    """The cells that a row takes."""
    return sum(width_of(text) for text, _ in row)


def text_of(row: Iterable[Segment]) -> str:
    """What a row says."""
    return "".join(text for text, _ in row)


def fitted(row: Iterable[Segment], width: int, glyphs: Glyphs, ground: Style = "text") -> Row:
    """The row in exactly `width` cells: cut with an ellipsis, or filled with spaces of the style `ground`."""
    row = [one for one in row if one[0]]
    spare = width - row_width(row)
    if spare >= 0:
        return merged((*row, (" " * spare, ground)))
    found: list[Segment] = []
    left = width - width_of(glyphs.ellipsis)
    for text, style in row:
        head = cut(text, left, "") if left > 0 else ""
        found.append((head if head == text else head + glyphs.ellipsis, style))
        left -= width_of(head)
        if head != text:
            break
    return merged((*found, (" " * max(0, left), ground))) if width > 0 else ()


def spread(
    left: Iterable[Segment], right: Iterable[Segment], width: int, glyphs: Glyphs, ground: Style = "text"
) -> Row:
    """Left and right in one row; where there is no room for both, the left side is cut: what counts stands right."""
    right = tuple(right)
    needed = row_width(right)
    if needed > width - 2:
        return fitted(right, width, glyphs, ground)
    return merged((*fitted(left, width - needed, glyphs, ground), *right))


def first_fit(rows: Sequence[Sequence[Segment]], width: int) -> Sequence[Segment]:
    """The first of these that fits, from the most to say to the least; the last one if none does."""
    return next((row for row in rows if row_width(row) <= width), rows[-1])


def merged(row: Iterable[Segment]) -> Row:
    """Neighbours of one style as one segment: fewer to draw, and equal rows are equal."""
    found: list[Segment] = []
    for text, style in row:
        if not text:
            continue
        if found and found[-1][1] == style:
            found[-1] = (found[-1][0] + text, style)
        else:
            found.append((text, style))
    return tuple(found)


def rule(title: str, right: str, width: int, glyphs: Glyphs, *, right_style: Style = "dim") -> Row:
    """A line across with a title at its left and a word at its right: `─ chat ─────── 2 new ↓ ─`."""
    line = glyphs.rule
    title, right = own_text(title, glyphs), own_text(right, glyphs)
    left_part: list[Segment] = [(line, "rule"), (f" {title} ", "strong")] if title else []
    right_part: list[Segment] = [(f" {right} ", right_style), (line, "rule")] if right else []
    room = width - row_width(left_part) - row_width(right_part)
    if room < 0:
        return fitted(left_part, width, glyphs)
    return merged((*left_part, (line * room, "rule"), *right_part))


def wrapped(text: str, width: int, limit: int = 50) -> list[str]:
    """Text broken between words, and within those that are longer than a line; at most `limit` lines."""
    lines: list[str] = []
    line = ""
    for word in text.split(" "):
        joined = f"{line} {word}" if line else word
        if width_of(joined) <= width:
            line = joined
            continue
        if line:
            lines.append(line)
        line = word
        while width_of(line) > width and len(lines) < limit:
            head = cut(line, width, "") or line[:1]
            lines.append(head)
            line = line[len(head) :]
    lines.append(line)
    return lines[:limit]
