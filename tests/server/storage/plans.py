"""How SQLite would carry out what the embedded engine sends it: commands of ours replayed in its handler, and each
statement explained on the same connection.

The plan is of what is really sent, for the statements are taken from SQLite's own trace.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pymongo.monitoring import CommandStartedEvent

from dateflicks.server.storage.database import Database
from dateflicks.server.storage.nxchild import Handler
from dateflicks.server.storage.records import Collection, Document, Place
from dateflicks.server.storage.table import Table

Command = dict[str, Any]
_READS_DATA = re.compile(r"\s*(SELECT|UPDATE|DELETE|INSERT|WITH|REPLACE)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Statement:
    """One statement of a command, and the steps of its plan."""

    command: str
    sql: str
    plan: tuple[str, ...]

    def slow_steps(self, tables: Sequence[str]) -> list[str]:
        """What reads all of a data table, or sorts what it read."""
        names = "|".join(map(re.escape, tables))
        slow = re.compile(rf"SCAN (TABLE )?({names})\b|USE TEMP B-TREE")
        return [f"{step}: {self.command}: {self.sql}" for step in self.plan if slow.match(step)]


@contextmanager
def recorded(database: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Command]]:
    """The commands that leave for the database meanwhile."""
    commands: list[Command] = []
    started = database.fence.started

    def listen(event: CommandStartedEvent) -> None:
        if event.command_name != "ping":
            commands.append(dict(event.command))
        started(event)

    with monkeypatch.context() as patch:
        patch.setattr(database.fence, "started", listen)
        yield commands


async def send_every_shape(table: Table) -> None:
    """Each operation on the collection with each index and direction that it can be used with."""
    collection = table.collection
    await _by_id(table)
    for field in sorted(collection.looked_up):
        await table.find(field, "v1")
        await table.find_one(field, "v1")
        for descending in (False, True):
            await table.between(field, at_least="v0", descending=descending)
            await table.between(field, below="v9", descending=descending)
            await table.between(field, at_least="v0", below="v9", descending=descending)
            await table.between(field, at_least=1.5, below=7, descending=descending)
    for index in collection.indexes:
        if len(index.fields) == 2:
            field, order_by = index.fields
            for descending in (False, True):
                await table.page(field, "v1", order_by=order_by, descending=descending)
                await table.page(field, "v1", order_by=order_by, descending=descending, only=("rev",))
                for place in (Place("v1", "a1"), Place(1.5, "a1")):
                    await table.page(field, "v1", order_by=order_by, descending=descending, after=place)


async def _by_id(table: Table) -> None:
    collection = table.collection
    for number in range(4):
        await table.insert(_document(collection, number))
    await table.get("a1")
    await table.get_many(["a1", "a2", "b9"])
    await table.get_many(["a1", "a2", "b9"], only=("rev",))
    await table.compare_and_set("a1", 1, {"word": "x"}, command="c1")
    await table.replace(_document(collection, 2) | {"rev": 2}, 1)
    await table.upsert(_document(collection, 2))
    await table.upsert(_document(collection, 4))
    await table.insert_many([_document(collection, number) for number in (4, 5, 6)])
    await table.upsert_many([_document(collection, number) for number in (6, 7)])
    await table.replace_many([_document(collection, number) | {"rev": 2} for number in (5, 8)])
    await table.delete("a3")
    await table.delete_many(["a4", "b9"])


def _document(collection: Collection, number: int) -> Document:
    return {"_id": f"a{number}"} | dict.fromkeys(collection.indexed, f"v{number}")


def explained(databases: Path, commands: Sequence[Command]) -> list[Statement]:
    """Carry out these commands on the files of a stopped engine, and explain each statement."""
    handler = Handler(data_dir=str(databases))
    try:
        return [statement for command in commands for statement in _explain(handler, command)]
    finally:
        handler.close_all()


def _explain(handler: Any, command: Command) -> list[Statement]:
    connection = handler.get_database(command["$db"]).db
    statements: list[str] = []
    name = next(iter(command))
    message = {"request_id": 1, "sections": [("body", dict(command))], "_conn_id": "test"}
    connection.set_trace_callback(statements.append)
    try:
        _, answer = handler.handle_insert(message) if name == "insert" else handler.handle_command(message)
    finally:
        connection.set_trace_callback(None)
    _check(command, answer)
    assert statements, f"nothing was sent for {command}"
    return [
        Statement(name, sql, tuple(row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {sql}")))
        for sql in statements
        if _READS_DATA.match(sql)
    ]


def _check(command: Command, answer: Mapping[str, Any]) -> None:
    assert answer["ok"] == 1, (command, answer)
    assert "writeErrors" not in answer or "insert" in command, (command, answer)  # what is there already
