"""A list drafted from several: fair, without doubles, each list in its own order, and the same when asked again."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dateflicks.core.experiments.interleaving import Pick, team_draft

films = st.sampled_from([f"vid{number}" for number in range(20)])
ranking = st.lists(films, unique=True, max_size=15)
rankings = st.dictionaries(st.sampled_from(["a", "b", "c"]), ranking, min_size=2, max_size=3)


def draft(lists: dict[str, list[str]], length: int = 10, unit: str = "usr1", day: str = "2026-11-25") -> list[Pick]:
    """One list."""
    return team_draft(lists, length, salt="salt", unit=unit, day=day)


@given(rankings, st.integers(0, 25))
def test_no_film_comes_twice_and_the_list_is_as_long_as_it_can_be(lists: dict[str, list[str]], length: int) -> None:
    items = [pick.item for pick in draft(lists, length)]
    known = {item for one in lists.values() for item in one}
    assert len(set(items)) == len(items) == min(length, len(known))
    assert set(items) <= known


@given(rankings, st.integers(0, 25))
def test_each_team_adds_its_own_films_in_its_own_order(lists: dict[str, list[str]], length: int) -> None:
    picks = draft(lists, length)
    for team, ranked in lists.items():
        places = [ranked.index(pick.item) for pick in picks if pick.team == team]
        assert places == sorted(places)


@given(rankings, st.integers(0, 25))
def test_every_pick_was_the_best_that_its_team_had_left(lists: dict[str, list[str]], length: int) -> None:
    taken: set[str] = set()
    for pick in draft(lists, length):
        if pick.team is not None:
            assert pick.item == next(item for item in lists[pick.team] if item not in taken)
        taken.add(pick.item)


@given(rankings, st.integers(0, 25))
def test_no_team_has_more_than_one_film_more_than_another(lists: dict[str, list[str]], length: int) -> None:
    counts = Counter(pick.team for pick in draft(lists, length))
    sizes = [counts[team] for team in lists]
    assert max(sizes) - min(sizes) <= 1


@given(rankings, st.integers(0, 25))
def test_asked_twice_it_is_the_same_list_in_whatever_order_the_teams_are_named(
    lists: dict[str, list[str]], length: int
) -> None:
    assert draft(lists, length) == draft(dict(reversed(lists.items())), length)


def test_each_team_begins_as_often_and_other_days_and_people_draw_anew() -> None:
    lists = {"a": ["vid1", "vid2", "vid3"], "b": ["vid4", "vid5", "vid6"]}
    firsts = Counter(draft(lists, unit=f"usr{number}")[0].team for number in range(2_000))
    assert firsts["a"] == pytest.approx(1_000, abs=110)
    days = Counter(draft(lists, day=f"day {number}")[0].team for number in range(2_000))
    assert days["a"] == pytest.approx(1_000, abs=110)


def test_places_are_as_good_for_either_team_where_both_have_the_same_list() -> None:
    same = [f"vid{number}" for number in range(6)]
    places: Counter[tuple[int, str | None]] = Counter()
    for number in range(2_000):
        for place, pick in enumerate(draft({"a": same, "b": same}, unit=f"usr{number}")):
            places[place, pick.team] += 1
    for place in range(6):
        assert places[place, "a"] == pytest.approx(1_000, abs=110)


def test_what_is_left_when_one_team_has_nothing_more_fills_up_the_list_for_nobody() -> None:
    picks = draft({"a": ["vid1"], "b": ["vid2", "vid3", "vid4"]}, 4)
    assert [pick.item for pick in picks][-1] == "vid4"
    assert picks[-1].team is None


def test_nothing_makes_an_empty_list() -> None:
    assert draft({}) == draft({"a": [], "b": []}) == []
