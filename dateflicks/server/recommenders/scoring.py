"""What is made of a fitted model for a run: scores that are looked at before they are believed, what a film adds to the
scores of others, and the watched films that weigh most.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from dateflicks.server.recommenders.matrix import BATCH_ROWS
from dateflicks.server.recommenders.recommender import Interactions, Model, RecommenderError, Scores

BATCH_CELLS: Final = 1 << 24  # scores at a time, 64 MiB
WEIGHED: Final = 300  # films that each is kept to add to: of more, hardly one would be among the two that weigh most
SAMPLE: Final = 128  # people by whom is measured how much one film more adds
SCALE_LEAST: Final = 0.01
REASONS: Final = 2


def scores_of(model: Model, histories: csr_array) -> Scores:
    """What the model says. Raises RecommenderError for what cannot be a list's scores."""
    told = model.score(histories)
    if not isinstance(told, np.ndarray) or told.dtype.kind not in "fiu":
        raise RecommenderError(f"It gave no array of numbers as scores, but {type(told).__name__}.")
    if told.shape != histories.shape:
        raise RecommenderError(f"It gave scores of the shape {told.shape}, where {histories.shape} is needed.")
    scores = told.astype(np.float32)
    wrong = int(scores.size - np.count_nonzero(np.isfinite(scores)))
    if wrong:
        raise RecommenderError(f"{wrong} of the {scores.size} scores that it gave are no finite numbers.")
    return scores


def batches(rows: int, films: int) -> Iterator[slice]:
    """The rows, some at a time, so that their scores take little memory."""
    step = max(1, min(BATCH_ROWS, BATCH_CELLS // max(films, 1)))
    yield from (slice(at, min(at + step, rows)) for at in range(0, rows, step))


def nobody(model: Model, films: int) -> Scores:
    """One row: what the model says of who has watched nothing."""
    return scores_of(model, csr_array((1, films), dtype=np.float32))


def additions(model: Model, data: Interactions, people: csr_array) -> csr_array:
    """Films × films: what having watched the row's film adds to the scores of others, the most for each, above zero.

    It is what a history of that film alone is given beside an empty one, times how much of that is left in longer ones,
    as measured on some of these people: for who counts scores in a person's own measure it is less.
    """
    films = len(data.film_ids)
    base = nobody(model, films)
    known = _known(data)
    columns, values, sizes = [], [], np.zeros(films, np.int64)
    alone = csr_array((np.ones(len(known), np.float32), (range(len(known)), known)), shape=(len(known), films))
    for rows in batches(len(known), films):
        added = scores_of(model, csr_array(alone[rows])) - base
        added[np.arange(len(added)), known[rows]] = 0
        kept = min(WEIGHED, films)
        most = np.argpartition(-added, kept - 1, axis=1)[:, :kept]
        for film, row, ours in zip(known[rows].tolist(), added, np.sort(most, axis=1), strict=True):
            above = ours[row[ours] > 0]
            columns.append(above)
            values.append(row[above])
            sizes[film] = len(above)
    ends = np.concatenate((np.zeros(1, np.int64), np.cumsum(sizes)))
    found = csr_array((_joined(values, np.float32), _joined(columns, np.int32), ends), shape=(films, films))
    found.data *= np.float32(_scale(model, data, people, found))
    return found


def _known(data: Interactions) -> NDArray[np.int64]:
    """The columns of films of which there is anything to be learned."""
    watched = np.bincount(data.weights.indices, minlength=len(data.film_ids)) > 0
    if data.features is not None:
        watched |= np.diff(data.features.indptr) > 0
    return np.flatnonzero(watched)


def _joined(parts: list[NDArray[np.generic]], kind: type[np.generic]) -> NDArray[np.generic]:
    return np.concatenate(parts).astype(kind) if parts else np.zeros(0, kind)


def _scale(model: Model, data: Interactions, people: csr_array, added: csr_array) -> float:
    """Which share of what a film adds alone it adds to what is there: by leaving out the newest of some histories."""
    sizes = np.diff(people.indptr)
    able = np.flatnonzero(sizes >= 2)
    if not len(able):
        return 1.0
    chosen = np.random.default_rng(42).permutation(able)[:SAMPLE]
    shorter = csr_array(people[chosen])
    left_out = []
    for number, row in enumerate(chosen.tolist()):
        start = people.indptr[row]
        newest = int(np.argmax(data.times[start : people.indptr[row + 1]]))
        left_out.append((int(people.indices[start + newest]), float(people.data[start + newest])))
        shorter.data[shorter.indptr[number] + newest] = 0
    shorter.eliminate_zeros()
    both = meant = 0.0
    for rows in batches(len(chosen), added.shape[1]):
        truly = scores_of(model, csr_array(people[chosen[rows]])) - scores_of(model, csr_array(shorter[rows]))
        for row, (film, weight) in zip(truly, left_out[rows], strict=True):
            ours = slice(added.indptr[film], added.indptr[film + 1])
            alone = added.data[ours].astype(np.float64) * weight
            both += float(row[added.indices[ours]] @ alone)
            meant += float(alone @ alone)
    return min(max(both / meant, SCALE_LEAST), 1.0) if meant > 0 else 1.0


@dataclass(frozen=True, slots=True)
class Because:
    """The watched films that weigh most for a film, by column, and their shares of all that weighs for it."""

    films: tuple[int, ...] = ()
    shares: tuple[float, ...] = ()


def reasons(
    added: csr_array, films: NDArray[np.int32], weights: NDArray[np.float32], wanted: list[int]
) -> list[Because]:
    """Of a history, for each of the wanted films, why."""
    if not len(films) or not wanted:
        return [Because()] * len(wanted)
    told = csr_array(added[films])[:, wanted].toarray() * weights[:, None]
    whole = told.sum(axis=0)
    order = np.argsort(-told, axis=0, kind="stable")[:REASONS]
    found = []
    for number in range(len(wanted)):
        best = [row for row in order[:, number].tolist() if told[row, number] > 0]
        shares = tuple(round(float(told[row, number] / whole[number]), 3) for row in best)
        found.append(Because(tuple(int(films[row]) for row in best), shares))
    return found
