"""How far films have come: the newest word counts, and is written now and then."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import pytest
import pytest_asyncio

from dateflicks.protocol.ids import new_id
from dateflicks.server.services.session import progress
from dateflicks.server.services.session.progress import Mark, Progress
from dateflicks.server.services.session.records import PROGRESS
from dateflicks.server.storage.records import Document
from dateflicks.server.storage.table import Table
from tests.server.services.session.deployment import Deployment

pytestmark = pytest.mark.asyncio(loop_scope="module")


class Outbox:
    """Remembers what was put into it."""

    def __init__(self) -> None:
        self.documents: list[Document] = []

    def put(self, document: Mapping[str, Any]) -> None:
        self.documents.append(dict(document))


@pytest_asyncio.fixture(loop_scope="module")
async def table(shared: Deployment) -> AsyncIterator[Table]:
    yield shared.database.table(PROGRESS)


@pytest.fixture
def outbox() -> Outbox:
    return Outbox()


@pytest.fixture
def known(table: Table, outbox: Outbox) -> Progress:
    return Progress(table, outbox)


async def of_one(known: Progress, session_id: str) -> Mark | None:
    return (await known.of([session_id])).get(session_id)


async def test_the_newest_word_counts_and_a_length_stays_until_there_is_another(known: Progress) -> None:
    session_id = new_id("ses")
    known.tell(session_id, 10.0, 90.0)
    known.tell(session_id, 5.00049, None)
    assert await of_one(known, session_id) == Mark(5.0, 90.0)

    known.tell(session_id, 6.0, 0.0)
    assert await of_one(known, session_id) == Mark(6.0, 90.0)
    known.tell(session_id, 6.0, 91.0)
    assert await of_one(known, session_id) == Mark(6.0, 91.0)


@pytest.mark.parametrize("session_id", [None, "", "ses_1", "usr_" + "a" * 26, 7, ["ses_" + "a" * 26]])
async def test_a_hint_of_what_is_no_session_is_ignored(known: Progress, outbox: Outbox, session_id: object) -> None:
    known.hear("playback", {"sessionId": session_id, "position": 1.0})
    known.write_all()

    assert outbox.documents == []


@pytest.mark.parametrize(
    "position", [None, "1", True, [], -0.1, 172_800.1, float("nan"), float("inf"), pytest.param(2**1_100, id="huge")]
)
async def test_a_hint_of_what_is_no_position_is_ignored(known: Progress, outbox: Outbox, position: object) -> None:
    session_id = new_id("ses")
    known.hear("playback", {"sessionId": session_id, "position": position})
    known.hear("playback", {"sessionId": session_id})
    known.write_all()

    assert outbox.documents == []


async def test_what_has_not_changed_is_not_written_again(known: Progress, outbox: Outbox) -> None:
    one, other = new_id("ses"), new_id("ses")
    for session_id in (one, other):
        known.hear("playback", {"sessionId": session_id, "position": 1, "length": 90})
    known.write(one)
    known.write(one)
    known.write_all()
    known.tell(one, 1.0, 90.0)
    known.write_all()

    assert sorted(document["_id"] for document in outbox.documents) == sorted([one, other])


async def test_what_is_forgotten_for_want_of_room_is_written_first(
    known: Progress, outbox: Outbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "SESSIONS_MAX", 2)
    ids: Sequence[str] = [new_id("ses") for _ in range(3)]
    for session_id in (ids[0], ids[1], ids[0], ids[2]):
        known.tell(session_id, float(len(outbox.documents) + ids.index(session_id)), None)

    assert [document["_id"] for document in outbox.documents] in ([ids[0]], [ids[1]])
    forgotten = outbox.documents[0]["_id"]
    assert set(await known.of(ids)) == set(ids) - {forgotten}


async def test_what_an_earlier_process_wrote_is_known(known: Progress, table: Table) -> None:
    written, told, unknown = (new_id("ses") for _ in range(3))
    for session_id in (written, told):
        await table.insert({"_id": session_id, "position": 10.0, "length": 90.0})
    known.tell(told, 20.0, None)
    await known.recall(told)
    await known.recall(unknown)

    assert await known.of([written, told, unknown]) == {written: Mark(10.0, 90.0), told: Mark(20.0, 90.0)}
