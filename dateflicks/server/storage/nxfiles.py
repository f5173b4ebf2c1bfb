"""The files of the embedded engine, read beside it: nx-27017's private format, which else only `nxchild.py` knows.

Each logical database is a SQLite file in WAL mode, each collection a table of JSON text. A transaction that only reads
sees its file as it was when it began, keeps nobody waiting, and needs no engine to run; so it is the whole of what a
backup needs. Through the engine's own commands all of a collection cannot be read a page at a time.
"""

import asyncio
import contextlib
import json
import sqlite3
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final, Self

from neosqlite.collection.json_helpers import neosqlite_json_loads

from dateflicks.core.errors import Unavailable
from dateflicks.server.storage.folder import EngineFolder
from dateflicks.server.storage.kept import Found
from dateflicks.server.storage.records import Document, Index, StorageFault

PAGE: Final = 200
BUSY_SECONDS: Final = 10.0
SUFFIX: Final = ".db"
_NOT_OURS: Final = frozenset({"admin", "local", "config"})


class NxFiles:
    """The databases of a data folder, each as it was at one instant; `order` says which are looked at first."""

    engine = "embedded"
    version = f"nx-27017 {version('nx-27017')}, SQLite {sqlite3.sqlite_version}"
    consistency = "each database as it was at one instant, all within a moment"

    def __init__(self, connections: dict[str, sqlite3.Connection]) -> None:
        self._connections = connections

    @classmethod
    @contextlib.contextmanager
    def open(cls, data: Path, order: Sequence[str] = ()) -> Iterator[Self]:
        """As long as the block runs. A folder without databases has none; nothing is made.

        Raises Unavailable, StorageFault.
        """
        folder = EngineFolder(data).databases
        there = {path.name.removesuffix(SUFFIX) for path in folder.glob(f"*{SUFFIX}")} - _NOT_OURS
        names = [name for name in order if name in there] + sorted(there.difference(order))
        with contextlib.ExitStack() as stack:
            connections = {}
            for name in names:
                connection = _connect(folder / f"{name}{SUFFIX}")
                stack.callback(connection.close)
                connections[name] = connection
            yield cls(connections)

    async def databases(self) -> list[str]:
        """Which logical databases there are."""
        return list(self._connections)

    async def collections(self, database: str, *, sized: bool = False) -> list[Found]:
        """The collections of one, by name; `sized` ones with their bytes, which takes longer."""
        with _told(database):
            connection = self._connections[database]
            sizes = _sizes(connection) if sized else {}
            found = []
            for name in _tables(connection):
                (count,) = connection.execute(f"SELECT count(*) FROM {_quoted(name)}").fetchone()  # noqa: S608
                found.append(Found(name, count, sizes.get(name), tuple(_indexes(connection, name))))
                await asyncio.sleep(0)  # Ctrl-C is heard between two of them
            return found

    async def documents(self, database: str, collection: str) -> AsyncIterator[Sequence[Document]]:
        """All documents of a collection in the order of their ids, some at a time."""
        with _told(f"{database}.{collection}"):
            rows = self._connections[database].execute(
                f"SELECT data FROM {_quoted(collection)} ORDER BY _id"  # noqa: S608 - quoted
            )
            while page := rows.fetchmany(PAGE):
                yield [_document(text) for (text,) in page]
                await asyncio.sleep(0)

    async def get(self, database: str, collection: str, id: str) -> Document | None:  # noqa: A002
        """One document, or None."""
        connection = self._connections.get(database)
        if connection is None:
            return None
        with _told(f"{database}.{collection}"):
            if collection not in _tables(connection):
                return None
            row = connection.execute(
                f"SELECT data FROM {_quoted(collection)} WHERE _id = ?",  # noqa: S608 - quoted
                (id,),
            ).fetchone()
            return None if row is None else _document(row[0])


def _connect(path: Path) -> sqlite3.Connection:
    """A transaction that reads, begun: from here on the file is seen as it is now."""
    with _told(path.name):
        connection = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode=rw", uri=True, timeout=BUSY_SECONDS, isolation_level=None
        )
        try:
            connection.execute("PRAGMA query_only = ON")
            connection.execute("BEGIN")
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        except BaseException:
            connection.close()
            raise
        return connection


@contextlib.contextmanager
def _told(what: str) -> Iterator[None]:
    try:
        yield
    except sqlite3.OperationalError as error:
        raise Unavailable(f"The database file of {what} cannot be read: {error}.") from error
    except (sqlite3.DatabaseError, ValueError) as error:
        raise StorageFault(f"The database file of {what} is damaged: {error}.") from error


def _tables(connection: sqlite3.Connection) -> list[str]:
    names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name").fetchall()
    return [name for (name,) in names if {"_id", "data"} <= _columns(connection, name)]


def _columns(connection: sqlite3.Connection, table: str) -> set[str]:
    return {row[1] for row in connection.execute(f"PRAGMA table_info({_quoted(table)})")}


def _indexes(connection: sqlite3.Connection, table: str) -> Iterator[Index]:
    """By their names, for SQLite tells no fields of an index on expressions; ours hold no `_`."""
    prefix = f"idx_{table}_"
    for row in connection.execute(f"PRAGMA index_list({_quoted(table)})"):
        name, is_unique = row[1], bool(row[2])
        fields = tuple(name.removeprefix(prefix).split("_")) if name.startswith(prefix) else ()
        if fields and fields != ("id",) and all(field.isalnum() for field in fields):
            yield Index(fields, unique=is_unique and len(fields) == 1)


def _sizes(connection: sqlite3.Connection) -> dict[str, int]:
    """Bytes of each table with its indexes; nothing where this SQLite does not tell."""
    owners = "SELECT name, tbl_name FROM sqlite_master"
    try:
        of_table = dict(connection.execute(owners).fetchall())
        pages = connection.execute("SELECT name, pgsize FROM dbstat WHERE aggregate = TRUE").fetchall()
    except sqlite3.OperationalError:
        return {}
    sizes: dict[str, int] = {}
    for name, size in pages:
        table = of_table.get(name, name)
        sizes[table] = sizes.get(table, 0) + size
    return sizes


def _document(text: str) -> Document:
    if '"$date"' not in text and '"__neosqlite_' not in text:
        plain: Document = json.loads(text)
        return plain
    document: Document = neosqlite_json_loads(text)
    return {key: _as_sent(value) for key, value in document.items()}


def _as_sent(value: Any) -> Any:
    """A value as the engine sends it: instants are in UTC, bytes are bytes, ids are those of the driver."""
    if isinstance(value, dict):
        return {key: _as_sent(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_as_sent(item) for item in value]
    if isinstance(value, datetime):
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value
    if isinstance(value, bytes):
        return bytes(value)
    if type(value).__name__ == "ObjectId":
        from bson import ObjectId

        return ObjectId(str(value))
    return value


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
