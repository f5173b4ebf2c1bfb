"""Declared indexes made real, and proof that the unique ones are: a pair of duplicates must be refused.

The embedded engine builds index names from field names and does nothing when the name exists, so an index that should
have become unique can silently stay as it was. Only trying shows it. What whoever is killed, or cut off from the
database, in the middle of that has left is deleted by whoever tries next.
"""

import secrets
import time
from typing import Final

from pymongo import IndexModel
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import DuplicateKeyError

from dateflicks.core.limits import PAGE_MAX
from dateflicks.server.storage.records import Collection, Document, StorageFault

LEFT_SECONDS: Final = 300.0  # after which nobody tries with it any more, on whatever clock


async def ensure_indexes(collection: Collection, driver: AsyncCollection[Document]) -> None:
    """Create what is missing and try each unique index. Raises StorageFault and PyMongo's errors."""
    if not collection.indexes:
        return
    models = [IndexModel([(field, 1) for field in index.fields], unique=index.unique) for index in collection.indexes]
    await driver.create_indexes(models)
    for field in collection.unique:
        await _clear_up(driver, field)
        await _prove_unique(collection, driver, field)


async def _prove_unique(collection: Collection, driver: AsyncCollection[Document], field: str) -> None:
    mark = f"{_mark_at(time.time())}{secrets.token_hex(8)}"
    first: Document = {"_id": f"{mark}a"} | dict.fromkeys(collection.unique, f"{mark}a")
    second: Document = {"_id": f"{mark}b"} | dict.fromkeys(collection.unique, f"{mark}b") | {field: first[field]}
    try:
        await driver.insert_one(first)
        try:
            await driver.insert_one(second)
        except DuplicateKeyError:
            return
        raise StorageFault(
            f"{collection.database}.{collection.name}: {field} should be unique and is not.\n"
            "An older index on it stands in the way: drop that one, remove duplicates, and start again."
        )
    finally:
        await driver.delete_many({"_id": {"$in": [first["_id"], second["_id"]]}})


async def _clear_up(driver: AsyncCollection[Document], field: str) -> None:
    """Delete what earlier tries have left: each value of theirs says when that was."""
    old: Document = {field: {"$gte": _mark_at(0.0), "$lt": _mark_at(time.time() - LEFT_SECONDS)}}
    found = await driver.find(old, {field: 1}).sort(field, 1).limit(PAGE_MAX).batch_size(PAGE_MAX).to_list()
    if ids := [one["_id"] for one in found if f"{one['_id'][:-1]}a" == one[field]]:
        await driver.delete_many({"_id": {"$in": ids}})


def _mark_at(moment: float) -> str:
    return f"probe{int(moment):08x}"
