"""From what the services keep to the report: exposures, sessions, how far films came, and what people said of them."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from dateflicks.core.experiments.assignment import Experiment, Unit, assignment_of
from dateflicks.core.handshake import Handshake, State
from dateflicks.server.recommendation.experiments import Experiments
from dateflicks.server.recommendation.records import COLLECTIONS, EXPOSURES, RATINGS, exposure_id, pair_of, rating_id
from dateflicks.server.recommenders.reporting.evidence import COLLECTIONS as READ
from dateflicks.server.recommenders.reporting.evidence import day_of, evidence_of
from dateflicks.server.recommenders.reporting.outcomes import DAY, HOUR
from dateflicks.server.recommenders.reporting.report import Verdict, report_of
from dateflicks.server.services.session.records import PROGRESS, SESSIONS, handshake_fields, order_key
from dateflicks.server.storage.database import Database, DatabaseSettings
from dateflicks.server.storage.table import MANY_MAX
from dateflicks.settings.recommendation import ExperimentSettings, VariantSettings
from tests.server.recommenders.reporting.crowds import START

pytestmark = pytest.mark.asyncio(loop_scope="module")

PAIRS, DAYS = 60, 3


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def database(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Database]:
    """One for all tests here."""
    folder, used = tmp_path_factory.mktemp("server"), list(dict.fromkeys([*COLLECTIONS, *READ]))
    async with Database.open(DatabaseSettings(timeout_seconds=10.0), folder, used, role="worker") as database:
        yield database


def shown(experiment: Experiment, unit: str, at: float, film: str, position: int) -> dict[str, Any]:
    """An exposure as the service writes it."""
    part = assignment_of(experiment, unit)
    assert part is not None
    assert part.variant is not None
    return {
        "_id": exposure_id(experiment.name, unit, day_of(at), film), "rev": 1, "experiment": experiment.name,
        "variant": part.variant.name, "unitId": unit, "videoId": film, "position": position, "shownAt": at,
        "madeBy": f"{part.variant.algorithm} 1", "tookMs": 12.5, "events": [],
    }  # fmt: skip


def session(name: str, host: str, guest: str, film: str, at: float, state: State = State.ACCEPTED) -> dict[str, Any]:
    """A session as the session service keeps it, answered an hour after it was made."""
    handshake = handshake_fields(Handshake(host, guest, state))
    return {
        "_id": name, "rev": 1, **handshake, "videoId": film, "createdAt": at, "answeredAt": at + HOUR,
        "endedAt": None, "order": order_key(at, name),
    }  # fmt: skip


async def written(database: Database, collection: Any, documents: list[dict[str, Any]]) -> None:
    """Put down."""
    for start in range(0, len(documents), MANY_MAX):
        await database.table(collection).upsert_many(documents[start : start + MANY_MAX])


async def test_exposures_and_sessions_become_a_report(database: Database) -> None:
    experiments = Experiments(database, now=lambda: START - HOUR)
    variants = {"even": VariantSettings(algorithm="blend"), "fair": VariantSettings(algorithm="edlae")}
    settings = ExperimentSettings(variants=variants, unit="pair", planned_units=PAIRS)
    await experiments.declare({"two": settings}, {"blend": "1", "edlae": "1"})
    experiment = await experiments.get("two")
    assert experiment is not None
    exposures, sessions, marks, ratings = [], [], [], []
    for number in range(PAIRS):
        host, guest = f"usr_{number}a", f"usr_{number}b"
        unit = pair_of(host, guest)
        for day in range(DAYS):
            at = START + day * DAY + number
            exposures += [shown(experiment, unit, at + place / 1e3, f"vid_{place}", place) for place in range(3)]
            if exposures[-1]["variant"] == "fair" and number % 3:
                name = f"ses_{number}x{day}"
                sessions.append(session(name, guest, host, f"vid_{day}", at + HOUR))
                marks.append({"_id": name, "position": 5_000.0, "length": 5_400.0})
                sessions.append(session(f"{name}n", host, guest, "vid_0", at + HOUR, State.REJECTED))
        up = {
            "_id": rating_id(host, "vid_1"),
            "userId": host,
            "videoId": "vid_1",
            "rating": "up",
            "at": START + 2 * HOUR,
        }
        ratings.append(up)
    for collection, documents in ((EXPOSURES, exposures), (SESSIONS, sessions), (PROGRESS, marks), (RATINGS, ratings)):
        await written(database, collection, documents)

    report = report_of(experiment, await evidence_of(database, experiment), START + 20 * DAY)
    even, fair = report.arms
    assert even.units + fair.units == report.units == PAIRS
    assert (even.lists + fair.lists, even.films, fair.version) == (PAIRS * DAYS, 3, "1")
    accepted, finished, rating, _ = report.comparisons
    assert accepted.happened == finished.happened == len(marks)
    assert accepted.control_rate == 0.0
    assert accepted.rate == pytest.approx(2 / 3, abs=0.2)
    assert rating.happened == PAIRS
    assert [guard.outcome for guard in report.guards] == ["fallback", "latency"]
    assert (report.guards[0].rate, report.guards[1].rate) == (0.0, 12.5)
    assert (report.verdict, report.arm, report.split.is_broken) == (Verdict.BETTER, "fair", False)

    later = await evidence_of(database, experiment, since=START + 2 * DAY)
    assert len(later.shown) == PAIRS
    assert max(len(one) for one in later.evenings.values()) == 1


async def test_for_one_person_the_invitations_that_they_sent_count(database: Database) -> None:
    experiments = Experiments(database, now=lambda: START - HOUR)
    variants = {"a": VariantSettings(algorithm="blend"), "b": VariantSettings(algorithm="edlae")}
    await experiments.declare({"own": ExperimentSettings(variants=variants)}, {})
    experiment = await experiments.get("own")
    assert experiment is not None
    assert experiment.unit is Unit.USER
    await written(database, EXPOSURES, [shown(experiment, one, START, "vid_0", 0) for one in ("usr_host", "usr_guest")])
    await written(database, SESSIONS, [session("ses_own", "usr_host", "usr_guest", "vid_0", START + HOUR)])
    evidence = await evidence_of(database, experiment)
    assert {unit: len(evenings) for unit, evenings in evidence.evenings.items()} == {"usr_host": 1, "usr_guest": 0}


async def test_a_place_that_something_else_than_the_arm_has_made_is_a_fallback(database: Database) -> None:
    experiments = Experiments(database, now=lambda: START - HOUR)
    variants = {"a": VariantSettings(algorithm="blend"), "b": VariantSettings(algorithm="edlae")}
    await experiments.declare({"made": ExperimentSettings(variants=variants)}, {})
    experiment = await experiments.get("made")
    assert experiment is not None
    places = [(f"usr_{number}", place) for number in range(2) for place in range(2)]
    exposures = [shown(experiment, unit, START, f"vid_{place}", place) for unit, place in places]
    for one in exposures[:3]:
        one["madeBy"] = "popularity 1"
    await written(database, EXPOSURES, exposures)
    evidence = await evidence_of(database, experiment)
    assert [one.is_fallback for one in evidence.shown] == [True, False]
