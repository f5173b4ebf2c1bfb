"""All that is kept in a MongoDB, for whoever keeps a deployment: read as a whole, and filled when it is empty.

On a replica set everything is read in one snapshot. A MongoDB that stands alone has none: there documents come in the
order of their ids, each as it is when it is read. What is sent here is outside the fence, which is for what the
services do on both engines; the embedded engine is read by its files.
"""

import contextlib
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any, Final, Self

from bson.errors import BSONError
from pymongo import AsyncMongoClient
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.errors import ConfigurationError, ConnectionFailure, InvalidURI, OperationFailure, PyMongoError

from dateflicks.core.errors import DateflicksError, Unavailable
from dateflicks.server.storage.database import SCHEMES, DatabaseAddressWrong
from dateflicks.server.storage.faults import stop_when_told_to, told_to_stop, translated
from dateflicks.server.storage.indexes import ensure_indexes
from dateflicks.server.storage.kept import Found
from dateflicks.server.storage.records import Collection, Document, Index, StorageFault

PAGE: Final = 500
PATIENCE_SECONDS: Final = 5.0
SOCKET_MS: Final = 120_000  # an index on much takes its time
_NOT_OURS: Final = frozenset({"admin", "local", "config"})
_SIGN_IN: Final = frozenset({13, 18, 8000})
_SNAPSHOT_GONE: Final = frozenset({239, 246})


class SignInRefused(DateflicksError):
    """The MongoDB does not take the name and password of the connection string, or they may not do this."""


@contextlib.asynccontextmanager
async def connected(
    uri: str, *, patience_seconds: float = PATIENCE_SECONDS
) -> "AsyncIterator[AsyncMongoClient[Document]]":
    """A client of a MongoDB that answers. Raises DatabaseAddressWrong, SignInRefused, Unavailable."""
    milliseconds = round(patience_seconds * 1000)
    try:
        if not uri.startswith(SCHEMES):
            raise InvalidURI("no scheme of MongoDB's")
        client = AsyncMongoClient[Document](
            uri,
            serverSelectionTimeoutMS=milliseconds,
            connectTimeoutMS=milliseconds,
            socketTimeoutMS=SOCKET_MS,
            appname="dateflicks db",
            tz_aware=True,
            journal=True,
        )
    except (InvalidURI, ConfigurationError, ValueError) as error:
        raise DatabaseAddressWrong("`mongo.uri` is neither `embedded` nor a connection string of MongoDB.") from error
    try:
        with told("the database"):
            await client.admin.command("ping")
            await client.list_database_names()  # a ping needs no name and password
        yield client
    finally:
        await client.close()


@contextlib.contextmanager
def told(what: str) -> Iterator[None]:
    """PyMongo's errors as ours. Raises SignInRefused, Unavailable, StorageFault."""
    stops = told_to_stop()
    try:
        yield
        stop_when_told_to(stops)
    except OperationFailure as error:
        if error.code in _SIGN_IN:
            reason = (error.details or {}).get("errmsg", str(error))
            raise SignInRefused(f"The MongoDB of `mongo.uri` refuses this: {reason}") from error
        if error.code in _SNAPSHOT_GONE:
            raise Unavailable(
                "The MongoDB has let go of the snapshot before all was read.\n"
                "Give it more time for that: its parameter minSnapshotHistoryWindowInSeconds."
            ) from error
        raise _translated(what, error) from error
    except ConnectionFailure as error:
        stop_when_told_to(stops)
        raise Unavailable(f"The MongoDB of `mongo.uri` cannot be reached: {_short(error)}") from error
    except (PyMongoError, BSONError, OverflowError) as error:  # the last two: what no database can keep
        raise StorageFault(f"{what}: {_short(error)}") from error


def _translated(what: str, error: OperationFailure) -> DateflicksError:
    found = translated(Collection("All", "all"), error)
    if not isinstance(found, StorageFault):
        return found
    reasons = [str(one.get("errmsg")) for one in (error.details or {}).get("writeErrors", ())]
    return StorageFault(f"{what}: {reasons[0] if reasons else _short(error)}")


def _short(error: Exception) -> str:
    return str(error).partition(", Timeout:")[0].partition(", full error:")[0]


