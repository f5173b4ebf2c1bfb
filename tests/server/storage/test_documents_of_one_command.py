"""The documents of one command share a transaction in the embedded engine's process, unless one of them spoils it; and
a few fields are read without making the documents that they are of.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from nx_27017.handler import NeoSQLiteHandler

from dateflicks.server.storage.nxchild import Handler

DURABLE = {"w": 1, "j": True}


class Process:
    """The handler of the engine's process, and the statements that open and close transactions in it."""

    def __init__(self, folder: Path) -> None:
        self.handler = Handler(data_dir=str(folder))
        self.handler.handle_command(self.message({"create": "things", "$db": "TestDb"}))
        self.connection = self.handler.get_database("TestDb").db
        self.transactions: list[str] = []
        self.connection.set_trace_callback(self._listen)

    def insert(self, *documents: dict[str, Any]) -> dict[str, Any]:
        command = {"insert": "things", "ordered": False, "$db": "TestDb", "writeConcern": DURABLE}
        return dict(self.handler.handle_insert(self.message(command, ("payload_docs", [*documents])))[1])

    def replace(self, *updates: dict[str, Any]) -> dict[str, Any]:
        command = {"update": "things", "ordered": False, "$db": "TestDb", "writeConcern": DURABLE}
        return dict(self.handler.handle_command(self.message(command, ("payload", {"updates": [*updates]})))[1])

    def find(self, **more: Any) -> list[dict[str, Any]]:
        command = {"find": "things", "filter": {"_id": {"$in": ["a1", "a2"]}}, "$db": "TestDb", **more}
        return list(self.handler.handle_command(self.message(command))[1]["cursor"]["firstBatch"])

    def stored(self) -> list[str]:
        return [row[0] for row in self.connection.execute("SELECT _id FROM things ORDER BY _id")]

    def message(self, command: dict[str, Any], *more: Any) -> dict[str, Any]:
        return {"request_id": 1, "_conn_id": 1, "sections": [("body", command), *more]}

    def _listen(self, statement: str) -> None:
        word = statement.split()[0].upper()
        if word in ("BEGIN", "COMMIT", "ROLLBACK"):
            self.transactions.append(word)


@pytest.fixture
def process(tmp_path: Path) -> Iterator[Process]:
    process = Process(tmp_path)
    yield process
    process.handler.close_all()


def things(*names: str) -> list[dict[str, Any]]:
    return [{"_id": name, "n": 1} for name in names]


def test_documents_of_one_command_are_stored_together(process: Process) -> None:
    assert process.insert(*things("a1", "a2", "a3"))["n"] == 3
    assert process.replace(*({"q": {"_id": name}, "u": {"_id": name, "n": 2}} for name in ("a1", "a2")))["n"] == 2

    assert process.transactions == ["BEGIN", "COMMIT"] * 2
    assert process.stored() == ["a1", "a2", "a3"]


def test_one_document_needs_no_transaction(process: Process) -> None:
    process.insert(*things("a1"))

    assert process.transactions == []
    assert process.stored() == ["a1"]


def test_the_disk_syncs_at_the_end_of_each_from_the_first_on(process: Process) -> None:
    process.insert(*things("a1", "a2"))

    assert process.connection.execute("PRAGMA synchronous").fetchone() == (2,)


def test_a_duplicate_spoils_nothing_of_the_others(process: Process) -> None:
    process.insert(*things("a2"))

    answer = process.insert(*things("a1", "a2", "a3"))

    assert answer["n"] == 2
    assert [(one["index"], one["code"]) for one in answer["writeErrors"]] == [(1, 11000)]
    assert process.transactions == ["BEGIN", "COMMIT"]
    assert process.stored() == ["a1", "a2", "a3"]


def test_what_fails_otherwise_is_undone_and_done_again_one_by_one(process: Process) -> None:
    answer = process.insert(*things("a1"), {"_id": "a2", "n": float("nan")}, *things("a3"))

    assert answer["n"] == 2
    assert [(one["index"], one["code"]) for one in answer["writeErrors"]] == [(1, 8)]
    assert process.transactions == ["BEGIN", "ROLLBACK"]
    assert process.stored() == ["a1", "a3"]


def test_a_transaction_that_the_disk_ends_is_done_again_one_by_one(process: Process) -> None:
    def ended(message: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        number, answer = NeoSQLiteHandler.handle_insert(process.handler, message)
        if process.connection.in_transaction:
            process.connection.rollback()
        return number, answer

    command = {"insert": "things", "ordered": False, "$db": "TestDb"}
    message = process.message(command, ("payload_docs", things("a1", "a2")))
    _, answer = process.handler._together(message, ended)

    assert answer["n"] == 2
    assert process.stored() == ["a1", "a2"]


def test_of_a_few_fields_nothing_else_is_read(process: Process) -> None:
    process.insert(*things("a1", "a2"))
    statements: list[str] = []
    process.connection.set_trace_callback(statements.append)

    assert process.find(projection={"n": 1}, sort={"n": 1}, limit=1) == [{"_id": "a1", "n": 1}]

    assert [one for one in statements if "json(data)" in one] == []
    assert len([one for one in statements if "json_extract(data, '$._id', '$.n')" in one]) == 1


@pytest.mark.parametrize(
    "more",
    [
        {"projection": {"n": 1, "m.x": 1}},
        {"projection": {"n": 1, "m'": 1}},
        {"projection": {"m": 0, "_id": 1}},
        {"projection": {"n": 1}, "skip": 1},
        {"projection": {"n": 1}, "filter": {"$or": [{"n": 1}, {"n": 2}]}},
    ],
)
def test_what_is_asked_otherwise_is_for_the_engine_to_find(process: Process, more: dict[str, Any]) -> None:
    process.insert(*things("a1", "a2"))
    statements: list[str] = []
    process.connection.set_trace_callback(statements.append)

    assert process.find(**more)

    assert [one for one in statements if "json_extract(data, '$._id'" in one] == []


def test_what_is_more_than_a_batch_is_for_the_engine_to_hand_out(process: Process) -> None:
    process.insert(*things("a1", "a2"))

    assert process.find(projection={"n": 1}, batchSize=1) == things("a1")


def test_a_collection_that_is_not_there_has_nothing_of_any_field(process: Process) -> None:
    assert process.find(find="others", projection={"n": 1}) == []
