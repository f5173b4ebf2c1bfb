"""The loader: flag over variable over file over default, each value with its source, each mistake with its place.

It reads files and an environment that are handed in, and knows nothing of the command line or of where a user's
folders are. `load` is the whole of it.
"""

import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, Literal, TypeVar, get_args, get_origin

import msgspec

from dateflicks.settings.client import ClientSettings
from dateflicks.settings.errors import SettingsError, unreadable
from dateflicks.settings.keys import Key, build, keys_of, nearest
from dateflicks.settings.providers import ProvidersSettings
from dateflicks.settings.recommendation import RecommendationSettings
from dateflicks.settings.recommenders import RecommendersSettings
from dateflicks.settings.services import (
    AllSettings,
    MessagesSettings,
    PredictionSettings,
    SessionSettings,
    TimecodeSettings,
    VideosSettings,
)

T = TypeVar("T", bound=msgspec.Struct)

SERVICES: dict[str, type[msgspec.Struct]] = {
    "all": AllSettings,
    "session": SessionSettings,
    "timecode": TimecodeSettings,
    "messages": MessagesSettings,
    "prediction": PredictionSettings,
    "videos": VideosSettings,
    "recommendation": RecommendationSettings,
    "providers": ProvidersSettings,
    "recommenders": RecommendersSettings,
    "client": ClientSettings,
}
MASK = "********"
_KINDS = {
    "int": "a whole number", "float": "a number", "bool": "true or false", "str": "text", "array": "a list",
    "object": "a table",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Source:
    """Where a value came from: its kind, and the flag, variable or file by name."""

    kind: Literal["flag", "environment", "file", "default"]
    name: str


@dataclass(frozen=True, slots=True)
class Setting:
    """One effective value, fit to be shown: secrets are masked."""

    key: str
    value: Any
    source: Source


@dataclass(frozen=True)
class Loaded(Generic[T]):
    """Settings as a whole, and the source of each value."""

    service: str
    settings: T
    sources: Mapping[str, Source]

    def shown(self) -> Iterator[Setting]:
        """Every value with its source, in the order of the model file."""
        for key in keys_of(self.settings):
            value = MASK if key.is_secret and self.sources[key.name].kind != "default" else key.default
            yield Setting(f"{self.service}.{key.name}", value, self.sources[key.name])


def load(
    service: str,
    kind: type[T],
    *,
    flags: Mapping[str, Any] | None = None,
    environ: Mapping[str, str] | None = None,
    folders: Sequence[Path] = (),
) -> Loaded[T]:
    """The settings of a service; `flags` holds typed flags only, by dotted key, and the first of `folders` wins.

    Raises SettingsError for the first mistake; `checking` finds all of them.
    """
    defaults = kind()
    keys = {key.name: key for key in keys_of(defaults)}
    values: dict[str, Any] = {}
    sources = dict.fromkeys(keys, Source("default", ""))
    for folder in reversed(folders):
        path = folder / f"{service}.toml"
        for name, value in from_file(path, keys):
            values[name], sources[name] = value, Source("file", str(path))
    for name, value, variable in from_environment(service, keys, environ or {}):
        values[name], sources[name] = value, Source("environment", variable)
    for name, value in (flags or {}).items():
        flag = "--" + name.rpartition(".")[2].replace("_", "-")
        values[name], sources[name] = checked(flag, keys[name], value), Source("flag", flag)
    return Loaded(service, build(defaults, values), sources)


def keys_by_name(service: str) -> dict[str, Key]:
    """All that can be set for a service, with the defaults."""
    return {key.name: key for key in keys_of(SERVICES[service]())}


def read_value(service: str, name: str, text: str) -> Any:
    """What somebody typed for a key, as its value. Raises SettingsError, which says what would fit."""
    keys = keys_by_name(service)
    if name not in keys:
        raise SettingsError("", name, "no such key", nearest(name, keys))
    return checked("", keys[name], _from_text(keys[name], text), is_text=True)


def from_file(path: Path, keys: Mapping[str, Key]) -> Iterator[tuple[str, Any]]:
    """What a file says: key and value; nothing where there is none. Raises SettingsError."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise unreadable(path, error) from error
    for name, value in _flattened(document, sections_of(keys), str(path)):
        if name not in keys:
            raise SettingsError(str(path), name, "no such key", nearest(name, keys))
        yield name, checked(str(path), keys[name], value)


def sections_of(keys: Iterable[str]) -> set[str]:
    """The sections that these keys stand in."""
    return {name.rpartition(".")[0] for name in keys} - {""}


def _flattened(table: dict[str, Any], sections: set[str], where: str, prefix: str = "") -> Iterator[tuple[str, Any]]:
    for word, value in table.items():
        name = f"{prefix}{word}"
        if name not in sections:
            yield name, value
        elif isinstance(value, dict):
            yield from _flattened(value, sections, where, f"{name}.")
        else:
            raise SettingsError(where, name, f"is a section: write [{name}] and its keys below")


def from_environment(
    service: str, keys: Mapping[str, Key], environ: Mapping[str, str]
) -> Iterator[tuple[str, Any, str]]:
    """What variables say of a service: key, value, variable. Raises SettingsError."""
    prefix = f"DATEFLICKS_{service}_".upper()
    by_variable = {key.variable(service): key for key in keys.values()}
    by_file = {f"{variable}_FILE": key for variable, key in by_variable.items() if key.is_secret}
    for variable in sorted(name for name in environ if name.startswith(prefix)):
        if key := by_variable.get(variable):
            text = environ[variable]
        elif key := by_file.get(variable):
            if variable.removesuffix("_FILE") in environ:
                raise SettingsError(variable, "", f"{variable.removesuffix('_FILE')} is set too: keep one of them")
            text = _secret(variable, Path(environ[variable]))
        else:
            raise SettingsError(variable, "", "no such setting", nearest(variable, [*by_variable, *by_file]))
        if not text.isascii() and any("\ud800" <= one <= "\udfff" for one in text):
            raise SettingsError(variable, "", "is not UTF-8 text")
        yield key.name, checked(variable, key, _from_text(key, text), is_text=True), variable


def _secret(variable: str, path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise SettingsError(variable, "", f"{path} cannot be read: {reason}") from error


def _from_text(key: Key, text: str) -> Any:
    """A variable's text as what it stands for: `a,b` for a list, `name=value,…` for a table."""
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if isinstance(key.default, list):
        return parts
    if isinstance(key.default, dict):
        return {name.strip(): value.strip() for name, _, value in (part.partition("=") for part in parts)}
    return text


def checked(where: str, key: Key, raw: Any, *, is_text: bool = False) -> Any:
    """A value as its key wants it; `is_text` when somebody wrote it as text. Raises SettingsError."""
    try:
        return msgspec.convert(raw, key.type, strict=not is_text)
    except msgspec.ValidationError as error:
        shown = "" if key.is_secret else f", not {raw!r}"
        if get_origin(key.type) is Literal:
            choices = get_args(key.type)
            meant = nearest(str(raw), [str(choice) for choice in choices])
            problem = f"must be one of {', '.join(repr(choice) for choice in choices)}{shown}"
            raise SettingsError(where, key.name, problem, meant) from error
        problem = str(error).replace("`", "").replace("Expected", "must be").split(", got ")[0].split(" - at ")[0]
        words = " ".join(_KINDS.get(word, word) for word in problem.split(" "))
        raise SettingsError(where, key.name, f"{words}{shown}") from error
