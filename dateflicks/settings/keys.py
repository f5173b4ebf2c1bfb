"""The keys of a settings struct, flattened: dotted name, type, default, and whether it is secret."""

import difflib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec

T = TypeVar("T", bound=msgspec.Struct)


@dataclass(frozen=True, slots=True)
class Key:
    """One thing that can be set: `name` is its dotted path in the file."""

    name: str
    type: Any
    default: Any
    is_secret: bool

    def hides(self, value: Any) -> bool:
        """Whether a value is a secret: the default, which everybody knows, is none."""
        return self.is_secret and value != self.default

    def variable(self, service: str) -> str:
        """Its environment variable; the `server` part is left out, so that a port is `DATEFLICKS_SESSION_PORT`."""
        path = self.name.removeprefix("server.")
        return f"DATEFLICKS_{service}_{path.replace('.', '_')}".upper()


def keys_of(defaults: msgspec.Struct, prefix: str = "") -> Iterator[Key]:
    """All keys of a settings struct, in the order of their declaration."""
    for field in msgspec.structs.fields(type(defaults)):
        name = f"{prefix}{field.name}"
        default = getattr(defaults, field.name)
        if isinstance(default, msgspec.Struct):
            yield from keys_of(default, f"{name}.")
        else:
            yield Key(name, field.type, default, _is_secret(field.type))


def _is_secret(declared: Any) -> bool:
    info = msgspec.inspect.type_info(declared)
    return isinstance(info, msgspec.inspect.Metadata) and bool((info.extra or {}).get("secret"))


def build(defaults: T, values: Mapping[str, Any], prefix: str = "") -> T:
    """The settings struct with `values` (by dotted name) in place of its defaults."""
    changes: dict[str, Any] = {}
    for field in msgspec.structs.fields(type(defaults)):
        name = f"{prefix}{field.name}"
        default = getattr(defaults, field.name)
        if isinstance(default, msgspec.Struct):
            changes[field.name] = build(default, values, f"{name}.")
        elif name in values:
            changes[field.name] = values[name]
    return msgspec.structs.replace(defaults, **changes)


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known key that was most likely meant: the right name in the wrong section, else the closest spelling."""
    names = list(known)
    last = {name: name.rpartition(".")[2] for name in names}
    tail = word.rpartition(".")[2]
    if match := next((name for name in names if last[name] == tail), None):
        return match
    if close := difflib.get_close_matches(word, names, n=1):
        return close[0]
    close = difflib.get_close_matches(tail, last.values(), n=1)
    return next((name for name in names if close and last[name] == close[0]), None)
