"""The blend: two models in one measure, better than either; ALS beyond the closed form, the closed form without ALS."""

import numpy as np
import pytest
from scipy.sparse import csr_array

from dateflicks.server.recommenders import blend as blending
from dateflicks.server.recommenders.als import Als, is_installed
from dateflicks.server.recommenders.blend import Blend, BlendModel
from dateflicks.server.recommenders.edlae import Edlae
from dateflicks.server.recommenders.matrix import standardized
from dateflicks.server.recommenders.neighbourhood import Neighbourhood
from dateflicks.server.recommenders.popularity import Popularity
from dateflicks.settings.recommenders import AlsTuning, BlendSettings, EdlaeTuning
from tests.server.recommenders.worlds import fitted, hits, parted, population

needs_als = pytest.mark.skipif(not is_installed(), reason="needs the extra als")
SMALL = AlsTuning(factors=8, iterations=8)


@needs_als
def test_scores_are_the_mean_of_what_both_think_in_their_own_measure() -> None:
    data = population(users=80, films=60, each=30, standing=0.3)
    model = fitted(Blend(), data, als=SMALL)
    assert isinstance(model, BlendModel)
    assert model.als is not None
    parts = [standardized(one.score(data.weights), data.weights) for one in (model.edlae, model.als)]
    np.testing.assert_allclose(model.score(data.weights), (parts[0] + parts[1]) / 2, atol=1e-5)


@needs_als
def test_films_without_a_part_in_the_closed_form_have_what_als_thinks() -> None:
    data = population(users=80, films=60, each=12)
    model = fitted(Blend(), data, als=SMALL, edlae=EdlaeTuning(films=20))
    assert isinstance(model, BlendModel)
    assert model.als is not None
    others = np.setdiff1d(np.arange(60), model.edlae.columns)
    assert len(others) == 40
    thought = standardized(model.als.score(data.weights), data.weights)
    scores = model.score(data.weights)
    np.testing.assert_allclose(scores[:, others], thought[:, others], atol=1e-6)
    inner = csr_array(data.weights[:, model.edlae.columns])
    known = standardized(model.edlae.score_columns(data.weights), inner)
    expected = (known + thought[:, model.edlae.columns]) / 2
    np.testing.assert_allclose(scores[:, model.edlae.columns], expected, atol=1e-5)


def test_without_the_extra_it_orders_as_the_closed_form_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blending, "is_installed", lambda: False)
    data = population(users=80, films=60, each=12)
    alone = fitted(Edlae(), data).score(data.weights)
    scores = fitted(Blend(), data).score(data.weights)
    np.testing.assert_allclose(scores, standardized(alone, data.weights), atol=1e-5)


@needs_als
def test_what_it_would_try_are_settings_of_its_parts() -> None:
    for changes in Blend().tunings(BlendSettings()):
        ((part, values),) = changes.items()
        if part != "als_share":
            assert set(values) <= set(getattr(BlendSettings(), part).__struct_fields__)


@needs_als
def test_how_much_each_counts_can_be_set() -> None:
    data = population(users=80, films=60, each=12)
    all_als = fitted(Blend(), data, als=SMALL, als_share=1.0).score(data.weights)
    no_als = fitted(Blend(), data, als=SMALL, als_share=0.0)
    assert isinstance(no_als, BlendModel)
    assert no_als.als is not None
    np.testing.assert_allclose(all_als, standardized(no_als.als.score(data.weights), data.weights), atol=1e-5)
    columns = no_als.edlae.columns
    known = standardized(no_als.edlae.score_columns(data.weights), csr_array(data.weights[:, columns]))
    np.testing.assert_allclose(no_als.score(data.weights)[:, columns], known, atol=1e-5)


@needs_als
def test_both_as_one_are_better_than_either_and_neighbours_better_than_what_is_popular() -> None:
    data, held = parted(population())
    few = EdlaeTuning(regularization=80.0)  # what suits so few people
    found = {one.name: hits(fitted(one, data), data, held) for one in (Als(), Neighbourhood(), Popularity())}
    found["edlae"] = hits(fitted(Edlae(), data, regularization=few.regularization), data, held)
    found["blend"] = hits(fitted(Blend(), data, edlae=few), data, held)
    assert found["blend"] >= max(found["edlae"], found["als"])
    assert found["edlae"] > found["neighbourhood"] > found["popularity"]
