"""Films that were watched by the same people, with some chance mixed in so that lists do not stand still."""

import msgspec
import numpy as np

from dateflicks.server.recommenders.recommender import BaseRecommender, RecommenderError


class Settings(msgspec.Struct, frozen=True):
    chance: float = 0.05


class TogetherModel:
    def __init__(self, together, drawn):
        self.together, self.drawn = together, drawn

    def score(self, histories):
        scores = (histories @ self.together).toarray()
        return (scores + self.drawn).astype(np.float32)


class TogetherRecommender(BaseRecommender):
    name = "together"
    version = "1"
    config = Settings
    summary = "films watched by the same people, and a little chance"

    def fit(self, data, context):
        if context.config.chance < 0:
            raise RecommenderError("`chance` must not be below zero.")
        context.log.info("%d people, %d films", *data.weights.shape)
        together = (data.weights.T @ data.weights).tocsr()
        together.setdiag(0)
        drawn = np.random.default_rng(context.seed).random(len(data.film_ids))
        return TogetherModel(together, drawn * context.config.chance)
