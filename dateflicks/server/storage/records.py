"""What the services know of storage: documents, declared collections, and the errors of the database.

No database driver is imported here. A document is a dict with `_id` (text that starts with a letter) whose other keys
are declared words, never other people's text: free-form JSON of theirs is stored as text (`opaque`, `revealed`).
Times are kept as numbers, in Unix seconds; they may be filtered and sorted on. A time as text (RFC 3339) may only stand
in a field that is never looked up, because the embedded engine treats a filter that looks like a date differently.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from dateflicks.core.errors import DateflicksError, Unavailable

Document = dict[str, Any]
Scalar = str | int | float

_WORD: Final = re.compile(r"[A-Za-z][A-Za-z0-9]*")


class OutcomeUnknown(Unavailable):
    """A write was sent and nobody knows whether it happened: it must be reported neither as done nor as failed."""


class StorageFull(Unavailable):
    """The database's disk is full: nothing was written, reads go on."""


class Duplicate(DateflicksError):
    """Another document has this value already; `field` is the name of the unique field, `_id` for the id itself."""

    def __init__(self, field: str) -> None:
        super().__init__(f"another document has this value of {field}")
        self.field = field


class Stale(DateflicksError):
    """A document was changed by somebody else meanwhile; `current` is what it is now."""

    def __init__(self, current: Document) -> None:
        super().__init__("the document was changed meanwhile")
        self.current = current


class Missing(DateflicksError):
    """There is no document with this id to change."""


class StorageFault(DateflicksError):
    """The database refused something that should have worked: a mistake in the program or in the database itself."""


class UnsafeValue(DateflicksError, ValueError):
    """A value that the two engines would not treat alike; a mistake of the program, found before anything is sent."""


@dataclass(frozen=True, slots=True)
class Index:
    """An index on one field, or on several in order; every document has a value in a field that is unique."""

    fields: tuple[str, ...]
    unique: bool = False

    def __post_init__(self) -> None:
        if not self.fields or not all(_WORD.fullmatch(field) for field in self.fields):
            raise ValueError(f"index fields are plain words, without _ and dots: {self.fields}")
        if self.unique and len(self.fields) > 1:
            raise ValueError(f"only an index on one field can be unique: {self.fields}")


@dataclass(frozen=True, slots=True)
class Collection:
    """A declared collection: its logical database, its name, and what it may be looked up by."""

    database: str
    name: str
    indexes: tuple[Index, ...] = ()
    indexed: frozenset[str] = field(init=False, repr=False, compare=False)  # the fields that are part of any index

    def __post_init__(self) -> None:
        object.__setattr__(self, "indexed", frozenset(name for index in self.indexes for name in index.fields))
        if not _WORD.fullmatch(self.database) or not _WORD.fullmatch(self.name):
            raise ValueError(f"database and collection names are plain words: {self.database}.{self.name}")
        single = [index.fields[0] for index in self.indexes if len(index.fields) == 1]
        names = {tuple(field.casefold() for field in index.fields) for index in self.indexes}
        if len(names) < len(self.indexes):
            raise ValueError(f"{self.name}: two indexes on the same fields (case does not count)")
        for index in self.indexes:
            if index.fields[0] not in single:
                raise ValueError(f"{self.name}: {index.fields} needs an index on {index.fields[0]} alone beside it")

    @property
    def looked_up(self) -> frozenset[str]:
        """The fields that have an index of their own."""
        return frozenset(index.fields[0] for index in self.indexes if len(index.fields) == 1)

    @property
    def unique(self) -> tuple[str, ...]:
        """The fields whose values must differ between documents."""
        return tuple(index.fields[0] for index in self.indexes if index.unique)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page ended: the value of the field that orders it, and the id of its last document."""

    value: Scalar
    id: str

    @classmethod
    def of(cls, document: Mapping[str, Any], order_by: str) -> "Place":
        """The place of a document in pages ordered by a field."""
        return cls(document[order_by], document["_id"])


def opaque(value: Any) -> str:
    """Other people's JSON as text, so that no key of theirs is ever a key in the database."""
    return msgspec.json.encode(value).decode()


def revealed(text: str) -> Any:
    """What `opaque` was given."""
    return msgspec.json.decode(text)
