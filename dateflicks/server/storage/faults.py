"""PyMongo's errors as ours: what may be tried again, what is nobody's fault, and what is a mistake."""

import asyncio
import contextlib
import re
from collections.abc import Mapping
from typing import Any, Final

from pymongo.errors import (
    AutoReconnect,
    BulkWriteError,
    ConnectionFailure,
    DuplicateKeyError,
    ExecutionTimeout,
    OperationFailure,
    PyMongoError,
    WriteConcernError,
)

from dateflicks.core.errors import DateflicksError
from dateflicks.server.storage.records import Collection, Duplicate, StorageFault, StorageFull

DUPLICATE_KEY: Final = 11000
_FULL_CODES: Final = frozenset({14031})  # OutOfDiskSpace
_FULL_WORDS: Final = re.compile(r"disk is full|out of disk space|no space left", re.IGNORECASE)
_NX_DUPLICATE: Final = re.compile(r"UNIQUE constraint failed: (?:index 'idx_[A-Za-z0-9]+_(\w+)'|\w+\.(_id))")
_MONGO_DUPLICATE: Final = re.compile(r"index: (?:(_id_)|(\w+?)_-?1)\b")


def told_to_stop() -> int:
    """How often whoever runs this has heard by now that it is to stop: what it does since, such as giving back, is to
    be done. What it has been told but waits for its next `await`, as after a Ctrl-C, the driver would be first to hear.
    """
    with contextlib.suppress(RuntimeError):  # outside a loop nobody can be told
        task = asyncio.current_task()
        if task is not None:
            return task.cancelling() - getattr(task, "_must_cancel", False)
    return 0


def stop_when_told_to(before: int = 0) -> None:
    """To be called behind the driver: it makes an outage of it when its caller is to stop, or tries again as if nothing
    had been said. `before` is what `told_to_stop` said when it was asked. Raises CancelledError."""
    if told_to_stop() > before:
        raise asyncio.CancelledError


def is_transient(error: BaseException) -> bool:
    """Whether the database is away or slow, so that the same operation may succeed a moment later."""
    if isinstance(error, BulkWriteError) and not error.details.get("writeErrors"):
        return True  # written, and not confirmed as it has to be: as a WriteConcernError is for one document
    if isinstance(error, ConnectionFailure | ExecutionTimeout | WriteConcernError | AutoReconnect):
        return True
    if isinstance(error, PyMongoError):
        return error.timeout or error.has_error_label("RetryableWriteError")
    return isinstance(error, TimeoutError)


def translated(collection: Collection, error: PyMongoError) -> DateflicksError:
    """An error that trying again does not cure, in our words."""
    for code, message, details in _failures(error):
        if code == DUPLICATE_KEY:
            return Duplicate(_duplicate_field(message, details))
        if code in _FULL_CODES or _FULL_WORDS.search(message):
            return StorageFull("The database's disk is full. Make room on it, then try again.")
    return StorageFault(f"{collection.database}.{collection.name}: {error}")


def _failures(error: PyMongoError) -> list[tuple[int | None, str, Mapping[str, Any]]]:
    if isinstance(error, BulkWriteError):
        return [(one.get("code"), str(one.get("errmsg")), one) for one in error.details.get("writeErrors", [])]
    if isinstance(error, DuplicateKeyError | OperationFailure):
        return [(error.code, str(error), error.details or {})]
    return [(None, str(error), {})]


def _duplicate_field(message: str, details: Mapping[str, Any]) -> str:
    pattern = details.get("keyPattern")
    if isinstance(pattern, Mapping) and pattern:
        return str(next(iter(pattern)))
    if match := _NX_DUPLICATE.search(message):
        return match[1] or match[2]
    if match := _MONGO_DUPLICATE.search(message):
        return "_id" if match[1] else match[2]
    return "_id"
