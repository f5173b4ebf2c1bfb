"""Figures against those worked out by hand, and lists that are ranked over all films but for those seen."""

import math

import numpy as np
import pytest
from scipy.sparse import csr_array

from dateflicks.server.recommenders.evaluating.metrics import Mean, best, measure, ndcg_of
from dateflicks.server.recommenders.recommender import RecommenderError, Scores


def matrix(*rows: list[int]) -> csr_array:
    return csr_array(np.asarray(rows, np.float32))


def test_gains_fall_with_the_logarithm_of_the_rank_and_are_shares_of_the_best_possible() -> None:
    hits = np.asarray([[1, 0, 1], [0, 0, 0], [0, 1, 0], [1, 1, 1]], bool)
    first, second, third = 1.0, 1 / math.log2(3), 0.5
    expected = [(first + third) / (first + second), 0.0, second / (first + second + third), 1.0]
    assert ndcg_of(hits, [2, 1, 9, 5]).tolist() == pytest.approx(expected)
    assert ndcg_of(np.zeros((1, 3), bool), [0]).tolist() == [0.0]


def test_lists_are_without_what_was_seen_and_short_when_there_is_no_more() -> None:
    scores = np.asarray([[5, 4, 3, 2], [1, 1, 1, 1]], np.float32)
    assert best(scores, matrix([1, 0, 0, 0], [0, 0, 0, 0]), 2).tolist() == [[1, 2], [0, 1]]
    few = best(np.asarray([[5, 4, 3]], np.float32), matrix([1, 1, 0]), 2)
    assert few.tolist() == [[2, -1]]


def test_a_whole_measurement_is_as_by_hand() -> None:
    seen = matrix([1, 0, 0, 0, 0], [0, 0, 0, 0, 1], [1, 1, 0, 0, 0])
    held_back = matrix([0, 1, 0, 1, 0], [1, 0, 0, 0, 0], [0, 0, 0, 0, 0])
    scores = np.asarray([[9, 1, 8, 7, 0], [1, 2, 3, 4, 5], [0, 0, 0, 0, 0]], np.float32)
    found = measure(lambda rows: scores[rows], seen, held_back, 2)
    assert found.people.tolist() == [0, 1]
    assert found.ndcg.tolist() == pytest.approx([(1 / math.log2(3)) / (1 + 1 / math.log2(3)), 0.0])
    assert found.recall.tolist() == [0.5, 0.0]
    assert found.coverage == pytest.approx(2 / 5)  # 2 and 3 for the one, 3 and 2 for the other
    assert scores[0, 0] == 9


def test_a_mean_has_the_error_of_a_mean() -> None:
    found = Mean.of(np.asarray([1.0, 2.0, 3.0, 4.0]))
    assert found.value == 2.5
    assert found.error == pytest.approx(math.sqrt(5 / 3) / 2)
    assert Mean.of(np.asarray([1.0])).value == 1.0
    assert math.isnan(Mean.of(np.asarray([1.0])).error)
    assert math.isnan(Mean.of(np.asarray([])).value)


@pytest.mark.parametrize(
    ("scores", "complaint"),
    [(np.zeros((1, 2), np.float32), "shape"), (np.full((1, 3), np.nan, np.float32), "no numbers")],
)
def test_scores_that_are_none_are_refused(scores: Scores, complaint: str) -> None:
    with pytest.raises(RecommenderError, match=complaint):
        measure(lambda _: scores, matrix([0, 0, 0]), matrix([1, 0, 0]), 2)
