"""What the other asks for, in one row for screens that do not show the film: what, until when, and the way back."""

from typing import Final

from dateflicks.tui.drawing import banner, predictions
from dateflicks.tui.drawing.bar import notice
from dateflicks.tui.drawing.cells import width_of
from dateflicks.tui.drawing.rows import Row
from dateflicks.tui.glyphs import Glyphs, own_text
from dateflicks.tui.keys import Keymap
from dateflicks.tui.model.state import Pending, WatchState

_WAY: Final = "to the film"
_WAY_FROM_CELLS: Final = 50  # in fewer, the key alone: more of what is asked
_KEY_CELLS: Final = 6  # around a key and its words: spaces and brackets


def asked(state: WatchState, width: int, glyphs: Glyphs, keys: Keymap, *, has_predictions: bool = False) -> list[Row]:
    """One row for what most wants an answer; none where nobody asks for anything that is not shown there anyhow."""
    says = banner.wishes(state, glyphs)
    if not says and not has_predictions and (bet := predictions.asked(state, glyphs)):
        says = [bet]
    if not says:
        return []
    key = keys.shown("back", ascii_only=glyphs.is_ascii)
    way = _WAY if width >= _WAY_FROM_CELLS else ""
    room = width - len(key) - len(way) - _KEY_CELLS
    text = next((one for one in says if width_of(one) <= room), says[-1])
    return [notice(text, key, way, width, glyphs)]


def news(before: WatchState, after: WatchState, glyphs: Glyphs, keys: Keymap) -> list[str]:
    """What is to be told once, in whole sentences: a change that was just asked for, and what the film tells."""
    told = [one.text for one in after.toasts if one not in before.toasts]
    wish = banner.wish(after)
    if wish and not _is_same(before.pending, after.pending):
        key = keys.shown("back", ascii_only=glyphs.is_ascii)
        told.append(f"{wish}: {key} leads to the film.")
    return [own_text(one, glyphs) for one in told]


def _is_same(before: Pending | None, after: Pending | None) -> bool:
    if before is None or after is None:
        return before is after
    return (before.by, before.kind, before.deadline_ms) == (after.by, after.kind, after.deadline_ms)
