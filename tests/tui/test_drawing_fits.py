"""Drawn rows: whatever the state and the width, each fits to the cell and holds nothing that moves a cursor."""

import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from dateflicks.tui.drawing import banner, film, foot, meter, people, predictions, watch
from dateflicks.tui.drawing.rows import Row, fitted, merged, rule, spread, text_of, wrapped
from dateflicks.tui.glyphs import ASCII, UNICODE, Glyphs
from dateflicks.tui.keys import Context, read_keys
from dateflicks.tui.model import Event, LinkChanged, WatchState, reduce
from dateflicks.tui.themes import LOOKS
from tests.tui.evenings import opened, states
from tests.tui.happenings import ANY_EVENING, EVENINGS, NAMES

KEYS = read_keys({})
STATES = states()
SIZES = [(40, 10), (60, 16), (80, 24), (140, 40)]
ODD_WIDTHS = [*range(1, 48), 59, 61, 71, 72, 73, 79, 81, 83, 84, 85, 99, 119, 120, 121, 139, 199, 300]
GLYPHS = pytest.mark.parametrize("glyphs", [UNICODE, ASCII], ids=["unicode", "ascii"])
CONTEXTS: tuple[Context, ...] = ("film", "composer", "chat", "lobby", "predictions", "waiting", "sign_in", "dialog")

Drawer = Callable[[WatchState, int, Glyphs], list[Row]]


def listing(state: WatchState, width: int, glyphs: Glyphs) -> list[Row]:
    """The list of predictions, with one of them marked."""
    marked = state.bets.items[0].id if state.bets.items else None
    return [row for _, rows in predictions.listing(state, width, glyphs, KEYS, marked) for row in rows]


DRAWERS: dict[str, Drawer] = {
    "header": film.header,
    "transport": film.transport,
    "timeline": film.timeline,
    "reactions": film.reactions,
    "meter, folded": meter.folded,
    "meter, wide": meter.wide,
    "verdict": meter.verdict,
    "history": meter.history,
    "banners": lambda state, width, glyphs: banner.banners(state, width, glyphs, KEYS),
    "people": people.people,
    "invitation": people.invitation,
    "toasts": people.toasts,
    "chat rule": lambda state, width, glyphs: [people.chat_rule(state, width, glyphs, 2)],
    "predictions": lambda state, width, glyphs: predictions.panel(state, width, glyphs, KEYS),
    "listing": listing,
    "scores": predictions.scores,
    "farewell": lambda state, width, glyphs: foot.farewell(state, width, glyphs, "dateflicks watch --resume"),
    "hints": lambda _, width, glyphs: [row for one in CONTEXTS for row in foot.hints(one, width, glyphs, KEYS)],
    "stage": lambda state, width, glyphs: watch.stage(state, width, glyphs, KEYS),
    "side": watch.side,
}


def problems(name: str, rows: list[Row], width: int) -> Iterator[str]:
    """What is wrong with rows of this width."""
    for row in rows:
        text = text_of(row)
        if cell_len(text) != width:
            yield f"{name} at {width}: {cell_len(text)} cells: {text!r}"
        if any(unicodedata.category(one) in ("Cc", "Cs", "Zl", "Zp") or one in "\u202e\u200d\ufe0f" for one in text):
            yield f"{name} at {width}: not printable: {text!r}"
        if any(style not in LOOKS for _, style in row):
            yield f"{name}: a style that is none: {row!r}"


@GLYPHS
@pytest.mark.parametrize("width", ODD_WIDTHS)
def test_every_row_of_every_part_fits_exactly(glyphs: Glyphs, width: int) -> None:
    found = [
        problem
        for state in STATES.values()
        for name, draw in DRAWERS.items()
        for problem in problems(name, draw(state, width, glyphs), width)
    ]
    assert found == []


@GLYPHS
@pytest.mark.parametrize("name", STATES)
@pytest.mark.parametrize(("width", "height"), SIZES)
def test_the_top_of_the_screen_fits_each_of_the_sizes(name: str, width: int, height: int, glyphs: Glyphs) -> None:
    rows = watch.top(STATES[name], width, watch.size_of(width, height), glyphs, KEYS)
    assert list(problems(name, rows, width)) == []
    assert len(rows) <= height - 4


