"""How good lists for two are: pairs drawn by chance, lists made for them in several ways, and what each of the two, and
both, came to watch.

A pair's candidates are all films that neither has in the history that was learned from. They never watched together
before, so there is no joint profile. What either was to watch and the other has seen can be in no list and is not
counted as missed. For films that both came to watch (`joint`) only pairs count that have some.
"""

from collections.abc import Callable, Mapping
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from dateflicks.core.ranking.pairs import for_two
from dateflicks.server.recommenders.evaluating.bench import Bench, scorer_of
from dateflicks.server.recommenders.evaluating.metrics import Mean, checked, ndcg_of
from dateflicks.server.recommenders.evaluating.reading import TEST, TRAIN, VALIDATION, DataError
from dateflicks.server.recommenders.matrix import histories, top
from dateflicks.server.recommenders.recommender import Scores

AT: Final = 10
SHIPPED: Final[Mapping[str, float]] = {"mean z (w = 0)": 0.0, "w = 0.25": 0.25, "w = 0.5": 0.5}

Both = NDArray[np.float32]  # two rows, of the candidates
Columns = NDArray[np.int64]


class Strategy(msgspec.Struct, frozen=True, kw_only=True):
    """One way to make lists for two, over all pairs; `…_error` are standard errors over pairs."""

    strategy: str
    mean: float
    mean_error: float
    lower: float
    lower_error: float
    nothing_for_one: float
    joint: float
    joint_error: float
    pairs: int
    joint_pairs: int


def measure_couples(bench: Bench, half_life: float | None, count: int, at: int = AT) -> list[Strategy]:
    """So many pairs of people, drawn by the seed, with the model that the bench has learned. Raises DataError."""
    assert bench.model is not None, "the bench has learned before"
    data, tests = bench.split.data((TRAIN, VALIDATION)), bench.split.matrix(TEST)
    people = np.flatnonzero(np.diff(tests.indptr))
    if len(people) < 2:
        raise DataError("There are not two people with something held back, so there is no pair.")
    chance = np.random.default_rng(bench.seed)
    drawn = [chance.choice(people, size=2, replace=False) for _ in range(count)]
    scorer = scorer_of(bench.model, histories(data, half_life))
    watched = np.bincount(data.weights.indices, minlength=len(data.film_ids)).astype(np.float32)
    found: dict[str, list[tuple[float, float, float]]] = {}
    for pair in drawn:
        scores = checked(scorer(pair), 2, len(data.film_ids))
        is_seen = np.zeros(len(data.film_ids), dtype=bool)
        is_seen[data.weights[pair].indices] = True
        candidates = np.flatnonzero(~is_seen)
        wanted = np.zeros((2, len(data.film_ids)), dtype=bool)
        for row, one in enumerate(pair):
            wanted[row, tests.indices[tests.indptr[one] : tests.indptr[one + 1]]] = True
        for name, chosen in lists_for(scores[:, candidates], watched[candidates], at).items():
            found.setdefault(name, []).append(_worth(candidates[chosen], wanted & ~is_seen, at))
    return [_strategy(name, np.asarray(worth)) for name, worth in found.items()]


def lists_for(scores: Both, watched: Scores, at: int) -> dict[str, Columns]:
    """The best candidates for two in each of the ways. `watched` is how many people watched each."""
    names = [f"{column:08}" for column in range(scores.shape[1])]
    told = [dict(zip(names, row.tolist(), strict=True)) for row in scores]
    z = _measured(scores, scores.mean(axis=1), scores.std(axis=1))
    share = _measured(scores, scores.min(axis=1), np.ptp(scores, axis=1))
    plain: dict[str, Callable[[], Scores]] = {
        "popularity": lambda: watched,
        "one member only": lambda: scores[0],
        "mean of raw scores": lambda: scores.mean(axis=0),
        "product (min-max)": lambda: share.prod(axis=0),
        "least misery": lambda: z.min(axis=0),
    }
    found = {name: top(np.atleast_2d(made()), at)[0][0] for name, made in plain.items()}
    for name, weight in SHIPPED.items():
        chosen = for_two(told[0], told[1], lower_weight=weight, limit=at)
        found[name] = np.asarray([int(one.video_id) for one in chosen], np.int64)
    found["round robin"] = _in_turns(top(scores, at)[0], at)
    order = ("popularity", "one member only", "mean of raw scores", *SHIPPED)
    return {name: found[name] for name in (*order, *(name for name in found if name not in order))}


def _measured(scores: Both, zero: Scores, unit: Scores) -> Both:
    return np.asarray((scores - zero[:, None]) / np.where(unit > 0, unit, 1)[:, None], np.float32)


def _in_turns(bests: Columns, at: int) -> Columns:
    """First the one's best, then the other's, and so on."""
    in_turn = dict.fromkeys(int(one) for row in zip(*bests, strict=True) for one in row)
    return np.asarray(list(in_turn)[:at], np.int64)


def _worth(chosen: Columns, wanted: NDArray[np.bool_], at: int) -> tuple[float, float, float]:
    """NDCG of each of the two, and the share of what both were to watch (NaN where there is nothing)."""
    hits = np.zeros((2, at), dtype=bool)
    hits[:, : len(chosen)] = wanted[:, chosen]
    each = ndcg_of(hits, wanted.sum(axis=1))
    both: NDArray[np.bool_] = wanted[0] & wanted[1]
    return float(each[0]), float(each[1]), float(both[chosen].sum() / both.sum()) if both.any() else float("nan")


def _strategy(name: str, worth: NDArray[np.float64]) -> Strategy:
    each, joint = worth[:, :2], worth[~np.isnan(worth[:, 2]), 2]
    mean, lower, both = Mean.of(each.mean(axis=1)), Mean.of(each.min(axis=1)), Mean.of(joint)
    return Strategy(
        strategy=name,
        mean=mean.value,
        mean_error=mean.error,
        lower=lower.value,
        lower_error=lower.error,
        nothing_for_one=float((each.min(axis=1) == 0).mean()),
        joint=both.value,
        joint_error=both.error,
        pairs=len(worth),
        joint_pairs=len(joint),
    )
