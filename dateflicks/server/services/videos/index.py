"""The index of the collection: one SQLite file that can be made anew at any time, with the library's full-text search.

It is made from works and from nothing else, so that what is found is the same whichever database holds them. Rows are
numbered by their place (`entries`): what is found comes out in the order in which it is told, and a page costs what is
on it. Everything here blocks; it is called in threads (`searching`), one that writes and a few that read. Losing the
file loses nothing, so nothing waits for the disk.
"""

import contextlib
import os
import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from dateflicks.server.services.videos import spelling
from dateflicks.server.services.videos.entries import COLUMNS, Entry
from dateflicks.server.services.videos.matching import Sort

VERSION: Final = "1"  # of what is in the file; another one is thrown away
CACHE_KIB: Final = 8 * 1024  # for each connection
SEARCH_SECONDS: Final = 2.0  # a search that takes longer is given up
STEPS: Final = 20_000  # of SQLite's machine between two looks at the clock, about a millisecond
PROBES_MAX: Final = 10_000

_TEXTS: Final = ", ".join(COLUMNS)
_TOKENS: Final = "tokenize='ascii', prefix='2 3'"
_SCHEMA: Final = (
    "CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
    "CREATE TABLE known (id TEXT PRIMARY KEY, place INTEGER, stamp REAL, round INTEGER) WITHOUT ROWID",
    "CREATE TABLE orders (place INTEGER PRIMARY KEY, id TEXT, title TEXT, year INTEGER, added REAL)",
    "CREATE INDEX by_title ON orders (title)",
    "CREATE INDEX by_year ON orders (year)",
    "CREATE INDEX by_added ON orders (added)",
    f"CREATE TABLE texts (place INTEGER PRIMARY KEY, {_TEXTS})",
    f"CREATE VIRTUAL TABLE words USING fts5({_TEXTS}, content='texts', content_rowid='place', {_TOKENS})",
    *spelling.SCHEMA,
)
_MARKS: Final = ", ".join("?" for _ in COLUMNS)


class SearchTooLong(Exception):
    """A search was given up."""


@dataclass(frozen=True, slots=True)
class Row:
    """Something found: `key` is what it is sorted by, its place when it is sorted by nothing else."""

    id: str
    key: str | int | float
    place: int


class Writer:
    """The one connection that writes; used by one thread at a time."""

    def __init__(self, path: Path) -> None:
        """Open the file, or make it anew when it is not what it should be. Raises OSError, sqlite3.Error."""
        self._path = path
        self._vocabulary = spelling.Vocabulary()
        try:
            self._connection = self._opened()
        except sqlite3.DatabaseError:
            remove(path)
            self._connection = self._opened()
        (self.count,) = self._execute("SELECT count(*) FROM known").fetchone()

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def put(self, entries: Iterable[Entry], round_number: int) -> int:
        """Write what is new or was changed; how many that were. `round_number` says when it was last seen."""
        written = more = 0
        with self._transaction():
            for entry in entries:
                known = self._known(entry.id)
                if known is not None and known[1] == entry.stamp:
                    if known[2] != round_number:
                        self._execute("UPDATE known SET round = ? WHERE id = ?", round_number, entry.id)
                    continue
                if known is not None:
                    self._take_out(known[0])
                self._put_in(entry, round_number)
                written += 1
                more += known is None
        self.count += more
        return written

    def forget(self, ids: Iterable[str]) -> None:
        """Take works out."""
        fewer = 0
        with self._transaction():
            for one in ids:
                if (known := self._known(one)) is not None:
                    self._take_out(known[0])
                    self._execute("DELETE FROM known WHERE id = ?", one)
                    fewer += 1
        self.count -= fewer

    def unseen(self, round_number: int, limit: int) -> list[str]:
        """Works that were not seen in this round."""
        rows = self._execute("SELECT id FROM known WHERE round < ? LIMIT ?", round_number, limit)
        return [row[0] for row in rows]

    def note(self, **values: str) -> None:
        """Keep a word about the index itself."""
        with self._transaction():
            for name, value in values.items():
                self._execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", name, value)

    def notes(self) -> dict[str, str]:
        """What was kept."""
        return dict(self._execute("SELECT name, value FROM meta"))

    def _opened(self) -> sqlite3.Connection:
        os.close(os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))  # its log takes the mode from it
        connection = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False)
        try:
            for pragma in ("journal_mode = WAL", "synchronous = OFF", f"cache_size = -{CACHE_KIB}"):
                connection.execute(f"PRAGMA {pragma}")
            found = connection.execute("SELECT name FROM sqlite_master WHERE name = 'meta'").fetchone()
            if found is None:
                connection.execute("BEGIN")
                for statement in _SCHEMA:
                    connection.execute(statement)
                connection.execute("INSERT INTO meta VALUES ('version', ?)", (VERSION,))
                connection.execute("COMMIT")
            elif dict(connection.execute("SELECT name, value FROM meta")).get("version") != VERSION:
                raise sqlite3.DatabaseError("another version's")
        except BaseException:
            connection.close()
            raise
        return connection

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._vocabulary.forget()
            with contextlib.suppress(sqlite3.Error):
                self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")

    def _execute(self, statement: str, *values: object) -> sqlite3.Cursor:
        return self._connection.execute(statement, values)

    def _known(self, work_id: str) -> tuple[int, float, int] | None:
        found: tuple[int, float, int] | None = self._execute(
            "SELECT place, stamp, round FROM known WHERE id = ?", work_id
        ).fetchone()
        return found

    def _put_in(self, entry: Entry, round_number: int) -> None:
        place = self._free(entry.place)
        self._execute(f"INSERT INTO texts VALUES (?, {_MARKS})", place, *entry.texts)  # noqa: S608
        self._execute(f"INSERT INTO words (rowid, {_TEXTS}) VALUES (?, {_MARKS})", place, *entry.texts)  # noqa: S608
        self._execute("INSERT INTO orders VALUES (?, ?, ?, ?, ?)", place, entry.id, *entry.order)
        self._execute("INSERT OR REPLACE INTO known VALUES (?, ?, ?, ?)", entry.id, place, entry.stamp, round_number)
        self._vocabulary.learn(self._connection, sorted(entry.vocabulary))

    def _take_out(self, place: int) -> None:
        texts = self._execute(f"SELECT {_TEXTS} FROM texts WHERE place = ?", place).fetchone()  # noqa: S608
        if texts is not None:
            # The full-text index keeps no texts: it has to be told what it had.
            self._execute(f"INSERT INTO words (words, rowid, {_TEXTS}) VALUES ('delete', ?, {_MARKS})", place, *texts)  # noqa: S608
        self._execute("DELETE FROM texts WHERE place = ?", place)
        self._execute("DELETE FROM orders WHERE place = ?", place)

    def _free(self, place: int) -> int:
        """This place, or the next one that nobody has."""
        for candidate in range(place, place + PROBES_MAX):
            if self._execute("SELECT 1 FROM orders WHERE place = ?", candidate).fetchone() is None:
                return candidate
        raise sqlite3.OperationalError("no place is left")


