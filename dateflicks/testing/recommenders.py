"""For authors of recommenders: whether one is what a recommender should be, to be called from their own tests.

`check_recommender` is all of it; each of its parts can be called alone. Their people are drawn by chance, with tastes
that are known, so that what can be learned of them is known too.
"""

import dataclasses
from functools import cache
from typing import Any, Final

import msgspec
import numpy as np
from scipy.sparse import csr_array

from dateflicks.server.recommenders.discovery import problems_of
from dateflicks.server.recommenders.evaluating.splitting import interactions_of
from dateflicks.server.recommenders.evaluating.synthetic import synthetic
from dateflicks.server.recommenders.matrix import take_out, top
from dateflicks.server.recommenders.recommender import Context, Interactions, Model, Recommender, RecommenderError
from dateflicks.server.recommenders.scoring import nobody, scores_of
from dateflicks.testing.demands import FallsShort, demand

PEOPLE: Final = 160
FILMS: Final = 80
CLUSTERS: Final = 4
BEST: Final = 20
HELD_BACK: Final = 0.2
LEAST_GAIN: Final = 1.2  # of what lists drawn by chance would have of the films held back
CLOSE: Final = 1e-3  # of the spread of the scores: arithmetic in another order

_NONE: Final = np.zeros(0, np.float64)


def check_recommender(recommender: Recommender, config: msgspec.Struct | None = None) -> None:
    """All of the below. Raises `FallsShort`, an AssertionError, with a sentence."""
    check_declares_itself(recommender)
    check_leaves_its_data(recommender, config)
    check_scores_well(recommender, config)
    check_repeats_itself(recommender, config)
    check_bears_poor_data(recommender, config)
    check_learns(recommender, config)


def check_declares_itself(recommender: Recommender) -> None:
    """Its name, version, settings and summary are what they should be."""
    problems = [*problems_of(recommender, getattr(recommender, "name", ""))]
    demand(not problems, f"It declares itself wrongly: {'; '.join(problems)}.")
    demand(bool(recommender.name), "It has no name.")
    demand(bool(recommender.summary), "It has no summary, which says what it does in a line.")


def check_scores_well(recommender: Recommender, config: msgspec.Struct | None = None) -> None:
    """Each history is given one finite number for each film, whoever else is scored with it."""
    data = planted()
    model = _fitted(recommender, data, config)
    whole = _scores(model, data.weights)
    _scores_of_nobody(model, len(data.film_ids))
    alone = np.vstack([_scores(model, csr_array(data.weights[row : row + 1])) for row in range(8)])
    demand(_is_close(alone, whole[:8]), "A history alone is given other scores than among others.")
    stranger = csr_array((np.ones(2, np.float32), ([0, 0], [1, 2])), shape=(1, len(data.film_ids)))
    _scores(model, stranger)
    demand(_scores(model, csr_array(data.weights[:0])).shape[0] == 0, "No histories are given scores.")


def check_repeats_itself(recommender: Recommender, config: msgspec.Struct | None = None) -> None:
    """The same data, settings and seed give the same scores."""
    data = planted()
    first, second = (_scores(_fitted(recommender, data, config), data.weights) for _ in range(2))
    demand(_is_close(first, second), "A second fit on the same data gives other scores: draw with `context.seed`.")


def check_leaves_its_data(recommender: Recommender, config: msgspec.Struct | None = None) -> None:
    """Neither what it learns from nor the histories that it scores are changed by it."""
    data = planted()
    before = _copied(data)
    model = _fitted(recommender, data, config)
    histories = csr_array(data.weights[:10].copy())
    given = histories.copy()
    _scores(model, histories)
    demand(_is_same(data.weights, before.weights), "It changes the weights that it learns from.")
    demand(np.array_equal(data.times, before.times), "It changes the times that it learns from.")
    demand(_is_same(histories, given), "It changes the histories that it scores.")


def check_bears_poor_data(recommender: Recommender, config: msgspec.Struct | None = None) -> None:
    """With hardly anything to learn from it learns little, or raises a RecommenderError; nothing else."""
    for case, data in POOR.items():
        try:
            model = recommender.fit(data, _context(recommender, config))
        except RecommenderError:
            continue
        except Exception as error:
            raise FallsShort(f"Of {case} it raises {error!r} instead of a RecommenderError.") from error
        _scores(model, data.weights, f"Of {case}: ")
        _scores_of_nobody(model, len(data.film_ids), f"Of {case}: ")


