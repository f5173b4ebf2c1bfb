"""Parts of what a run's process does: going back in time, and what may not be deleted."""

import pytest

from dateflicks.server.jobs.executing import went_back
from dateflicks.server.jobs.referring import Referring
from dateflicks.server.providers.records import SourceState
from dateflicks.server.providers.source import SourceError
from dateflicks.server.services.session.records import SESSIONS, USERS
from dateflicks.server.storage.database import Database

MAY = 1_777_593_600.0  # 2026-05-01


@pytest.mark.parametrize(
    ("kept", "expected"),
    [
        (1_790_000_000, 1_777_593_600),
        (1_790_000_000.5, 1_777_593_600.0),
        ("2026-11-24", "2026-05-01"),
        ("2026-11-24T10:00:00Z", "2026-05-01T00:00:00+00:00"),
    ],
)
def test_a_source_goes_back_to_a_time_in_its_own_words(kept: object, expected: object) -> None:
    state = SourceState(incremental={"since": kept, "scope": "DE"}, validators={"a": ["b", "c"]})
    assert went_back(state, MAY) == SourceState(incremental={"since": expected, "scope": "DE"})


@pytest.mark.parametrize("place", [None, {}, {"since": None}, {"since": True}, {"cursor": "abc"}])
def test_a_source_without_a_time_cannot_go_back(place: dict[str, object] | None) -> None:
    with pytest.raises(SourceError, match="no time to go back to"):
        went_back(SourceState(incremental=place), MAY)


async def test_films_that_sessions_point_at_stay(database: Database) -> None:
    for number, host in enumerate(["ana", "bea", "ana"]):
        session = {
            "_id": f"ses_{number}",
            "hostUserId": f"usr_{host}",
            "order": f"t{number}",
            "videoId": f"vid_{number}",
        }
        await database.table(SESSIONS).insert(session)
    for name in ("ana", "bea"):
        await database.table(USERS).insert({"_id": f"usr_{name}", "nameKey": f"name:{name}"})
    referring = Referring(database)
    assert await referring(["vid_0", "vid_1", "vid_2", "vid_3"]) == {"vid_0", "vid_1", "vid_2"}
    assert await referring(["vid_3"]) == set()


async def test_where_nobody_is_known_sessions_are_elsewhere_and_everything_stays(database: Database) -> None:
    assert await Referring(database)(["vid_0"]) == ["vid_0"]
