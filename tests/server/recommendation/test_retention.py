"""What people were shown is forgotten after half a year, unless an experiment needs it."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from dateflicks.server.recommendation.experiments import OUTSIDE
from dateflicks.server.recommendation.records import EXPOSURES
from dateflicks.server.recommendation.retention import KEEP_SECONDS, forget_exposures
from dateflicks.server.storage.database import Database
from tests.server.services.recommendation.scene import NOON, opened

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def database(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Database]:
    async with opened(tmp_path_factory.mktemp("data")) as database:
        yield database


async def test_old_exposures_outside_of_experiments_are_deleted(database: Database) -> None:
    table = database.table(EXPOSURES)
    for name, experiment, age in (("old", OUTSIDE, 1.0), ("new", OUTSIDE, -1.0), ("kept", "lists", 1.0)):
        shown_at = NOON - KEEP_SECONDS - age
        await table.insert({"_id": f"exp:{name}", "experiment": experiment, "unitId": "usr_a", "shownAt": shown_at})
    await table.insert_many(
        [
            {"_id": f"exp:{number}", "experiment": OUTSIDE, "unitId": "usr_a", "shownAt": float(number)}
            for number in range(250)
        ]
    )
    assert await forget_exposures(database, NOON) == 251
    assert set(await table.get_many(["exp:old", "exp:new", "exp:kept", "exp:7"])) == {"exp:new", "exp:kept"}
    assert await forget_exposures(database, NOON) == 0
