"""Which sources there are, without importing any; and one of them, imported and looked at."""

import math
import re
from collections.abc import Collection, Iterator
from typing import Any, ClassVar, Final, Literal

import msgspec

from dateflicks.server import plugins
from dateflicks.server.plugins import Found as Found
from dateflicks.server.providers.source import API_VERSION, ENTRY_POINTS, SourceError, VideoSource
from dateflicks.settings.providers import SCHEDULE_KEYS, ProvidersSettings

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
_HOST: Final = re.compile(r"(\*\.)?[a-z0-9-]+(\.[a-z0-9-]+)*", re.IGNORECASE)
_RATE_MAX: Final = 1_000.0


class BrokenSource(SourceError):
    """A source that cannot be had at all: its package is broken, or not what it should be."""

    kind: ClassVar[Literal["bug"]] = "bug"


def discover(allow: Collection[str] = (), deny: Collection[str] = ()) -> list[Found]:
    """All sources: the built-in ones, then plug-ins by name. Of two of one name the first counts."""
    return plugins.discover(ENTRY_POINTS, BUILT_IN, allow, deny)


def find(name: str, allow: Collection[str] = (), deny: Collection[str] = ()) -> Found:
    """The source of that name. Raises BrokenSource, with what is wrong with it."""
    try:
        return plugins.the_one(discover(allow, deny), name, "source")
    except plugins.Broken as error:
        raise BrokenSource(str(error)) from None


def load(found: Found) -> VideoSource:
    """The source itself, imported, made and looked at. Raises BrokenSource: `ImportError: …`, say."""
    try:
        source: VideoSource = plugins.load(found, problems_of)
    except plugins.Broken as error:
        raise BrokenSource(str(error)) from error.__cause__
    return source


def problems_of(source: Any, name: str) -> Iterator[str]:
    """What a source declares wrongly, a phrase each."""
    yield from plugins.problems_of_interface(
        source, name, attributes=_ATTRIBUTES, kind="video source", version=API_VERSION
    )
    if any(not hasattr(source, attribute) for attribute in _ATTRIBUTES):
        return
    if not isinstance(source.hosts, tuple) or not all(isinstance(host, str) for host in source.hosts):
        yield "its hosts are no tuple of names"
    elif wrong := [host for host in source.hosts if not _HOST.fullmatch(host)]:
        yield f"its hosts have {wrong[0]!r}, which is no name of a host"
    rate = source.requests_per_second
    if not isinstance(rate, int | float) or not math.isfinite(rate) or not 0 < rate <= _RATE_MAX:
        yield f"it wants {rate!r} requests per second"
    if not isinstance(source.attribution, str):
        yield "its attribution is no text"


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
    return plugins.plugged_config(
        source.name, source.config, settings.plugins, file="providers.toml", beside=SCHEDULE_KEYS
    )
