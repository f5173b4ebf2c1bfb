"""Who takes part, what each of them does, and what is to be read to a guest who has not come yet."""

from dateflicks.tui.drawing import words
from dateflicks.tui.drawing.cells import clean
from dateflicks.tui.drawing.rows import Row, Segment, fitted, rule, spread, wrapped
from dateflicks.tui.glyphs import Glyphs, own_text
from dateflicks.tui.model.state import Person, WatchState
from dateflicks.tui.themes import Style

_STATUS = {"play": "PLAYING", "pause": "PAUSED", "stop": "STOPPED"}


def people(state: WatchState, width: int, glyphs: Glyphs) -> list[Row]:
    """One row for each: here or not, mark, name, role; status, position and drift to the right, as far as known."""
    return [_person(state, one, width, glyphs) for one in state.people]


def _person(state: WatchState, person: Person, width: int, glyphs: Glyphs) -> Row:
    is_known = person.is_me or words.is_synced(state)
    is_here = person.is_me or person.is_here
    sign, style = (glyphs.on, "good") if is_here and is_known else (glyphs.off, "dim")
    mark = words.marks(state)[person.user_id]
    left: list[Segment] = [
        (f" {sign} ", "good" if style == "good" else "dim"),
        (mark, words.mark_style(person)),
        (f" {words.person_name(person)}", "strong"),
        (f" ({person.role})", "dim"),
    ]
    text, text_style = _doing(state, person, glyphs, is_known=is_known, is_here=is_here)
    if width < 30:
        text = text.partition("  ")[0]
    return spread(left, [("  ", "text"), (own_text(text, glyphs), text_style), (" ", "text")], width, glyphs)


def _doing(state: WatchState, person: Person, glyphs: Glyphs, *, is_known: bool, is_here: bool) -> tuple[str, Style]:
    if not is_known:
        return "not known", "dim"
    if not is_here:
        return "away, place kept", "dim"
    if person.is_buffering:
        return "BUFFERING", "warning"
    drift = words.drift_of(state, person)
    text = _STATUS[state.film.status if person.is_me and not words.is_synced(state) else person.status]
    if person.is_excused:
        text += ", excused"
    if drift is not None:
        text += f"  {words.signed(drift, glyphs)}"
    if any(name == person.name for name in state.chat.typing) and not person.is_me:
        return "writing…", "accent"
    is_off = drift is not None and abs(drift) > state.band
    return text, "warning" if is_off else "text"


def invitation(state: WatchState, width: int, glyphs: Glyphs) -> list[Row]:
    """The line to read to a friend, in a frame; no rows once somebody has come."""
    line = clean(state.invitation)
    if not line:
        return []
    if width < 12:
        return [fitted([(one, "strong")], width, glyphs) for one in wrapped(line, max(1, width))]
    top_left, top_right, bottom_left, bottom_right = list(glyphs.corners)
    inner = width - 6
    edge = glyphs.rule * (width - 4)
    rows = [fitted([(f" {top_left}{edge}{top_right} ", "rule")], width, glyphs)]
    texts: list[tuple[str, Style]] = [
        ("Read this to your friend, who types it in a terminal:", "text"),
        (line, "strong"),
    ]
    for text, style in texts:
        for part in wrapped(text, inner):
            inside = fitted([(part, style)], inner, glyphs)
            rows.append(fitted([(f" {glyphs.side} ", "rule"), *inside, (f" {glyphs.side} ", "rule")], width, glyphs))
    rows.append(fitted([(f" {bottom_left}{edge}{bottom_right} ", "rule")], width, glyphs))
    return rows


def toasts(state: WatchState, width: int, glyphs: Glyphs) -> list[Row]:
    """What is told once, at most two rows each, the newest last."""
    rows = []
    for one in state.toasts:
        sign = f"{glyphs.no} " if one.is_trouble else f"{glyphs.dot} "
        style: Style = "bad" if one.is_trouble else "dim"
        for number, part in enumerate(_in_two(clean(one.text), max(1, width - 4))):
            rows.append(fitted([(f" {sign}" if number == 0 else "   ", style), (part, "text")], width, glyphs))
    return rows


def _in_two(text: str, width: int) -> list[str]:
    """A text in one row or two; of a longer one the rest is left to the ellipsis."""
    first = wrapped(text, width, 1)[0]
    rest = text[len(first) :].strip()
    return [first, rest] if rest else [first]


def chat_rule(state: WatchState, width: int, glyphs: Glyphs, unread: int = 0) -> Row:
    """The line above the chat: who is writing, what waits for the line, and how much is new below."""
    parts = []
    writing = [words.shown_name(name, 12) for name in state.chat.typing]
    if writing:
        parts.append(f"{' and '.join(writing[:2])} {'is' if len(writing) == 1 else 'are'} writing{glyphs.ellipsis}")
    if state.chat.queued:
        parts.append(f"{state.chat.queued} queued")
    if unread:
        parts.append(f"{unread} new {glyphs.down}")
    text = f" {glyphs.dot} ".join(parts)
    return rule("chat", text, width, glyphs, right_style="accent" if unread else "dim")
