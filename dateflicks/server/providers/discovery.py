"""Which sources there are, without importing any; and one of them, imported and looked at. A package that is broken is
told as broken, and hinders no other.
"""

import math
import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from importlib import import_module
from importlib.metadata import Distribution, distributions
from typing import Any, ClassVar, Final, Literal

import msgspec

from dateflicks import __version__
from dateflicks.protocol.text import clean_line
from dateflicks.server.providers.source import API_VERSION, ENTRY_POINTS, SourceError, VideoSource
from dateflicks.settings.loader import SettingsError
from dateflicks.settings.providers import SCHEDULE_KEYS, ProvidersSettings

PACKAGE: Final = "dateflicks"
BUILT_IN: Final = {
    "netflix": "dateflicks.server.providers.tmdb:NetflixVideoSource",
    "amazon": "dateflicks.server.providers.tmdb:AmazonVideoSource",
    "apple": "dateflicks.server.providers.tmdb:AppleVideoSource",
    "archive": "dateflicks.server.providers.archive:ArchiveVideoSource",
    "local": "dateflicks.server.providers.local:LocalVideoSource",
    "jellyfin": "dateflicks.server.providers.jellyfin:JellyfinVideoSource",
    "plex": "dateflicks.server.providers.plex:PlexVideoSource",
    "url": "dateflicks.server.providers.own_list:OwnListVideoSource",
}
_NAME: Final = re.compile(r"[a-z][a-z0-9_-]{1,31}")
_HOST: Final = re.compile(r"(\*\.)?[a-z0-9-]+(\.[a-z0-9-]+)*", re.IGNORECASE)
_REFERENCE: Final = re.compile(r"\s*([\w.]+)\s*:\s*([\w.]+)\s*(\[.*\])?\s*")
_RATE_MAX: Final = 1_000.0


class BrokenSource(SourceError):
    """A source that cannot be had at all: its package is broken, or not what it should be."""

    kind: ClassVar[Literal["bug"]] = "bug"


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One source by name: whose it is, where its class is, and why it is not used, if so."""

    name: str
    package: str
    version: str
    reference: str
    problem: str | None = None

    @property
    def is_built_in(self) -> bool:
        """Whether it came with this package."""
        return self.package == PACKAGE


def discover(allow: Collection[str] = (), deny: Collection[str] = ()) -> list[Found]:
    """All sources: the built-in ones, then plug-ins by name. Of two of one name the first counts."""
    found = [Found(name=name, package=PACKAGE, version=__version__, reference=at) for name, at in BUILT_IN.items()]
    found += sorted(_plugins(), key=lambda one: (one.name, one.package))
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


def find(name: str, allow: Collection[str] = (), deny: Collection[str] = ()) -> Found:
    """The source of that name. Raises BrokenSource, with what is wrong with it."""
    first = next((one for one in discover(allow, deny) if one.name == name), None)
    if first is None:
        raise BrokenSource(f"There is no source '{name}'.")
    if first.problem:
        raise BrokenSource(f"The source '{name}' is not used: {first.problem}.")
    return first


def _plugins() -> Iterator[Found]:
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
        yield from _plugins_of(distribution, package, version)


def _plugins_of(distribution: Distribution, package: str, version: str) -> Iterator[Found]:
    try:
        for entry in distribution.entry_points:
            if entry.group == ENTRY_POINTS:
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


def load(found: Found) -> VideoSource:
    """The source itself, imported, made and looked at. Raises BrokenSource: `ImportError: …`, say."""
    try:
        source = _made(found.reference)
        problems = [*problems_of(source, found.name)]
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # whatever a package does when it is imported, even to exit
        raise BrokenSource(f"{type(error).__name__}: {clean_line(str(error), 300)}") from error
    if problems:
        raise BrokenSource("; ".join(problems))
    return source


def _made(reference: str) -> VideoSource:
    parts = _REFERENCE.fullmatch(reference)
    if parts is None:
        raise ImportError(f"'{reference}' names no class")
    made: Any = import_module(parts[1])
    for attribute in parts[2].split("."):
        made = getattr(made, attribute)
    factory: Callable[[], VideoSource] = made
    return factory()


def problems_of(source: Any, name: str) -> Iterator[str]:
    """What a source declares wrongly, a phrase each."""
    missing = [attribute for attribute in _ATTRIBUTES if not hasattr(source, attribute)]
    if missing:
        yield f"it is no video source: it has no {', '.join(missing)}"
        return
    if source.api_version != API_VERSION:
        yield f"it is made for version {source.api_version!r} of this interface, which is at {API_VERSION}"
    if source.name != name:
        yield f"it calls itself {source.name!r}, and its entry point {name!r}"
    if not isinstance(source.hosts, tuple) or not all(isinstance(host, str) for host in source.hosts):
        yield "its hosts are no tuple of names"
    elif wrong := [host for host in source.hosts if not _HOST.fullmatch(host)]:
        yield f"its hosts have {wrong[0]!r}, which is no name of a host"
    rate = source.requests_per_second
    if not isinstance(rate, int | float) or not math.isfinite(rate) or not 0 < rate <= _RATE_MAX:
        yield f"it wants {rate!r} requests per second"
    if not isinstance(source.attribution, str):
        yield "its attribution is no text"
    if not (isinstance(source.config, type) and issubclass(source.config, msgspec.Struct)):
        yield "its config is no msgspec.Struct"
        return
    try:
        source.config()
    except TypeError:
        yield "its config has keys without a default"


_ATTRIBUTES: Final = (
    "name",
    "api_version",
    "config",
    "hosts",
    "requests_per_second",
    "capabilities",
    "attribution",
    "fetch",
    "resolve",
    "check",
)


def config_of(source: VideoSource, settings: ProvidersSettings) -> msgspec.Struct:
    """A source's own settings: its section, or for a plug-in its part of `[plugins]`. Raises SettingsError."""
    section = settings.section(source.name)
    if section is not None:
        return section
    own = {key: value for key, value in settings.plugins.get(source.name, {}).items() if key not in SCHEDULE_KEYS}
    place = f"plugins.{source.name}"
    known = {field.encode_name for field in msgspec.structs.fields(source.config)}
    if unknown := sorted(own.keys() - known):
        raise SettingsError("providers.toml", f"{place}.{unknown[0]}", "no such key")
    try:
        config: msgspec.Struct = msgspec.convert(own, source.config)
    except msgspec.ValidationError as error:
        problem = str(error).replace("`", "").split(", got ")[0]  # what was got may be a secret
        raise SettingsError("providers.toml", place, problem) from None
    return config
