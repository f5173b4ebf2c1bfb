"""One recommender before one split: settings tried on the validation part, the fit that counts, and how good it is.

The bench may stand in a process of its own (`apart`), so that what others have held or left in memory is not counted,
and so that threads are as many as was said: libraries read that once, when they are loaded.
"""

import contextlib
import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from dateflicks.server.recommenders.evaluating.memory import PeakMemory
from dateflicks.server.recommenders.evaluating.metrics import Mean, Measured, Scorer, measure
from dateflicks.server.recommenders.evaluating.reading import TEST, TRAIN, VALIDATION
from dateflicks.server.recommenders.evaluating.splitting import Split
from dateflicks.server.recommenders.matrix import histories
from dateflicks.server.recommenders.recommender import (
    Context,
    Interactions,
    Model,
    Recommender,
    RecommenderError,
    Scores,
)

THREADS_OF: Final = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
END_SECONDS: Final = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The fit that counts: what it took, and what its lists are worth."""

    measured: Measured
    fit_seconds: float
    score_seconds: float
    memory_added_mib: float
    memory_peak_mib: float


@dataclass(slots=True)
class Bench:
    """Fits and measures; `seed` is for what the recommender draws."""

    split: Split
    recommender: Recommender
    seed: int
    threads: int
    at: int
    model: Model | None = None
    _faded: dict[float | None, csr_array] = field(default_factory=dict)

    def tried(self, config: Any, half_lives: Sequence[float | None]) -> list[Mean]:
        """NDCG on the validation part, learned from the training part, for each way to let the past fade."""
        data = self.split.data((TRAIN,))
        model = self.fit(data, config)
        held_back = self.split.matrix(VALIDATION)
        found = []
        for half_life in half_lives:
            if half_life not in self._faded:
                self._faded[half_life] = histories(data, half_life)
            scorer = scorer_of(model, self._faded[half_life])
            found.append(Mean.of(measure(scorer, data.weights, held_back, self.at).ndcg))
        return found

    def final(self, config: Any, half_life: float | None) -> Outcome:
        """Learn from training and validation parts, and be measured on the test. The model is kept."""
        data = self.split.data((TRAIN, VALIDATION))
        with PeakMemory() as memory:
            started = time.perf_counter()
            self.model = self.fit(data, config)
            fitted = time.perf_counter()
        scorer = scorer_of(self.model, histories(data, half_life))
        before = time.perf_counter()
        measured = measure(scorer, data.weights, self.split.matrix(TEST), self.at)
        return Outcome(
            measured=measured,
            fit_seconds=fitted - started,
            score_seconds=time.perf_counter() - before,
            memory_added_mib=memory.added_mib,
            memory_peak_mib=memory.peak_mib,
        )

    def call(self, work: Callable[..., Any], *args: Any) -> Any:
        """Do something else with the bench, wherever it stands: `work` is given the bench first."""
        return work(self, *args)

    def fit(self, data: Interactions, config: Any) -> Model:
        """Learn from this. Raises RecommenderError, whatever goes wrong in the recommender."""
        try:
            return self.recommender.fit(data, Context(config=config, seed=self.seed, threads=self.threads))
        except RecommenderError:
            raise
        except Exception as error:
            raise RecommenderError(f"{self.recommender.name} failed: {type(error).__name__}: {error}") from error


def scorer_of(model: Model, given: csr_array) -> Scorer:
    """What a model says to these histories, by row."""

    def scores(rows: NDArray[np.int64]) -> Scores:
        return model.score(csr_array(given[rows]))

    return scores


# --- in a process of its own ------------------------------------------------------------------------------------


class Standing(Protocol):
    """A bench, wherever it stands: what its method of that name returns."""

    def __call__(self, method: str, *args: Any) -> Any:
        """Raises what the method raises, and RecommenderError when the process is gone."""


@contextlib.contextmanager
def standing(bench: Bench, *, is_apart: bool) -> Iterator[Standing]:
    """The bench in a process of its own, which ends with the block, or here."""
    if not is_apart:
        yield lambda method, *args: getattr(bench, method)(*args)
        return
    spawning = multiprocessing.get_context("spawn")
    ours, theirs = spawning.Pipe()
    process = spawning.Process(target=_serve, args=(bench, theirs), daemon=True)
    with _variables(dict.fromkeys(THREADS_OF, str(bench.threads))):
        process.start()
    theirs.close()

    def call(method: str, *args: Any) -> Any:
        try:
            ours.send((method, args))
            is_good, found = ours.recv()
        except (EOFError, ConnectionError):
            what = "its process has died: it may have run out of memory"
            raise RecommenderError(f"{bench.recommender.name} was not measured; {what}") from None
        if not is_good:
            raise found
        return found

    try:
        yield call
    except BaseException:
        process.kill()  # it may be in the middle of what nobody waits for any more
        raise
    finally:
        ours.close()
        process.join(END_SECONDS)
        process.kill()
        process.join()
        process.close()


def _serve(bench: Bench, asked: Connection) -> None:
    """Do what is asked until nobody can ask any more."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # who asked is interrupted as well, and says so
    with contextlib.suppress(EOFError, ConnectionError):
        while True:
            method, args = asked.recv()
            try:
                answer = (True, getattr(bench, method)(*args))
            except RecommenderError as error:
                answer = (False, error)
            asked.send(answer)


@contextlib.contextmanager
def _variables(values: Mapping[str, str]) -> Iterator[None]:
    """What the process is to find in its environment; it is started within."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
