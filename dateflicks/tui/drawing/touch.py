"""What a click on a drawn row means: keys that stand there, and the words that say what they do, can be pressed."""

from collections.abc import Iterable
from typing import Final

from dateflicks.tui.drawing.cells import width_of
from dateflicks.tui.drawing.rows import Row
from dateflicks.tui.glyphs import Glyphs
from dateflicks.tui.keys import Binding, shown
from dateflicks.tui.themes import Style

KEY_STYLES: Final[frozenset[Style]] = frozenset({"key", "banner-key", "bad-banner-key"})
_GAP: Final = "  "  # what parts one key and its words from what follows


def touched(row: Row, x: int, bindings: Iterable[Binding], glyphs: Glyphs) -> Binding | None:
    """The binding whose key, or whose words behind it, stand in cell `x` of a row; `bindings` is what can be meant."""
    at = 0
    held: Binding | None = None  # the key that the words of this segment belong to
    known: dict[str, Binding] = {}
    for one in bindings:
        if one.keys:
            known.setdefault(shown(one.keys[0], ascii_only=glyphs.is_ascii), one)
    for text, style in row:
        width = width_of(text)
        if style in KEY_STYLES:
            first, last = _pair(text.removeprefix("[").removesuffix("]"), known)
            held = last
            if at <= x < at + width:
                return first if x < at + (width + 1) // 2 else last
        else:
            words = text.split(_GAP, 1)[0]
            if at <= x < at + width_of(words):
                return held
            held = None
        at += width
    return None


def _pair(text: str, known: dict[str, Binding]) -> tuple[Binding | None, Binding | None]:
    """The bindings of a key, or of two with a slash between: the left half is the first one."""
    if text in known:
        return known[text], known[text]
    first, slash, second = text.partition("/")
    if slash and first in known and second in known:
        return known[first], known[second]
    return None, None
