"""What the screen says: numbers that can be told apart, words for whether all are together, who is called what."""

from dataclasses import replace

import pytest

from dateflicks.client.viewer import Notice
from dateflicks.tui.drawing import words
from dateflicks.tui.drawing.cells import clean, cut, fill, width_of
from dateflicks.tui.glyphs import ASCII, UNICODE
from dateflicks.tui.model import LinkChanged, Person, PlayerChanged, WatchState
from tests.tui.evenings import BEA, ME, TEO, after, live, opened, person, sample, timecode


@pytest.mark.parametrize(
    ("drift", "text"),
    [
        (0.0, "+0 ms"), (0.0004, "+0 ms"), (-0.0004, "+0 ms"), (0.0005, "+1 ms"), (-0.0005, "−1 ms"), (0.001, "+1 ms"),
        (-0.31, "−310 ms"), (0.9994, "+999 ms"), (0.9996, "+1.0 s"), (-2.44, "−2.4 s"), (59.9, "+59.9 s"),
        (-65.0, "−1:05"), (4000.0, "+1:06:40"),
    ],
)  # fmt: skip
def test_a_drift_is_a_signed_number_that_shows_a_millisecond(drift: float, text: str) -> None:
    assert words.signed(drift, UNICODE) == text
    assert words.signed(drift, ASCII) == text.replace("−", "-")


@pytest.mark.parametrize(
    ("drift", "text"),
    [(0.0, "0 ms"), (-0.04, "40 ms"), (0.31, "0.3 s"), (-2.4, "2.4 s"), (70.0, "1:10"), (0.0996, "0.1 s")],
)
def test_in_a_sentence_a_drift_has_no_sign(drift: float, text: str) -> None:
    assert words.size_text(drift) == text


@pytest.mark.parametrize(
    ("position", "length", "text"),
    [
        (0.0, 5752.0, "0:00:00"),
        (2472.9, 5752.0, "0:41:12"),
        (72.0, 600.0, "1:12"),
        (3700.0, 5752.0, "1:01:40"),
        (-1.0, 9.0, "0:00"),
    ],
)
def test_a_position_has_hours_where_the_film_has(position: float, length: float, text: str) -> None:
    assert words.position_text(position, length) == text


@pytest.mark.parametrize(
    ("trip", "text"), [(None, ""), (0.0004, "<1 ms"), (0.042, "42 ms"), (0.9, "900 ms"), (1.25, "1.2 s")]
)
def test_a_round_trip_is_short(trip: float | None, text: str) -> None:
    assert words.round_trip_text(trip) == text


@pytest.mark.parametrize(
    ("deadline", "text"), [(47.0, "0:47"), (46.1, "0:47"), (60.0, "1:00"), (-5.0, "0:00"), (0.01, "0:01")]
)
def test_a_countdown_never_says_nothing_is_left_while_something_is(deadline: float, text: str) -> None:
    assert words.countdown(deadline, 0.0) == text


@pytest.mark.parametrize(("seconds", "text"), [(9.9, "9 s"), (99.0, "99 s"), (245.0, "4:05"), (-1.0, "0 s")])
def test_time_that_passes_is_told_in_seconds_first(seconds: float, text: str) -> None:
    assert words.seconds_text(seconds) == text


# --- verdicts ---------------------------------------------------------------------------------------------------


def with_bea(**changes: object) -> WatchState:
    people = {ME: person("ana", role="host"), BEA: person("bea", **changes)}
    return after([*live(), (2.0, timecode(2.0, participants=people)), (2.0, sample(2.0))])


def told(**changes: object) -> WatchState:
    return after([*live(), (2.0, timecode(2.0, **{"revision": 2, **changes})), (2.0, sample(2.0))])


