"""What many watched, the recent counting more; the same for everybody."""

from collections.abc import Mapping
from typing import Any, ClassVar, Final

import msgspec
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from dateflicks.server.recommenders.recommender import BaseRecommender, Context, Interactions, Model, Scores
from dateflicks.settings.recommenders import PopularitySettings

DAY_SECONDS: Final = 86_400.0
_TRIED: Final = (30.0, 90.0, 365.0, 36_500.0)


class PopularityModel:
    """One score for each film, whoever asks."""

    def __init__(self, scores: NDArray[np.float32]) -> None:
        self.scores = scores

    def score(self, histories: csr_array) -> Scores:
        """The same row for each history."""
        return np.tile(self.scores, (histories.shape[0], 1))


class Popularity(BaseRecommender):
    """Popularity that decays."""

    name = "popularity"
    version = "1"
    config: ClassVar[type[msgspec.Struct]] = PopularitySettings
    summary = "what many watched, the recent counting more"

    def fit(self, data: Interactions, context: Context) -> Model:
        """Sum the weights of each film, halved for each half-life of age.

        Age counts from the newest of the data and not from now: the order is the same, and what is all old does not
        vanish in rounding.
        """
        ages = (data.times.max(initial=0.0) - data.times) / DAY_SECONDS
        worth = data.weights.data * 0.5 ** (ages / context.config.half_life_days)
        films = data.weights.shape[1]
        return PopularityModel(np.bincount(data.weights.indices, worth, minlength=films).astype(np.float32))

    def tunings(self, config: Any) -> tuple[Mapping[str, Any], ...]:
        """From what is watched this month to what was ever watched."""
        del config
        return tuple({"half_life_days": days} for days in _TRIED)
