"""Declared indexes made real, and proof that the unique ones are: a pair of duplicates must be refused.

The embedded engine builds index names from field names and does nothing when the name exists, so an index that should
have become unique can silently stay as it was. Only trying shows it.
"""

import secrets

from pymongo import IndexModel
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import DuplicateKeyError

from dateflicks.server.storage.records import Collection, Document, StorageFault


async def ensure_indexes(collection: Collection, driver: AsyncCollection[Document]) -> None:
    """Create what is missing and try each unique index. Raises StorageFault and PyMongo's errors."""
    if not collection.indexes:
        return
    models = [IndexModel([(field, 1) for field in index.fields], unique=index.unique) for index in collection.indexes]
    await driver.create_indexes(models)
    for field in collection.unique:
        await _prove_unique(collection, driver, field)


async def _prove_unique(collection: Collection, driver: AsyncCollection[Document], field: str) -> None:
    mark = f"probe{secrets.token_hex(8)}"
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