@pytest.mark.parametrize(
    ("state", "verdict"),
    [
        (WatchState(), "connecting"),
        (after([(0.0, opened())]), "connecting"),
        (after([(0.0, opened()), (1.0, LinkChanged(True))]), "connecting"),
        (after(live()), "in sync"),
        (with_bea(drift=-2.4), "bea 2.4 s behind, catching up"),
        (with_bea(drift=0.4), "bea 0.4 s ahead, falling back"),
        (with_bea(drift=-9.0, excused=True), "bea 9.0 s behind, excused"),
        (with_bea(drift=0.149), "in sync"),
        (with_bea(drift=None), "in sync"),
        (with_bea(connected=False), "bea is away"),
        (with_bea(buffering=True), "bea is buffering"),
        (after([*live(), (2.0, sample(2.0, -0.3))]), "0.3 s behind, catching up"),
        (after([*live(), (2.0, sample(2.0, 0.3))]), "0.3 s ahead, falling back"),
        (after([*live(), (2.0, sample(2.0, None))]), "in sync"),
        (told(rate=0.0, waiting_for=[BEA]), "waiting for bea"),
        (told(rate=0.0, waiting_for=[ME]), "waiting for you"),
        (told(rate=0.0, waiting_for=[ME, BEA]), "waiting for you and bea"),
        (told(status="pause", rate=0.0), "paused together"),
        (told(status="stop", rate=0.0), "stopped together"),
        (told(participants={ME: person("ana", role="host")}), "bea is away"),
        (after([*live(), (2.0, LinkChanged(False, "gone", 1.0))]), "no line: unsynced"),
        (after([*live(), (2.0, PlayerChanged("died", "died"))]), "no player: unsynced"),
        (after([*live(), (2.0, Notice("ended", "over"))]), "over"),
    ],
)
def test_one_look_answers_whether_all_are_together(state: WatchState, verdict: str) -> None:
    assert words.verdict(state)[0] == verdict


def test_nobody_else_is_said_to_be_so() -> None:
    alone = timecode(1.0, participants={ME: person("ana", role="host")})
    assert (
        words.verdict(after([(0.0, opened(people=())), (0.0, LinkChanged(True)), (1.0, alone)]))[0] == "nobody else yet"
    )


@pytest.mark.parametrize(
    ("state", "word", "sign"),
    [
        (after(live()), "PLAYING", "▶"),
        (told(status="pause", rate=0.0), "PAUSED", "‖"),
        (told(status="stop", rate=0.0), "STOPPED", "■"),
        (after([*live(), (2.0, timecode(2.0, revision=2, rate=0.0, waiting_for=[BEA]))]), "WAITING", "◌"),
        (after([*live(), (2.0, LinkChanged(False, "gone", 1.0))]), "PLAYING (unsynced)", "▶"),
    ],
)
def test_what_the_film_does_is_a_word_and_a_sign(state: WatchState, word: str, sign: str) -> None:
    assert (words.status_word(state), words.status_glyph(state, UNICODE)) == (word, sign)


def test_everybody_has_a_letter() -> None:
    people = {ME: person("ana"), BEA: person("bea", role="host"), TEO: person("teo")}
    state = after([*live(), (2.0, timecode(2.0, participants=people))])
    assert words.marks(state) == {BEA: "H", ME: "G", TEO: "2"}


@pytest.mark.parametrize(
    ("name", "shown"), [("bea", "bea"), ("", "the guest"), ("\x1b[2J", "[2J"), ("x" * 40, "x" * 15 + "…")]
)
def test_names_are_cleaned_and_cut(name: str, shown: str) -> None:
    assert words.person_name(Person(user_id="u", name=name, role="guest", is_me=False)) == shown


# --- other people's text ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("\x1b]0;owned\x07title", "]0;ownedtitle"),
        ("\u202eevil", "evil"),
        ("two\nlines\tand more", "two lines and more"),
        ("👩\u200d👩\u200d👧", "👩👩👧"),
        ("👍\U0001f3fd", "👍"),
        ("❤\ufe0f", "❤"),
        ("🇩🇪", "DE"),
        ("[bold red]not markup[/]", "[bold red]not markup[/]"),
        ("  bea  ", "bea"),
    ],
)
def test_other_people_s_text_loses_what_would_break_a_row(text: str, cleaned: str) -> None:
    assert clean(text) == cleaned


@pytest.mark.parametrize(
    ("text", "width", "shown"),
    [
        ("abcdef", 6, "abcdef"),
        ("abcdef", 5, "abcd…"),
        ("한국어", 5, "한국…"),
        ("한국어", 4, "한…"),
        ("abc", 0, ""),
        ("a b c", 3, "a…"),
    ],
)
def test_text_is_cut_by_cells(text: str, width: int, shown: str) -> None:
    assert cut(text, width) == shown
    assert width_of(fill(text, width)) == width


def test_a_state_without_a_drift_of_mine_still_says_who_is_off() -> None:
    state = replace(with_bea(drift=-2.4), drift=None)
    assert words.verdict(state)[0] == "bea 2.4 s behind, catching up"
