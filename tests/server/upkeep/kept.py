"""A deployment with something of everything in it, for tests of backups: services are not needed for that."""

import contextlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from pymongo import AsyncMongoClient

from dateflicks.server.storage.database import Database, DatabaseSettings
from dateflicks.server.storage.kept import Kept
from dateflicks.server.storage.records import Document
from dateflicks.server.upkeep.declared import COLLECTIONS

EVERY_TYPE: Final[Document] = {
    "_id": "every_type",
    "messageId": "msg_1",
    "bytes": b"\0\1\xff",
    "long": 2**62 + 1,
    "least": -(2**63),
    "small": 7,
    "float": 0.1,
    "whole": 3.0,
    "tiny": 5e-324,
    "at": datetime(2026, 11, 25, 23, 59, 59, 123000, tzinfo=UTC),
    "text": "NUL \0, a line\r\n\u2028, a quote \" and \\, 🎬 é",
    "date": "2026-11-25T23:59:59Z",
    "like": '{"$date": "2026"} {"$oid": 1}',
    "large": "🎬x" * 300_000,
    "nothing": None,
    "yes": True,
    "no": False,
    "list": [1, 2.0, "three", [b"four"], {"five": [5, {"at": datetime(1970, 1, 1, tzinfo=UTC)}]}],
    "empty": {},
    "none": [],
    "rev": 1,
}  # fmt: skip


@contextlib.asynccontextmanager
async def deployment(folder: Path) -> AsyncIterator[tuple[Database, "AsyncMongoClient[Document]"]]:
    """An embedded database with all collections, and a driver on it that may store what services do not."""
    async with Database.open(DatabaseSettings(timeout_seconds=10.0), folder, COLLECTIONS) as database:
        assert database.engine is not None
        async with AsyncMongoClient[Document](database.engine.uri, tz_aware=True) as client:
            yield database, client


async def furnish(client: "AsyncMongoClient[Document]", count: int = 300) -> None:
    """Put documents of every kind into every database."""
    await client["MessageDb"]["messages"].insert_one(dict(EVERY_TYPE))
    for one in COLLECTIONS:
        if one.name == "schema":
            continue
        documents: list[Document] = [
            {"_id": f"{one.name}:{number:06d}", "rev": 1, "number": number} | dict.fromkeys(one.indexed, f"v{number}")
            for number in range(count if one.name in ("messages", "works") else 3)
        ]
        await client[one.database][one.name].insert_many(documents)


async def everything(kept: Kept) -> dict[tuple[str, str], list[Document]]:
    """All documents, by database and collection."""
    found: dict[tuple[str, str], list[Document]] = {}
    for database in await kept.databases():
        for collection in await kept.collections(database):
            documents = found[(database, collection.name)] = []
            async for page in kept.documents(database, collection.name):
                documents += page
    return found
