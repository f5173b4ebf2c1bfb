"""How good lists are: where the films that were held back stand in them, among all films but those seen already.

Nothing is sampled: each list is ranked over all films. NDCG gives a film at rank r a gain of 1/log2(r + 1), divided by
what the best list possible would have; recall is the share of what was held back that is in the list.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from dateflicks.server.recommenders.matrix import OUT, take_out, top
from dateflicks.server.recommenders.recommender import RecommenderError, Scores

BLOCK_CELLS: Final = 4_000_000  # scores that are looked at together: 16 MB

Floats = NDArray[np.float64]
Scorer = Callable[[NDArray[np.int64]], Scores]  # the scores of all films for these people


@dataclass(frozen=True, slots=True)
class Mean:
    """A mean over people, and its standard error."""

    value: float
    error: float

    @classmethod
    def of(cls, values: Floats) -> "Mean":
        """Of what each of them has; nothing has no mean."""
        if not len(values):
            return cls(float("nan"), float("nan"))
        error = float(values.std(ddof=1) / np.sqrt(len(values))) if len(values) > 1 else float("nan")
        return cls(float(values.mean()), error)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What each person's list is worth, and the share of all films that is in anybody's."""

    people: NDArray[np.int64]
    ndcg: Floats
    recall: Floats
    coverage: float


def measure(scorer: Scorer, seen: csr_array, held_back: csr_array, at: int) -> Measured:
    """The lists of all who have something held back. Raises RecommenderError on scores that are none."""
    people = np.flatnonzero(np.diff(held_back.indptr))
    ndcg, recall = np.zeros(len(people)), np.zeros(len(people))
    shown = np.zeros(held_back.shape[1], dtype=bool)
    done = 0
    for rows in blocks(people, held_back.shape[1]):
        theirs = held_back[rows]
        found = best(checked(scorer(rows), len(rows), held_back.shape[1]), seen[rows], at)
        shown[found[found >= 0]] = True
        hits, wanted = hits_of(found, theirs), np.diff(theirs.indptr)
        ndcg[done : done + len(rows)] = ndcg_of(hits, wanted)
        recall[done : done + len(rows)] = hits.sum(axis=1) / wanted
        done += len(rows)
    return Measured(people=people, ndcg=ndcg, recall=recall, coverage=float(shown.mean()))


def best(scores: Scores, seen: csr_array, at: int) -> NDArray[np.int64]:
    """The best films of each row but for those seen, the best first; -1 where there are no more.

    Of equal scores the film with the lower column is first. `scores` are written over.
    """
    take_out(scores, seen)
    columns, values = top(scores, at)
    return np.where(values > OUT, columns, -1)


def hits_of(lists: NDArray[np.int64], held_back: csr_array) -> NDArray[np.bool_]:
    """Which places of each list have a film that was held back."""
    wanted = np.zeros(held_back.shape, dtype=bool)
    wanted[np.repeat(np.arange(len(lists)), np.diff(held_back.indptr)), held_back.indices] = True
    hits: NDArray[np.bool_] = np.take_along_axis(wanted, np.maximum(lists, 0), axis=1) & (lists >= 0)
    return hits


def ndcg_of(hits: NDArray[np.bool_], wanted: NDArray[np.int64] | Sequence[int]) -> Floats:
    """The gain of each list, divided by that of the best: as many of those wanted as have room, at its top."""
    gains = 1.0 / np.log2(np.arange(hits.shape[1]) + 2.0)
    ideal = np.concatenate(([0.0], np.cumsum(gains)))[np.minimum(np.asarray(wanted), hits.shape[1])]
    found: Floats = np.divide(hits @ gains, ideal, out=np.zeros(len(hits)), where=ideal > 0)
    return found


def checked(scores: Scores, rows: int, films: int) -> Scores:
    """These scores, to be written into. Raises RecommenderError when a recommender has given anything else."""
    if scores.shape != (rows, films):
        raise RecommenderError(f"the scores have the shape {scores.shape}, instead of {(rows, films)}")
    found = np.array(scores, dtype=np.float32)
    if np.isnan(found).any():
        raise RecommenderError("some scores are no numbers (NaN)")
    return found


def blocks(people: NDArray[np.int64], films: int) -> Iterator[NDArray[np.int64]]:
    """People, so many at a time that their scores have room."""
    size = max(1, BLOCK_CELLS // max(films, 1))
    for at in range(0, len(people), size):
        yield people[at : at + size]
