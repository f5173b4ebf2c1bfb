"""No query that a service can send makes the embedded engine read a whole table, or sort."""

import shutil
import sqlite3
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest
import pytest_asyncio

from dateflicks.server.catalogue.records import COLLECTIONS as CATALOGUE_COLLECTIONS
from dateflicks.server.services.messages.records import COLLECTIONS as MESSAGES_COLLECTIONS
from dateflicks.server.services.session.records import COLLECTIONS as SESSION_COLLECTIONS
from dateflicks.server.services.session.records import SESSIONS
from dateflicks.server.services.timecode.records import TIMECODES
from dateflicks.server.storage.database import Database, DatabaseSettings
from dateflicks.server.storage.records import Collection, Index
from tests.server.storage.plans import Command, Statement, explained, recorded, send_every_shape

COLLECTIONS: Final = (*SESSION_COLLECTIONS, *MESSAGES_COLLECTIONS, TIMECODES, *CATALOGUE_COLLECTIONS)


@dataclass(frozen=True)
class Sent:
    """What was sent for all shapes, and the files of the engine that answered."""

    commands: list[Command]
    databases: Path

    def of(self, collection: Collection) -> list[Command]:
        """The commands to one collection."""
        return [one for one in self.commands if next(iter(one.values())) == collection.name]

    def copied(self, folder: Path) -> Path:
        """The files, to do things to."""
        shutil.copytree(self.databases, folder)
        return folder


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def sent(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Sent]:
    data = tmp_path_factory.mktemp("data")
    with pytest.MonkeyPatch.context() as monkeypatch:
        async with Database.open(DatabaseSettings(), data, COLLECTIONS) as database:
            with recorded(database, monkeypatch) as commands:
                for collection in COLLECTIONS:
                    await send_every_shape(database.table(collection))
    yield Sent(commands, data / "mongo" / "databases")


def slow(statements: list[Statement], collection: Collection) -> list[str]:
    return [step for one in statements for step in one.slow_steps([collection.name])]


@pytest.mark.parametrize("collection", COLLECTIONS, ids=lambda one: one.name)
async def test_every_query_of_a_collection_is_answered_from_an_index(
    sent: Sent, tmp_path: Path, collection: Collection
) -> None:
    statements = explained(sent.copied(tmp_path / "copy"), sent.of(collection))

    steps = {step.partition(" (")[0] for one in statements for step in one.plan}
    assert f"SEARCH {collection.name} USING INDEX idx_{collection.name}_id" in steps  # the table was looked at
    assert slow(statements, collection) == []
    assert {one.command for one in statements} == {"find", "insert", "update", "delete"}


DECLARED: Final = [(collection, index) for collection in COLLECTIONS for index in collection.indexes]


@pytest.mark.parametrize(
    ("collection", "index"), DECLARED, ids=[f"{one.name}-{'-'.join(index.fields)}" for one, index in DECLARED]
)
async def test_an_index_that_is_taken_away_is_missed(
    sent: Sent, tmp_path: Path, collection: Collection, index: Index
) -> None:
    databases = sent.copied(tmp_path / "copy")
    with sqlite3.connect(databases / f"{collection.database}.db") as connection:
        connection.execute(f"DROP INDEX idx_{collection.name}_{'_'.join(index.fields)}")
    connection.close()

    assert slow(explained(databases, sent.of(collection)), collection) != []


@pytest.mark.parametrize(
    ("query", "sort"),
    [
        ({"$or": [{"hostUserId": "a"}, {"guestUserId": "b"}]}, None),
        ({"hostUserId": {"$in": ["a", "b"]}}, None),
        ({"order": "t1"}, None),
        ({"_id": {"$gte": "a", "$lt": "b"}}, None),
        ({"hostUserId": "a"}, {"title": 1}),
    ],
)
async def test_a_query_outside_the_fence_is_seen_to_read_the_table(
    sent: Sent, tmp_path: Path, query: dict[str, Any], sort: dict[str, int] | None
) -> None:
    command = {"find": "sessions", "filter": query, "limit": 1, "$db": SESSIONS.database}
    if sort is not None:
        command["sort"] = sort

    assert slow(explained(sent.copied(tmp_path / "copy"), [command]), SESSIONS) != []
