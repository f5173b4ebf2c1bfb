"""Cursors as they travel."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dateflicks.server.web.cursors import cursor_of, not_given_out, noted_in


@given(st.binary(max_size=100))
def test_what_was_noted_comes_back_out_of_a_word_for_addresses(noted: bytes) -> None:
    cursor = cursor_of(noted)
    assert noted_in(cursor) == noted
    assert all(letter.isascii() and (letter.isalnum() or letter in "-_") for letter in cursor)


@given(st.text(max_size=100))
def test_whatever_is_shown_as_a_cursor_is_read_or_is_none(cursor: str) -> None:
    assert isinstance(noted_in(cursor), bytes)


@pytest.mark.parametrize("cursor", ["é", "a", "====", "\ud800"])
def test_nothing_was_noted_in_what_is_no_cursor(cursor: str) -> None:
    assert noted_in(cursor) == b""


def test_whoever_shows_one_that_was_not_given_out_is_told_which_field_is_wrong() -> None:
    (problem,) = not_given_out("for this query").problems
    assert (problem.field, problem.message) == ("cursor", "is none that was given out for this query")
