"""`recommenders ab-report`, `assign`, `promote`: what is told of experiments, and what operators may change in them."""

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from dateflicks.cli.exits import Exit
from dateflicks.core.experiments.assignment import assignment_of
from dateflicks.server.recommendation.experiments import Experiments
from dateflicks.server.recommendation.records import COLLECTIONS, EXPOSURES, RUNS, exposure_id
from dateflicks.server.recommendation.runs import Run, document_of_run
from dateflicks.server.recommenders.reporting.evidence import COLLECTIONS as READ
from dateflicks.server.recommenders.reporting.evidence import day_of
from dateflicks.server.recommenders.reporting.outcomes import DAY
from dateflicks.server.storage.database import Database, DatabaseSettings
from dateflicks.settings.recommendation import ExperimentSettings, VariantSettings
from tests.cli.conftest import Cli

PEOPLE = 90
USED = list(dict.fromkeys([*COLLECTIONS, *READ]))


def of(*algorithms: str, **changes: object) -> ExperimentSettings:
    """An experiment whose arms are called as their algorithms."""
    variants = {one: VariantSettings(algorithm=one, options={"lower_weight": 0.25}) for one in algorithms}
    return ExperimentSettings(variants=variants, **changes)  # type: ignore[arg-type]  # named by tests


@contextlib.asynccontextmanager
async def running(home: Path) -> AsyncIterator[Database]:
    """The database that the commands use."""
    settings = DatabaseSettings(timeout_seconds=10.0)
    async with Database.open(settings, home / "server", USED, role="worker") as database:
        yield database


