"""A whole evaluation: settings chosen on the validation part, learned anew with it, measured once on the test."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec

from dateflicks.core.ranking.recency import HALF_LIFE_FILMS
from dateflicks.server.recommenders.evaluating.bench import Bench, Outcome, Standing, standing
from dateflicks.server.recommenders.evaluating.metrics import Mean
from dateflicks.server.recommenders.evaluating.reading import TEST, TRAIN, VALIDATION
from dateflicks.server.recommenders.evaluating.splitting import How, Split
from dateflicks.server.recommenders.recommender import Recommender, RecommenderError

AT: Final = 20
HALF_LIVES: Final = (HALF_LIFE_FILMS, None, 6.0, 24.0, 48.0)  # of equally good ones the first is taken

Tell = Callable[[int, int, str], None]  # how many steps are done, of how many, and what comes next


class Try(msgspec.Struct, frozen=True, kw_only=True):
    """Settings that were tried: NDCG on the validation part, or why there is none."""

    settings: dict[str, Any]
    half_life_films: float | None
    ndcg: float | None
    error: str | None = None


class Evaluation(msgspec.Struct, frozen=True, kw_only=True):
    """What came out. `settings` are changes to those given; `…_error` are standard errors over people."""

    recommender: str
    version: str
    split: How
    seed: int
    at: int
    ndcg: float
    ndcg_error: float
    recall: float
    recall_error: float
    coverage: float
    fit_seconds: float
    score_seconds: float
    memory_added_mib: float
    memory_peak_mib: float
    users: int
    films: int
    interactions: int
    training: int
    validation: int
    test: int
    measured_users: int
    half_life_films: float | None
    settings: dict[str, Any]
    tried: list[Try]
    threads: int


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """How to evaluate. Untuned, settings are as given, and the past fades as it does by default."""

    at: int = AT
    seed: int = 42
    threads: int = 1
    is_tuned: bool = True
    is_apart: bool = True


def evaluate(
    recommender: Recommender,
    config: Any,
    split: Split,
    wanted: Wanted,
    tell: Tell = lambda _done, _of, _next: None,
    also: Callable[[Standing, Any, float | None], None] | None = None,
) -> Evaluation:
    """Measure it. `also` may do more with the bench that holds the model. Raises RecommenderError."""
    bench = Bench(split, recommender, wanted.seed, wanted.threads, wanted.at)
    half_lives = HALF_LIVES if split.how == "time" else (None,)
    tried: list[Try] = []
    chosen, half_life, changes = config, half_lives[0], dict[str, Any]()
    rounds = rounds_of(recommender, config) if wanted.is_tuned else []
    steps = 1 + sum(map(len, rounds)) if wanted.is_tuned and (rounds or len(half_lives) > 1) else 0
    steps += bool(rounds) and len(half_lives) > 1
    if steps and (split.parts == VALIDATION).any():
        with standing(bench, is_apart=wanted.is_apart) as there:
            choice = _Choice(there, config, half_lives, lambda words: tell(len(tried), steps + 1, words), tried)
            chosen, half_life, changes = choice.made(rounds)
    tell(steps, steps + 1, f"{recommender.name}: the fit that counts")
    with standing(bench, is_apart=wanted.is_apart) as there:
        outcome: Outcome = there("final", chosen, half_life)
        if also is not None:
            also(there, chosen, half_life)
    tell(steps + 1, steps + 1, "done")
    return _evaluation(bench, outcome, tried, half_life, changes)


def rounds_of(recommender: Recommender, config: Any) -> list[list[Mapping[str, Any]]]:
    """Settings to try, by which settings they change: of each round the best is kept for the next."""
    tunings = getattr(recommender, "tunings", None)
    found: dict[frozenset[str], list[Mapping[str, Any]]] = {}
    for changes in tunings(config) if tunings is not None else ():
        found.setdefault(frozenset(changes), []).append(changes)
    return list(found.values())


def changed(config: Any, changes: Mapping[str, Any]) -> Any:
    """Settings with these changes; what is a mapping changes the settings within. Raises RecommenderError."""
    deep = {
        name: changed(getattr(config, name), value)
        if isinstance(value, Mapping) and isinstance(getattr(config, name, None), msgspec.Struct)
        else value
        for name, value in changes.items()
    }
    try:
        return msgspec.structs.replace(config, **deep)
    except (TypeError, AttributeError) as error:
        raise RecommenderError(f"settings to try do not fit: {error}") from error


class _Choice:
    """Chooses settings by what they bring on the validation part."""

    def __init__(
        self,
        there: Standing,
        config: Any,
        half_lives: Sequence[float | None],
        say: Callable[[str], None],
        tried: list[Try],
    ) -> None:
        self._there = there
        self._config = config
        self._half_lives = half_lives
        self._say = say
        self._tried = tried

    def made(self, rounds: Sequence[Sequence[Mapping[str, Any]]]) -> tuple[Any, float | None, dict[str, Any]]:
        """The best settings, half-life, and what is changed by them. Raises RecommenderError when none can be used.

        The half-life is chosen with the settings given, and again with those that are best: trying all of them with all
        settings would take three times as long.
        """
        best = max(self._of({}, self._half_lives), key=lambda one: one[0], default=None)
        for alternatives in rounds:
            base, half_lives = (best[2], (best[1],)) if best else ({}, self._half_lives)
            for changes in alternatives:
                for found in self._of({**base, **changes}, half_lives):
                    if best is None or found[0] > best[0]:
                        best = found
        if best is None:
            raise RecommenderError(str(self._tried[0].error))
        others = [one for one in self._half_lives if one != best[1]]
        if others and best[2]:
            best = max(best, *self._of(best[2], others), key=lambda one: one[0])
        return changed(self._config, best[2]), best[1], best[2]

    def _of(
        self, changes: dict[str, Any], half_lives: Sequence[float | None]
    ) -> Iterator[tuple[float, float | None, dict[str, Any]]]:
        self._say(", ".join(f"{name} {value}" for name, value in changes.items()) or "the settings given")
        try:
            means: list[Mean] = self._there("tried", changed(self._config, changes), half_lives)
        except RecommenderError as error:
            self._tried.append(Try(settings=changes, half_life_films=None, ndcg=None, error=str(error)))
            return
        top = max(range(len(means)), key=lambda at: means[at].value)
        self._tried.append(Try(settings=changes, half_life_films=half_lives[top], ndcg=means[top].value))
        yield means[top].value, half_lives[top], changes


def _evaluation(
    bench: Bench, outcome: Outcome, tried: list[Try], half_life: float | None, changes: dict[str, Any]
) -> Evaluation:
    split, measured = bench.split, outcome.measured
    ndcg, recall = Mean.of(measured.ndcg), Mean.of(measured.recall)
    counts = {part: int((split.parts == part).sum()) for part in (TRAIN, VALIDATION, TEST)}
    return Evaluation(
        recommender=bench.recommender.name,
        version=bench.recommender.version,
        split=split.how,
        seed=split.seed,
        at=bench.at,
        ndcg=ndcg.value,
        ndcg_error=ndcg.error,
        recall=recall.value,
        recall_error=recall.error,
        coverage=measured.coverage,
        fit_seconds=outcome.fit_seconds,
        score_seconds=outcome.score_seconds,
        memory_added_mib=outcome.memory_added_mib,
        memory_peak_mib=outcome.memory_peak_mib,
        users=len(split.ratings.user_ids),
        films=len(split.ratings.film_ids),
        interactions=len(split.ratings),
        training=counts[TRAIN],
        validation=counts[VALIDATION],
        test=counts[TEST],
        measured_users=len(measured.people),
        half_life_films=half_life,
        settings=changes,
        tried=tried,
        threads=bench.threads,
    )
