"""One place in ten for what has just arrived."""

from hypothesis import given
from hypothesis import strategies as st

from dateflicks.core.ranking.arrivals import with_arrivals

RANKED = [f"r{number}" for number in range(30)]
NEW = [f"n{number}" for number in range(30)]


def test_the_sixth_of_each_ten_places_is_kept() -> None:
    placed = with_arrivals(RANKED, NEW, 0.1, 20)
    assert [entry for entry, is_new in placed if is_new] == ["n0", "n1"]
    assert [placed[5], placed[15]] == [("n0", True), ("n1", True)]
    assert [entry for entry, is_new in placed if not is_new] == RANKED[:18]


def test_without_a_share_or_without_arrivals_the_list_is_as_it_was() -> None:
    assert with_arrivals(RANKED, NEW, 0.0, 10) == [(entry, False) for entry in RANKED[:10]]
    assert with_arrivals(RANKED, [], 0.1, 10) == [(entry, False) for entry in RANKED[:10]]


def test_an_arrival_that_stands_high_enough_by_itself_needs_no_place_that_is_kept() -> None:
    placed = with_arrivals(["n0", "r0", "r1", "r2", "r3", "r4", "r5"], ["n0", "n1"], 0.1, 7)
    assert placed[0] == ("n0", False)
    assert placed[5] == ("n1", True)


def test_arrivals_fill_what_nothing_else_does() -> None:
    assert with_arrivals(["r0"], ["n0", "n1"], 0.1, 3) == [("r0", False), ("n0", True), ("n1", True)]
    assert with_arrivals([], ["n0", "n1"], 0.1, 1) == [("n0", True)]
    assert with_arrivals([], [], 0.1, 5) == []


@given(
    st.lists(st.integers(0, 40), unique=True),
    st.lists(st.integers(0, 40), unique=True),
    st.floats(0.0, 1.0),
    st.integers(0, 50),
)
def test_nothing_is_twice_in_a_list_or_out_of_order(
    ranked: list[int], new: list[int], share: float, limit: int
) -> None:
    placed = with_arrivals(ranked, new, share, limit)
    entries = [entry for entry, _ in placed]
    assert len(set(entries)) == len(entries) <= limit
    kept = [entry for entry, is_new in placed if not is_new]
    assert kept == [entry for entry in ranked if entry in set(kept)]
    assert {entry for entry, is_new in placed if is_new} <= set(new)
    there = len(set(ranked) | set(new)) if share > 0 else len(ranked)
    assert len(placed) == min(limit, there)
