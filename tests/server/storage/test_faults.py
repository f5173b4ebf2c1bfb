"""The drivers' and both engines' ways to say what is wrong, in our words."""

from typing import Any

import pytest
from pymongo.errors import (
    AutoReconnect,
    BulkWriteError,
    DuplicateKeyError,
    ExecutionTimeout,
    InvalidOperation,
    NetworkTimeout,
    NotPrimaryError,
    OperationFailure,
    PyMongoError,
    ServerSelectionTimeoutError,
    WaitQueueTimeoutError,
    WriteConcernError,
    WriteError,
)

from dateflicks.server.storage.faults import is_transient, translated
from dateflicks.server.storage.records import Collection, Duplicate, StorageFault, StorageFull

THINGS = Collection("Things", "things")
MONGO_DUPLICATE = 'E11000 duplicate key error collection: Things.things index: {} dup key: {{ x: "a1" }}'


@pytest.mark.parametrize(
    "error",
    [
        AutoReconnect("connection closed"),
        NetworkTimeout("timed out"),
        NotPrimaryError("not primary"),
        ServerSelectionTimeoutError("no servers"),
        WaitQueueTimeoutError("no connection in the pool"),
        ExecutionTimeout("operation exceeded time limit", 50),
        WriteConcernError("waiting for replication timed out", 64),
        BulkWriteError({"writeErrors": [], "writeConcernErrors": [{"code": 64, "errmsg": "timed out"}]}),
        TimeoutError(),
    ],
)
def test_what_an_outage_explains_passes_by_itself(error: Exception) -> None:
    assert is_transient(error)


@pytest.mark.parametrize(
    "error", [DuplicateKeyError("E11000", 11000), OperationFailure("syntax error"), InvalidOperation("closed")]
)
def test_a_mistake_does_not(error: Exception) -> None:
    assert not is_transient(error)


def test_what_a_replica_set_asks_to_try_again_is_tried_again() -> None:
    error = OperationFailure("primary stepped down", 189, {"errorLabels": ["RetryableWriteError"]})

    assert is_transient(error)


@pytest.mark.parametrize(
    ("message", "details", "field"),
    [
        (MONGO_DUPLICATE.format("_id_"), {"keyPattern": {"_id": 1}}, "_id"),
        (MONGO_DUPLICATE.format("nameKey_1"), {"keyPattern": {"nameKey": 1}}, "nameKey"),
        (MONGO_DUPLICATE.format("_id_"), {}, "_id"),
        (MONGO_DUPLICATE.format("nameKey_1"), {}, "nameKey"),
        ("UNIQUE constraint failed: index 'idx_users_nameKey'", {}, "nameKey"),
        ("UNIQUE constraint failed: users._id", {}, "_id"),
        ("something new", {}, "_id"),
    ],
)
def test_a_duplicate_names_its_field(message: str, details: dict[str, Any], field: str) -> None:
    single = DuplicateKeyError(message, 11000, details)
    bulk = BulkWriteError({"writeErrors": [{"code": 11000, "errmsg": message, **details}]})

    for error in (single, bulk):
        ours = translated(THINGS, error)
        assert isinstance(ours, Duplicate)
        assert ours.field == field


@pytest.mark.parametrize(
    "error",
    [
        WriteError("database or disk is full", 8),
        OperationFailure("database or disk is full"),
        OperationFailure("OutOfDiskSpace", 14031),
        BulkWriteError({"writeErrors": [{"code": 8, "errmsg": "database or disk is full"}]}),
    ],
)
def test_a_full_disk_is_named(error: PyMongoError) -> None:
    assert isinstance(translated(THINGS, error), StorageFull)


def test_anything_else_is_a_fault_that_names_the_collection() -> None:
    for error in (OperationFailure("syntax error"), BulkWriteError({"writeErrors": []}), InvalidOperation("closed")):
        ours = translated(THINGS, error)
        assert isinstance(ours, StorageFault)
        assert "Things.things" in str(ours)
