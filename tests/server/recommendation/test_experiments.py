"""Experiments in the database: put in once, frozen once, changed by whoever is allowed, one at a time."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
import pytest_asyncio

from dateflicks.core.experiments.assignment import Experiment, Phase, State, shares_of
from dateflicks.server.recommendation.experiments import Choice, Experiments, document_of, experiment_of
from dateflicks.server.recommendation.records import COLLECTIONS
from dateflicks.server.storage.database import Database, DatabaseSettings
from dateflicks.server.storage.records import Missing
from dateflicks.settings.recommendation import ExperimentSettings, VariantSettings

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def database(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Database]:
    """One for all tests here, which name their experiments differently."""
    folder = tmp_path_factory.mktemp("server")
    async with Database.open(DatabaseSettings(timeout_seconds=10.0), folder, COLLECTIONS, role="worker") as database:
        yield database


@pytest.fixture
def experiments(database: Database) -> Experiments:
    """At noon."""
    return Experiments(database, now=lambda: 1_000.0)


def settings(*algorithms: str, **changes: object) -> ExperimentSettings:
    """An experiment whose arms are called as their algorithms."""
    variants = {one: VariantSettings(algorithm=one, options={"lower_weight": 0.25}) for one in algorithms}
    return ExperimentSettings(variants=variants, **changes)  # type: ignore[arg-type]  # named by tests


async def test_what_the_settings_name_is_put_in_once_and_the_database_has_the_last_word(
    experiments: Experiments,
) -> None:
    assert await experiments.declare({"first": settings("blend", "edlae")}, {"blend": "1"}) == []
    one = await experiments.get("first")
    assert one is not None
    assert [(arm.name, arm.version, arm.options) for arm in one.variants] == [
        ("blend", "1", {"lower_weight": 0.25}),
        ("edlae", "", {"lower_weight": 0.25}),
    ]
    await experiments.change("first", lambda now: replace(now, coverage=0.5))
    assert await experiments.declare({"first": settings("other", "edlae")}, {}) == []
    again = await experiments.get("first")
    assert again == replace(one, coverage=0.5)


async def test_the_version_of_an_arm_is_frozen_with_the_first_live_run_of_its_algorithm(
    experiments: Experiments,
) -> None:
    await experiments.declare({"versions": settings("blend", "edlae")}, {"blend": "1"})
    await experiments.freeze({"blend": "2", "edlae": "7"})
    await experiments.freeze({"blend": "3", "edlae": "8"})
    one = await experiments.get("versions")
    assert one is not None
    assert [arm.version for arm in one.variants] == ["1", "7"]


async def test_a_change_of_weights_is_noted_with_its_time(database: Database) -> None:
    early, late = Experiments(database, now=lambda: 10.0), Experiments(database, now=lambda: 20.0)
    await early.declare({"weighed": settings("a", "b")}, {})

    def heavier(one: Experiment) -> Experiment:
        first, second = one.variants
        return replace(one, variants=(replace(first, weight=3.0), second))

    one = await late.change("weighed", heavier)
    assert one.phases == (Phase(10.0, (1.0, 1.0)), Phase(20.0, (3.0, 1.0)))
    assert shares_of(one) == {"a": 0.75, "b": 0.25}
    assert shares_of(one, 15.0) == {"a": 0.5, "b": 0.5}
    assert shares_of(one, 25.0) == {"a": 0.75, "b": 0.25}


async def test_what_is_switched_off_in_the_settings_stops_and_is_not_put_in(experiments: Experiments) -> None:
    await experiments.declare({"off": settings("a", "b")}, {})
    await experiments.declare({"off": settings("a", "b", enabled=False), "no": settings("a", "b", enabled=False)}, {})
    stopped = await experiments.get("off")
    assert stopped is not None
    assert stopped.state is State.STOPPED
    assert await experiments.get("no") is None


async def test_what_cannot_be_run_is_told_and_left_out(experiments: Experiments) -> None:
    problems = await experiments.declare(
        {
            "default": settings("a", "b"),
            "2nd": settings("a", "b"),
            "alone": settings("a"),
            "filled": settings("a", "b", namespace="lists", coverage=0.7),
            "crowded": settings("a", "b", namespace="lists", coverage=0.7),
        },
        {},
    )
    assert [one.partition(":")[0] for one in problems] == ["default", "2nd", "alone", "crowded"]
    assert [await experiments.get(name) for name in ("2nd", "alone", "crowded")] == [None, None, None]


async def test_a_change_of_nothing_that_is_there_is_missing_and_one_that_objects_changes_nothing(
    experiments: Experiments,
) -> None:
    with pytest.raises(Missing):
        await experiments.change("nobody", lambda one: one)
    await experiments.declare({"objected": settings("a", "b")}, {})

    def object_to(_one: Experiment) -> Experiment:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await experiments.change("objected", object_to)


async def test_a_choice_is_read_as_it_was_made(experiments: Experiments) -> None:
    choice = Choice(algorithm="edlae", options={"lower_weight": 0.25}, experiment="first", at=5.0)
    assert await experiments.choice() is None
    await experiments.choose(choice)
    assert await experiments.choice() == choice
    assert "choice:default" not in [one.name for one in await experiments.all()]
    assert await experiments.get("choice:default") is None


async def test_an_experiment_is_read_as_it_was_written(experiments: Experiments) -> None:
    await experiments.declare({"kept": settings("a", "b", unit="pair", mode="interleave")}, {})
    one = await experiments.get("kept")
    assert one is not None
    assert experiment_of(document_of(one)) == one
