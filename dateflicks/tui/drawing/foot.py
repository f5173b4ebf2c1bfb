"""The line of keys at the foot of each screen, what is said where a terminal is too small, and the farewell."""

from dateflicks.client.sentences import clock_text
from dateflicks.tui.drawing import words
from dateflicks.tui.drawing.cells import clean, width_of
from dateflicks.tui.drawing.predictions import standing
from dateflicks.tui.drawing.rows import Row, Segment, fitted, row_width, spread
from dateflicks.tui.glyphs import Glyphs, own_text
from dateflicks.tui.keys import Binding, Context, Keymap, shown
from dateflicks.tui.model.state import WatchState

SMALLEST = (40, 10)


def hints(context: Context, width: int, glyphs: Glyphs, keys: Keymap) -> list[Row]:
    """One row: the keys that are needed most here, as many as fit; help and palette always, to the right."""
    everywhere = [one for one in keys.hints(context) if one.context == "app"]
    here = [one for one in keys.hints(context) if one.context == context]
    if any(one.label == "help" for one in here):
        everywhere = [one for one in everywhere if one.id != "help"]
        here = [*[one for one in here if one.label != "help"], *[one for one in here if one.label == "help"]]
        everywhere = [*here[-1:], *everywhere]
        here = here[:-1]
    right = [part for one in everywhere for part in _hint(one, glyphs)]
    if row_width(right) > width // 2:
        right = [part for one in everywhere for part in _hint(one, glyphs, with_label=False)]
    left: list[Segment] = []
    room = width - row_width(right) - 1
    for one in here:
        part = _hint(one, glyphs)
        if row_width(left) + row_width(part) > room:
            break
        left += part
    return [spread(left, [*right, (" ", "label")], width, glyphs, "label")]


def _hint(binding: Binding, glyphs: Glyphs, *, with_label: bool = True) -> list[Segment]:
    key = shown(binding.keys[0], ascii_only=glyphs.is_ascii)
    return [(" ", "label"), (key, "key"), (f" {binding.label} " if with_label else "", "label")]


def enlarge(width: int, height: int, glyphs: Glyphs) -> list[Row]:
    """What is said in a terminal that is too small for anything else."""
    wide, high = SMALLEST
    says = [f"Enlarge this terminal to {wide}×{high}: it is {width}×{height}.", f"Enlarge to {wide}×{high}", "Enlarge"]
    texts = [one.replace("×", "x") if glyphs.is_ascii else one for one in says]
    text = next((one for one in texts if width_of(one) <= width), texts[-1])
    return [fitted([(text, "strong")], width, glyphs)]


def farewell(state: WatchState, width: int, glyphs: Glyphs, command: str = "") -> list[Row]:
    """Two rows for the shell once the screen is gone: what the evening was, and how to go on."""
    title = clean(state.film.title) or "the film"
    others = [words.person_name(one) for one in state.people if not one.is_me]
    company = f" with {' and '.join(others)}" if others else ""
    minutes = int(state.together // 60)
    spent = f"{minutes // 60} h {minutes % 60} min" if minutes >= 60 else f"{minutes} min"
    parts = [f"{title}{company}: {spent} together"]
    said = sum(one.kind == "text" and not one.is_deleted for one in state.chat.entries)
    if said:
        parts.append(f"{said} message{'' if said == 1 else 's'}")
    if state.bets.scores:
        parts.append(f"predictions {standing(state, glyphs)}")
    first = own_text(" · ", glyphs).join(parts)
    where = clock_text(state.film.position_at(state.now))
    second = "Good night."
    if not state.is_over and command:
        second = own_text(f"You are at {where}. Go on with: {command}", glyphs)
    return [fitted([(first, "strong")], width, glyphs), fitted([(second, "text")], width, glyphs)]
