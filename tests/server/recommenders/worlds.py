"""Small populations whose tastes are known, for tests of algorithms."""

import numpy as np
from scipy.sparse import csr_array

from dateflicks.server.recommenders.matrix import take_out, top
from dateflicks.server.recommenders.recommender import Context, Interactions, Model, Recommender

DAY = 86_400.0
NOW = 1_790_000_000.0


def interactions(
    weights: object, *, times: object = None, features: object = None, dtype: type = np.float32
) -> Interactions:
    """Interactions of users × films as rows of numbers, all at one instant unless told otherwise."""
    matrix = csr_array(np.asarray(weights, dtype))
    matrix.sort_indices()
    return Interactions(
        user_ids=tuple(f"usr_{row}" for row in range(matrix.shape[0])),
        film_ids=tuple(f"vid_{column}" for column in range(matrix.shape[1])),
        weights=matrix,
        times=np.full(matrix.nnz, NOW) if times is None else np.asarray(times, np.float64),
        features=None if features is None else csr_array(np.asarray(features, np.float32)),
        now=NOW,
    )


def population(
    users: int = 400, films: int = 300, each: int = 40, seed: int = 8, standing: float = 2.0
) -> Interactions:
    """People of some tastes, films of some kinds and series, and some that everybody has seen, as these stand out."""
    draw = np.random.default_rng(seed)
    tastes = draw.standard_normal((users, 12)) / np.sqrt(1 + np.arange(12))
    kinds = draw.standard_normal((films, 12)) / np.sqrt(1 + np.arange(12))
    series = draw.standard_normal((users, films // 6))[:, draw.integers(films // 6, size=films)]
    liking = tastes @ kinds.T + 2.0 * series - standing * draw.gamma(2.0, 1.0, films) + draw.gumbel(size=(users, films))
    weights = np.zeros((users, films), np.float32)
    np.put_along_axis(weights, np.argpartition(-liking, each, axis=1)[:, :each], 1.0, axis=1)
    return interactions(weights)


def parted(data: Interactions, seed: int = 3, share: float = 0.2) -> tuple[Interactions, csr_array]:
    """What may be learned from, and what is held back of each person."""
    held = np.random.default_rng(seed).random(data.weights.nnz) < share
    whole = data.weights.toarray()
    rows = np.repeat(np.arange(whole.shape[0]), np.diff(data.weights.indptr))
    kept = whole.copy()
    kept[rows[held], data.weights.indices[held]] = 0
    return interactions(kept), csr_array(whole - kept)


def fitted(recommender: Recommender, data: Interactions, **settings: object) -> Model:
    """A model of the recommender's own settings, but for these."""
    return recommender.fit(data, Context(config=recommender.config(**settings)))


def hits(model: Model, data: Interactions, held: csr_array, count: int = 20) -> float:
    """The share of what was held back that is among the best so many of each."""
    scores = model.score(data.weights)
    take_out(scores, data.weights)
    columns, _ = top(scores, count)
    return float(np.take_along_axis(held.toarray() > 0, columns, axis=1).sum() / held.nnz)
