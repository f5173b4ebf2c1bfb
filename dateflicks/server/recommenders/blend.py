"""The default: EDLAE and ALS as one, each in its own measure (z-scores by row), by their mean.

The two err differently: the one knows which film goes with which, the other what kinds of films there are. Films
without a part in EDLAE's matrix have what ALS thinks of them; without the extra `als` it is EDLAE alone.
"""

from typing import ClassVar

import msgspec
import numpy as np
from scipy.sparse import csr_array

from dateflicks.server.recommenders.als import AlsModel, fit_als, is_installed
from dateflicks.server.recommenders.edlae import EdlaeModel, fit_edlae
from dateflicks.server.recommenders.matrix import standardized
from dateflicks.server.recommenders.recommender import BaseRecommender, Context, Interactions, Model, Scores
from dateflicks.settings.recommenders import BlendSettings


class BlendModel:
    """Both models; without `als` the one."""

    def __init__(self, edlae: EdlaeModel, als: AlsModel | None) -> None:
        self.edlae = edlae
        self.als = als

    def score(self, histories: csr_array) -> Scores:
        """The mean of both models' z-scores; what either thinks of what a history has already does not make them."""
        if self.als is None:
            return standardized(self.edlae.score(histories), histories)
        scores = standardized(self.als.score(histories), histories)
        columns = self.edlae.columns
        if len(columns) == scores.shape[1]:
            scores += standardized(self.edlae.score_columns(histories), histories)
            scores *= np.float32(0.5)
        elif len(columns):
            ours = standardized(self.edlae.score_columns(histories), csr_array(histories[:, columns]))
            scores[:, columns] = (scores[:, columns] + ours) * np.float32(0.5)
        return scores


class Blend(BaseRecommender):
    """EDLAE and ALS as one."""

    name = "blend"
    version = "1"
    config: ClassVar[type[msgspec.Struct]] = BlendSettings
    summary = "edlae and als as one, by the mean of their z-scores; edlae alone without the extra als"

    def fit(self, data: Interactions, context: Context) -> Model:
        """Learn. Raises RecommenderError where the films' matrix cannot be inverted."""
        config = context.config
        edlae = fit_edlae(data.weights, config.edlae)
        if not is_installed():
            context.log.info("the extra als is not installed: blend is edlae alone")
            return BlendModel(edlae, None)
        return BlendModel(edlae, fit_als(data.weights, config.als, context))
