"""The line of keys at the foot of each screen, what is said where a terminal is too small, and the farewell."""

from typing import Final

from dateflicks.client.sentences import clock_text
from dateflicks.tui.drawing import words
from dateflicks.tui.drawing.cells import clean, cut, width_of
from dateflicks.tui.drawing.predictions import standing
from dateflicks.tui.drawing.rows import Row, Segment, fitted, row_width, spread
from dateflicks.tui.glyphs import Glyphs, own_text
from dateflicks.tui.keys import Binding, Context, Keymap, shown
from dateflicks.tui.model.state import WatchState

SMALLEST: Final = (40, 10)
END_SECONDS: Final = 5.0  # who leaves so near to the end has seen it


_PAIRS: Final = {
    "back-10": ("forward-10", "10 s"),
    "back-60": ("forward-60", "60 s"),
    "agree": ("refuse", "answer"),
    "confirm": ("object", "confirm/object"),
    "scroll-up": ("scroll-down", "scroll"),
    "more-like": ("less-like", "more/less like"),
}


def hints(context: Context, width: int, glyphs: Glyphs, keys: Keymap) -> list[Row]:
    """One row: the keys that are needed most here, as many as fit; help and palette always, to the right."""
    ranked = keys.hints(context)
    helps = [one for one in ranked if one.label == "help"]
    always = [*helps[:1], *[one for one in ranked if _is_always(one) and one.label != "help"]]
    right = [part for one in always for part in _hint(shown_keys(one, glyphs), one.label if width >= 72 else "")]
    if width >= 72 and row_width(right) > width // 3:
        right = [part for one in always for part in _hint(shown_keys(one, glyphs), "")]
    left: list[Segment] = []
    room = width - row_width(right) - 1
    paired: set[str] = set()
    for one in ranked:
        if one.label == "help" or _is_always(one) or one.id in paired:
            continue
        pressed, label = shown_keys(one, glyphs), one.label
        second, both = _PAIRS.get(one.id, ("", ""))
        if second and keys[second].keys:
            pressed, label = f"{pressed}/{shown_keys(keys[second], glyphs)}", both
            paired.add(second)
        part = _hint(pressed, label)
        if row_width(left) + row_width(part) > room:
            break
        left += part
    return [spread(left, [*right, (" ", "label")], width, glyphs, "label")]


def _is_always(binding: Binding) -> bool:
    """Whether it is the same on every screen, and so stands to the right; the way back is where it is needed."""
    return binding.context == "app" and binding.id != "back"


def shown_keys(binding: Binding, glyphs: Glyphs) -> str:
    """The first key of a binding."""
    return shown(binding.keys[0], ascii_only=glyphs.is_ascii)


def _hint(pressed: str, label: str) -> list[Segment]:
    return [(" ", "label"), (pressed, "key"), (f" {label} " if label else "", "label")]


def enlarge(width: int, height: int, glyphs: Glyphs) -> list[Row]:
    """What is said in a terminal that is too small for anything else."""
    wide, high = SMALLEST
    says = [f"Enlarge this terminal to {wide}×{high}: it is {width}×{height}.", f"Enlarge to {wide}×{high}", "Enlarge"]
    texts = [one.replace("×", "x") if glyphs.is_ascii else one for one in says]
    text = next((one for one in texts if width_of(one) <= width), texts[-1])
    return [fitted([(text, "strong")], width, glyphs)]


def farewell(state: WatchState, width: int, glyphs: Glyphs, command: str = "") -> list[Row]:
    """Two rows for the shell once the screen is gone: what the evening was, and how to go on."""
    others = [words.person_name(one) for one in state.people if not one.is_me]
    company = f" with {' and '.join(others)}" if others else ""
    parts = [f"{_spent(state.together)} together"]
    said = sum(one.kind == "text" and not one.is_deleted for one in state.chat.entries)
    if said:
        parts.append(f"{said} message{'' if said == 1 else 's'}")
    if state.bets.scores:
        parts.append(standing(state, glyphs))
    numbers = own_text(" · ", glyphs).join(parts)
    title = clean(state.film.title) or "The film"
    title = cut(title, max(8, width - width_of(f"{company}: {numbers}")), glyphs.ellipsis)
    second, here = "Good night.", state.film.position_at(state.now)
    is_seen = state.is_over or (state.film.length > 0 and here >= state.film.length - END_SECONDS)
    if not is_seen and command:
        second = f"You left at {clock_text(here)}. Go on with: {command}"
    first = f"{title}{company}: {numbers}"
    return [fitted([(first, "strong")], width, glyphs), fitted([(second, "text")], width, glyphs)]


def _spent(seconds: float) -> str:
    minutes = int(seconds // 60)
    return f"{minutes // 60} h {minutes % 60} min" if minutes >= 60 else f"{minutes} min"
