"""A list for two: counted in each one's own measure, whatever the scores look like."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dateflicks.core.ranking.pairs import LIMIT, fits_of, for_two, z_scores

ANA = {"a": 4.0, "b": 2.0, "c": 0.0, "d": 2.0}
BEA = {"a": 10.0, "b": 30.0, "c": 20.0, "d": 0.0}


def names(*args: object, **options: object) -> list[str]:
    return [one.video_id for one in for_two(*args, **options)]  # type: ignore[arg-type]  # handed through


def test_scores_are_the_mean_of_what_each_thinks_in_their_own_measure() -> None:
    root2, step = math.sqrt(2), math.sqrt(125)
    expected = {
        "a": (root2 + (10 - 15) / step) / 2, "b": (0 + (30 - 15) / step) / 2,
        "c": (-root2 + (20 - 15) / step) / 2, "d": (0 + (0 - 15) / step) / 2,
    }  # fmt: skip
    found = {one.video_id: one.score for one in for_two(ANA, BEA)}
    assert found == pytest.approx(expected)
    assert names(ANA, BEA) == ["b", "a", "c", "d"]


def test_who_likes_it_less_counts_more_with_the_weight() -> None:
    z_ana, z_bea = (dict(zip("abcd", z_scores(one, list("abcd")) or [], strict=True)) for one in (ANA, BEA))
    for weight in (0.25, 0.5, 1.0):
        for one in for_two(ANA, BEA, lower_weight=weight):
            both = (z_ana[one.video_id], z_bea[one.video_id])
            mean = sum(both) / 2
            assert one.score == pytest.approx(mean + weight * (min(both) - mean))


def test_what_they_liked_as_a_couple_counts_with_how_much_they_watched_together() -> None:
    joint = {"a": 0.0, "b": 0.0, "c": 0.0, "d": 1.0}
    assert for_two(ANA, BEA, joint=joint) == for_two(ANA, BEA)
    plain = {one.video_id: one.score for one in for_two(ANA, BEA)}
    z_joint = dict(zip("abcd", z_scores(joint, list("abcd")) or [], strict=True))
    for films, share in ((1, 1 / 11), (10, 0.5), (90, 0.9)):
        found = {one.video_id: one.score for one in for_two(ANA, BEA, joint=joint, joint_films=films)}
        assert found == pytest.approx({name: plain[name] + share * z_joint[name] for name in plain})
    assert names(ANA, BEA, joint=joint, joint_films=90)[0] == "d"


def test_excluded_films_are_no_candidates_and_change_the_measure() -> None:
    assert names(ANA, BEA, excluded={"b"}) == ["a", "c", "d"]
    without = {name: score for name, score in ANA.items() if name != "b"}
    other = {name: score for name, score in BEA.items() if name != "b"}
    assert for_two(ANA, BEA, excluded=["b"]) == for_two(without, other)
    assert for_two(ANA, BEA, excluded=set(ANA)) == []


def test_a_film_missing_from_a_list_is_taken_for_its_last_one() -> None:
    cut = {"a": 10.0, "b": 30.0, "c": 20.0}
    assert for_two(ANA, cut) == for_two(ANA, cut | {"d": 10.0})


@pytest.mark.parametrize("silent", [{}, {"a": 1.0, "b": 1.0, "c": 1.0, "d": 1.0}, {"a": math.nan}, {"z": 3.0}])
def test_who_has_no_history_or_no_preference_has_no_say(silent: dict[str, float]) -> None:
    found = for_two(ANA, silent, excluded={"z"})
    assert [one.video_id for one in found] == ["a", "b", "d", "c"]
    assert found[0].score == pytest.approx(math.sqrt(2))
    assert [one.fits[1] for one in found] == [None] * 4
    mirrored = for_two(silent, ANA, excluded={"z"}, lower_weight=0.5)
    assert [(one.video_id, one.fits[0]) for one in mirrored] == [(one.video_id, None) for one in found]


def test_two_without_any_preference_get_all_films_in_a_fixed_order() -> None:
    assert for_two({}, {}) == []
    found = for_two({"b": 1.0, "a": 1.0}, {"a": 5.0, "b": 5.0})
    assert [(one.video_id, one.score, one.fits) for one in found] == [("a", 0, (None, None)), ("b", 0, (None, None))]


def test_what_is_no_number_says_nothing() -> None:
    assert for_two(ANA | {"e": math.nan, "f": math.inf}, BEA) == for_two(ANA, BEA)


def test_huge_and_tiny_scores_are_counted_alike() -> None:
    plain = for_two(ANA, BEA)
    for factor in (1e300, 1e-300):
        found = for_two({name: score * factor for name, score in ANA.items()}, BEA)
        assert [one.video_id for one in found] == [one.video_id for one in plain]
        assert [one.score for one in found] == pytest.approx([one.score for one in plain])


def test_a_fit_is_one_for_the_best_and_falls_with_the_power_of_the_rank() -> None:
    fits = fits_of([float(-rank) for rank in range(3000)], [0, 9, 99, 2999])
    assert fits == pytest.approx([1.0, 0.71, 0.42, 0.0], abs=0.005)
    assert fits_of([2.0, 1.0, 1.0, 0.0], [2, 1, 0]) == pytest.approx([0.339, 0.339, 1.0], abs=0.001)
    assert fits_of([1.0], [0]) == [1.0]
    assert fits_of([], []) == []


def test_a_list_is_cut_to_its_limit() -> None:
    many = {f"{at:04}": float(at) for at in range(500)}
    assert len(for_two(many, many)) == LIMIT
    assert names(many, many, limit=3) == ["0499", "0498", "0497"]


some_scores = st.dictionaries(st.sampled_from("abcdefgh"), st.floats(-1e6, 1e6), max_size=8)


@given(some_scores, some_scores, some_scores, st.integers(0, 30), st.floats(0, 1))
def test_a_list_is_the_same_whoever_is_named_first(
    ana: dict[str, float], bea: dict[str, float], joint: dict[str, float], films: int, weight: float
) -> None:
    one = for_two(ana, bea, joint=joint, joint_films=films, lower_weight=weight)
    other = for_two(bea, ana, joint=joint, joint_films=films, lower_weight=weight)
    assert [(a.video_id, a.fits) for a in one] == [(b.video_id, b.fits[::-1]) for b in other]
    assert [found.score for found in one] == sorted((found.score for found in one), reverse=True)
    assert all(fit is None or 0.0 <= fit <= 1.0 for found in one for fit in found.fits)
