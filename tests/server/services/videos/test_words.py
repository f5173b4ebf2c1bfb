"""Folding: what is typed and what is kept become the same words, and slips are counted as people make them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dateflicks.server.services.videos.words import (
    TEXT_MAX_CHARACTERS,
    WORD_MAX_CHARACTERS,
    distance,
    exact_keys,
    joined_of,
    words_of,
    year_in,
)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("The Third Man", ["the", "third", "man"]),
        ("AMÉLIE", ["amelie"]),
        ("Ame\u0301lie", ["amelie"]),
        ("Schindler’s List", ["schindlers", "list"]),
        ("Spider-Man: No Way Home", ["spider", "man", "no", "way", "home"]),
        ("Das weiße Band", ["das", "weisse", "band"]),
        ("Ærø & Łódź", ["aero", "and", "lodz"]),
        ("Броненосец «Потёмкин»", ["броненосец", "потемкин"]),
        ("羅生門", ["羅", "生", "門"]),
        ("ﬁlm ﬂow", ["film", "flow"]),
        ("８½", ["81", "2"]),
        ('" OR * NEAR(', ["or", "near"]),
        ("a\0b", ["a", "b"]),
        ("!!!", []),
        ("", []),
    ],
)
def test_text_becomes_words_without_case_marks_and_punctuation(text: str, words: list[str]) -> None:
    assert words_of(text) == words


@given(st.text(max_size=80))
def test_words_hold_nothing_that_means_anything_to_a_query_language(text: str) -> None:
    for word in words_of(text):
        assert 0 < len(word) <= WORD_MAX_CHARACTERS
        assert not set(word) & set("\"'*():^+-{} \0\t\n")
        assert word == word.casefold()


@given(st.text(max_size=80))
def test_folding_what_is_folded_changes_nothing(text: str) -> None:
    once = " ".join(words_of(text))
    assert " ".join(words_of(once)) == once


def test_an_endless_text_is_cut() -> None:
    assert words_of("a" * 100_000) == ["a" * WORD_MAX_CHARACTERS]
    assert len(words_of("a " * 100_000)) == TEXT_MAX_CHARACTERS // 2


def test_what_punctuation_divides_is_known_as_one_word_too() -> None:
    assert joined_of("Spider-Man") == ["spiderman"]
    assert joined_of("E.T. the Extra-Terrestrial") == ["et", "extraterrestrial"]
    assert joined_of("Star Wars") == []


def test_a_title_is_known_with_and_without_its_article() -> None:
    assert exact_keys("The General") == {"the general", "general"}
    assert exact_keys("M") == {"m"}


def test_a_year_is_one_where_other_words_stand_beside_it() -> None:
    assert year_in(["charade", "1963"]) == "1963"
    assert year_in(["1963", "charade"]) == "1963"
    assert year_in(["1917"]) is None
    assert year_in(["blade", "runner", "2049"]) == "2049"
    assert year_in(["ocean", "11"]) is None


@pytest.mark.parametrize(
    ("one", "other", "slips"),
    [
        ("night", "night", 0), ("nigth", "night", 1), ("livng", "living", 1), ("livving", "living", 1),
        ("kiving", "living", 1), ("schwarzeneger", "schwarzenegger", 1), ("swarzenegger", "schwarzenegger", 2),
        ("night", "day", 3), ("abcdefgh", "hgfedcba", 3), ("", "", 0), ("a", "", 1),
    ],
)  # fmt: skip
def test_slips_are_letters_missing_too_many_wrong_or_in_each_other_s_place(one: str, other: str, slips: int) -> None:
    assert distance(one, other, 2) == slips
    assert distance(other, one, 2) == slips


@given(st.text("abc", max_size=8), st.text("abc", max_size=8))
def test_a_distance_is_the_same_both_ways_and_none_means_the_same(one: str, other: str) -> None:
    assert distance(one, other, 9) == distance(other, one, 9)
    assert (distance(one, other, 9) == 0) == (one == other)
