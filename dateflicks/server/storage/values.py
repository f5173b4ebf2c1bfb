"""Checks of what goes to the database: ids, documents and filter values that both engines treat alike.

The embedded engine reads meaning into text that looks like a date, into keys such as `$date`, and into ids that look
like numbers or object ids; non-finite numbers are no JSON. Such values are refused here, before anything is sent.
"""

import math
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

from dateflicks.server.storage.records import Collection, Document, UnsafeValue

_ID: Final = re.compile(r"[A-Za-z][A-Za-z0-9_:.\-]{0,199}")
_OBJECT_ID: Final = re.compile(r"[0-9A-Fa-f]{24}")
_KEY: Final = re.compile(r"[A-Za-z][A-Za-z0-9]*")
_INTEGER_LIMIT: Final = 2**63
_DEPTH_MAX: Final = 20


def is_document_id(id: str) -> bool:  # noqa: A002 - the word of the domain
    """Whether anything can be stored under this id."""
    return _ID.fullmatch(id) is not None and _OBJECT_ID.fullmatch(id) is None


def check_filter_value(field: str, value: object) -> None:
    """Refuse what cannot be looked up on both engines: text must start with a letter, numbers must be finite."""
    if isinstance(value, str):
        if not value[:1].isascii() or not value[:1].isalpha():
            raise UnsafeValue(f"{field}: text that is looked up must start with a letter; put a prefix before it")
        if "\0" in value:
            raise UnsafeValue(f"{field}: the embedded engine compares text up to a NUL only")
        _check_text(field, value)
    elif isinstance(value, bool) or not isinstance(value, int | float):
        raise UnsafeValue(f"{field}: only text and numbers can be looked up, not {type(value).__name__}")
    else:
        _check_number(field, value)


def check_document(collection: Collection, document: Document) -> None:
    """Refuse a document that would not come back as it is, or could not be found again by its indexed fields."""
    if not isinstance(document.get("_id"), str) or not is_document_id(document["_id"]):
        raise UnsafeValue(f"{collection.name}: _id must be text that starts with a letter: {document.get('_id')!r}")
    for key, value in document.items():
        if key != "_id":
            _check_key(collection.name, key)
            if value is not None and not (type(value) is str and value.isascii()):
                _check_value(key, value, 0)
    for field in collection.indexed:
        if (value := document.get(field)) is not None:
            check_filter_value(field, value)
    for field in collection.unique:
        if document.get(field) is None:
            raise UnsafeValue(f"{collection.name}: {field} is unique, so every document needs a value in it")


def _check_value(path: str, value: object, depth: int) -> None:
    if depth > _DEPTH_MAX:
        raise UnsafeValue(f"{path}: nested too deeply")
    if value is None or isinstance(value, bool):
        return
    if isinstance(value, str):
        _check_text(path, value)
    elif isinstance(value, int | float):
        _check_number(path, value)
    elif isinstance(value, list):
        for item in value:
            if not (type(item) is str and item.isascii()):
                _check_value(path, item, depth + 1)
    elif isinstance(value, Mapping):
        for key, item in value.items():
            _check_key(path, key)
            if not (type(item) is str and item.isascii()):
                _check_value(f"{path}.{key}", item, depth + 1)
    else:
        raise UnsafeValue(f"{path}: {type(value).__name__} cannot be stored")


@lru_cache(1_024)
def _is_key(key: object) -> bool:
    return isinstance(key, str) and _KEY.fullmatch(key) is not None


def _check_key(path: str, key: Any) -> None:
    if not _is_key(key):
        raise UnsafeValue(f"{path}: {key!r} is no key for the database; store other people's JSON as text (opaque)")


def _check_number(path: str, value: float) -> None:
    if isinstance(value, int):
        if not -_INTEGER_LIMIT <= value < _INTEGER_LIMIT:
            raise UnsafeValue(f"{path}: {value} does not fit into 64 bits")
    elif not math.isfinite(value):
        raise UnsafeValue(f"{path}: {value} is not a finite number")


def _check_text(path: str, value: str) -> None:
    if not value.isascii() and any("\ud800" <= character <= "\udfff" for character in value):
        raise UnsafeValue(f"{path}: text with half a surrogate pair cannot be stored")
