"""Folding what was watched into a list, as sums."""

from hypothesis import given
from hypothesis import strategies as some

from dateflicks.core.ranking.interactions import Act, Interaction, bonds_of
from dateflicks.server.services.recommendation.folding import (
    Scored,
    folded,
    fresh_weights,
    from_rows,
    reasons_for,
    recent_weights,
)


def act(video_id: str, kind: Act, at: float) -> Interaction:
    return Interaction("ana", video_id, kind, at)


def test_only_what_came_after_the_cut_is_fresh_and_only_what_it_adds() -> None:
    acts = [
        act("old", Act.FINISHED, 1.0),
        act("again", Act.BEGUN, 1.0),
        act("again", Act.FINISHED, 20.0),
        act("new", Act.UP, 20.0),
        act("refused", Act.FINISHED, 1.0),
        act("refused", Act.DOWN, 20.0),
        act("nothing", Act.LEFT, 20.0),
    ]
    assert fresh_weights(acts, 10.0) == {"again": 0.8, "new": 1.0, "refused": -1.0}
    assert fresh_weights(acts, 30.0) == {}


def test_the_older_a_film_the_less_it_counts_and_the_oldest_are_not_looked_at() -> None:
    bonds = bonds_of([act(f"film {number}", Act.FINISHED, float(number)) for number in range(5)])
    weights = recent_weights(bonds, 3)
    assert set(weights) == {"film 2", "film 3", "film 4"}
    assert weights["film 4"] == 1.0
    assert weights["film 2"] < weights["film 3"] < 1.0


def test_a_list_without_news_is_as_it_was() -> None:
    items = [Scored("a", 1.0), Scored("b", 2.0)]
    assert folded(items, {}, {"x": (("b", 1.0),)}) == items
    assert folded(items, {"x": 1.0}, {}) == items


def test_a_film_that_was_not_listed_counts_as_the_last_and_a_film_is_never_its_own_neighbour() -> None:
    items = [Scored("a", 3.0), Scored("b", 1.0)]
    found = folded(items, {"x": 0.5}, {"x": (("c", 1.0), ("d", -1.0), ("x", 9.0))})
    assert [(one.video_id, one.score) for one in found] == [("a", 3.0), ("c", 1.5), ("b", 1.0)]
    assert found[1].why == (("x", 1.0),)


def test_reasons_of_before_and_after_are_weighed_with_one_another() -> None:
    items = [Scored("a", 3.0, (("old", 0.8), ("older", 0.2)))]
    (one,) = folded(items, {"x": 1.0}, {"x": (("a", 1.0),)})
    assert [video_id for video_id, _ in one.why] == ["old", "x"]
    (more,) = folded(items, {"x": 1.0}, {"x": (("a", 30.0),)})
    assert [video_id for video_id, _ in more.why] == ["x", "old"]
    assert reasons_for("a", {"x": 1.0, "y": 2.0, "z": 0.1}, dict.fromkeys("xyz", (("a", 1.0),))) == (
        ("y", 2.0 / 3.1),
        ("x", 1.0 / 3.1),
    )


def test_a_list_of_nothing_but_rows_has_only_what_they_speak_for() -> None:
    rows = {"x": (("a", 1.0), ("b", -1.0)), "y": (("b", 0.5), ("a", -0.5))}
    assert [one.video_id for one in from_rows({"x": 1.0, "y": 1.0}, rows)] == ["a"]
    assert from_rows({"z": 1.0}, rows) == []


@given(
    some.lists(some.tuples(some.sampled_from("abcdefgh"), some.floats(-1e6, 1e6)), unique_by=lambda one: one[0]),
    some.dictionaries(some.sampled_from("xyz"), some.floats(-2, 2)),
    some.lists(some.tuples(some.sampled_from("abcdefghij"), some.floats(-1e6, 1e6)), unique_by=lambda one: one[0]),
)
def test_nothing_is_lost_or_doubled_and_the_best_is_first(
    items: list[tuple[str, float]], fresh: dict[str, float], row: list[tuple[str, float]]
) -> None:
    before = [Scored(video_id, score) for video_id, score in items]
    found = folded(before, fresh, dict.fromkeys("xyz", row))
    ids = [one.video_id for one in found]
    assert len(set(ids)) == len(ids)
    assert {video_id for video_id, _ in items} <= set(ids)
    if found != before:
        assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)
    assert all(0 <= share <= 1 for one in found for _, share in one.why)
