"""How a deployment's databases are: what is in them, how far they are migrated, which indexes they lack."""

from collections.abc import Sequence

import msgspec

from dateflicks.server.storage.kept import Found, Kept
from dateflicks.server.storage.records import Index
from dateflicks.server.upkeep.declared import DATABASES, declared, in_order
from dateflicks.server.upkeep.migrations import newest, version_of


class CollectionStatus(msgspec.Struct, frozen=True, kw_only=True):
    """One collection; `problem` is what a person should look at."""

    database: str
    collection: str
    documents: int
    bytes: int | None
    missing_indexes: list[str]
    problem: str | None
    schema_version: int
    schema_known: int
    engine: str
    engine_version: str


class IndexStatus(msgspec.Struct, frozen=True, kw_only=True):
    """One index: `ok`, `missing`, `not unique` (and declared so), or `not declared`."""

    database: str
    collection: str
    fields: str
    unique: bool
    state: str


async def status_of(kept: Kept) -> list[CollectionStatus]:
    """All collections of the databases that there are. Raises Unavailable, StorageFault."""
    statuses = []
    for database in await _ours(kept):
        collections = await _sorted(kept, database, sized=True)
        has_documents = any(found.documents for found in collections)
        for number, found in enumerate(collections):
            statuses.append(await _status(kept, database, found, says_version=has_documents and number == 0))
    return statuses


async def indexes_of(kept: Kept) -> list[IndexStatus]:
    """All indexes that are declared or there, of the collections that there are."""
    statuses = []
    for database in await _ours(kept):
        for found in await _sorted(kept, database):
            wanted = declared(database, found.name)
            lacking = found.lacks(wanted) if wanted is not None else []
            for index in wanted.indexes if wanted is not None else ():
                real = any(one.fields == index.fields for one in found.indexes)
                state = "ok" if index not in lacking else "not unique" if real else "missing"
                statuses.append(_index_status(database, found.name, index, state))
            for index in found.exceeds(wanted):
                statuses.append(_index_status(database, found.name, index, "not declared"))
    return statuses


def is_wrong(one: IndexStatus) -> bool:
    """Whether something is to be done about it: one too many does no harm."""
    return one.state in ("missing", "not unique")


async def _ours(kept: Kept) -> list[str]:
    there = set(await kept.databases())
    return [name for name in DATABASES if name in there]


async def _sorted(kept: Kept, database: str, *, sized: bool = False) -> Sequence[Found]:
    found = {one.name: one for one in await kept.collections(database, sized=sized)}
    return [found[name] for name in in_order(list(found))]


async def _status(kept: Kept, database: str, found: Found, *, says_version: bool) -> CollectionStatus:
    wanted = declared(database, found.name)
    lacking = [",".join(index.fields) for index in found.lacks(wanted)] if wanted is not None else []
    version, known = await version_of(kept, database), newest(database)
    problems = [f"not indexed as declared: {' '.join(lacking)}"] if lacking else []
    if says_version and version < known:
        problems.append(f"{database} is at version {version} of {known}")
    if says_version and version > known:
        problems.append(f"{database} is at version {version}, and this program knows {known}")
    return CollectionStatus(
        database=database,
        collection=found.name,
        documents=found.documents,
        bytes=found.size,
        missing_indexes=lacking,
        problem="; ".join(problems) or None,
        schema_version=version,
        schema_known=known,
        engine=kept.engine,
        engine_version=kept.version,
    )


def _index_status(database: str, collection: str, index: Index, state: str) -> IndexStatus:
    return IndexStatus(
        database=database, collection=collection, fields=",".join(index.fields), unique=index.unique, state=state
    )
