"""One entry of the talk as lines."""

import unicodedata
from datetime import UTC, timedelta, timezone
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from rich.cells import cell_len

from dateflicks.tui.model import ChatEntry
from dateflicks.tui.widgets.chat_lines import (
    LINES_MAX,
    Context,
    Layout,
    author_of,
    cut,
    entry_lines,
    film_clock,
    plain_text,
    wrap,
)
from tests.tui.chat import said

NARROW = Layout(width=80, zone=UTC, shows_film=False)
WIDE = Layout(width=46, zone=UTC)
TINY = Layout(width=60, zone=UTC, shows_clock=False)


def drawn(entry: ChatEntry, layout: Layout = NARROW, **context: object) -> list[str]:
    return [line.text for line in entry_lines(Context(entry, **context), layout)]  # type: ignore[arg-type]


def test_clock_name_and_text_stand_in_columns() -> None:
    assert drawn(said()) == [" 21:04  bea  popcorn ready?"]
    assert drawn(said(is_mine=True)) == [" 21:04  you  popcorn ready?"]


def test_a_long_text_goes_on_under_its_beginning() -> None:
    assert drawn(said("they're coming to get you, Barbara", is_mine=True), WIDE) == [
        " 21:04  you  they're coming to get you,",
        "             Barbara",
    ]


def test_a_tiny_screen_has_names_alone_before_the_text() -> None:
    assert drawn(said(position=12.0), TINY) == [" bea popcorn ready?"]
    assert drawn(
        said("sync: bea was 2.4 s behind, corrected in 1.1 s", kind="system", position=2395.0, author=None), TINY
    ) == ["     0:39:55  sync: bea was 2.4 s behind, corrected in 1.1 s"]


def test_film_time_has_a_column_where_there_is_room() -> None:
    layout = Layout(width=80, zone=UTC)
    assert drawn(said(position=2395.0), layout) == [" 21:04  bea  0:39:55  popcorn ready?"]
    assert drawn(said("word " * 20, position=0.0), layout)[1].startswith(" " * 22 + "word")
    assert drawn(said(), layout) == [" 21:04  bea  popcorn ready?"]
    assert drawn(said(position=2395.0), WIDE) == [" 21:04  bea  popcorn ready?"]


def test_a_system_line_is_indented_and_without_a_name() -> None:
    assert drawn(said("bea joined", kind="system", event="joined", author=None)) == [" 21:04       — bea joined —"]
    assert drawn(said("bea paused", kind="system", event="paused", position=1660.0)) == [
        " 21:04       0:27:40  bea paused"
    ]


@pytest.mark.parametrize(
    ("mode", "once", "thrice"),
    [
        ("names", "bea reacted  :scream:", "bea reacted  :scream:  (x3)"),
        ("simple", "bea reacted  😱", "bea reacted (x3)  😱"),
    ],
)
def test_reactions_are_told_with_their_count_and_an_emoji_last(mode: str, once: str, thrice: str) -> None:
    layout = Layout(width=80, zone=UTC, emoji=mode)  # type: ignore[arg-type]
    entry = said("scream", kind="reaction", position=1660.0)
    assert drawn(entry, layout) == [f" 21:04       0:27:40  {once}"]
    assert drawn(entry, layout, count=3) == [f" 21:04       0:27:40  {thrice}"]
    assert drawn(entry, layout, count=0) == []


def test_an_action_tells_who_does_it() -> None:
    assert drawn(said("waves", kind="action")) == [" 21:04       * bea waves"]
    assert drawn(said("waves", kind="action", is_mine=True)) == [" 21:04       * ana waves"]


@pytest.mark.parametrize("entry", [{"kind": "action"}, {"kind": "action", "is_deleted": True}, {"kind": "text"}])
def test_a_name_of_joined_emoji_is_written_out_whatever_the_line_is(entry: dict[str, Any]) -> None:
    family = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
    (line,) = drawn(said("waves", name=family, **entry))
    assert line.isprintable()
    assert ":m" in line


