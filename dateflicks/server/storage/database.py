"""The database of a process: one driver client, its health, its fence, and the embedded engine when there is one.

The code path is the same for `embedded` and for a MongoDB: only where the connection string comes from differs. A
MongoDB that is away when we start is waited for in the background; its tables answer Unavailable until it is there and
their indexes are.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pymongo
from pymongo import AsyncMongoClient
from pymongo.errors import ConfigurationError, InvalidURI, PyMongoError

from dateflicks.core.errors import DateflicksError, Unavailable
from dateflicks.server.storage.calls import GRACE_SECONDS, Calls
from dateflicks.server.storage.driver import make_watchful, mend
from dateflicks.server.storage.embedded import EmbeddedEngine, Role
from dateflicks.server.storage.faults import is_transient, stop_when_told_to, told_to_stop
from dateflicks.server.storage.fence import Fence
from dateflicks.server.storage.health import Health
from dateflicks.server.storage.indexes import ensure_indexes
from dateflicks.server.storage.records import Collection, Document, StorageFault
from dateflicks.server.storage.table import Table

log = logging.getLogger(__name__)

EMBEDDED: Final = "embedded"
SCHEMES: Final = ("mongodb://", "mongodb+srv://")
START_SECONDS: Final = 10.0  # the embedded engine answers after 0.3 s; a loaded machine may take longer
ENSURE_SECONDS: Final = 10.0  # an index on a large collection takes a while
PROBE_SECONDS: Final = 1.0  # how long a ping may take, or one try of an operation if that is less
CONNECTIONS_MAX: Final = 16  # the embedded engine has one lock per logical database; more would only queue there


class DatabaseAddressWrong(DateflicksError):
    """`mongo.uri` is no connection string."""


@dataclass(frozen=True, slots=True)
class DatabaseSettings:
    """`embedded` or a connection string, and how long one try of one operation may take."""

    uri: str = EMBEDDED
    timeout_seconds: float = 1.0


class Database:
    """Made by `Database.open`; its tables may be used until it is closed."""

    def __init__(self, client: "AsyncMongoClient[Document]", fence: Fence, engine: EmbeddedEngine | None) -> None:
        self.fence = fence
        self.engine = engine
        self._client = client
        self._health = Health(self._probe, lambda seconds: engine.silent_for(seconds) if engine else None)
        self._try_seconds = 1.0
        self._turns = asyncio.Semaphore(CONNECTIONS_MAX - 1)
        self._declared: dict[tuple[str, str], Collection] = {}
        self._unready: dict[tuple[str, str], Collection] = {}
        self._readying = asyncio.Lock()

    @classmethod
    @contextlib.asynccontextmanager
    async def open(
        cls,
        settings: DatabaseSettings,
        data_folder: Path,
        collections: Iterable[Collection] = (),
        *,
        role: Role = "service",
    ) -> "AsyncIterator[Database]":
        """The database for as long as the block runs, with these collections ensured as far as it is reachable.

        `role` says which part we have among those who use one embedded engine.

        Raises FolderInUse, DatabaseAddressWrong, StorageFault (an index that cannot be), OSError; Unavailable only
        when the embedded engine does not come up.
        """
        async with contextlib.AsyncExitStack() as stack:
            engine: EmbeddedEngine | None = None
            uri = settings.uri
            if uri == EMBEDDED:
                engine = EmbeddedEngine(data_folder, role)
                await engine.start()
                stack.push_async_callback(engine.stop)
                uri = engine.uri
            fence = Fence()
            client = _client(uri, fence, settings.timeout_seconds, is_engine=engine is not None)
            stack.push_async_callback(client.close)
            database = cls(client, fence, engine)
            database._try_seconds = settings.timeout_seconds
            if engine is not None:
                await database._await_engine(engine)
            await database._health.start()
            stack.push_async_callback(database._health.stop)
            await database.ensure(collections)
            yield database

    @classmethod
    @contextlib.asynccontextmanager
    async def unasked(cls, collections: Iterable[Collection]) -> "AsyncIterator[Database]":
        """A database that is never asked anything: for what services say of themselves while none of them runs."""
        fence = Fence()
        client = _client(f"{SCHEMES[0]}localhost", fence, 1.0)  # the driver connects with the first operation
        try:
            database = cls(client, fence, None)
            database._declared = {_key(collection): collection for collection in collections}
            yield database
        finally:
            await client.close()

    def table(self, collection: Collection) -> Table:
        """The operations on a collection, which must have been ensured."""
        if self._declared.get(_key(collection)) != collection:
            raise ValueError(f"{collection.database}.{collection.name} has not been ensured")
        driver = self._client[collection.database][collection.name]
        return Table(collection, driver, Calls(self._health, self._try_seconds, self._turns))

    async def ensure(self, collections: Iterable[Collection]) -> None:
        """Declare collections and create their indexes; with a MongoDB that is away, as soon as it is there.

        Raises StorageFault when an index cannot be as declared; the collection then counts as not declared.
        """
        new: list[tuple[str, str]] = []
        for collection in collections:
            key = _key(collection)
            known = self._declared.get(key)
            if known is not None and known != collection:
                raise ValueError(f"{collection.database}.{collection.name} is declared twice, differently")
            if known is None:
                self._declared[key] = self._unready[key] = collection
                new.append(key)
        if not self._health.is_up:
            return  # the probe that finds the database there prepares them
        stops = told_to_stop()
        try:
            await self._make_ready()
            stop_when_told_to(stops)
        except StorageFault:
            self._forget_unready(new)
            raise
        except (PyMongoError, TimeoutError) as error:
            stop_when_told_to(stops)
            if not is_transient(error):
                self._forget_unready(new)
                raise StorageFault(f"The database cannot be prepared: {error}") from error
            self._health.suspect()

    @property
    def outcomes_unknown(self) -> int:
        """How many writes there were of which nobody knows whether they were carried out."""
        return self._health.outcomes_unknown

    def on_command(self, told: Callable[[str, float, bool], None]) -> None:
        """Call this with each command's name, the seconds that it took, and whether it was carried out."""
        self.fence.told = told

    def is_up(self) -> bool:
        """Whether the database answers and all collections are ready; costs nothing."""
        return self._health.is_up and not self._unready

    async def wait_up(self) -> None:
        """Wait until the database answers."""
        await self._health.wait_up()

    async def ping(self) -> None:
        """Ask now. Raises Unavailable."""
        if not await self._probe():
            raise Unavailable("The database is out of reach.")

    async def _probe(self) -> bool:
        """One ping; and what could not be prepared while the database was away is prepared now."""
        stops = told_to_stop()
        try:
            seconds = min(self._try_seconds, PROBE_SECONDS)
            with pymongo.timeout(seconds):
                async with asyncio.timeout(seconds + GRACE_SECONDS):
                    await self._client.admin.command("ping")
            stop_when_told_to(stops)
            await self._make_ready()
        except (PyMongoError, TimeoutError, StorageFault) as error:
            stop_when_told_to(stops)
            if not is_transient(error):
                log.error("the database answers but cannot be used: %s", error)
            return False
        return True

    async def _make_ready(self) -> None:
        async with self._readying:
            for key, collection in list(self._unready.items()):
                driver = self._client[collection.database][collection.name]
                with pymongo.timeout(ENSURE_SECONDS):
                    async with asyncio.timeout(ENSURE_SECONDS):
                        await ensure_indexes(collection, driver)
                self._unready.pop(key, None)

    def _forget_unready(self, keys: Iterable[tuple[str, str]]) -> None:
        for key in keys:
            if self._unready.pop(key, None) is not None:
                del self._declared[key]

    async def _await_engine(self, engine: EmbeddedEngine) -> None:
        stops = told_to_stop()
        try:
            with pymongo.timeout(START_SECONDS):
                async with asyncio.timeout(START_SECONDS):
                    await self._client.admin.command("ping")
        except (PyMongoError, TimeoutError) as error:
            stop_when_told_to(stops)
            reason = engine.last_words() or "it did not answer"
            raise Unavailable(f"The embedded database did not start: {reason}") from error
        stop_when_told_to(stops)
        make_watchful(self._client)


