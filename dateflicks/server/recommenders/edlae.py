"""EDLAE: what each film says for each other one, in closed form, from emphasized denoising (Steck 2020).

With G the films' products over all people, C = (G + p/(1-p) · diag G + λ)⁻¹, and B = I - C / diag C by column: the
weights that give each film from all others with the least squared error while a share p of what is given is dropped.
Dropping nothing it is EASE. It is one matrix of films × films, so only the films that are watched most have a part.
"""

from collections.abc import Mapping
from typing import Any, ClassVar, Final

import msgspec
import numpy as np
from numpy.typing import NDArray
from scipy.linalg import lapack
from scipy.sparse import csr_array

from dateflicks.server.recommenders.recommender import (
    BaseRecommender,
    Context,
    Interactions,
    Model,
    RecommenderError,
    Scores,
)
from dateflicks.settings.recommenders import EdlaeSettings, EdlaeTuning

_STRIPE: Final = 512  # rows that are worked on at a time where a whole copy of the matrix would be too much
_TRIED: Final = (  # dropout, regularization
    (0.0, 100.0),
    (0.0, 200.0),
    (0.0, 500.0),
    (0.0, 1_000.0),
    (0.25, 300.0),
    (0.5, 75.0),
    (0.5, 150.0),
    (0.5, 600.0),
    (0.8, 200.0),
)


class EdlaeModel:
    """What films say for one another: `weights` is of the films `columns` (ascending) among so many."""

    def __init__(self, weights: NDArray[np.float32], columns: NDArray[np.int64], films: int) -> None:
        self.weights = weights
        self.columns = columns
        self._films = films

    def score(self, histories: csr_array) -> Scores:
        """What a history's films say together. A film without a part has the score of the row's last."""
        ours = self.score_columns(histories)
        if len(self.columns) == self._films:
            return ours
        scores = np.zeros((histories.shape[0], self._films), np.float32)
        if len(self.columns):
            scores[:] = ours.min(axis=1, keepdims=True)
            scores[:, self.columns] = ours
        return scores

    def score_columns(self, histories: csr_array) -> Scores:
        """The same of the films that have a part, one column for each."""
        given = histories if len(self.columns) == self._films else histories[:, self.columns]
        return np.asarray(given @ self.weights, np.float32)


class Edlae(BaseRecommender):
    """The closed form, on the films that are watched most."""

    name = "edlae"
    version = "1"
    config: ClassVar[type[msgspec.Struct]] = EdlaeSettings
    summary = "what films say for one another, in closed form; on the films that are watched most"

    def fit(self, data: Interactions, context: Context) -> Model:
        """Learn. Raises RecommenderError where the matrix cannot be inverted."""
        return fit_edlae(data.weights, context.config)

    def tunings(self, config: Any) -> tuple[Mapping[str, Any], ...]:
        """How much is dropped, and how strongly what few watched is held back."""
        del config
        return tuple({"dropout": dropout, "regularization": strength} for dropout, strength in _TRIED)


def fit_edlae(weights: csr_array, config: EdlaeTuning) -> EdlaeModel:
    """Learn from users × films. Raises RecommenderError where the matrix cannot be inverted."""
    columns = most_watched(weights, config.films)
    given = weights if len(columns) == weights.shape[1] else csr_array(weights[:, columns])
    matrix = _products(given)
    kept = 1.0 / (1.0 - config.dropout)
    np.fill_diagonal(matrix, matrix.diagonal() * kept + config.regularization)
    _invert(matrix)
    matrix /= -matrix.diagonal()
    np.fill_diagonal(matrix, 0)
    return EdlaeModel(matrix, columns, weights.shape[1])


def most_watched(weights: csr_array, count: int) -> NDArray[np.int64]:
    """The columns of the films that most people watched, ascending; of those that nobody watched none."""
    watchers = np.bincount(weights.indices, minlength=weights.shape[1])
    order = np.argsort(-watchers, kind="stable")[:count]
    return np.sort(order[watchers[order] > 0]).astype(np.int64)


def _products(weights: csr_array) -> NDArray[np.float32]:
    """Films × films, above the diagonal; stripe by stripe, as a sparse product of all is larger than the matrix."""
    films = weights.T.tocsr()
    matrix = np.zeros((films.shape[0], films.shape[0]), np.float32)
    for at in range(0, len(matrix), _STRIPE):
        matrix[at : at + _STRIPE, at:] = (films[at : at + _STRIPE] @ weights[:, at:]).toarray()
    return matrix


def _invert(matrix: NDArray[np.float32]) -> None:
    """In place, of a symmetric matrix of which the part above the diagonal is given: a second one has no room."""
    if not len(matrix):
        return
    seen = matrix.T  # as Fortran lays it out: what is above the diagonal is below it there
    _, failed = lapack.spotrf(seen, lower=1, overwrite_a=1, clean=0)
    if not failed:
        _, failed = lapack.spotri(seen, lower=1, overwrite_c=1)
    if failed or not np.isfinite(matrix).all():
        raise RecommenderError(
            "the films' products cannot be inverted with this regularization; "
            "set a greater one in [edlae] of recommenders.toml"
        )
    for at in range(0, len(matrix), _STRIPE):
        end = min(at + _STRIPE, len(matrix))
        square = matrix[at:end, at:end]
        square[:] = np.triu(square) + np.triu(square, 1).T
        matrix[end:, at:end] = matrix[at:end, end:].T
