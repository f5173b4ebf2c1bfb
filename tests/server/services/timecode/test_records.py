"""Records: what is kept of a playback comes back as it was, also from versions that kept less."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dateflicks.core.limits import POSITION_MAX_SECONDS
from dateflicks.core.playback import Change, Member, Role, SeekChange, Status, StatusChange, TimecodeRecord
from dateflicks.server.services.timecode.records import TIMECODES, from_document, to_document
from dateflicks.server.storage.records import StorageFault
from dateflicks.server.storage.values import check_document
from tests.conftest import examples
from tests.server.services.timecode.deployment import Deployment

users = st.from_regex(r"usr_[a-z2-7]{26}", fullmatch=True)
times = st.floats(1.7e9, 4e9)
positions = st.floats(0, POSITION_MAX_SECONDS)
statuses = st.sampled_from(Status)
awaited = st.frozensets(users | st.sampled_from(["?host", "?guest"]), max_size=7)
changes: st.SearchStrategy[Change] = st.builds(StatusChange, users, statuses, statuses, times, awaited) | st.builds(
    SeekChange, users, positions, positions, times, awaited
)
members = st.builds(Member, users, st.sampled_from(Role), st.text(max_size=32).filter(lambda text: text.isprintable()))
records = st.builds(
    TimecodeRecord,
    session_id=st.from_regex(r"ses_[a-z2-7]{26}", fullmatch=True),
    length=positions,
    current_position=positions,
    status=statuses,
    last_status_change=times,
    at=times,
    rate=st.sampled_from([0.0, 1.0]),
    revision=st.integers(0, 2**40),
    settled=statuses,
    pending=st.none() | changes,
    members=st.lists(members, max_size=8).map(tuple),
    present=st.lists(users, max_size=8).map(tuple),
)
OLDEST = {
    "_id": "ses_old",
    "sessionId": "ses_old",
    "length": 5_400,
    "currentPosition": 1_200.5,
    "status": "pause",
    "lastStatusChange": 1.76e9,
}


@settings(max_examples=examples(60))
@given(records)
def test_every_record_comes_back_from_its_document(record: TimecodeRecord) -> None:
    document = to_document(record)
    check_document(TIMECODES, document)
    assert from_document(document) == record


@pytest.mark.slow
@pytest.mark.asyncio(loop_scope="module")
async def test_every_record_comes_back_from_the_table(shared: Deployment) -> None:
    by_id: dict[str, TimecodeRecord] = {}

    @settings(max_examples=examples(40), database=None, suppress_health_check=list(HealthCheck))
    @given(records)
    def collect(record: TimecodeRecord) -> None:
        by_id[record.session_id] = record

    collect()
    table = shared.database.table(TIMECODES)
    for record in by_id.values():
        await table.upsert(to_document(record))
    for session_id, record in by_id.items():
        document = await table.get(session_id)
        assert document is not None
        assert from_document(document) == record


def test_a_record_of_the_first_design_stands_where_it_stood() -> None:
    record = from_document(OLDEST)
    assert (record.length, record.current_position, record.status) == (5_400.0, 1_200.5, Status.PAUSE)
    assert (record.settled, record.pending, record.revision, record.rate) == (Status.PAUSE, None, 0, 0.0)
    assert (record.at, record.members, record.present) == (1.76e9, (), ())


@pytest.mark.parametrize(
    "change",
    [
        {"length": None},
        {"length": "5400"},
        {"length": -1.0},
        {"length": 1e9},
        {"currentPosition": True},
        {"currentPosition": float("nan")},
        {"status": "dancing"},
        {"status": None},
        {"lastStatusChange": "yesterday"},
        {"revision": "many"},
        {"pending": {"kind": "seek"}},
        {"pending": "yes"},
        {"members": [{"userId": "usr_a"}]},
        {"members": 3},
        {"present": 1.5},
    ],
)
def test_a_record_that_cannot_be_read_is_named(change: dict[str, Any]) -> None:
    with pytest.raises(StorageFault, match="ses_old"):
        from_document(OLDEST | change)


@pytest.mark.parametrize("field", ["length", "currentPosition", "status", "lastStatusChange"])
def test_a_record_without_what_was_always_there_cannot_be_read(field: str) -> None:
    with pytest.raises(StorageFault, match=field):
        from_document({name: value for name, value in OLDEST.items() if name != field})
