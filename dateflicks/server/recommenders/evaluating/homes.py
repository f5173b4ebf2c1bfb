"""What a home of two gets, with and without a prior: homes are drawn from the people of a split, each learns from what
its two watched (training and validation), and is measured on their test, among all films.

The prior is all that everybody else of the data watched, or one that was added. Each home is learned by itself.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from dateflicks.server.recommenders.evaluating.bench import Bench, scorer_of
from dateflicks.server.recommenders.evaluating.metrics import Mean, Measured, Scorer, measure
from dateflicks.server.recommenders.evaluating.reading import TEST, TRAIN, VALIDATION, DataError, Ratings
from dateflicks.server.recommenders.matrix import histories
from dateflicks.server.recommenders.prior import Prior, stacked, widened
from dateflicks.server.recommenders.prior_films import PriorFilm, read_films
from dateflicks.server.recommenders.recommender import Interactions


class Homes(msgspec.Struct, frozen=True, kw_only=True):
    """Lists in homes, over all their people; `learned_from` is the mean number of entries that a home learned from."""

    recommender: str
    prior: str
    people_at_home: int
    homes: int
    ndcg: float
    ndcg_error: float
    recall: float
    recall_error: float
    coverage: float
    learned_from: float


@dataclass(frozen=True, slots=True)
class LocalFilm:
    """A film of the data as a collection would have it."""

    id: str
    title: str = ""
    year: int | None = None
    ids: Mapping[str, str] = field(default_factory=dict)


def films_of(ratings: Ratings) -> list[LocalFilm]:
    """The films of these ratings, with what their folder says of them."""
    folder = ratings.taken[0] if ratings.taken[0].is_dir() else ratings.taken[0].parent
    known = read_films(folder, ratings.film_ids) if folder.is_dir() else {}
    made = []
    for film_id in ratings.film_ids:
        film = known.get(film_id, PriorFilm())
        made.append(LocalFilm(film_id, film.titles[0] if film.titles else "", film.year, film.ids))
    return made


def measure_homes(
    bench: Bench,
    config: Any,
    half_life: float | None,
    size: int,
    count: int,
    films: Sequence[LocalFilm],
    priors: Sequence[Prior],
) -> list[Homes]:
    """So many homes of so many people, without and with the prior. Raises DataError when there are too few people."""
    split = bench.split
    everybody = split.data((TRAIN, VALIDATION, TEST))
    data, tests = split.data((TRAIN, VALIDATION)), split.matrix(TEST)
    people = np.flatnonzero(np.diff(tests.indptr))
    count = min(count, len(people) // size)
    if not count:
        raise DataError(f"There are not {size} people with something held back, so there is no home.")
    drawn = np.random.default_rng(bench.seed).permutation(people)[: size * count].reshape(count, size)
    named = "+".join(prior.name for prior in priors) or "everybody else"
    found: dict[str, list[Measured]] = {"none": [], named: []}
    sizes: dict[str, list[int]] = {name: [] for name in found}
    for home in drawn:
        local = _people(data, np.sort(home))
        theirs = list(priors) or [_everybody_else(everybody, home)]
        known = films if priors else [LocalFilm(film, ids=_own_id(at)) for at, film in enumerate(data.film_ids)]
        for name, together in (("none", local), (named, stacked(local, theirs, known))):
            model = bench.fit(together, config)
            scorer = _of_local(scorer_of(model, widened(histories(local, half_life), together)), len(local.film_ids))
            found[name].append(measure(scorer, local.weights, csr_array(tests[np.sort(home)]), bench.at))
            sizes[name].append(together.weights.nnz)
    return [_homes(bench, name, size, found[name], sizes[name]) for name in found]


def _of_local(scorer: Scorer, films: int) -> Scorer:
    """Only films that are there, which come first."""
    return lambda rows: scorer(rows)[:, :films]


def _people(data: Interactions, rows: NDArray[np.int64]) -> Interactions:
    """These people alone, and all films."""
    weights = csr_array(data.weights[rows])
    ends = data.weights.indptr
    times = np.concatenate([data.times[ends[row] : ends[row + 1]] for row in rows])
    return replace(data, user_ids=tuple(data.user_ids[row] for row in rows), weights=weights, times=times)


def _everybody_else(data: Interactions, home: NDArray[np.int64]) -> Prior:
    others = _people(data, np.setdiff1d(np.arange(len(data.user_ids)), home))
    films = tuple(PriorFilm(ids=_own_id(at)) for at in range(len(data.film_ids)))
    return Prior(name="others", film_ids=data.film_ids, films=films, weights=others.weights, times=others.times)


def _own_id(at: int) -> dict[str, str]:
    """An id by which a film of the data is known to itself."""
    return {"imdb": f"tt{at + 1:07}"}


def _homes(bench: Bench, prior: str, size: int, found: Sequence[Measured], sizes: Sequence[int]) -> Homes:
    ndcg = Mean.of(np.concatenate([one.ndcg for one in found]))
    recall = Mean.of(np.concatenate([one.recall for one in found]))
    return Homes(
        recommender=bench.recommender.name,
        prior=prior,
        people_at_home=size,
        homes=len(found),
        ndcg=ndcg.value,
        ndcg_error=ndcg.error,
        recall=recall.value,
        recall_error=recall.error,
        coverage=float(np.mean([one.coverage for one in found])),
        learned_from=float(np.mean(sizes)),
    )
