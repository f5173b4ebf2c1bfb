"""A document as one line of JSON, whatever it holds, and back: the same line for the same document on both engines.

What JSON has no word for is written as MongoDB's extended JSON has it (`{"$date": …}`, `{"$binary": …}`). How wide a
number is kept is left out, for the embedded engine does not know; whether it is whole is not.
"""

import hashlib
import math
from typing import Any, Final

import msgspec
from bson import json_util
from bson.errors import BSONError

from dateflicks.server.storage.records import Document, StorageFault

_OPTIONS: Final = json_util.JSONOptions(json_mode=json_util.JSONMode.CANONICAL, tz_aware=True)
_PLAIN: Final = frozenset({str, int, bool, type(None)})
_ENCODER: Final = msgspec.json.Encoder()
_SUM: Final = 2**256


def to_line(document: Document) -> bytes:
    """The document as a line, without its end. Raises StorageFault."""
    try:
        return _ENCODER.encode(_told(document))
    except (TypeError, ValueError, RecursionError, msgspec.MsgspecError) as error:
        raise StorageFault(f"The document {document.get('_id')!r} cannot be written down: {error}.") from error


def from_line(line: bytes) -> Document:
    """The document of a line. Raises ValueError."""
    try:
        is_plain = b'"$' not in line
        document = msgspec.json.decode(line) if is_plain else json_util.loads(line.decode(), json_options=_OPTIONS)
    except (BSONError, TypeError, KeyError, ArithmeticError, RecursionError) as error:
        raise ValueError(str(error)) from error
    if not isinstance(document, dict) or "_id" not in document:
        raise ValueError("no document")
    return document


class Digest:
    """What documents add up to, in whichever order they come."""

    def __init__(self) -> None:
        self.count = 0
        self._sum = 0

    def add(self, line: bytes) -> None:
        """Count one in."""
        self.count += 1
        self._sum = (self._sum + int.from_bytes(hashlib.sha256(line).digest())) % _SUM

    @property
    def text(self) -> str:
        """The sum, as it is written down."""
        return f"{self._sum:064x}"


def _told(value: Any) -> Any:
    kind = type(value)
    if kind in _PLAIN:
        return value
    if kind is float:
        return value if math.isfinite(value) else json_util.default(value, _OPTIONS)
    if isinstance(value, dict):
        if any(key.startswith("$") for key in value):
            raise ValueError("a key of it begins with $")
        return {key: _told(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_told(item) for item in value]
    if isinstance(value, int):
        return int(value)  # MongoDB's Int64
    return json_util.default(value, _OPTIONS)
