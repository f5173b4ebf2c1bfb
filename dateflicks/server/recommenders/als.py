"""ALS: people and films as a few factors each, by the package `implicit`, which is an extra; only this module knows it.

What somebody watched is taken as 1 with the confidence `confidence` × weight, everything else as 0 with confidence 1.
Factors are held back by `regularization` × (√(films of a person) + √(people of a film)), both on average: what is mere
chance in such data is as large as that, so that the same setting suits two people and many thousands. Whoever is scored
has their factors solved for from their history.
"""

import importlib.util
from collections.abc import Mapping
from typing import Any, ClassVar, Final

import msgspec
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, csr_matrix

from dateflicks.server.recommenders.recommender import (
    BaseRecommender,
    Context,
    Interactions,
    Model,
    RecommenderError,
    Scores,
)
from dateflicks.settings.recommenders import AlsSettings, AlsTuning

_TRIED: Final = (  # factors, regularization, confidence: the more is believed, the more must be held back
    (32, 0.04, 2.0),
    (32, 0.2, 3.0),
    (32, 0.5, 4.0),
    (64, 0.8, 3.0),
    (64, 1.5, 3.0),
    (64, 1.2, 5.0),
    (64, 3.0, 8.0),
    (64, 7.0, 16.0),
    (128, 2.0, 5.0),
    (128, 4.0, 10.0),
)


class AlsModel:
    """Factors; `solver` is what `implicit` has fitted."""

    def __init__(self, solver: Any, config: AlsTuning) -> None:
        self._solver = solver
        self._confidence = np.float32(config.confidence)

    @property
    def film_factors(self) -> NDArray[np.float32]:
        """Films × factors."""
        return np.asarray(self._solver.item_factors, np.float32)

    def factors_of(self, histories: csr_array) -> NDArray[np.float32]:
        """Histories × factors: those that explain each history best, the films being as they are."""
        found = self._solver.recalculate_user(np.arange(histories.shape[0]), _confidences(histories, self._confidence))
        return np.asarray(found, np.float32)

    def score(self, histories: csr_array) -> Scores:
        """The products of a history's factors with those of all films."""
        if not histories.shape[0] or not len(self.film_factors):
            return np.zeros((histories.shape[0], len(self.film_factors)), np.float32)
        return self.factors_of(histories) @ self.film_factors.T


class Als(BaseRecommender):
    """Alternating least squares."""

    name = "als"
    version = "1"
    config: ClassVar[type[msgspec.Struct]] = AlsSettings
    summary = "factors of people and films by alternating least squares; needs the extra als"

    def fit(self, data: Interactions, context: Context) -> Model:
        """Learn. Raises RecommenderError where the extra is missing."""
        return fit_als(data.weights, context.config, context)

    def tunings(self, config: Any) -> tuple[Mapping[str, Any], ...]:
        """How many factors, how strongly they are held back, and how much more what was watched counts."""
        del config
        return tuple(dict(zip(("factors", "regularization", "confidence"), one, strict=True)) for one in _TRIED)


def is_installed() -> bool:
    """Whether the extra is there."""
    return importlib.util.find_spec("implicit") is not None


def fit_als(weights: csr_array, config: AlsTuning, context: Context) -> AlsModel:
    """Learn from users × films. Raises RecommenderError where the extra is missing."""
    if not is_installed():
        raise RecommenderError("als needs the package implicit; install it with: pip install 'dateflicks[als]'")
    from implicit.cpu.als import AlternatingLeastSquares
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # it has no types

    with threadpool_limits(context.threads, "blas"):  # two kinds of threads in turns wait for one another
        solver = AlternatingLeastSquares(
            factors=config.factors,
            regularization=config.regularization * chance_of(weights),
            iterations=config.iterations,
            num_threads=context.threads,
            random_state=context.seed,
        )
        solver.fit(_confidences(weights, np.float32(config.confidence)), show_progress=False)
    return AlsModel(solver, config)


def chance_of(weights: csr_array) -> float:
    """How large the greatest singular value is about, of as many entries that are where they are by chance alone."""
    sides = (np.count_nonzero(np.diff(weights.indptr)), len(np.unique(weights.indices)))
    return sum((weights.nnz / side) ** 0.5 for side in sides if side) or 1.0


def _confidences(weights: csr_array, confidence: np.float32) -> csr_matrix:
    """As `implicit` wants it, which knows matrices and no arrays; where the entries are is shared."""
    parts = (weights.data.astype(np.float32, copy=False) * confidence, weights.indices, weights.indptr)
    return csr_matrix(parts, shape=weights.shape, copy=False)
