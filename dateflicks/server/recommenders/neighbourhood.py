"""Films that the same people watched: the cosine of two films' columns, a film's nearest only."""

from collections.abc import Mapping
from typing import Any, ClassVar, Final

import msgspec
import numpy as np
from scipy.sparse import csr_array

from dateflicks.server.recommenders.matrix import nearest
from dateflicks.server.recommenders.recommender import BaseRecommender, Context, Interactions, Model, Scores
from dateflicks.settings.recommenders import NeighbourhoodSettings

_TRIED: Final = ((50, 0.0), (100, 0.0), (100, 10.0), (200, 10.0), (200, 100.0), (500, 50.0))


class NeighbourModel:
    """How like one another films are: `alike` is films × films."""

    def __init__(self, alike: csr_array) -> None:
        self.alike = alike

    def score(self, histories: csr_array) -> Scores:
        """The sum over a history's films of how like each they are, by the weights of the history."""
        return np.asarray((histories @ self.alike).toarray(), np.float32)


class Neighbourhood(BaseRecommender):
    """Item neighbourhood."""

    name = "neighbourhood"
    version = "1"
    config: ClassVar[type[msgspec.Struct]] = NeighbourhoodSettings
    summary = "films watched by the same people, by cosine with shrinkage"

    def fit(self, data: Interactions, context: Context) -> Model:
        """Learn."""
        config = context.config
        return NeighbourModel(nearest(data.weights.T.tocsr(), config.neighbours, config.shrinkage))

    def tunings(self, config: Any) -> tuple[Mapping[str, Any], ...]:
        """How many neighbours a film has, and how little few people say."""
        del config
        return tuple({"neighbours": neighbours, "shrinkage": shrinkage} for neighbours, shrinkage in _TRIED)
