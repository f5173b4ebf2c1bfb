"""Histories, what is taken out, the best of each row, one measure, what is nearest."""

import numpy as np
import pytest
from scipy.sparse import csr_array

from dateflicks.core.ranking.recency import recency_weights
from dateflicks.server.recommenders.matrix import histories, nearest, standardized, take_out, top, with_values
from tests.server.recommenders.worlds import DAY, NOW, interactions


def rows(*values: object) -> csr_array:
    return csr_array(np.asarray(values, np.float32))


def test_in_a_history_what_was_watched_long_ago_counts_less_by_the_rule_of_one_person() -> None:
    times = [NOW - 3 * DAY, NOW, NOW - DAY, NOW - 9 * DAY, NOW - 2 * DAY]
    data = interactions([[1.0, 0.5, 0.0, 2.0], [0.0, 1.0, 1.0, 0.0]], times=times)
    found = histories(data, 2.0).toarray()
    first, second = recency_weights(times[:3], 2.0), recency_weights(times[3:], 2.0)
    np.testing.assert_allclose(found[0], [first[0], 0.5 * first[1], 0, 2 * first[2]], rtol=1e-6)
    np.testing.assert_allclose(found[1], [0, *second, 0], rtol=1e-6)


def test_without_a_half_life_histories_are_the_data() -> None:
    data = interactions([[1.0, 0.0], [0.0, 2.0]])
    np.testing.assert_array_equal(histories(data, None).toarray(), data.weights.toarray())


def test_other_values_leave_the_matrix_as_it_was() -> None:
    matrix = rows([1, 0, 2])
    assert with_values(matrix, np.array([5.0, 6.0])).toarray().tolist() == [[5, 0, 6]]
    assert matrix.toarray().tolist() == [[1, 0, 2]]


def test_what_is_taken_out_comes_last_and_equal_ones_come_by_column() -> None:
    scores = np.array([[1, 3, 3, 2, 3], [5, 4, 3, 2, 1]], np.float32)
    take_out(scores, rows([0, 1, 0, 0, 0], [1, 1, 1, 1, 0]))
    columns, values = top(scores, 3)
    assert columns.tolist()[0] == [2, 4, 3]
    assert values[0].tolist() == [3, 3, 2]
    assert columns[1, 0] == 4
    assert np.isneginf(values[1, 1:]).all()


@pytest.mark.parametrize("count", [0, 1, 4, 9])
def test_the_top_is_that_of_sorting_all(count: int) -> None:
    scores = np.random.default_rng(1).integers(0, 3, (20, 7)).astype(np.float32)
    columns, values = top(scores, count)
    expected = np.argsort(-scores, axis=1, kind="stable")[:, :count]
    np.testing.assert_array_equal(columns, expected)
    np.testing.assert_array_equal(values, np.take_along_axis(scores, expected, axis=1))


def test_scores_in_one_measure_have_mean_nought_and_spread_one_over_what_was_not_watched() -> None:
    scores = np.random.default_rng(2).normal(50, 9, (4, 60)).astype(np.float32)
    watched = csr_array((np.random.default_rng(3).random((4, 60)) < 0.3).astype(np.float32))
    found = standardized(scores, watched)
    for row in range(4):
        left = watched.toarray()[row] == 0
        assert found[row, left].mean() == pytest.approx(0, abs=1e-5)
        assert found[row, left].std() == pytest.approx(1, abs=1e-5)
        np.testing.assert_array_equal(np.argsort(found[row], kind="stable"), np.argsort(scores[row], kind="stable"))


def test_scores_that_are_all_equal_say_nothing_whatever_they_are() -> None:
    scores = np.array([[0, 0, 0], [7e5, 7e5, 7e5], [0.1, 0.1, 9.0]], np.float32)
    watched = rows([0, 0, 0], [0, 0, 0], [0, 0, 1])
    np.testing.assert_array_equal(standardized(scores, watched), np.zeros((3, 3)))
    np.testing.assert_array_equal(standardized(scores[:, :1], rows([1], [1], [1])), np.zeros((3, 1)))


def test_the_nearest_are_those_by_cosine_and_never_the_film_itself() -> None:
    films = np.random.default_rng(4).random((9, 30)).astype(np.float32) * (
        np.random.default_rng(5).random((9, 30)) < 0.4
    )
    found = nearest(csr_array(films), 3, shrinkage=0.5).toarray()
    norms = np.linalg.norm(films, axis=1)
    expected = (films @ films.T) / (np.outer(norms, norms) + 0.5)
    np.fill_diagonal(expected, 0)
    for film in range(9):  # the column's film keeps its own three
        keep = np.argsort(-expected[film], kind="stable")[:3]
        np.testing.assert_allclose(found[keep, film], expected[film, keep], rtol=1e-5)
        assert np.count_nonzero(found[:, film]) == np.count_nonzero(expected[film, keep])
