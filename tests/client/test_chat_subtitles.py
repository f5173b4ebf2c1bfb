"""A talk as subtitles: every line where it was said, readable, in cues that follow one another."""

import itertools
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dateflicks.client.chat_subtitles import LINES, READ_MAX_MS, SHOW_MIN_MS, subtitles
from dateflicks.protocol.chat import Message
from tests.client.talking import message

CUE = re.compile(r"(\d+)\n(\d\d+):(\d\d):(\d\d),(\d{3}) --> (\d\d+):(\d\d):(\d\d),(\d{3})\n((?:.+\n)+)\n")


def cues(text: str) -> list[tuple[int, int, list[str]]]:
    """Begin, end (milliseconds) and lines of each cue; fails where the file is not well-formed."""
    found: list[tuple[int, int, list[str]]] = []
    at = 0
    while at < len(text):
        cue = CUE.match(text, at)
        assert cue is not None, text[at : at + 80]
        number, *times = (int(part) for part in cue.groups()[:9])
        assert number == len(found) + 1
        begin, end = (((h * 60 + m) * 60 + s) * 1000 + ms for h, m, s, ms in (times[:4], times[4:]))
        found.append((begin, end, cue[10].splitlines()))
        at = cue.end()
    return found


def at(*positions: float | None, **changes: Any) -> list[Message]:
    return [message(seq, position=where, **changes) for seq, where in enumerate(positions, start=1)]


def test_a_line_stands_where_it_was_said_long_enough_to_read() -> None:
    text, left_out = subtitles(at(3_661.5, content="Did you see that?"))
    assert text == "1\n01:01:01,500 --> 01:01:04,820\nBea: Did you see that?\n\n"
    assert left_out == 0


def test_those_without_a_position_are_counted_and_what_is_no_talk_is_not() -> None:
    system = message(7, type="system", author=None, author_name=None, content="ana paused", event="paused")
    gone = message(8, content="", deleted_at="2026-11-24T02:00:00.000Z")
    text, left_out = subtitles([*at(None, 5.0, None), system, gone])
    assert (len(cues(text)), left_out) == (1, 2)
    assert subtitles([]) == ("", 0)


def test_they_are_in_the_order_of_the_film_and_not_of_the_talk() -> None:
    text, _ = subtitles(at(100.0, 20.0, 60.0))
    assert [lines for _, _, lines in cues(text)] == [["Bea: line 2"], ["Bea: line 3"], ["Bea: line 1"]]


def test_lines_that_are_close_together_stand_below_one_another() -> None:
    text, _ = subtitles(at(10.0, 11.5))
    assert [lines for _, _, lines in cues(text)] == [
        ["Bea: line 1"], ["Bea: line 1", "Bea: line 2"], ["Bea: line 2"],
    ]  # fmt: skip


def test_no_line_is_left_for_a_blink_when_the_other_has_gone() -> None:
    text, _ = subtitles(at(10.0, 10.5))
    assert [(begin, len(lines)) for begin, _, lines in cues(text)] == [(10_000, 1), (10_500, 2)]


def test_what_was_said_during_a_pause_follows_one_after_the_other() -> None:
    text, _ = subtitles(at(*[60.0] * 10))
    shown = cues(text)
    assert max(len(lines) for _, _, lines in shown) == LINES
    assert shown[0][2] == [f"Bea: line {number}" for number in range(1, LINES + 1)]
    assert shown[-1][1] <= 60_000 + 3 * SHOW_MIN_MS + READ_MAX_MS


@pytest.mark.parametrize(
    ("content", "shown"),
    [
        ("a\n\nb\r\n3\n00:00:01,000 --> 00:00:02,000", "Bea: a b 3 00:00:01,000 → 00:00:02,000"),
        ("<font color=red>x</font> a<b 1 < 2", "Bea: ‹font color=red>x‹/font> a‹b 1 < 2"),
        (r"{\an8}up {Y:i} {set}", r"Bea: (\an8}up (Y:i} {set}"),
        ("\x1b[2J\u202eok", "Bea: [2Jok"),
    ],
)
def test_nothing_in_a_message_is_taken_for_the_formats_own(content: str, shown: str) -> None:
    text, _ = subtitles(at(1.0, content=content))
    assert cues(text)[0][2] == [shown]


positions = st.one_of(st.none(), st.floats(0, 172_800), st.sampled_from([0.0, 60.0, 60.001]))
contents = st.text(min_size=1, max_size=200)


@given(st.lists(st.tuples(positions, contents), max_size=40))
def test_whatever_is_said_the_file_is_well_formed_ordered_and_whole(said: list[tuple[float | None, str]]) -> None:
    messages = [
        message(seq, position=where, content=f"#{seq}# {content}") for seq, (where, content) in enumerate(said, start=1)
    ]
    text, left_out = subtitles(messages)
    shown = cues(text)
    assert left_out == sum(where is None for where, _ in said)
    for (_, end, _), (begin, _, _) in itertools.pairwise(shown):
        assert end <= begin
    times: dict[int, list[tuple[int, int]]] = {}
    for begin, end, lines in shown:
        assert begin < end
        assert len(lines) <= LINES
        for line in lines:
            times.setdefault(int(line.split("#")[1]), []).append((begin, end))
    for one in messages:
        if one.position is None:
            assert one.seq not in times
        else:
            assert times[one.seq][0][0] >= round(one.position * 1000)
            assert sum(end - begin for begin, end in times[one.seq]) >= SHOW_MIN_MS