def check_learns(recommender: Recommender, config: msgspec.Struct | None = None) -> None:
    """Films that people watched and that were held back stand higher in their lists than chance would have them."""
    data = planted()
    held = np.random.default_rng(7).random(data.weights.nnz) < HELD_BACK
    rows = np.repeat(np.arange(PEOPLE), np.diff(data.weights.indptr))
    kept = csr_array((data.weights.data[~held], (rows[~held], data.weights.indices[~held])), shape=data.weights.shape)
    kept.sort_indices()
    learned = dataclasses.replace(data, weights=kept, times=data.times[~held])
    scores = _scores(_fitted(recommender, learned, config), kept)
    take_out(scores, kept)
    columns, _ = top(scores, BEST)
    missed = np.zeros(data.weights.shape, bool)
    missed[rows[held], data.weights.indices[held]] = True
    hits = np.take_along_axis(missed, columns, axis=1).sum()
    open_to = FILMS - np.diff(kept.indptr)
    by_chance = float((missed.sum(axis=1) * np.minimum(BEST / open_to, 1.0)).sum())
    demand(hits >= LEAST_GAIN * by_chance, "Its lists are hardly better than lists drawn by chance.")


# --- people ---------------------------------------------------------------------------------------------------------


@cache
def _planted() -> Interactions:
    drawn = synthetic(PEOPLE, FILMS, CLUSTERS, watched=20, has_drift=False)
    kinds = (np.ones(FILMS, np.float32), (range(FILMS), drawn.clusters))
    return dataclasses.replace(interactions_of(drawn.ratings), features=csr_array(kinds, shape=(FILMS, CLUSTERS)))


def planted() -> Interactions:
    """People who love films of one kind and like those of another; the kinds are features of the films."""
    return _copied(_planted())


def _few(weights: list[list[float]]) -> Interactions:
    matrix = csr_array(np.asarray(weights, np.float32).reshape(len(weights), -1))
    times = np.full(matrix.nnz, 1_790_000_000.0) if matrix.nnz else _NONE
    users, films = matrix.shape
    return Interactions(
        user_ids=tuple(f"usr_{number}" for number in range(users)),
        film_ids=tuple(f"vid_{number}" for number in range(films)),
        weights=matrix,
        times=times,
        now=1_790_000_000.0,
    )


POOR: Final = {
    "one person and one film": _few([[1.0]]),
    "two people who watched the same": _few([[1.0, 1.0, 0.0], [1.0, 1.0, 0.0]]),
    "people who watched nothing": _few([[0.0, 0.0, 0.0], [0.0, 0.0, 0.0]]),
    "one person beside one who watched nothing": _few([[0.0, 0.0, 0.0], [0.2, 0.0, 2.0]]),
}


# --- inside ---------------------------------------------------------------------------------------------------------


def _context(recommender: Recommender, config: msgspec.Struct | None) -> Context:
    return Context(config=recommender.config() if config is None else config)


def _fitted(recommender: Recommender, data: Interactions, config: msgspec.Struct | None) -> Model:
    try:
        return recommender.fit(data, _context(recommender, config))
    except Exception as error:
        raise FallsShort(f"It fails where nothing is wrong: {error!r}.") from error


def _scores(model: Model, histories: csr_array, case: str = "") -> Any:
    try:
        return scores_of(model, histories)
    except Exception as error:
        raise FallsShort(f"{case}{_told(error)}") from error


def _scores_of_nobody(model: Model, films: int, case: str = "") -> None:
    try:
        nobody(model, films)
    except Exception as error:
        raise FallsShort(f"{case}Of a history without films: {_told(error)}") from error


def _told(error: Exception) -> str:
    return str(error) if isinstance(error, RecommenderError) else f"It fails to score: {error!r}."


def _copied(data: Interactions) -> Interactions:
    return dataclasses.replace(data, weights=data.weights.copy(), times=data.times.copy())


def _is_same(one: csr_array, other: csr_array) -> bool:
    parts = ((one.data, other.data), (one.indices, other.indices), (one.indptr, other.indptr))
    return all(np.array_equal(mine, theirs) for mine, theirs in parts)


def _is_close(one: Any, other: Any) -> bool:
    return bool(np.allclose(one, other, rtol=CLOSE, atol=CLOSE * max(float(np.ptp(other)), 1e-6)))
