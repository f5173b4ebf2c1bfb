"""ALS: factors are solved for from histories, as exactly as those that were learned; without the extra it says so."""

from itertools import pairwise

import numpy as np
import pytest
from scipy.sparse import csr_array

from dateflicks.server.recommenders import als
from dateflicks.server.recommenders.als import Als, AlsModel, chance_of, fit_als
from dateflicks.server.recommenders.blend import Blend
from dateflicks.server.recommenders.recommender import Context, RecommenderError
from dateflicks.settings.recommenders import AlsTuning
from tests.server.recommenders.worlds import fitted, interactions, population

pytest.importorskip("implicit")
SMALL = AlsTuning(factors=6, regularization=0.4, confidence=3.0, iterations=150)


def model_of(weights: csr_array, seed: int = 42) -> AlsModel:
    return fit_als(weights, SMALL, Context(config=SMALL, seed=seed))


def test_who_was_learned_from_has_the_factors_that_were_learned() -> None:
    data = population(users=80, films=60, each=12)
    model = model_of(data.weights)
    learned = np.asarray(model._solver.user_factors) @ model.film_factors.T  # they are half a step older
    np.testing.assert_allclose(model.score(data.weights), learned, atol=0.01)


def test_factors_are_those_that_the_weighted_sum_of_squares_asks_for() -> None:
    data = population(users=80, films=60, each=12)
    model = model_of(data.weights)
    history = np.zeros((1, 60), np.float32)
    history[0, [3, 8, 21, 40]] = [0.1, 1.0, 0.3, 2.0]
    films = model.film_factors.astype(np.float64)
    trust = np.where(history[0] > 0, SMALL.confidence * history[0], 1.0)
    square = films.T @ (films * trust[:, None]) + SMALL.regularization * chance_of(data.weights) * np.eye(SMALL.factors)
    expected = np.linalg.solve(square, films.T @ (trust * (history[0] > 0)))
    np.testing.assert_allclose(model.factors_of(csr_array(history))[0], expected, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize(("users", "films", "share"), [(300, 200, 0.1), (60, 500, 0.2)])
def test_factors_are_held_back_by_what_would_be_there_by_chance(users: int, films: int, share: float) -> None:
    there = np.random.default_rng(1).random((users, films)) < share
    greatest = np.linalg.svd(there - share, compute_uv=False)[0]
    assert chance_of(csr_array(there.astype(np.float32))) == pytest.approx(greatest, rel=0.15)


@pytest.mark.parametrize("recommender", [Als(), Blend()], ids=lambda one: one.name)
@pytest.mark.parametrize(("users", "films", "ratings"), [(943, 1_682, 70_000), (6_040, 3_700, 700_000)])
def test_what_is_tried_holds_back_from_hardly_to_very_much_whatever_the_size_of_the_data(
    recommender: Als | Blend, users: int, films: int, ratings: int
) -> None:
    chance = (ratings / users) ** 0.5 + (ratings / films) ** 0.5
    tried = [one.get("als", one) for one in recommender.tunings(recommender.config())]
    plain = sorted(one["regularization"] * chance for one in tried if "factors" in one)
    assert plain[0] <= 1
    assert plain[-1] >= 100
    assert max(after / before for before, after in pairwise(plain)) < 6


def test_a_history_is_scored_alike_alone_and_among_others() -> None:
    data = population(users=80, films=60, each=12)
    model = model_of(data.weights)
    together = model.score(data.weights)
    alone = np.concatenate([model.score(csr_array(data.weights[[row]])) for row in range(80)])
    np.testing.assert_allclose(together, alone, atol=1e-5)


def test_the_same_seed_gives_the_same_factors_and_another_seed_others() -> None:
    data = population(users=80, films=60, each=12)
    np.testing.assert_array_equal(model_of(data.weights).film_factors, model_of(data.weights).film_factors)
    assert not np.array_equal(model_of(data.weights).film_factors, model_of(data.weights, seed=7).film_factors)


def test_the_data_is_left_as_it_was() -> None:
    data = population(users=40, films=30, each=6)
    before = data.weights.data.copy()
    model_of(data.weights).score(data.weights)
    np.testing.assert_array_equal(data.weights.data, before)


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(als, "is_installed", lambda: False)
    with pytest.raises(RecommenderError, match=r"dateflicks\[als\]"):
        fitted(Als(), interactions([[1.0]]))
