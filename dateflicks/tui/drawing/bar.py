"""The first row of a screen that is not the film's: where one is, and what is to be known there; and a notice below."""

from collections.abc import Sequence

from dateflicks.tui.drawing.cells import clean
from dateflicks.tui.drawing.rows import Row, Segment, fitted, row_width, spread
from dateflicks.tui.glyphs import Glyphs, own_text
from dateflicks.tui.themes import Style


def bar(where: str, parts: Sequence[tuple[str, Style]], width: int, glyphs: Glyphs) -> Row:
    """Where one is at the left; `parts`, the most needed first, at the right, as many as fit."""
    left: list[Segment] = [(" ", "text"), ("dateflicks", "accent"), (" | ", "dim"), (where, "title")]
    if width < 60:
        left = [(" ", "text"), (where, "title")]
    right: list[Segment] = []
    for text, style in parts:
        shown = [("  ", "text"), (own_text(clean(text), glyphs), style)]
        if right and row_width([*left, *shown, *right]) > width - 2:
            break
        right = [*shown, *right]
    return spread(left, [*right, (" ", "text")], width, glyphs)


def notice(text: str, key: str, words: str, width: int, glyphs: Glyphs) -> Row:
    """Something that goes on elsewhere, and the key that leads there."""
    right: list[Segment] = [("  ", "banner"), (f"[{key}]", "banner-key"), (f" {words} ", "banner")] if key else []
    left: list[Segment] = [(glyphs.bar, "banner"), (own_text(clean(text), glyphs), "banner-strong")]
    return spread(left, right, width, glyphs, "banner")


def trouble(lines: Sequence[str], width: int, glyphs: Glyphs) -> list[Row]:
    """What does not work, and what one can do."""
    first: Style = "bad-banner-strong"
    return [
        fitted(
            [(glyphs.bar, "bad-banner"), (own_text(clean(line), glyphs), first if not at else "bad-banner")],
            width,
            glyphs,
            "bad-banner",
        )
        for at, line in enumerate(lines)
    ]
