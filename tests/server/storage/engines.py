"""The engines that the contract is tested on, and collections of a test's own.

The embedded engine always; a MongoDB as well when `DATEFLICKS_TEST_MONGO` is its connection string.
"""

import contextlib
import itertools
import os
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pymongo import AsyncMongoClient

from dateflicks.server.storage.database import Database, DatabaseSettings
from dateflicks.server.storage.records import Collection, Document, Index
from dateflicks.server.storage.table import Table

MONGO: Final = os.environ.get("DATEFLICKS_TEST_MONGO", "")
ENGINES: Final = ("embedded", "mongodb") if MONGO else ("embedded",)
PLAIN: Final = Collection("Things", "plain")
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Engine:
    """A database that is open, and the logical database in it that is ours."""

    database: Database
    logical: str

    async def table(self, *indexes: Index) -> Table:
        """A new, empty collection with these indexes."""
        collection = Collection(self.logical, f"things{next(_numbers)}", indexes)
        await self.database.ensure([collection])
        return self.database.table(collection)


@contextlib.asynccontextmanager
async def opened(kind: str, folder: Path) -> AsyncIterator[Engine]:
    """An engine for as long as the block runs; what was stored on a MongoDB is dropped."""
    logical = f"Test{secrets.token_hex(8)}"
    uri = MONGO if kind == "mongodb" else "embedded"
    try:
        async with Database.open(DatabaseSettings(uri), folder) as database:
            yield Engine(database, logical)
    finally:
        if kind == "mongodb":
            async with AsyncMongoClient[Document](uri) as client:
                await client.drop_database(logical)


@contextlib.asynccontextmanager
async def embedded(folder: Path, *collections: Collection, timeout_seconds: float = 1.0) -> AsyncIterator[Database]:
    """An embedded engine of one's own, to do things to."""
    settings = DatabaseSettings(timeout_seconds=timeout_seconds)
    async with Database.open(settings, folder, collections or (PLAIN,)) as database:
        yield database


def pid_of(database: Database) -> int:
    """The process that is the database now."""
    assert database.engine is not None
    assert database.engine.pid is not None
    return database.engine.pid
