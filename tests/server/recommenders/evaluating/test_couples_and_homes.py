"""Lists for two drawn by chance, and homes of two that learn from others: what is planted comes out."""

import numpy as np
import pytest

from dateflicks.server.recommenders.evaluating.bench import Bench
from dateflicks.server.recommenders.evaluating.couples import lists_for, measure_couples
from dateflicks.server.recommenders.evaluating.homes import measure_homes
from dateflicks.server.recommenders.evaluating.reading import DataError
from dateflicks.server.recommenders.evaluating.splitting import Split, split_of
from dateflicks.server.recommenders.evaluating.synthetic import synthetic
from dateflicks.server.recommenders.neighbourhood import Neighbourhood


@pytest.fixture(scope="module")
def split() -> Split:
    return split_of(synthetic(users=400, films=300, clusters=6, watched=40, has_drift=False).ratings, "rand")


@pytest.fixture
def bench(split: Split) -> Bench:
    bench = Bench(split, Neighbourhood(), 42, 1, 20)
    bench.final(Neighbourhood.config(), None)
    return bench


def test_both_in_their_own_measure_serve_two_better_than_one_of_them_or_the_crowd(bench: Bench) -> None:
    found = {one.strategy: one for one in measure_couples(bench, None, 150)}
    assert list(found) == [
        "popularity", "one member only", "mean of raw scores", "mean z (w = 0)", "w = 0.25", "w = 0.5",
        "product (min-max)", "least misery", "round robin",
    ]  # fmt: skip
    best = found["mean z (w = 0)"]
    for other in (found["popularity"], found["one member only"], found["least misery"]):
        assert best.lower > other.lower
        assert best.mean > other.mean
        assert best.nothing_for_one < other.nothing_for_one
    assert best.joint > found["popularity"].joint
    assert (best.pairs, 0 < best.joint_pairs <= 150, best.joint_error < 0.1) == (150, True, True)
    assert measure_couples(bench, None, 40)[3] == measure_couples(bench, None, 40)[3]


def test_ways_to_make_lists_are_as_by_hand() -> None:
    scores = np.asarray([[4, 3, 2, 1, 0], [0, 2, 1, 3, 9]], np.float32)
    found = {name: columns.tolist() for name, columns in lists_for(scores, np.arange(5, dtype=np.float32), 3).items()}
    assert found["popularity"] == [4, 3, 2]
    assert found["one member only"] == [0, 1, 2]
    assert found["mean of raw scores"] == [4, 1, 0]
    assert found["product (min-max)"] == [1, 3, 2]
    assert found["round robin"] == [0, 4, 1]
    assert found["least misery"][0] == 1


def test_a_home_of_two_needs_a_prior(split: Split) -> None:
    bench = Bench(split, Neighbourhood(), 42, 1, 20)
    alone, together = measure_homes(bench, Neighbourhood.config(), None, 2, 10, [], [])
    assert (alone.prior, together.prior, alone.homes) == ("none", "everybody else", 10)
    assert together.ndcg >= 0.30
    assert alone.ndcg < together.ndcg / 2
    assert together.learned_from > 50 * alone.learned_from


def test_two_people_are_needed() -> None:
    split = split_of(synthetic(users=1, films=40, watched=10).ratings, "rand")
    bench = Bench(split, Neighbourhood(), 42, 1, 20)
    with pytest.raises(DataError, match="no home"):
        measure_homes(bench, Neighbourhood.config(), None, 2, 5, [], [])
    bench.final(Neighbourhood.config(), None)
    with pytest.raises(DataError, match="no pair"):
        measure_couples(bench, None, 5)
