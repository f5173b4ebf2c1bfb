"""Values out of other people's JSON, which is not always as documented: null for an object, one text for a list of
them, a number as text. What can do without a value gets None for it; what cannot raises SchemaError.
"""

import re
from typing import Any, Final

from dateflicks.server.providers.source import SchemaError

_CLOCK: Final = re.compile(r"(?:(\d{1,2}):)?(\d{1,3}):(\d{2}(?:\.\d+)?)")
_SECONDS: Final = re.compile(r"\d{1,6}(?:\.\d+)?")


def needed_object(value: Any, what: str) -> dict[str, Any]:
    """An object that must be there. Raises SchemaError."""
    if not isinstance(value, dict):
        raise SchemaError(f"{what} is no object")
    return value


def needed_list(value: Any, what: str) -> list[Any]:
    """A list that must be there. Raises SchemaError."""
    if not isinstance(value, list):
        raise SchemaError(f"{what} is no list")
    return value


def needed_whole(value: Any, what: str) -> int:
    """A whole number that must be there. Raises SchemaError."""
    number = whole(value)
    if number is None:
        raise SchemaError(f"{what} is no whole number")
    return number


def one_object(value: Any) -> dict[str, Any]:
    """An object; an empty one for anything else."""
    return value if isinstance(value, dict) else {}


def objects(value: Any) -> list[dict[str, Any]]:
    """The objects of a list, or the one that stands for a list."""
    several = value if isinstance(value, list) else [value]
    return [one for one in several if isinstance(one, dict)]


def text(value: Any) -> str | None:
    """A text that says something."""
    return value.strip() or None if isinstance(value, str) else None


def texts(value: Any) -> tuple[str, ...]:
    """The texts of a list, or the one that stands for a list."""
    several = value if isinstance(value, list) else [value]
    return tuple(found for one in several if (found := text(one)))


def whole(value: Any) -> int | None:
    """A whole number, as a number or as text."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str) and len(value) < 20 and value.strip().isdecimal():
        return int(value)
    return None


def seconds_of(value: Any) -> float | None:
    """A length in seconds, told as such or as a clock does (`1:35:18`); None when it is none."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value) if 0 < value < 1e6 else None
    told = text(value) or ""
    if _SECONDS.fullmatch(told):
        return float(told) or None
    if clock := _CLOCK.fullmatch(told):
        return (int(clock[1] or 0) * 3_600 + int(clock[2]) * 60 + float(clock[3])) or None
    return None
