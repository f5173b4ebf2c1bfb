"""Titles that are one film's fold alike, and others do not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dateflicks.core.catalogue.titles import TITLE_KEYS_MAX, fold_title, sort_key, title_keys


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("The Third Man", "third man"),
        ("Amélie", "AMELIE"),
        ("Le Fabuleux Destin d'Amélie Poulain", "Fabuleux destin d’Amelie Poulain"),
        ("L'Avventura", "Avventura, L'"),
        ("Das Boot", "boot"),
        ("La dolce vita", "dolce vita"),
        ("Los olvidados", "OLVIDADOS"),
        ("Matrix, The", "The Matrix"),
        ("Night of the Living Dead (1968)", "Night of the Living Dead"),
        ("Fast & Furious", "Fast and Furious"),
        ("Ocean's Eleven", "Oceans Eleven"),
        ("Spider-Man: Homecoming", "Spider Man Homecoming"),
        ("Мой друг Иван Лапшин", "мои друг иван лапшин"),
        ("Det sjunde inseglet", "sjunde inseglet"),
        ("Straße der Nacht", "STRASSE DER NACHT"),
        ("WALL·E", "Wall E"),
        ("ﬁlm", "film"),
        ("Født på ny", "fodt pa ny"),
    ],
)
def test_spellings_of_one_title_fold_alike(one: str, other: str) -> None:
    assert fold_title(one) == fold_title(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Alien", "Aliens"),
        ("Rocky", "Rocky II"),
        ("I, Robot", "Robot"),
        ("De-Lovely", "Lovely"),
        ("か", "が"),
        ("कि", "क"),
        ("1984", "1985"),
        ("$", "!"),
    ],
)
def test_different_titles_fold_differently(one: str, other: str) -> None:
    assert fold_title(one) != fold_title(other)


@pytest.mark.parametrize("title", ["The", "A", "$", "...", "(1984)", "L'", "!!!", "2012"])
def test_a_title_that_is_nothing_but_what_is_dropped_is_kept(title: str) -> None:
    assert fold_title(title)


@given(st.text(max_size=40))
def test_folding_takes_any_text_and_loses_no_title_that_has_a_letter(title: str) -> None:
    assert fold_title(title) or not any(character.isalnum() for character in title)


def test_keys_are_all_known_titles_once_each_and_not_without_end() -> None:
    assert title_keys(["The Birds", "Birds", None, "", "Die Vögel"]) == {"birds", "vogel"}
    assert len(title_keys(f"title {number}" for number in range(100))) == TITLE_KEYS_MAX


def test_a_sort_key_starts_with_a_letter_and_goes_by_the_folded_title() -> None:
    assert sort_key("The Birds") == "tbirds"
    assert sorted(["Zulu", "The Birds", "12 Angry Men"], key=sort_key) == ["12 Angry Men", "The Birds", "Zulu"]
