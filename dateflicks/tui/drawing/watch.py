"""The watch screen's fixed parts put together for each of its three sizes."""

from typing import Literal

from dateflicks.tui.drawing import banner, film, meter, people, predictions
from dateflicks.tui.drawing.rows import Row, rule
from dateflicks.tui.drawing.words import countdown, status_glyph, status_word
from dateflicks.tui.glyphs import Glyphs
from dateflicks.tui.keys import Keymap
from dateflicks.tui.model.state import WatchState

Size = Literal["tiny", "narrow", "wide"]
NARROW_CELLS = 72
WIDE_CELLS = 120
NARROW_ROWS = 20
WIDE_ROWS = 30


def size_of(width: int, height: int) -> Size:
    """Which of the three layouts fits a terminal."""
    if width < NARROW_CELLS or height < NARROW_ROWS:
        return "tiny"
    return "wide" if width >= WIDE_CELLS and height >= WIDE_ROWS else "narrow"


def top(state: WatchState, width: int, size: Size, glyphs: Glyphs, keys: Keymap) -> list[Row]:
    """Everything above the chat in tiny and narrow: header, transport, timeline, meter, banners."""
    rows = [*film.header(state, width, glyphs), *film.transport(state, width, glyphs)]
    rows += film.timeline(state, width, glyphs)
    if size != "tiny":
        rows += film.reactions(state, width, glyphs)
        rows += meter.folded(state, width, glyphs)
    said = banner.banners(state, width, glyphs, keys)
    wanted = predictions.wanted(state, width, glyphs, keys) if size != "tiny" or not said else []
    return [*rows, *said, *wanted]


def stage(state: WatchState, width: int, glyphs: Glyphs, keys: Keymap) -> list[Row]:
    """The wide screen's left column below the header: transport, sync, what is asked, predictions."""
    rows = [rule("transport", f"{status_glyph(state, glyphs)} {status_word(state)}", width, glyphs)]
    rows += film.transport(state, width, glyphs)
    rows += film.timeline(state, width, glyphs)
    rows += film.reactions(state, width, glyphs)
    rows.append(rule("sync", meter.tolerance(state), width, glyphs))
    rows += meter.verdict(state, width, glyphs)
    rows += meter.wide(state, width, glyphs)
    rows += meter.history(state, width, glyphs)
    rows += asked(state, width, glyphs, keys)
    rows.append(rule("predictions", predictions.standing(state, glyphs), width, glyphs))
    return rows + predictions.panel(state, width, glyphs, keys)


def asked(state: WatchState, width: int, glyphs: Glyphs, keys: Keymap) -> list[Row]:
    """The banners under a title that says when what is asked runs out."""
    rows = banner.banners(state, width, glyphs, keys)
    if not rows:
        return []
    if not state.link.is_open:
        return [rule("line", "", width, glyphs), *rows]
    if state.pending is None:
        return [rule("your player" if state.player.says else "film", "", width, glyphs), *rows]
    return [rule("request", f"{countdown(state.pending.deadline, state.now)} left", width, glyphs), *rows]


def side(state: WatchState, width: int, glyphs: Glyphs) -> list[Row]:
    """The wide screen's right column above the chat: the people, and the invitation while nobody has come."""
    return [
        rule("people", "", width, glyphs),
        *people.people(state, width, glyphs),
        *people.invitation(state, width, glyphs),
    ]