class Reader:
    """A connection that searches; used by one thread at a time."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None, check_same_thread=False
        )
        self._connection.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
        self._connection.execute("PRAGMA query_only = ON")
        self._deadline = 0.0
        self._given_up = threading.Event()
        self._connection.set_progress_handler(self._is_late, STEPS)

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def give_up(self) -> None:
        """End what runs, from another thread."""
        self._given_up.set()

    @contextlib.contextmanager
    def search(self, seconds: float = SEARCH_SECONDS) -> Iterator[None]:
        """Everything in the block sees the index as it is now, and takes so long at most. Raises SearchTooLong."""
        self._deadline = time.monotonic() + seconds
        self._connection.execute("BEGIN")
        try:
            yield
        except sqlite3.OperationalError as error:
            if time.monotonic() >= self._deadline or self._given_up.is_set():
                raise SearchTooLong from error
            raise
        finally:
            self._deadline = float("inf")
            self._connection.execute("COMMIT")

    def found(self, expression: str, after: int, limit: int) -> list[Row]:
        """What an expression finds behind a place, in the order of places."""
        rows = self._connection.execute(
            "SELECT orders.id, words.rowid FROM words JOIN orders ON orders.place = words.rowid "
            "WHERE words MATCH ? AND words.rowid > ? ORDER BY words.rowid LIMIT ?",
            (expression, after, limit),
        )
        return [Row(one, place, place) for one, place in rows]

    def all(self, after: int, limit: int) -> list[Row]:
        """Everything behind a place."""
        rows = self._connection.execute(
            "SELECT id, place FROM orders WHERE place > ? ORDER BY place LIMIT ?", (after, limit)
        )
        return [Row(one, place, place) for one, place in rows]

    def count(self, expression: str) -> int:
        """How many an expression finds."""
        row = self._connection.execute("SELECT count(*) FROM words WHERE words MATCH ?", (expression,)).fetchone()
        return int(row[0])

    def sorted(self, sort: Sort, expression: str | None, after: Row | None, limit: int) -> list[Row]:
        """The same in another order: by title, the newest film or the newest in the collection first."""
        key = {"title": "title", "year": "year", "added": "added"}[sort]
        where, values = [], list[object]()
        if expression is not None:
            where.append("orders.place IN (SELECT rowid FROM words WHERE words MATCH ?)")
            values.append(expression)
        if after is not None:
            where.append(f"(orders.{key}, orders.place) > (?, ?)")
            values += [after.key, after.place]
        condition = f"WHERE {' AND '.join(where)}" if where else ""
        rows = self._connection.execute(
            f"SELECT id, {key}, place FROM orders {condition} ORDER BY orders.{key}, orders.place LIMIT ?",  # noqa: S608 - words of ours
            (*values, limit),
        )
        return [Row(*row) for row in rows]

    def is_word(self, word: str) -> bool:
        """Whether the collection has this word."""
        return spelling.is_word(self._connection, word)

    def meant_by(self, word: str, *, even_if_known: bool) -> Sequence[str]:
        """What somebody may have meant who typed this."""
        return spelling.meant_by(self._connection, word, even_if_known=even_if_known)

    def _is_late(self) -> bool:
        return self._given_up.is_set() or time.monotonic() >= self._deadline


def remove(path: Path) -> None:
    """Throw the file away, and what SQLite keeps beside it."""
    for suffix in ("", "-wal", "-shm", "-journal"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