def test_a_reply_quotes_what_it_answers_in_one_line() -> None:
    answered = said("one is sacrificial " * 9, is_mine=True)
    first, second = drawn(said("so say all of us", reply_to="msg_1"), answered=answered)
    assert first.startswith(" 21:04  bea  ↳ you: one is sacrificial")
    assert first.endswith("…")
    assert len(first) <= 80
    assert second == "             so say all of us"


@pytest.mark.parametrize(
    ("answered", "words"),
    [
        (None, "↳ an earlier line"),
        (said(is_deleted=True), "↳ bea: (deleted)"),
        (said("joy", kind="reaction"), "↳ bea reacted :joy:"),
        (said("Paused by bea.", kind="system"), "↳ Paused by bea."),
    ],
)
def test_a_reply_says_what_it_can_of_what_it_answers(answered: ChatEntry | None, words: str) -> None:
    assert drawn(said(reply_to="msg_1"), answered=answered)[0].endswith(words)


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        (said(is_edited=True), "popcorn ready? (edited)"),
        (said(state="sending"), "popcorn ready? (sending)"),
        (said(is_edited=True, state="sending"), "popcorn ready? (edited) (sending)"),
        (said(is_deleted=True), "message deleted"),
        (said("waves", is_deleted=True, kind="action"), "bea took back a line"),
        (said(state="failed"), "✗ not sent"),
        (said(state="failed", failure="too long by 3"), "✗ not sent: too long by 3"),
    ],
)
def test_what_became_of_a_line_is_said_in_words(entry: ChatEntry, words: str) -> None:
    assert drawn(entry)[-1].endswith(words)


def test_a_deleted_line_says_nothing_more() -> None:
    entry = said("secret", is_deleted=True, is_edited=True, reply_to="msg_1")
    assert "secret" not in "".join(drawn(entry))
    assert len(drawn(entry)) == 1
    assert plain_text(entry) == ""


def test_a_mark_without_room_gets_a_line_of_its_own() -> None:
    entry = said("x" * 66, is_edited=True)
    assert drawn(entry)[1] == "             (edited)"


def test_what_the_others_have_read_is_marked_in_words() -> None:
    assert drawn(said(is_mine=True), is_read=True) == [" 21:04  you  popcorn ready?", "             read"]


def test_a_new_day_is_told_before_the_line() -> None:
    assert drawn(said(), begins_day=True) == [" — Tuesday 24 November 2026 —", " 21:04  bea  popcorn ready?"]


def test_time_is_told_as_it_is_here() -> None:
    layout = Layout(width=80, zone=timezone(timedelta(hours=9)))
    assert drawn(said(), layout, begins_day=True) == [" — Wednesday 25 November 2026 —", " 06:04  bea  popcorn ready?"]


@pytest.mark.parametrize("at", [1e30, -1e30])
def test_a_time_that_is_none_is_drawn_as_none(at: float) -> None:
    assert drawn(said(at=at), begins_day=True)[1].startswith(" --:--  bea")


def test_ascii_glyphs_draw_nothing_else_of_their_own() -> None:
    layout = Layout(width=40, zone=UTC, is_ascii=True)
    entry = said("word " * 20, name="b" * 30, state="failed", reply_to="msg_1", position=1.0)
    lines = drawn(entry, layout, begins_day=True, answered=said("word " * 20))
    lines += drawn(said("bea joined", kind="system", event="joined"), layout)
    assert all(line.isascii() for line in lines)


def test_a_long_name_is_cut_to_its_column() -> None:
    layout = Layout(width=80, zone=UTC, name_cells=32)
    assert drawn(said(name="bartholomew-the-great"), layout) == [" 21:04  bartholomew…  popcorn ready?"]


def test_paragraphs_stay_apart() -> None:
    assert drawn(said("one\n\n  two")) == [" 21:04  bea  one", "             ", "               two"]


def test_nobody_pushes_the_rest_of_the_talk_away() -> None:
    lines = drawn(said("\n" * 4000))
    assert len(lines) == LINES_MAX + 1
    assert lines[-1].endswith("(3601 more lines)")
    narrow = drawn(said("\n" * 4000), Layout(width=10, zone=UTC))
    assert all(cell_len(line) <= 10 for line in narrow)


def test_somebody_without_a_name_is_somebody() -> None:
    assert author_of(said(name="\x1b\u202e")) == "somebody"


