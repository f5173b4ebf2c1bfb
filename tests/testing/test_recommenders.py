"""The kit for authors of recommenders: it lets good ones pass, and says of each bad one what is wrong with it."""

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
import pytest
from scipy.sparse import csr_array

from dateflicks.server.recommenders.discovery import BUILT_IN, find, load
from dateflicks.server.recommenders.popularity import Popularity
from dateflicks.server.recommenders.recommender import BaseRecommender, Context, Interactions, Model
from dateflicks.testing.demands import FallsShort
from dateflicks.testing.recommenders import check_recommender


@pytest.mark.parametrize("name", BUILT_IN)
def test_the_built_in_recommenders_are_what_recommenders_should_be(name: str) -> None:
    check_recommender(load(find(name)))


class Wrapped:
    """A model whose scores are changed on their way."""

    def __init__(self, model: Model, change: Callable[[csr_array, Any], Any]) -> None:
        self.model = model
        self.change = change

    def score(self, histories: csr_array) -> Any:
        return self.change(histories, self.model.score(histories))


class Bad(BaseRecommender):
    """Popularity, with a fault."""

    name: ClassVar[str] = "bad"
    config = Popularity.config
    summary: ClassVar[str] = "bad"
    change: ClassVar[Any] = staticmethod(lambda _given, scores: scores)

    def fit(self, data: Interactions, context: Context) -> Model:
        return Wrapped(Popularity().fit(data, context), type(self).change)


def writing(given: csr_array, scores: Any) -> Any:
    given.data[:] = 7
    return scores


def raising(given: csr_array, scores: Any) -> Any:
    raise ZeroDivisionError("a mistake")


FAULTS: dict[str, Callable[[csr_array, Any], Any]] = {
    "It gave scores of the shape": lambda _given, scores: scores[:, 1:],
    "are no finite numbers": lambda _given, scores: scores * np.nan,
    "A history alone is given other scores": lambda given, scores: scores + given.shape[0] * np.arange(scores.shape[1]),
    "It changes the histories that it scores": writing,
    "It fails to score: ZeroDivisionError": raising,
    "hardly better than lists drawn by chance": lambda _given, scores: -scores,
}


@pytest.mark.parametrize("sentence", FAULTS)
def test_a_bad_one_is_told_what_is_wrong_with_it(sentence: str) -> None:
    bad = type("Bad", (Bad,), {"change": staticmethod(FAULTS[sentence])})()
    with pytest.raises(FallsShort, match=sentence):
        check_recommender(bad)


class Drawing(Bad):
    """Draws by a seed of its own."""

    drawn: ClassVar[list[int]] = []

    def fit(self, data: Interactions, context: Context) -> Model:
        self.drawn.append(1)
        noise = np.random.default_rng(len(self.drawn)).random(data.weights.shape[1]) * 1_000
        return Wrapped(Popularity().fit(data, context), lambda _given, scores: scores + noise)


class Spoiling(Bad):
    """Writes into what it learns from."""

    def fit(self, data: Interactions, context: Context) -> Model:
        model = super().fit(data, context)
        data.weights.data[:] = 0
        return model


class Impatient(Bad):
    """Knows only large homes."""

    def fit(self, data: Interactions, context: Context) -> Model:
        if data.weights.shape[1] < 10:
            raise IndexError("too few films")
        return super().fit(data, context)


class Nameless(Bad):
    name: ClassVar[str] = ""


@pytest.mark.parametrize(
    ("bad", "sentence"),
    [
        (Drawing(), "A second fit on the same data gives other scores"),
        (Spoiling(), "It changes the weights that it learns from"),
        (Impatient(), "raises IndexError.* instead of a RecommenderError"),
        (Nameless(), "It has no name"),
    ],
)
def test_one_that_learns_badly_is_told_what_is_wrong_with_it(bad: Bad, sentence: str) -> None:
    with pytest.raises(FallsShort, match=sentence):
        check_recommender(bad)


def test_what_is_no_recommender_is_told_so() -> None:
    odd: Any = object()
    with pytest.raises(FallsShort, match="it is no recommender: it has no name"):
        check_recommender(odd)
