"""EDLAE: the closed form is what least squares would find, on the films that are watched most."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.sparse import csr_array

from dateflicks.server.recommenders.edlae import Edlae, EdlaeModel, fit_edlae, most_watched
from dateflicks.server.recommenders.recommender import RecommenderError
from dateflicks.settings.recommenders import EdlaeTuning
from tests.server.recommenders.worlds import fitted, interactions


def watched(users: int = 60, films: int = 25, seed: int = 1) -> NDArray[np.float32]:
    """Weights between 0.1 and 2 where something was watched."""
    draw = np.random.default_rng(seed)
    weights = draw.uniform(0.1, 2.0, (users, films)) * (draw.random((users, films)) < 0.25)
    return weights.astype(np.float32)


def by_least_squares(given: NDArray[np.float32], strength: float, dropout: float) -> NDArray[np.float64]:
    """Film by film: a ridge regression on all others, each held back by its own share of what is dropped."""
    exact = given.astype(np.float64)
    films = exact.shape[1]
    found = np.zeros((films, films))
    dropped = dropout / (1 - dropout) * (exact**2).sum(axis=0)
    for film in range(films):
        others = np.arange(films) != film
        ours = exact[:, others]
        square = ours.T @ ours + np.diag(dropped[others] + strength)
        found[others, film] = np.linalg.solve(square, ours.T @ exact[:, film])
    return found


@pytest.mark.parametrize("dropout", [0.0, 0.3, 0.8])
def test_the_closed_form_is_what_least_squares_finds_for_each_film_from_all_others(dropout: float) -> None:
    given = watched()
    model = fit_edlae(csr_array(given), EdlaeTuning(regularization=3.0, dropout=dropout))
    np.testing.assert_allclose(model.weights, by_least_squares(given, 3.0, dropout), atol=2e-5)
    assert not model.weights.diagonal().any()
    np.testing.assert_allclose(model.score(csr_array(given)), given @ model.weights, atol=1e-5)


def test_more_films_than_a_stripe_are_inverted_as_well() -> None:
    given = watched(users=300, films=600, seed=2)
    model = fit_edlae(csr_array(given), EdlaeTuning(regularization=50.0, dropout=0.0))
    exact = np.linalg.inv(given.T.astype(np.float64) @ given + 50.0 * np.eye(600))
    expected = -exact / exact.diagonal()
    np.fill_diagonal(expected, 0)
    np.testing.assert_allclose(model.weights, expected, atol=1e-5)


def test_only_what_is_watched_most_has_a_part_and_the_rest_comes_last() -> None:
    given = np.array([[1, 1, 0, 1, 0], [1, 0, 0, 1, 0], [1, 1, 1, 0, 0], [0, 1, 0, 1, 0]], np.float32)
    assert most_watched(csr_array(given), 3).tolist() == [0, 1, 3]
    assert most_watched(csr_array(given), 99).tolist() == [0, 1, 2, 3]
    model = fitted(Edlae(), interactions(given), films=3, regularization=1.0)
    assert isinstance(model, EdlaeModel)
    scores = model.score(csr_array(given))
    inner = fit_edlae(csr_array(given[:, [0, 1, 3]]), EdlaeTuning(regularization=1.0)).score(
        csr_array(given[:, [0, 1, 3]])
    )
    np.testing.assert_allclose(scores[:, [0, 1, 3]], inner, atol=1e-6)
    np.testing.assert_allclose(scores[:, [2, 4]], np.repeat(inner.min(axis=1)[:, None], 2, axis=1))


def test_a_matrix_that_cannot_be_inverted_says_what_to_set() -> None:
    twins = np.ones((4_000, 3), np.float32) * 1_000
    with pytest.raises(RecommenderError, match="regularization"):
        fit_edlae(csr_array(twins), EdlaeTuning(regularization=1e-6, dropout=0.0))
