"""What is plugged in: which packages bring something under a group of entry points, found without importing any, and
one of them, imported and looked at. A package that is broken is told as broken, and hinders no other.
"""

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from importlib import import_module
from importlib.metadata import Distribution, distributions
from typing import Any, Final

import msgspec

from dateflicks import __version__
from dateflicks.protocol.text import clean_line
from dateflicks.settings.errors import SettingsError

PACKAGE: Final = "dateflicks"
_NAME: Final = re.compile(r"[a-z][a-z0-9_-]{1,31}")
_REFERENCE: Final = re.compile(r"\s*([\w.]+)\s*:\s*([\w.]+)\s*(\[.*\])?\s*")

Problems = Callable[[Any, str], Iterator[str]]


class Broken(Exception):
    """What cannot be had at all: its package is broken, or not what it should be. The text is for operators."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What is found by name: whose it is, where its class is, and why it is not used, if so."""

    name: str
    package: str
    version: str
    reference: str
    problem: str | None = None


def discover(
    group: str, built_in: Mapping[str, str], allow: Collection[str] = (), deny: Collection[str] = ()
) -> list[Found]:
    """All that there are: the built-in ones, then plug-ins by name. Of two of one name the first counts."""
    found = [Found(name=name, package=PACKAGE, version=__version__, reference=at) for name, at in built_in.items()]
    found += sorted(_plugins(group), key=lambda one: (one.name, one.package))
    owners: dict[str, str] = {}
    judged = []
    for one in found:
        owner = owners.setdefault(one.name, one.package)
        judged.append(replace(one, problem=one.problem or _objection(one, owner, allow, deny)))
    return judged


def _objection(one: Found, owner: str, allow: Collection[str], deny: Collection[str]) -> str | None:
    if owner != one.package:
        return f"the name is taken by {owner}"
    if one.name in deny:
        return "denied by the settings"
    if allow and one.name not in allow:
        return "not allowed by the settings"
    return None


def the_one(found: Iterable[Found], name: str, word: str) -> Found:
    """The one of that name, which is a `word` ("source"). Raises Broken, with what is wrong with it."""
    first = next((one for one in found if one.name == name), None)
    if first is None:
        raise Broken(f"There is no {word} '{name}'.")
    if first.problem:
        raise Broken(f"The {word} '{name}' is not used: {first.problem}.")
    return first


def _plugins(group: str) -> Iterator[Found]:
    seen: set[str] = set()
    for distribution in distributions():
        try:
            package = distribution.metadata["Name"]
            version = distribution.version
        except Exception:  # noqa: BLE001, S112 - whatever is wrong with somebody's package, the others are found
            continue
        if not package or re.sub(r"[-_.]+", "-", package).lower() in seen | {PACKAGE}:
            continue
        seen.add(re.sub(r"[-_.]+", "-", package).lower())
        yield from _plugins_of(group, distribution, package, version)


def _plugins_of(group: str, distribution: Distribution, package: str, version: str) -> Iterator[Found]:
    try:
        for entry in distribution.entry_points:
            if entry.group == group:
                is_name = _NAME.fullmatch(entry.name)
                yield Found(
                    name=entry.name if is_name else clean_line(entry.name, 32),
                    package=package,
                    version=version,
                    reference=entry.value,
                    problem=None if is_name else "the name is none: lower-case letters, digits, - and _",
                )
    except Exception:  # noqa: BLE001 - as above: an entry point file that cannot be read
        return


# --- loading --------------------------------------------------------------------------------------------------------


def load(found: Found, problems_of: Problems) -> Any:
    """The thing itself, imported, made and looked at. Raises Broken: `ImportError: …`, say."""
    try:
        made = _made(found.reference)
        problems = [*problems_of(made, found.name)]
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # whatever a package does when it is imported, even to exit
        raise Broken(f"{type(error).__name__}: {clean_line(str(error), 300)}") from error
    if problems:
        raise Broken("; ".join(problems))
    return made


def _made(reference: str) -> Any:
    parts = _REFERENCE.fullmatch(reference)
    if parts is None:
        raise ImportError(f"'{reference}' names no class")
    made: Any = import_module(parts[1])
    for attribute in parts[2].split("."):
        made = getattr(made, attribute)
    return made()


def problems_of_interface(made: Any, name: str, *, attributes: Iterable[str], kind: str, version: int) -> Iterator[str]:
    """What anything that is plugged in can declare wrongly, a phrase each; `kind` is what it should be."""
    missing = [attribute for attribute in attributes if not hasattr(made, attribute)]
    if missing:
        yield f"it is no {kind}: it has no {', '.join(missing)}"
        return
    if made.api_version != version:
        yield f"it is made for version {made.api_version!r} of this interface, which is at {version}"
    if made.name != name:
        yield f"it calls itself {made.name!r}, and its entry point {name!r}"
    if not (isinstance(made.config, type) and issubclass(made.config, msgspec.Struct)):
        yield "its config is no msgspec.Struct"
        return
    try:
        made.config()
    except TypeError:
        yield "its config has keys without a default"


def plugged_config(
    name: str,
    kind: type[msgspec.Struct],
    plugins: Mapping[str, Mapping[str, Any]],
    *,
    file: str,
    beside: Collection[str],
) -> msgspec.Struct:
    """A plug-in's own settings: its part of `[plugins]` but for the keys `beside` them. Raises SettingsError."""
    own = {key: value for key, value in plugins.get(name, {}).items() if key not in beside}
    place = f"plugins.{name}"
    known = {field.encode_name for field in msgspec.structs.fields(kind)}
    if unknown := sorted(own.keys() - known):
        raise SettingsError(file, f"{place}.{unknown[0]}", "no such key")
    try:
        config: msgspec.Struct = msgspec.convert(own, kind)
    except msgspec.ValidationError as error:
        problem = str(error).replace("`", "").split(", got ")[0]  # what was got may be a secret
        raise SettingsError(file, place, problem) from None
    return config