HOSTILE = [
    "\x1b]0;owned\x07title",
    "\x1b[2J\x1b[H gone",
    "\x1b]8;;http://evil\x1b\\link\x1b]8;;\x1b\\",
    "\x9b2J\x9d0;x\x9c",
    "\u202eabc\u2066def\u2069",
    "a\u200bb\ufeffc\u2028d\u2029e",
    "[bold red]loud[/] [@click=app.quit]press[/] [link=http://x]y[/link] \\[x]",
    "$primary [$error]x[/] :joy: {0} %s",
    "a\tb\rc\x08d\x7f\x00e",
    "e" + "\u0301" * 500,
    "\ud800 half",
    "\U000e0041\U000e007f tags",
    "\U0001f468\u200d\U0001f469\u200d\U0001f467" * 50,
    "\u0085\u000b\u000c",
]


def hostile_lines(text: str, layout: Layout) -> list[str]:
    """Everywhere that other people's text goes."""
    found = drawn(said(text, name=text), layout, begins_day=True)
    found += drawn(said(text, name=text, reply_to="x"), layout, answered=said(text, name=text))
    found += drawn(said(text, name=text, state="failed", failure=text), layout)
    for kind in ("reaction", "action", "system"):
        found += drawn(said(text, name=text, kind=kind, position=3.0), layout, count=2)
        found += drawn(said(reply_to="x"), layout, answered=said(text, name=text, kind=kind))
    found += drawn(said(text, name=text, is_deleted=True, kind="action"), layout)
    return found


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("layout", [NARROW, WIDE, TINY, Layout(width=10, zone=UTC, emoji="simple")])
def test_nothing_that_moves_a_cursor_or_hides_gets_through(text: str, layout: Layout) -> None:
    for line in hostile_lines(text, layout):
        for character in line:
            assert unicodedata.category(character) not in ("Cc", "Cs", "Co", "Cn", "Zl", "Zp")
            assert unicodedata.category(character) != "Cf" or character in "\u200c\u200d"
        assert cell_len(line) <= max(layout.width, layout.text_column + 2)


def test_markup_is_text() -> None:
    assert drawn(said("[bold]loud[/] [@click=app.quit]x[/]"))[0].endswith("[bold]loud[/] [@click=app.quit]x[/]")


@given(st.text(max_size=300), st.integers(1, 40))
def test_wrapping_loses_nothing_but_spaces_and_fits(text: str, width: int) -> None:
    lines = wrap(text, width)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "").replace("\n", "")
    assert all(cell_len(line) <= max(width, 2) for line in lines)


@example("aaaaa  aaaaa", 5)
@given(st.text(alphabet="ab ", max_size=200), st.integers(3, 20))
def test_a_word_is_broken_only_when_it_is_longer_than_the_line(text: str, width: int) -> None:
    words = text.split()
    for line in wrap(text.lstrip(), width):
        for word in line.split():
            assert word in words or any(len(one) > width and word in one for one in words)


@given(
    st.builds(
        lambda text, name, kind, position, width, clock, film: (
            said(text, name=name, kind=kind, position=position),
            Layout(width=width, shows_clock=clock, shows_film=film, name_cells=max(3, cell_len(name)), zone=UTC),
        ),
        st.text(max_size=200),
        st.text(max_size=32),
        st.sampled_from(["text", "reaction", "action", "system"]),
        st.none() | st.floats(0, 172_800),
        st.integers(24, 140),
        st.booleans(),
        st.booleans(),
    )
)
def test_no_line_is_wider_than_the_log(one: tuple[ChatEntry, Layout]) -> None:
    entry, layout = one
    assert all(cell_len(line) <= layout.width for line in drawn(entry, layout, begins_day=True))


@pytest.mark.parametrize(("cells", "expected"), [(5, "abcd…"), (6, "abcdef"), (1, "…"), (0, "")])
def test_a_text_is_cut_with_a_mark(cells: int, expected: str) -> None:
    assert cut("abcdef", cells) == expected


def test_film_time_always_has_its_hour() -> None:
    assert [film_clock(one) for one in (0, 1660.9, 172_800)] == ["0:00:00", "0:27:40", "48:00:00"]
