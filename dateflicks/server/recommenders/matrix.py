"""What algorithms and whoever runs or measures them do with users × films: histories in which the recent counts more,
what is taken out, the best of each row, scores in one measure, films that are like one another.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from dateflicks.core.ranking.recency import HALF_LIFE_FILMS, recency_weights
from dateflicks.server.recommenders.recommender import Interactions, Scores

BATCH_ROWS: Final = 512  # at 6,000 films the scores of so many people are 12 MiB
OUT: Final = np.float32(-np.inf)  # the score of what is taken out


def histories(data: Interactions, half_life: float | None = HALF_LIFE_FILMS) -> csr_array:
    """The data as histories to be scored: what was watched long ago counts less. Without a half-life it is the data."""
    if half_life is None:
        return data.weights
    ends = data.weights.indptr
    factors = np.ones(data.weights.nnz, np.float32)
    for start, end in zip(ends[:-1].tolist(), ends[1:].tolist(), strict=True):
        factors[start:end] = recency_weights(data.times[start:end].tolist(), half_life)
    return with_values(data.weights, data.weights.data * factors)


def with_values(matrix: csr_array, values: NDArray[np.floating]) -> csr_array:
    """The same entries with other values, float32; where the entries are is shared and not copied."""
    parts = (values.astype(np.float32, copy=False), matrix.indices, matrix.indptr)
    return csr_array(parts, shape=matrix.shape, copy=False)


def take_out(scores: Scores, watched: csr_array) -> None:
    """Set to -inf, in place, whatever the row of `watched` with the same number has an entry for."""
    rows = np.repeat(np.arange(watched.shape[0]), np.diff(watched.indptr))
    scores[rows, watched.indices] = OUT


def top(scores: Scores, count: int) -> tuple[NDArray[np.int64], Scores]:
    """The columns of each row's best, best first, and their scores; equal ones by column.

    What was taken out comes last, still with a score of -inf: whoever asks for more than there is leaves these out.
    """
    count = min(count, scores.shape[1])
    if not count:
        return np.zeros((len(scores), 0), np.int64), np.zeros((len(scores), 0), np.float32)
    columns = np.stack([_best(row, count) for row in scores]) if len(scores) else np.zeros((0, count), np.int64)
    return columns, np.take_along_axis(scores, columns, axis=1)


def _best(values: NDArray[np.float32], count: int) -> NDArray[np.int64]:
    """Where the greatest are, the greatest first; equal ones by place."""
    if count < len(values):
        least = np.partition(values, len(values) - count)[len(values) - count]
        above, level = np.flatnonzero(values > least), np.flatnonzero(values == least)
        places = np.concatenate((above, level[: count - len(above)]))
    else:
        places = np.arange(len(values))
    return places[np.lexsort((places, -values[places]))]


def standardized(scores: Scores, watched: csr_array | None = None) -> Scores:
    """z-scores by row: mean 0 and spread 1 over what the row's history has not; all zero where all are equal.

    What the history has is measured by the same mean and spread, but does not make them: its scores are of another
    kind (one algorithm gives back what it was given, the other must not know it).
    """
    kept = np.ones(scores.shape, np.float32)
    if watched is not None:
        kept[np.repeat(np.arange(watched.shape[0]), np.diff(watched.indptr)), watched.indices] = 0
    counts = np.maximum(kept.sum(axis=1, dtype=np.float64), 1)
    middle = (np.einsum("ij,ij->i", scores, kept, dtype=np.float64) / counts)[:, None]
    away: Scores = scores - middle.astype(np.float32)
    spread = np.sqrt(np.einsum("ij,ij,ij->i", away, away, kept, dtype=np.float64) / counts)[:, None]
    level = spread <= 1e-6 * np.maximum(np.abs(middle), 1e-30)  # equal but for rounding
    away /= np.where(level, 1, spread).astype(np.float32)
    away[level[:, 0]] = 0
    return away


def nearest(films: csr_array, count: int, shrinkage: float = 0.0) -> csr_array:
    """Films × films: how like each row's film the column's is, for the `count` films that the column's is most like.

    `films` has a row for each film. It is the cosine, with `shrinkage` added below the line so that few things in
    common say less; never of a film with itself.
    """
    norms = np.sqrt(np.asarray(films.multiply(films).sum(axis=1), np.float64)).astype(np.float32)
    other = films.T.tocsr()
    chunks = [
        _nearest(films[at : at + BATCH_ROWS] @ other, norms, at, count, shrinkage)
        for at in range(0, films.shape[0], BATCH_ROWS)
    ]
    columns = np.concatenate([one[0] for one in chunks] or [np.zeros(0, np.int32)])
    values = np.concatenate([one[1] for one in chunks] or [np.zeros(0, np.float32)])
    ends = np.concatenate([np.zeros(1, np.int64), *(one[2] for one in chunks)]).cumsum()
    shape = (films.shape[0], films.shape[0])
    return csr_array((values, columns, ends), shape=shape).T.tocsr()


def _nearest(
    common: csr_array, norms: NDArray[np.float32], first: int, count: int, shrinkage: float
) -> tuple[NDArray[np.int32], NDArray[np.float32], NDArray[np.int64]]:
    """Columns, values and how many of each row: the most alike of some films that follow one another."""
    columns, values, sizes = [], [], []
    common.sort_indices()  # of equal ones the first are kept
    for row in range(common.shape[0]):
        start, end = common.indptr[row], common.indptr[row + 1]
        others = common.indices[start:end]
        below = norms[first + row] * norms[others] + np.float32(shrinkage)
        alike = common.data[start:end] / np.maximum(below, np.float32(1e-12))
        alike[others == first + row] = 0
        keep = np.sort(_best(alike, count))
        keep = keep[alike[keep] > 0]
        columns.append(others[keep].astype(np.int32))
        values.append(alike[keep].astype(np.float32))
        sizes.append(len(keep))
    return np.concatenate(columns), np.concatenate(values), np.asarray(sizes, np.int64)
