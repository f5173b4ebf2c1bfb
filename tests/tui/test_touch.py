"""Clicks on drawn rows: keys, and the words that say what they do."""

import pytest

from dateflicks.tui.drawing import watch
from dateflicks.tui.drawing.foot import hints
from dateflicks.tui.drawing.rows import Row, text_of
from dateflicks.tui.drawing.touch import touched
from dateflicks.tui.glyphs import ASCII, UNICODE, Glyphs
from dateflicks.tui.keys import Context, read_keys
from tests.tui.evenings import states

KEYS = read_keys({})


def at(row: Row, words: str, context: Context, offset: int = 0, *, glyphs: Glyphs = UNICODE) -> str | None:
    """The id of what a click on these words means."""
    known = [*KEYS.of(context), *KEYS.of("app")]
    found = touched(row, text_of(row).index(words) + offset, known, glyphs)
    return found.id if found is not None else None


@pytest.mark.parametrize(
    ("words", "name"),
    [("space", "play-pause"), ("play/pause", "play-pause"), ("chat", "talk"), ("?", "film-help"), ("^p", "palette")],
)
@pytest.mark.parametrize("width", [80, 140])
def test_a_hint_is_its_key(words: str, name: str, width: int) -> None:
    (row,) = hints("film", width, UNICODE, KEYS)
    assert at(row, words, "film") == name


def test_two_keys_with_a_slash_between_are_two() -> None:
    (row,) = hints("film", 80, UNICODE, KEYS)
    assert at(row, "←/→", "film") == "back-10"
    assert at(row, "←/→", "film", 2) == "forward-10"
    assert at(row, "10 s", "film") == "forward-10"


def test_what_is_asked_is_answered_by_a_click() -> None:
    asked = states()["asked"]
    row = next(row for row in watch.top(asked, 80, "narrow", UNICODE, KEYS) if "[y]" in text_of(row))
    assert at(row, "[y]", "film", 1) == "agree"
    assert at(row, "[n]", "film", 1) == "refuse"
    assert at(row, "bea", "film") is None


def test_words_that_are_no_key_s_mean_nothing() -> None:
    (row,) = hints("lobby", 80, ASCII, KEYS)
    assert touched(row, 200, KEYS.of("lobby"), ASCII) is None
    assert touched(row, 1, [], ASCII) is None
