"""Values out of other people's JSON, which is not always as documented: null for an object, one text for a list of
them, a number as text. What can do without a value gets None for it; what cannot raises SchemaError.
"""

from typing import Any

from dateflicks.server.providers.source import SchemaError


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
