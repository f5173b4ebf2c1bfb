"""What a recommender is: fitted on interactions, it scores films for histories. A plug-in needs this module only.

A recommender is found through the entry point group `dateflicks.recommenders`; its entry point names a class that is
made without arguments, or a function that makes one. It reads no database and writes none; whoever runs it does.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final, Protocol, runtime_checkable

import msgspec
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

API_VERSION: Final = 1

Scores = NDArray[np.float32]
_LOG: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Interactions:
    """Who watched what: `weights` is users × films, each entry above zero, float32, in canonical form (sorted columns).

    `times` are Unix seconds, one for each entry of `weights.data`, in its order. `features` is films × features (what
    is known of each film that may be learned from), all zero where nothing is known. Ids name rows and columns.
    """

    user_ids: tuple[str, ...]
    film_ids: tuple[str, ...]
    weights: csr_array
    times: NDArray[np.float64]
    features: csr_array | None = None
    now: float = 0.0  # when the data was cut


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What a fit is given: the recommender's own settings, a seed for whatever is drawn, how many threads to use."""

    config: Any
    seed: int = 42
    threads: int = 1
    log: logging.Logger = _LOG


class Model(Protocol):
    """What a fit has learned."""

    def score(self, histories: csr_array) -> Scores:
        """Rows × films: how well each film suits each history (rows × films, weights as in the data). Higher is better.

        Comparable within a row. Nothing is taken out: not what a history holds, not what is refused.
        """


@runtime_checkable
class Recommender(Protocol):
    """One algorithm. A new `version` whenever the same data would give other lists."""

    name: ClassVar[str]
    version: ClassVar[str]
    api_version: ClassVar[int]
    config: ClassVar[type[msgspec.Struct]]
    summary: ClassVar[str]

    def fit(self, data: Interactions, context: Context) -> Model:
        """Learn. Raises RecommenderError when the data cannot be learned from."""


class NoSettings(msgspec.Struct, frozen=True):
    """A recommender without any."""


class BaseRecommender:
    """What most recommenders share."""

    name: ClassVar[str] = ""
    version: ClassVar[str] = "1"
    api_version: ClassVar[int] = API_VERSION
    config: ClassVar[type[msgspec.Struct]] = NoSettings
    summary: ClassVar[str] = ""

    def tunings(self, config: Any) -> tuple[Mapping[str, Any], ...]:
        """Other settings worth trying on the validation part of an evaluation; none: there is nothing to tune.

        Those that change the same settings are alternatives, of which the best is kept while those that change others
        are tried. A mapping changes the settings within: `{"edlae": {"dropout": 0.5}}`.
        """
        del config
        return ()


class RecommenderError(Exception):
    """A recommender cannot do what it was asked; the text is for operators."""
