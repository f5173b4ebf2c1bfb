"""Every algorithm with hardly anything to learn from: no films, one person, one film, all alike, empty histories."""

import numpy as np
import pytest
from scipy.sparse import csr_array

from dateflicks.server.recommenders.als import Als, is_installed
from dateflicks.server.recommenders.blend import Blend
from dateflicks.server.recommenders.content import Content
from dateflicks.server.recommenders.edlae import Edlae
from dateflicks.server.recommenders.neighbourhood import Neighbourhood
from dateflicks.server.recommenders.popularity import Popularity
from dateflicks.server.recommenders.recommender import BaseRecommender, Context, Recommender
from tests.server.recommenders.worlds import fitted, interactions, population

ALL = [Blend, Edlae, Neighbourhood, Popularity, Content, *([Als] if is_installed() else [])]
POOR = {
    "nobody and nothing": np.zeros((0, 0)),
    "people without films": np.zeros((3, 0)),
    "films without people": np.zeros((0, 4)),
    "nothing watched": np.zeros((2, 3)),
    "one person, one film": np.ones((1, 1)),
    "one person": np.ones((1, 5)),
    "one film": np.ones((5, 1)),
    "all watched by all": np.ones((6, 4)),
    "one of many watched": np.eye(1, 30),
    "weights of all sizes": np.array([[0.1, 2.0, 0.0], [2.0, 0.1, 0.3]]),
    "people who are the same": np.tile([1.0, 0.0, 1.0, 0.0], (7, 1)),
}


def made(recommender: type[BaseRecommender]) -> Recommender:
    one = recommender()
    assert isinstance(one, Recommender)
    return one


@pytest.mark.parametrize("name", POOR)
@pytest.mark.parametrize("recommender", ALL, ids=lambda one: one.name)
def test_poor_data_gives_numbers(recommender: type[BaseRecommender], name: str) -> None:
    data = interactions(POOR[name])
    model = fitted(made(recommender), data)
    films = data.weights.shape[1]
    empty = csr_array((2, films), dtype=np.float32)
    for histories in (data.weights, empty, csr_array((0, films), dtype=np.float32)):
        scores = model.score(histories)
        assert scores.shape == histories.shape
        assert scores.dtype == np.float32
        assert np.isfinite(scores).all()
        scores[:] = 0  # whoever asked may write into them


@pytest.mark.parametrize("recommender", ALL, ids=lambda one: one.name)
def test_the_same_data_and_seed_give_the_same_scores_and_histories_stay_as_they_are(
    recommender: type[BaseRecommender],
) -> None:
    data = population(users=50, films=40, each=8)
    before = data.weights.toarray()
    first, second = (fitted(made(recommender), data).score(data.weights) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    np.testing.assert_array_equal(data.weights.toarray(), before)
    assert not np.shares_memory(first, second)


@pytest.mark.parametrize("recommender", ALL, ids=lambda one: one.name)
def test_whoever_is_unknown_is_scored_by_their_history_alone(recommender: type[BaseRecommender]) -> None:
    data = population(users=50, films=40, each=8)
    model = fitted(made(recommender), data)
    stranger = csr_array(data.weights[[3, 9]])
    np.testing.assert_allclose(model.score(stranger), model.score(data.weights)[[3, 9]], atol=1e-4)


@pytest.mark.parametrize("recommender", ALL, ids=lambda one: one.name)
def test_all_it_would_try_can_be_tried(recommender: type[BaseRecommender]) -> None:
    one = recommender()
    assert Context(config=one.config()).config == one.config()
    assert one.summary
    assert len(one.tunings(one.config())) <= 14