def _key(collection: Collection) -> tuple[str, str]:
    """What tells collections apart: case does not, in names of tables and on some file systems."""
    return collection.database.casefold(), collection.name.casefold()


# A cluster is not to be stormed; to the engine all of them break at one moment, and it takes them back at once.
_AT_ONCE: Final[dict[str, Any]] = {"maxConnecting": CONNECTIONS_MAX}


def _client(uri: str, fence: Fence, timeout_seconds: float, *, is_engine: bool = False) -> "AsyncMongoClient[Document]":
    mend()
    milliseconds = round(timeout_seconds * 1_000)
    try:
        if not uri.startswith(SCHEMES):  # the driver would take it for the name of a host, and wait for that
            raise InvalidURI("no scheme of MongoDB's")
        return AsyncMongoClient(
            uri,
            event_listeners=[fence],
            journal=True,
            timeoutMS=milliseconds,
            serverSelectionTimeoutMS=milliseconds,
            connectTimeoutMS=milliseconds,
            maxPoolSize=CONNECTIONS_MAX,
            **(_AT_ONCE if is_engine else {}),
            appname="dateflicks",
            tz_aware=True,
        )
    except (InvalidURI, ConfigurationError, ValueError) as error:
        raise DatabaseAddressWrong(
            "`mongo.uri` is neither `embedded` nor a connection string of MongoDB.\n"
            "It looks like mongodb://name:password@host:27017/?replicaSet=rs0"
        ) from error
