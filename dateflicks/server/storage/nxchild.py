"""The embedded engine's process: nx-27017's connection handler on a listening socket that the parent hands down.

Run as a script by `embedded.py`, never imported by the server. The parent owns the socket, so connections wait in its
queue while this process is replaced. Standard input is a pipe of which the parent holds the other end: when it ends,
the parent has stopped or died, and so does this process, after what is under way is written. The documents of one
command are written in one transaction; a few fields of many documents are read without the rest.
"""

import argparse
import asyncio
import json
import logging
import os
import re
import signal
import socket
import sqlite3
import sys
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from neosqlite.collection.json_helpers import neosqlite_json_loads
from neosqlite.sql_utils import quote_table_name
from nx_27017.handler import NeoSQLiteHandler
from nx_27017.server import handle_client

STOP_SECONDS = 3.0  # longer than any write; then the process ends anyway, which loses nothing acknowledged
# Each command takes a thread, also while it waits for its database's lock: too few, and those who wait for one database
# keep away those who want another. More than all connections of a few processes is enough.
THREADS = 96
DUPLICATE_KEY = 11000
FIELD = re.compile(r"[A-Za-z][A-Za-z0-9]*")
# From 3.13 on, asyncio removes a socket's file when its server closes; this one is the parent's, and the next child's.
KEEP_SOCKET: dict[str, Any] = {"cleanup_socket": False} if sys.version_info >= (3, 13) else {}


Answer = tuple[int, dict[str, Any]]


class Handler(NeoSQLiteHandler):  # type: ignore[misc]  # it has no types
    """Writes the documents of one command in one transaction: the disk syncs once, and readers wait once, for all.
    And reads a few fields as SQLite finds them: the engine makes whole documents, copies them, and then picks.

    The transaction begins and ends under the lock of its database, so that nobody else's command is ever in it. What
    fails by anything but a duplicate is undone and done again one by one, each document for itself, as without it.
    """

    def handle_insert(self, msg: dict[str, Any]) -> Answer:
        """Answer an insert."""
        return self._together(msg, super().handle_insert)

    def handle_command(self, msg: dict[str, Any]) -> Answer:
        """Answer any other command."""
        return self._few_fields(msg) or self._together(msg, super().handle_command)

    def _few_fields(self, message: dict[str, Any]) -> Answer | None:
        """The answer when a few fields are asked for; None when it is for the engine to find."""
        body = _body_of(message)
        if "find" not in body or not (fields := _fields_of(body)):
            return None
        name = body.get("$db", "test")
        with self._lock_for(name):
            database = self.get_database(name)
            helpers = database[body["find"]].query_engine.helpers
            where = helpers._build_simple_where_clause(body.get("filter", {}))
            if where is None or where[2]:
                return None
            order = helpers._build_sort_clause(body.get("sort")) + helpers._build_pagination_clause(body.get("limit"))
            paths = ", ".join(f"'$.{field}'" for field in fields)
            table = quote_table_name(body["find"])
            try:
                found = database.db.execute(
                    f"SELECT json_extract(data, {paths}) FROM {table} {where[0]}{order}",  # noqa: S608 - plain words
                    where[1],
                ).fetchall()
            except sqlite3.OperationalError:  # such as no table: the engine says what that means
                return None
        if len(found) > body.get("batchSize", len(found)):
            return None
        batch = [dict(zip(fields, _values(row[0]), strict=True)) for row in found]
        cursor = {"id": 0, "ns": f"{name}.{body['find']}", "firstBatch": batch}
        return message["request_id"], {"ok": 1, "cursor": cursor}

    def _together(self, message: dict[str, Any], handle: Callable[[dict[str, Any]], Answer]) -> Answer:
        if _written_by(message) < 2:
            return handle(message)
        body = _body_of(message)
        name = body.get("$db", "test")
        with self._lock_for(name):
            database = self.get_database(name)
            # How to sync is what a client asks for, and SQLite does not hear of it within a transaction.
            self._apply_write_concern(database, name, body.get("writeConcern"))
            connection: sqlite3.Connection = database.db
            if not connection.in_transaction and (answer := _committed(connection, message, handle)) is not None:
                return answer
            return handle(message)


