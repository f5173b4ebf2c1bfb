"""The fence: every command that leaves for the database is looked at, and what is not on the list is recorded.

The list holds what both engines do alike and by an index (see `docs` of each operation in `table.py`): single-document
writes by id, bounded reads, no transactions, no operators in updates. Tests fail on any entry; in production entries
are only counted. As a listener sees each command just before it is sent, the fence also knows whether a write ever
left, which is the difference between "not written" and "nobody knows".
"""

import logging
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Final

from pymongo import monitoring

from dateflicks.core import limits

log = logging.getLogger(__name__)

_HARMLESS: Final = frozenset({"hello", "ismaster", "ping", "endSessions", "saslStart", "saslContinue", "killCursors"})
_ENVELOPE: Final = frozenset(
    {"$db", "lsid", "$clusterTime", "$readPreference", "maxTimeMS", "writeConcern", "readConcern", "txnNumber"}
    | {"ordered", "apiVersion", "apiStrict"}
)
_WRITES: Final = frozenset({"insert", "update", "delete"})
_RANGE: Final = frozenset({"$gt", "$gte", "$lt", "$lte"})
_KEPT: Final = 100  # entries remembered: enough to see what is wrong


@dataclass(slots=True)
class Sent:
    """How many writes of one operation have left."""

    writes: int = 0


SENT: Final[ContextVar[Sent | None]] = ContextVar("sent", default=None)


class Fence(monitoring.CommandListener):
    """A PyMongo command listener; `breaches` says what was not on the list."""

    def __init__(self) -> None:
        self.breaches: deque[str] = deque(maxlen=_KEPT)
        self.breach_count = 0
        self.command_count = 0
        self.told: Callable[[str, float, bool], None] | None = None  # of each command: its name, seconds, success

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        """Look at a command that is about to be sent."""
        self.command_count += 1
        if event.command_name in _WRITES and (sent := SENT.get()) is not None:
            sent.writes += 1
        for problem in problems_of(event.command_name, event.command):
            self.breach_count += 1
            self.breaches.append(f"{event.command_name}: {problem}")
            log.warning("a database command outside the fence: %s: %s", event.command_name, problem)

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None:
        """How long it took."""
        if self.told is not None:
            self.told(event.command_name, event.duration_micros / 1e6, True)

    def failed(self, event: monitoring.CommandFailedEvent) -> None:
        """How long it took to fail."""
        if self.told is not None:
            self.told(event.command_name, event.duration_micros / 1e6, False)


def problems_of(name: str, command: Mapping[str, Any]) -> Iterable[str]:
    """What is wrong with a command; nothing when it is on the list."""
    if name in _HARMLESS or not command:  # an empty command is one that PyMongo hides, such as a sign-in
        return
    if "startTransaction" in command or "autocommit" in command:
        yield "transactions share one connection on the embedded engine"
    if (command.get("writeConcern") or {}).get("w") == 0:
        yield "w=0 breaks the connection's next command"
    check = _CHECKS.get(name)
    if check is None:
        yield "not on the list"
        return
    yield from check(command)


def _find(command: Mapping[str, Any]) -> Iterable[str]:
    yield from _unknown(command, "find", "filter", "sort", "limit", "batchSize", "singleBatch", "projection")
    fields = command.get("projection", {})
    if not all(wanted == 1 and field.replace("_id", "id", 1).isalnum() for field, wanted in fields.items()):
        yield "fields are asked for by plain words"
    if not 1 <= command.get("limit", 0) <= limits.PAGE_MAX:
        yield f"limit must be 1 to {limits.PAGE_MAX}"
    if len(command.get("sort", {})) > 1:
        yield "sort by one field"
    yield from _filter(command.get("filter", {}))


def _get_more(command: Mapping[str, Any]) -> Iterable[str]:
    yield from _unknown(command, "getMore", "collection", "batchSize")


def _insert(command: Mapping[str, Any]) -> Iterable[str]:
    yield from _unknown(command, "insert", "documents")
    for document in command.get("documents", ()):
        yield from _id(document)


def _update(command: Mapping[str, Any]) -> Iterable[str]:
    yield from _unknown(command, "update", "updates")
    for one in command.get("updates", ()):
        if extra := set(one) - {"q", "u", "multi", "upsert"}:
            yield f"update with {sorted(extra)}"
        if one.get("multi"):
            yield "updates change one document"
        if not isinstance(one["u"], Mapping) or any(key.startswith("$") for key in one["u"]):
            yield "update operators store other types than they are given (a boolean becomes a number): replace"
        if not set(one["q"]) <= {"_id", "rev"}:
            yield "updates go by id, and rev at most"
        yield from _id(one["q"])


def _delete(command: Mapping[str, Any]) -> Iterable[str]:
    yield from _unknown(command, "delete", "deletes")
    for one in command.get("deletes", ()):
        if set(one) - {"q", "limit"} or set(one["q"]) != {"_id"}:
            yield "deletes go by id"
        else:
            yield from _filter(one["q"])


def _create_indexes(command: Mapping[str, Any]) -> Iterable[str]:
    yield from _unknown(command, "createIndexes", "indexes")
    for index in command.get("indexes", ()):
        if extra := set(index) - {"key", "name", "unique"}:
            yield f"index with {sorted(extra)}"
        if any("_" in field or "." in field for field in index["key"]):
            yield "no _ or . in indexed fields: index names are made of them and collide"


def _filter(wanted: Mapping[str, Any]) -> Iterable[str]:
    if not wanted:
        yield "no filter"
    for field, value in wanted.items():
        if field.startswith("$"):
            yield f"{field} reads the whole collection"
        elif field == "_id" and not isinstance(value, Mapping):
            yield from _id(wanted)
        elif not isinstance(value, Mapping):
            yield from _scalar(field, value)
        elif field == "_id" and set(value) == {"$in"}:
            yield from _ids(value["$in"])
        elif field == "_id" or not set(value) <= _RANGE:
            yield f"{field}: {sorted(value)} reads the whole collection"
        else:
            for bound in value.values():
                yield from _scalar(field, bound)


def _id(document: Mapping[str, Any]) -> Iterable[str]:
    if not isinstance(document.get("_id"), str):
        yield "ids are text"
    else:
        yield from _scalar("_id", document["_id"])


def _ids(ids: Any) -> Iterable[str]:
    if len(ids) > limits.PAGE_MAX:
        yield f"more than {limits.PAGE_MAX} ids"
    for one in ids:
        if not (isinstance(one, str) and one[:1].isalpha()):
            yield from _id({"_id": one})


def _scalar(field: str, value: Any) -> Iterable[str]:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        yield f"{field}: looked up by {type(value).__name__}"
    elif isinstance(value, str) and not value[:1].isalpha():
        yield f"{field}: looked up by text that does not start with a letter"


def _unknown(command: Mapping[str, Any], *known: str) -> Iterable[str]:
    if extra := set(command) - _ENVELOPE - set(known):
        yield f"with {sorted(extra)}"


_CHECKS: Final[dict[str, Callable[[Mapping[str, Any]], Iterable[str]]]] = {
    "find": _find,
    "getMore": _get_more,
    "insert": _insert,
    "update": _update,
    "delete": _delete,
    "createIndexes": _create_indexes,
}
