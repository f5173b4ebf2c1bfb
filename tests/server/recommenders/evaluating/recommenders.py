"""Recommenders for tests: one that counts, one that knows everything, and some that do what they should not."""

import os
from collections.abc import Mapping
from typing import Any, ClassVar

import msgspec
import numpy as np
from scipy.sparse import csr_array

from dateflicks.server.recommenders.recommender import (
    API_VERSION,
    BaseRecommender,
    Context,
    Interactions,
    Model,
    RecommenderError,
    Scores,
)


class Inner(msgspec.Struct, frozen=True):
    sign: float = 1.0


class Settings(msgspec.Struct, frozen=True):
    power: float = 0.0
    inner: Inner = Inner()


class CountingModel:
    def __init__(self, scores: Scores) -> None:
        self.scores = scores

    def score(self, histories: csr_array) -> Scores:
        return np.tile(self.scores, (histories.shape[0], 1))


class Counting(BaseRecommender):
    """What many watched to the power that is set; as it is set by default it knows nothing."""

    name = "counting"
    config: ClassVar[type[msgspec.Struct]] = Settings
    summary = "counts"

    def fit(self, data: Interactions, context: Context) -> Model:
        if context.config.power == 13.0:
            raise RecommenderError("it does not like thirteen")
        counts = np.bincount(data.weights.indices, minlength=len(data.film_ids)).astype(np.float32)
        return CountingModel(context.config.inner.sign * counts**context.config.power)

    def tunings(self, config: Any) -> tuple[Mapping[str, Any], ...]:
        return ({"inner": {"sign": -1.0}}, {"power": 13.0}, {"power": 1.0}, {"power": 2.0})


class Bare:
    """No more than the interface."""

    name: ClassVar[str] = "bare"
    version: ClassVar[str] = "1"
    api_version: ClassVar[int] = API_VERSION
    config: ClassVar[type[msgspec.Struct]] = Settings
    summary: ClassVar[str] = "bare"

    def fit(self, data: Interactions, context: Context) -> Model:
        return Counting().fit(data, context)


class Watching(Counting):
    """Keeps what it has learned from."""

    def __init__(self) -> None:
        self.learned: list[csr_array] = []

    def fit(self, data: Interactions, context: Context) -> Model:
        self.learned.append(data.weights)
        return super().fit(data, context)


class Asking(Counting):
    """Counts how often each of its models was asked."""

    def __init__(self) -> None:
        self.asked: list[int] = []

    def fit(self, data: Interactions, context: Context) -> Model:
        model = super().fit(data, context)
        self.asked.append(0)
        number, score = len(self.asked) - 1, model.score

        def counted(histories: csr_array) -> Scores:
            self.asked[number] += 1
            return score(histories)

        model.score = counted  # type: ignore[method-assign]  # of this one
        return model


class Dying(Counting):
    """Its process ends in the middle."""

    name = "dying"

    def fit(self, data: Interactions, context: Context) -> Model:
        os._exit(9)


class Failing(Counting):
    """Something in it is broken."""

    name = "failing"

    def fit(self, data: Interactions, context: Context) -> Model:
        raise ZeroDivisionError("by nothing")


class Greedy(Counting):
    """Takes so many MiB while it learns, and tells how many threads its libraries may have."""

    name = "greedy"

    def fit(self, data: Interactions, context: Context) -> Model:
        taken = np.ones(64 * 131_072)
        threads = float(os.environ["OPENBLAS_NUM_THREADS"])
        assert threads == context.threads
        return CountingModel(np.full(len(data.film_ids), taken[0] * threads, np.float32))
