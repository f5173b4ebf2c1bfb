"""Films that are like one's own by what is known of them: the cosine of their features, the rare ones counting more.

Which features may be learned from is for whoever makes the data to decide. Without any it has nothing to say: every
score is zero.
"""

from collections.abc import Mapping
from typing import Any, ClassVar, Final

import msgspec
import numpy as np
from scipy.sparse import csr_array

from dateflicks.server.recommenders.matrix import nearest, with_values
from dateflicks.server.recommenders.neighbourhood import NeighbourModel
from dateflicks.server.recommenders.recommender import BaseRecommender, Context, Interactions, Model
from dateflicks.settings.recommenders import ContentSettings

_TRIED: Final = (20, 50, 200, 1_000)


class Content(BaseRecommender):
    """Likeness by features."""

    name = "content"
    version = "1"
    config: ClassVar[type[msgspec.Struct]] = ContentSettings
    summary = "films like one's own, by genres, people and words that may be learned from"

    def fit(self, data: Interactions, context: Context) -> Model:
        """Learn from the films' features alone: who watched what is not looked at."""
        films = data.weights.shape[1]
        features = data.features if data.features is not None else csr_array((films, 0), dtype=np.float32)
        return NeighbourModel(nearest(rare_counts_more(features), context.config.neighbours))

    def tunings(self, config: Any) -> tuple[Mapping[str, Any], ...]:
        """How many films one is like."""
        del config
        return tuple({"neighbours": neighbours} for neighbours in _TRIED)


def rare_counts_more(features: csr_array) -> csr_array:
    """Films × features, each feature by how few films have it: the logarithm of one in how many, plus one."""
    films, kinds = features.shape
    having = np.bincount(features.indices, minlength=kinds)
    rarity = 1 + np.log(films / np.maximum(having, 1)) if films else np.zeros(kinds)
    return with_values(features, features.data * rarity[features.indices])
