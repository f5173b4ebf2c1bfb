"""What can be set for video sources: which run and when, their keys, and where they find what they read. The structs of
the built-in sources are their `config`; a plug-in brings its own, and is set below `[plugins.NAME]`.
"""

from pathlib import Path
from typing import Annotated, Any, Final

import msgspec

from dateflicks.settings.own_list import list_path
from dateflicks.settings.services import Count, MongoSettings, Seconds, Secret

KNOWN_FILES: Final = "local-files.db"
Schedule = Annotated[str, msgspec.Meta(max_length=100)]
Regions = Annotated[list[str], msgspec.Meta(max_length=300)]
Plugins = Annotated[dict[str, dict[str, Any]], msgspec.Meta(extra={"secret": True})]


class ScheduledSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What every source has: whether it runs by itself, and when (five cron fields, in UTC)."""

    enabled: bool = False
    schedule: Schedule = "17 3 * * *"
    full_schedule: Schedule = "17 4 * * sun"


class _Schedule(msgspec.Struct, frozen=True, omit_defaults=True):
    """The same where a plug-in's section says it: only what stands there."""

    enabled: bool | msgspec.UnsetType = msgspec.UNSET
    schedule: Schedule | msgspec.UnsetType = msgspec.UNSET
    full_schedule: Schedule | msgspec.UnsetType = msgspec.UNSET


class TmdbSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What the three vendors' sources share: the keys of the two catalogues behind them, and where those are."""

    token: Secret = ""
    base_url: str = "https://api.themoviedb.org"
    streaming_key: Secret = ""
    streaming_url: str = "https://api.movieofthenight.com"


class VendorSettings(ScheduledSettings, frozen=True, kw_only=True):
    """`netflix`, `amazon`, `apple`: regions, and the vendor's ids at TMDB; what is empty is taken from `[tmdb]`."""

    regions: Regions = msgspec.field(default_factory=lambda: ["US"])
    language: str = "en-US"
    provider_ids: list[int] = []
    token: Secret = ""
    base_url: str = ""
    streaming_key: Secret = ""
    streaming_url: str = ""


class ArchiveSettings(ScheduledSettings, frozen=True, kw_only=True):
    """`archive`: films of the Internet Archive that are free to watch."""

    schedule: Schedule = "7 5 * * *"
    full_schedule: Schedule = "7 6 * * sun"
    base_url: str = "https://archive.org"
    collections: list[str] = msgspec.field(default_factory=lambda: ["feature_films"])


class LocalSettings(ScheduledSettings, frozen=True, kw_only=True):
    """`local`: folders of films on this machine."""

    enabled: bool = True
    schedule: Schedule = "*/30 * * * *"
    full_schedule: Schedule = "37 2 * * *"
    folders: list[str] = []
    ffprobe: str = "ffprobe"
    settle_seconds: Seconds = 60.0
    known_files: str = ""


class LibrarySettings(ScheduledSettings, frozen=True, kw_only=True):
    """`jellyfin` and `plex`: a media server of one's own."""

    schedule: Schedule = "*/30 * * * *"
    full_schedule: Schedule = "47 2 * * *"
    base_url: str = ""
    token: Secret = ""


class JellyfinSettings(LibrarySettings, frozen=True, kw_only=True):
    """`jellyfin`: with the user whose libraries are read."""

    user_id: str = ""


class PlexSettings(LibrarySettings, frozen=True, kw_only=True):
    """`plex`: with the sections that are read."""

    full_schedule: Schedule = "52 2 * * *"
    sections: list[str] = []


class OwnListSettings(ScheduledSettings, frozen=True, kw_only=True):
    """`url`: one's own list of films, in a file or at addresses."""

    enabled: bool = True
    schedule: Schedule = "*/30 * * * *"
    full_schedule: Schedule = "57 2 * * *"
    file: str = ""
    list_urls: list[str] = []


class RunSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What a run may take, and what it may take away."""

    timeout_seconds: Seconds = 2 * 3_600.0
    memory_mib: Annotated[int, msgspec.Meta(ge=64, le=1_048_576)] = 1_024
    removal_share: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.3
    removal_least: Count = 20
    keep_gone_days: Count = 90


class ProvidersSettings(msgspec.Struct, frozen=True, kw_only=True):
    """All of it."""

    contact: str = ""
    allow: list[str] = []
    deny: list[str] = []
    data: str = ""
    merge_schedule: Schedule = "27 5 * * *"
    retention_schedule: Schedule = "47 5 * * *"
    plugins: Plugins = {}
    run: RunSettings = RunSettings()
    tmdb: TmdbSettings = TmdbSettings()
    netflix: VendorSettings = VendorSettings(provider_ids=[8])
    amazon: VendorSettings = VendorSettings(schedule="37 3 * * *", full_schedule="37 4 * * sun", provider_ids=[9, 119])
    apple: VendorSettings = VendorSettings(schedule="57 3 * * *", full_schedule="57 4 * * sun", provider_ids=[350])
    archive: ArchiveSettings = ArchiveSettings()
    local: LocalSettings = LocalSettings()
    jellyfin: JellyfinSettings = JellyfinSettings()
    plex: PlexSettings = PlexSettings()
    url: OwnListSettings = OwnListSettings()
    mongo: MongoSettings = MongoSettings()

    def section(self, source: str) -> ScheduledSettings | None:
        """The settings of a built-in source, with what it takes from elsewhere. None for a plug-in.

        A vendor takes what is empty from `[tmdb]`; what is kept in a file is in the folder `data`, if that is known.
        """
        found = getattr(self, source, None) if source in self.__struct_fields__ else None
        if isinstance(found, VendorSettings):
            shared = {name: getattr(self.tmdb, name) for name in self.tmdb.__struct_fields__}
            return msgspec.structs.replace(
                found, **{name: value for name, value in shared.items() if not getattr(found, name)}
            )
        if isinstance(found, LocalSettings) and self.data:
            chosen = found.known_files or str(Path(self.data, KNOWN_FILES))
            return msgspec.structs.replace(found, known_files=chosen)
        if isinstance(found, OwnListSettings) and self.data:
            return msgspec.structs.replace(found, file=str(list_path(found.file, Path(self.data))))
        return found if isinstance(found, ScheduledSettings) else None

    def scheduled(self, source: str) -> ScheduledSettings:
        """Whether and when a source runs, a plug-in too. Raises msgspec.ValidationError for what does not fit."""
        found = self.section(source)
        if found is not None:
            return found
        own = {key: value for key, value in self.plugins.get(source, {}).items() if key in SCHEDULE_KEYS}
        return msgspec.structs.replace(PLUGIN_SCHEDULE, **msgspec.to_builtins(msgspec.convert(own, _Schedule)))


SCHEDULE_KEYS = ScheduledSettings.__struct_fields__
PLUGIN_SCHEDULE = ScheduledSettings(enabled=True, schedule="7 3 * * *", full_schedule="7 4 * * sun")
"""For a plug-in whose section says nothing else."""
