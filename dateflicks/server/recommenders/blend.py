"""The default: EDLAE and ALS as one, each in its own measure (z-scores by row), by their mean.

The two err differently: the one knows which film goes with which, the other what kinds of films there are. Films
without a part in EDLAE's matrix have what ALS thinks of them; without the extra `als` it is EDLAE alone.
"""

from collections.abc import Mapping
from typing import Any, ClassVar, Final

import msgspec
import numpy as np
from scipy.sparse import csr_array

from dateflicks.server.recommenders.als import AlsModel, fit_als, is_installed
from dateflicks.server.recommenders.edlae import EdlaeModel, fit_edlae
from dateflicks.server.recommenders.matrix import standardized
from dateflicks.server.recommenders.recommender import BaseRecommender, Context, Interactions, Model, Scores
from dateflicks.settings.recommenders import BlendSettings

_TRIED: Final[dict[str, tuple[Any, ...]]] = {  # fewer than of each alone, as each takes two fits
    "edlae": (
        {"dropout": 0.0, "regularization": 150.0},
        {"dropout": 0.0, "regularization": 400.0},
        {"dropout": 0.5, "regularization": 150.0},
        {"dropout": 0.5, "regularization": 600.0},
    ),
    "als": (
        {"factors": 32, "regularization": 0.04, "confidence": 2.0},
        {"factors": 32, "regularization": 0.2, "confidence": 3.0},
        {"factors": 32, "regularization": 0.5, "confidence": 4.0},
        {"factors": 64, "regularization": 0.8, "confidence": 3.0},
        {"factors": 64, "regularization": 1.5, "confidence": 3.0},
        {"factors": 64, "regularization": 1.2, "confidence": 5.0},
        {"factors": 64, "regularization": 3.0, "confidence": 8.0},
        {"factors": 64, "regularization": 7.0, "confidence": 16.0},
    ),
    "als_share": (0.35, 0.65),
}


class BlendModel:
    """Both models; without `als` the one."""

    def __init__(self, edlae: EdlaeModel, als: AlsModel | None, als_share: float = 0.5) -> None:
        self.edlae = edlae
        self.als = als
        self._als_share = np.float32(als_share)

    def score(self, histories: csr_array) -> Scores:
        """The mean of both models' z-scores, which are made by what a history has not yet."""
        if self.als is None:
            return standardized(self.edlae.score(histories), histories)
        scores = standardized(self.als.score(histories), histories)
        columns = self.edlae.columns
        if len(columns) == scores.shape[1]:
            scores *= self._als_share
            scores += standardized(self.edlae.score_columns(histories), histories) * (1 - self._als_share)
        elif len(columns):
            ours = standardized(self.edlae.score_columns(histories), csr_array(histories[:, columns]))
            scores[:, columns] = scores[:, columns] * self._als_share + ours * (1 - self._als_share)
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
        return BlendModel(edlae, fit_als(data.weights, config.als, context), config.als_share)

    def tunings(self, config: Any) -> tuple[Mapping[str, Any], ...]:
        """First what suits the closed form, then what suits the factors beside it, then how much each counts."""
        del config
        parts = _TRIED if is_installed() else ("edlae",)
        return tuple({part: value} for part in parts for value in _TRIED[part])