class MongoKept:
    """Made by `open`."""

    engine = "mongodb"

    def __init__(self, client: "AsyncMongoClient[Document]", version: str, snapshot: AsyncClientSession | None) -> None:
        self.version = version
        self.client = client
        self._session = snapshot
        self.consistency = (
            "all databases as they were at one instant"
            if snapshot is not None
            else "each document as it was when it was read; nothing that was there before is missing"
        )

    @classmethod
    @contextlib.asynccontextmanager
    async def open(cls, client: "AsyncMongoClient[Document]") -> "AsyncIterator[Self]":
        """As long as the block runs. Raises SignInRefused, Unavailable, StorageFault."""
        async with contextlib.AsyncExitStack() as stack:
            with told("the database"):
                hello = await client.admin.command("hello")
                info = await client.admin.command("buildInfo")
                session = None
                if hello.get("setName"):
                    session = await stack.enter_async_context(client.start_session(snapshot=True))
            yield cls(client, f"MongoDB {info.get('version', 'of an unknown version')}", session)

    async def databases(self) -> list[str]:
        """Which logical databases there are."""
        with told("the database"):
            return sorted(set(await self.client.list_database_names()) - _NOT_OURS)

    async def collections(self, database: str, *, sized: bool = False) -> list[Found]:
        """The collections of one, by name; `sized` ones with their bytes, which takes longer."""
        driver = self.client[database]
        with told(database):
            names = sorted(await driver.list_collection_names())
            return [await self._found(database, name, sized=sized) for name in names if not name.startswith("system.")]

    async def _found(self, database: str, name: str, *, sized: bool) -> Found:
        driver = self.client[database][name]
        count = await driver.estimated_document_count()
        indexes = []
        for about in (await driver.index_information()).values():
            fields = tuple(str(field) for field, _direction in about["key"])
            if fields != ("_id",) and all(field.isalnum() for field in fields):
                indexes.append(Index(fields, unique=bool(about.get("unique")) and len(fields) == 1))
        return Found(name, count, await self._size(database, name) if sized else None, tuple(indexes))

    async def _size(self, database: str, name: str) -> int | None:
        """What it takes of the disk; None for whoever may not ask."""
        try:
            stats = await self.client[database].command("collStats", name)
        except OperationFailure:
            return None
        return int(stats.get("storageSize", 0)) + int(stats.get("totalIndexSize", 0))

    async def documents(self, database: str, collection: str) -> AsyncIterator[Sequence[Document]]:
        """All documents of a collection in the order of their ids, some at a time."""
        driver = self.client[database][collection]
        with told(f"{database}.{collection}"):
            page: list[Document] = []
            async with driver.find({}, session=self._session).sort("_id", 1).batch_size(PAGE) as cursor:
                async for document in cursor:
                    page.append(document)
                    if len(page) == PAGE:
                        yield page
                        page = []
            if page:
                yield page

    async def get(self, database: str, collection: str, id: str) -> Document | None:  # noqa: A002
        """One document."""
        with told(f"{database}.{collection}"):
            return await self.client[database][collection].find_one({"_id": id})


class Filling:
    """Fills collections through a driver's client, under a prefix for as long as they must not be seen."""

    def __init__(self, client: "AsyncMongoClient[Document]", prefix: str = "") -> None:
        self._client = client
        self._prefix = prefix
        self._touched: list[tuple[str, str]] = []

    def name_of(self, collection: str) -> str:
        """Its name for now."""
        return f"{self._prefix}{collection}"

    async def begin(self, database: str, collection: str) -> None:
        """Have the collection, with nothing in it."""
        self._touched.append((database, collection))
        with told(f"{database}.{collection}"):
            names = await self._client[database].list_collection_names()
            if self._prefix and self.name_of(collection) in names:  # what an earlier try has left
                await self._client[database].drop_collection(self.name_of(collection))
                names.remove(self.name_of(collection))
            if self.name_of(collection) not in names:
                await self._client[database].create_collection(self.name_of(collection))

    async def insert(self, database: str, collection: str, documents: Sequence[Document]) -> None:
        """Write documents that are not there."""
        with told(f"{database}.{collection}"):
            await self._client[database][self.name_of(collection)].insert_many(documents, ordered=False)

    async def index(self, declared: Collection) -> None:
        """Give a collection the indexes that it is declared to have. Raises StorageFault."""
        named = Collection(declared.database, self.name_of(declared.name), declared.indexes)
        with told(f"{declared.database}.{declared.name}"):
            await ensure_indexes(named, self._client[named.database][named.name])

    async def show(self) -> None:
        """Put the filled collections in the place of those with their names: each at once, one after the other."""
        for database, collection in self._touched if self._prefix else ():
            with told(f"{database}.{collection}"):
                full = f"{database}.{self.name_of(collection)}"
                command: dict[str, Any] = {"renameCollection": full, "to": f"{database}.{collection}"}
                await self._client.admin.command(command | {"dropTarget": True})

    async def drop(self, database: str, collection: str) -> None:
        """Drop a collection as it is seen."""
        with told(f"{database}.{collection}"):
            await self._client[database].drop_collection(collection)

    async def undo(self) -> None:
        """Drop what was filled."""
        for database, collection in self._touched:
            with told(f"{database}.{collection}"):
                await self._client[database].drop_collection(self.name_of(collection))
