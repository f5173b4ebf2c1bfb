"""What is popular and fades; who watched the same; what is alike."""

import numpy as np
import pytest
from scipy.sparse import csr_array

from dateflicks.server.recommenders.content import Content, rare_counts_more
from dateflicks.server.recommenders.neighbourhood import Neighbourhood
from dateflicks.server.recommenders.popularity import Popularity
from tests.server.recommenders.worlds import DAY, NOW, fitted, interactions


def test_a_film_watched_a_half_life_ago_counts_half() -> None:
    times = [NOW, NOW - 90 * DAY, NOW - 180 * DAY, NOW]
    data = interactions([[1.0, 1.0, 1.0], [0.0, 0.0, 2.0]], times=times)
    scores = fitted(Popularity(), data, half_life_days=90.0).score(data.weights)
    np.testing.assert_allclose(scores, [[1.0, 0.5, 2.25]] * 2, rtol=1e-6)


def test_what_is_all_very_old_keeps_its_order() -> None:
    data = interactions([[1.0, 1.0]], times=[DAY, 2 * DAY])
    scores = fitted(Popularity(), data, half_life_days=0.5).score(data.weights)
    assert scores[0, 1] == 4 * scores[0, 0] > 0


def test_neighbours_are_films_that_the_same_people_watched() -> None:
    data = interactions([[1, 1, 0, 0], [1, 1, 0, 0], [0, 0, 1, 1], [0, 1, 1, 1]])
    scores = fitted(Neighbourhood(), data, shrinkage=0.0).score(csr_array(np.eye(4, dtype=np.float32)))
    root = np.sqrt
    expected = [
        [0, 2 / root(6), 0, 0],
        [2 / root(6), 0, 1 / root(6), 1 / root(6)],
        [0, 1 / root(6), 0, 1],
        [0, 1 / root(6), 1, 0],
    ]
    np.testing.assert_allclose(scores, expected, rtol=1e-6)


def test_shrinkage_holds_back_what_only_few_say() -> None:
    data = interactions([[1, 1, 0, 0], *[[0, 0, 1, 1]] * 30, [0, 0, 0, 1]])
    history = csr_array(np.eye(4, dtype=np.float32)[[0, 2]])
    free = fitted(Neighbourhood(), data, shrinkage=0.0).score(history)
    held = fitted(Neighbourhood(), data, shrinkage=10.0).score(history)
    assert free[0, 1] > free[1, 3]
    assert held[0, 1] < held[1, 3]


def test_films_are_like_one_another_by_their_rare_features_rather_than_by_the_common_ones() -> None:
    features = [[1, 1, 0], [1, 1, 0], [1, 0, 1], [1, 0, 0], [1, 0, 1], [1, 0, 0]]
    data = interactions(np.ones((1, 6)), features=features)
    scores = fitted(Content(), data).score(csr_array(np.eye(6, dtype=np.float32)))
    assert np.argmax(scores[0]) == 1
    assert np.argmax(scores[2]) == 4
    weighted = rare_counts_more(csr_array(np.asarray(features, np.float32))).toarray()
    norms = np.linalg.norm(weighted, axis=1)
    expected = weighted @ weighted.T / np.outer(norms, norms)
    np.fill_diagonal(expected, 0)
    np.testing.assert_allclose(scores, expected, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("features", [None, np.zeros((3, 0)), np.zeros((3, 4))])
def test_without_features_likeness_has_nothing_to_say(features: object) -> None:
    data = interactions([[1, 0, 1]], features=features)
    np.testing.assert_array_equal(fitted(Content(), data).score(data.weights), np.zeros((1, 3)))