async def seeded(database: Database) -> None:
    """Lists that were shown three days ago to people of two experiments, and runs of two of three algorithms."""
    at = time.time() - 3 * DAY
    experiments = Experiments(database, now=lambda: at)
    settings = {
        "lists": of("blend", "edlae"),
        "lossy": of("blend", "edlae", salt="lists"),
        "mixed": of("blend", "als", mode="interleave"),
        "full": of("blend", "edlae", namespace="n", coverage=0.7),
        "rest": of("blend", "edlae", namespace="n", coverage=0.3),
    }
    assert await experiments.declare(settings, {"blend": "1"}) == []
    exposures = []
    for experiment in ("lists", "lossy"):
        one = await experiments.get(experiment)
        assert one is not None
        for number in range(PEOPLE):
            unit = f"usr_{number}"
            part = assignment_of(one, unit)
            assert part is not None
            assert part.variant is not None
            if experiment == "lossy" and part.variant.name == "edlae" and number % 4:
                continue
            exposures.append({
                "_id": exposure_id(experiment, unit, day_of(at), "vid_a"), "rev": 1, "experiment": experiment,
                "variant": part.variant.name, "unitId": unit, "videoId": "vid_a", "shownAt": at, "events": [],
            })  # fmt: skip
    await database.table(EXPOSURES).upsert_many(exposures)
    for algorithm in ("blend", "edlae"):
        run = Run(id=f"run_{algorithm}", algorithm=algorithm, version="1", started_at=at, state="live")
        await database.table(RUNS).upsert(document_of_run(run))


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A home with experiments; its database runs all the while, so that commands have none to start."""
    home = tmp_path_factory.mktemp("home")
    with asyncio.Runner() as runner:
        database = running(home)
        runner.run(seeded(runner.run(database.__aenter__())))
        yield home
        runner.run(database.__aexit__(None, None, None))


@pytest.fixture
def there(cli: Cli, home: Path) -> Cli:
    """The program in that home."""
    cli.home = home
    return cli


@pytest.mark.slow
def test_the_list_of_recommenders_says_who_sees_which(there: Cli) -> None:
    seen = {one["name"]: one["seen_by"] for one in there.json("recommenders", "list")}
    # Which of the two is everybody's, another test may have changed.
    assert [name for name, by in seen.items() if by and by.startswith("everybody; ")] in (["blend"], ["edlae"])
    assert "50% by lists:edlae" in seen["edlae"].split("; ")
    assert "35% by full:edlae" in seen["edlae"].split("; ")
    assert seen["popularity"] is None


def test_without_experiments_it_says_where_they_come_from(cli: Cli) -> None:
    nothing = cli("recommenders", "ab-report")
    assert nothing.stderr == "There are no experiments. Name some in recommendation.toml.\n"


@pytest.mark.slow
def test_what_experiments_have_shown_is_told_in_brief_and_in_full(there: Cli) -> None:
    brief = there("recommend", "ab-report", "--json")
    assert brief.exit_code == Exit.PROBLEMS  # one of them is lossy
    found = {one["experiment"]: one for one in json.loads(brief.stdout)}
    assert set(found) == {"full", "lists", "lossy", "mixed", "rest"}
    assert found["mixed"]["sentence"] == "Nothing was shown yet."

    full = there.json("recommenders", "ab-report", "lists")
    assert full["sentence"].startswith("Nothing can be compared yet: blend has led to no accepted invitation")
    assert (full["units"], [arm["name"] for arm in full["arms"]]) == (PEOPLE, ["blend", "edlae"])
    plain = [line.split("\t") for line in there("recommenders", "ab-report", "lists").stdout.splitlines()]
    assert {row[0] for row in plain} == {"split", "arm", "outcome", "guard", "day", "verdict"}
    assert plain[-1][-1] == full["sentence"]
    table = there("recommenders", "ab-report", "lists", "-o", "table").stdout
    assert table.startswith("lists, running; the split: p = ")
    assert table.endswith(f"{full['sentence']}\n")
    assert there("recommenders", "ab-report", "mixed", "-o", "table").stdout.endswith("\nNothing was shown yet.\n")


@pytest.mark.slow
def test_a_broken_split_and_a_name_that_is_none_are_told_by_the_exit_code_too(there: Cli) -> None:
    broken = there("recommenders", "ab-report", "lossy")
    assert broken.exit_code == Exit.PROBLEMS
    assert "\nnewcomer\t" in broken.stdout
    assert "The split is broken: blend has " in broken.stdout
    unknown = there("recommenders", "ab-report", "list")
    assert (unknown.exit_code, unknown.stderr) == (
        Exit.NOT_FOUND, "Error: There is no experiment 'list'.\nDid you mean 'lists'?\n"
    )  # fmt: skip
    recent = there("recommenders", "ab-report", "lossy", "--since", "2099-01-01")
    assert recent.exit_code == Exit.OK
    assert recent.stdout.endswith("Nothing was shown yet.\n")


@pytest.mark.slow
def test_weights_coverage_and_state_are_changed_after_a_yes(there: Cli) -> None:
    asked = there("recommenders", "assign", "mixed", "als=3")
    assert (asked.exit_code, asked.stderr.splitlines()[0]) == (
        Exit.USAGE,
        "Error: Change mixed: blend from 50% to 25%, als from 50% to 75%? Nobody can be asked here.",
    )
    changed = there("--yes", "recommenders", "assign", "mixed", "als=3", "--coverage", "0.5", "--json")
    assert [(arm["name"], arm["share"]) for arm in json.loads(changed.stdout)] == [("blend", 0.25), ("als", 0.75)]
    assert changed.stderr == "mixed is running, with 50% of its users.\n"
    crowded = there("--yes", "recommenders", "assign", "full", "--coverage", "0.8")
    assert (crowded.exit_code, crowded.stderr.splitlines()[0]) == (
        Exit.REFUSED,
        "Error: There is no room for 80% in the namespace 'n'.",
    )
    stopped = there("--yes", "recommenders", "assign", "rest", "--stop")
    assert stopped.stderr == "rest is stopped, with 30% of its users.\n"


@pytest.mark.parametrize(
    ("words", "exit_code", "line"),
    [
        (["lists"], Exit.USAGE, "There is nothing to change."),
        (["lists", "edlae"], Exit.USAGE, "'edlae' is no weight of an arm."),
        (["lists", "edlae=nan"], Exit.USAGE, "'edlae=nan' is no weight of an arm."),
        (["lists", "edlae=-1"], Exit.USAGE, "'edlae=-1' is no weight of an arm."),
        (["lists", "--start", "--stop"], Exit.USAGE, "--stop and --start at once: say one of them."),
    ],
)
def test_what_was_typed_wrongly_is_told(cli: Cli, words: list[str], exit_code: Exit, line: str) -> None:
    result = cli("recommenders", "assign", *words)
    assert (result.exit_code, result.stderr.splitlines()[0]) == (exit_code, f"Error: {line}")


@pytest.mark.slow
def test_an_arm_or_an_algorithm_is_made_everybodys_after_a_yes(there: Cli) -> None:
    several = there("--yes", "recommenders", "promote", "edlae")
    assert several.exit_code == Exit.USAGE
    assert "lists:edlae" in several.stderr.splitlines()[1]
    asked = there("recommenders", "promote", "lists:edlae")
    assert asked.exit_code == Exit.USAGE
    assert "Nothing can be compared yet" in asked.stderr  # what the report says is part of the question
    done = there("--yes", "recommenders", "promote", "lists:edlae")
    assert done.stderr.splitlines() == [
        "Everybody who takes part in no experiment gets edlae from here on.",
        "End the experiment with: dateflicks recommenders assign lists --stop",
    ]
    assert done.stdout.startswith('edlae\t\t{"lower_weight":0.25}\tlists\t')
    without_run = there("--yes", "recommenders", "promote", "als")
    assert (without_run.exit_code, without_run.stderr.splitlines()[0]) == (
        Exit.REFUSED, "Error: als has no live run."
    )  # fmt: skip
    assert there("--yes", "recommenders", "promote", "nobody").exit_code == Exit.NOT_FOUND