class _Sections(list[Any]):
    """The sections of a command, which the engine puts into words for a log that nobody reads."""

    def __repr__(self) -> str:
        return f"{len(self)} sections"


def _body_of(message: Mapping[str, Any]) -> dict[str, Any]:
    return next((content for kind, content in message["sections"] if kind == "body"), None) or {}


def _fields_of(body: Mapping[str, Any]) -> tuple[str, ...]:
    """The fields that a command asks for by plain words, `_id` first; none when it asks in another way."""
    wanted = body.get("projection")
    if not isinstance(wanted, dict) or {"skip", "min", "max", "hint"} & body.keys():
        return ()
    fields = ("_id", *(name for name in wanted if name != "_id"))
    is_plain = all(FIELD.fullmatch(name) for name in fields[1:]) and all(value == 1 for value in wanted.values())
    return fields if is_plain and len(fields) > 1 else ()  # of one alone SQLite finds the value, not a list of values


def _values(found: str) -> list[Any]:
    """What SQLite has found; only objects may be what JSON has no word for."""
    values: list[Any] = neosqlite_json_loads(found) if "{" in found else json.loads(found)
    return values


def _written_by(message: Mapping[str, Any]) -> int:
    """How many documents this inserts or replaces; 0 for what does something else."""
    body = _body_of(message)
    if next(iter(body), None) not in ("insert", "update"):
        return 0
    count = len(body.get("documents") or body.get("updates") or ())
    for kind, content in message["sections"]:
        if kind == "payload_docs":
            count += len(content)
        elif kind == "payload":
            count += sum(len(found) for found in content.values() if isinstance(found, list))
    return count


def _committed(
    connection: sqlite3.Connection, message: dict[str, Any], handle: Callable[[dict[str, Any]], Answer]
) -> Answer | None:
    """The answer of what is stored as a whole now; None when nothing of it is."""
    copied = {**message, "sections": _Sections((kind, _copy(content)) for kind, content in message["sections"])}
    try:
        connection.execute("BEGIN IMMEDIATE")
        answer = handle(copied)
        errors = answer[1].get("writeErrors", ())
        # A disk that is full may end the transaction by itself, and with it what came before.
        if connection.in_transaction and all(one.get("code") == DUPLICATE_KEY for one in errors):
            connection.execute("COMMIT")
            return answer
    except Exception:  # whatever it is: it comes again, and is answered, where it comes of one of the documents alone
        logging.getLogger(__name__).warning("Documents are written one by one: together they were not", exc_info=True)
    finally:
        if connection.in_transaction:
            connection.rollback()
    return None


def _copy(content: Any) -> Any:
    """The handler takes from a command what it has read of it; documents it leaves as they are."""
    return dict(content) if isinstance(content, dict) else list(content) if isinstance(content, list) else content


def main() -> None:
    """Serve until standard input ends."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--socket", type=int, required=True, help="file descriptor of a listening Unix socket")
    arguments = parser.parse_args()
    os.umask(0o077)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    handler = Handler(data_dir=str(arguments.data))
    try:
        asyncio.run(serve(handler, socket.socket(fileno=arguments.socket)))
    finally:
        handler.close_all()


async def serve(handler: NeoSQLiteHandler, listener: socket.socket) -> None:
    """Answer connections until the parent's end of standard input is closed."""
    listener.setblocking(False)
    loop = asyncio.get_running_loop()
    loop.set_default_executor(ThreadPoolExecutor(THREADS, thread_name_prefix="command"))
    parent_gone = asyncio.Event()
    loop.add_reader(0, parent_gone.set)  # nothing is ever written to it: readable means ended
    loop.add_signal_handler(signal.SIGTERM, parent_gone.set)
    connections: set[asyncio.Task[None]] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        connections.add(task)
        try:
            await handle_client(reader, writer, handler)
        finally:
            connections.discard(task)

    server = await asyncio.start_unix_server(connected, sock=listener, **KEEP_SOCKET)
    await parent_gone.wait()
    loop.remove_reader(0)  # it stays readable
    deadline = threading.Timer(STOP_SECONDS, os._exit, (1,))
    deadline.daemon = True
    deadline.start()
    server.close()
    for task in connections:
        task.cancel()
    if connections:
        await asyncio.wait(connections)


if __name__ == "__main__":
    main()