@ANY_EVENING
@given(EVENINGS, st.integers(1, 200), st.sampled_from([UNICODE, ASCII]))
def test_rows_fit_whatever_has_happened(evening: list[tuple[float, Event]], width: int, glyphs: Glyphs) -> None:
    state = reduce(reduce(WatchState(), opened(), 0.0), LinkChanged(True), 0.0)
    for now, event in evening:
        state = reduce(state, event, now)
    found = [one for name, draw in DRAWERS.items() for one in problems(name, draw(state, width, glyphs), width)]
    for size in ("tiny", "narrow", "wide"):
        found += problems(size, watch.top(state, width, size, glyphs, KEYS), width)
    assert found == []


@ANY_EVENING
@given(NAMES, st.integers(1, 140))
def test_names_titles_and_lines_of_others_fit_whatever_is_in_them(text: str, width: int) -> None:
    state = STATES["asked"]
    assert state.pending is not None
    state = replace(
        state,
        people=tuple(replace(one, name=text) for one in state.people),
        film=replace(state.film, title=text),
        pending=replace(state.pending, by_name=text),
        player=replace(state.player, name=text, trouble=text),
        link=replace(state.link, why=text),
        invitation=text,
    )
    found = [one for name, draw in DRAWERS.items() for one in problems(name, draw(state, width, UNICODE), width)]
    assert found == []


@pytest.mark.parametrize("name", STATES)
@pytest.mark.parametrize("width", [40, 60, 80, 140])
def test_in_ascii_nothing_else_is_drawn(name: str, width: int) -> None:
    rows = [text_of(row) for draw in DRAWERS.values() for row in draw(STATES[name], width, ASCII)]
    assert [row for row in rows if not row.isascii()] == []


@pytest.mark.parametrize("name", STATES)
def test_a_part_has_as_many_rows_after_a_second_as_before(name: str) -> None:
    """Nothing moves without cause."""
    state = STATES[name]
    later = replace(state, now=state.now + 1.0)
    for part, draw in DRAWERS.items():
        assert len(draw(state, 80, UNICODE)) == len(draw(later, 80, UNICODE)), part


@pytest.mark.parametrize("name", STATES)
def test_drawing_the_same_twice_gives_equal_rows(name: str) -> None:
    for draw in DRAWERS.values():
        assert draw(STATES[name], 93, UNICODE) == draw(STATES[name], 93, UNICODE)


# --- rows by themselves -----------------------------------------------------------------------------------------

SEGMENTS = st.lists(
    st.tuples(st.text(st.sampled_from("abc 한👍é…"), max_size=8), st.sampled_from(["text", "dim"])), max_size=6
)


@ANY_EVENING
@given(SEGMENTS, SEGMENTS, st.integers(0, 40))
def test_rows_are_put_together_to_fit(left: list[tuple[str, str]], right: list[tuple[str, str]], width: int) -> None:
    for row in (
        fitted(left, width, UNICODE),  # type: ignore[arg-type]  # styles
        spread(left, right, width, UNICODE),  # type: ignore[arg-type]
    ):
        assert cell_len(text_of(row)) == width
        assert all(text for text, _ in row)
        assert all(one[1] != other[1] for one, other in pairwise(row))


@ANY_EVENING
@given(SEGMENTS)
def test_merging_says_the_same_in_fewer_pieces(row: list[tuple[str, str]]) -> None:
    assert text_of(merged(row)) == text_of(row)  # type: ignore[arg-type]  # styles


@ANY_EVENING
@given(st.text(st.sampled_from("ab 한👍-"), max_size=60), st.integers(2, 20))
def test_wrapped_lines_fit_and_lose_nothing_but_spaces(text: str, width: int) -> None:
    lines = wrapped(text, width, limit=100)
    assert all(cell_len(line) <= width for line in lines)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")


@pytest.mark.parametrize(
    ("text", "width", "row"),
    [
        ("abc", 3, "abc"),
        ("abc", 5, "abc  "),
        ("abcdef", 4, "abc…"),
        ("한한한", 4, "한… "),
        ("abc", 1, "…"),
        ("", 2, "  "),
    ],
)
def test_what_does_not_fit_is_cut_and_shown_to_be(text: str, width: int, row: str) -> None:
    assert text_of(fitted([(text, "text")], width, UNICODE)) == row


def test_where_two_sides_do_not_fit_the_left_one_is_cut() -> None:
    assert text_of(spread([("a long title", "text")], [(" live", "good")], 12, UNICODE)) == "a long… live"


@pytest.mark.parametrize(
    ("title", "right", "row"),
    [("chat", "2 new", "─ chat ─── 2 new ─"), ("chat", "", "─ chat ───────────"), ("", "", "──────────────────")],
)
def test_a_line_across_has_its_title_left_and_its_word_right(title: str, right: str, row: str) -> None:
    assert text_of(rule(title, right, 18, UNICODE)) == row
