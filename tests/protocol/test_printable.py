"""Other people's text: whatever comes in, nothing comes out that a terminal would obey."""

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dateflicks.protocol.printable import escaped_json, printable

HOSTILE = st.text(st.characters(codec=None)) | st.text(st.sampled_from("\x1b[2J\x9b\u202e\u2066\u200b\u0301a\n\r\t"))


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("plain", "plain"),
        ("\x1b[31mred", "[31mred"),
        ("\x9b31mred", "31mred"),
        ("safe\u202egnp.exe", "safegnp.exe"),
        ("one\r\ntwo\tthree", "one two three"),
        ("zero\u200bwidth", "zerowidth"),
        ("e\u0301", "é"),
        ("z" + "\u0335" * 30, "z" + "\u0335" * 4),
        ("👩\u200d🚀 می\u200cخواهم", "👩\u200d🚀 می\u200cخواهم"),
        ("\ud800", ""),
        ("\u0301and\u200d\u200d\u200c a\u3164\ufe0f\ufe0f", "and a\ufe0f"),
        ("a" + "\u0903\u0301" * 30, "a\u0903\u0301" + "\u0903\u0301" * 3),
    ],
)
def test_what_is_left_of_it(text: str, left: str) -> None:
    assert printable(text) == left


def test_line_breaks_stay_when_they_may() -> None:
    assert printable("one\r\ntwo\x1b\rthree", keep_newlines=True) == "one\ntwo three"


@given(HOSTILE)
def test_nothing_is_left_that_moves_hides_or_turns(text: str) -> None:
    left = printable(text)
    assert not any(unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") for character in left)
    assert not set(left) & set("\u200b\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff")


@given(HOSTILE)
def test_cleaning_twice_changes_nothing(text: str) -> None:
    assert printable(printable(text)) == printable(text)


@given(st.text() | st.text(st.sampled_from('\x1b\x9b\u202e\U000e0041\\"\n')))
def test_escaped_json_is_safe_to_see_and_means_the_same(text: str) -> None:
    shown = escaped_json(json.dumps([text], ensure_ascii=False))
    assert json.loads(shown) == [text]
    assert not any(unicodedata.category(character) in ("Cc", "Zl", "Zp") for character in shown)
    assert "\u202e" not in shown
