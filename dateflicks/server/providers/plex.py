"""`plex`: the films of one's own Plex Media Server. What is stored is a reference, `plex://SERVER/ITEM`; what a player
opens is made of it when it is to be played, with the token of the person who asks.
"""

import re
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar, Final
from urllib.parse import urlencode

import msgspec

from dateflicks.server.providers.answers import needed_object, needed_whole, objects, one_object, text, whole
from dateflicks.server.providers.source import (
    AuthError,
    BaseSource,
    Capability,
    Checkpoint,
    Complete,
    Context,
    Item,
    Mode,
    NotOffered,
    SchemaError,
    SourceError,
    Yield,
)
from dateflicks.settings.providers import PlexSettings

PAGE: Final = 200
OVERLAP: Final = timedelta(hours=1)  # its clock may be another
PEOPLE_MAX: Final = 12
_MOVIE: Final = 1  # Plex's number for films
_MACHINE: Final = re.compile(r"[A-Za-z0-9-]{8,64}")
_KEY: Final = re.compile(r"\d{1,12}")
_PART: Final = re.compile(r"/library/parts/[\w./%~+-]{1,500}")
_GUID: Final = re.compile(r"(?:com\.plexapp\.agents\.)?(imdb|tmdb|themoviedb)://(\w+)(?:[?].*)?")
_NO_AGENTS: Final = frozenset({"tv.plex.agents.none", "com.plexapp.agents.none"})  # nobody knows these as films


@dataclass(frozen=True, slots=True)
class Section:
    """One library of films."""

    key: str
    title: str
    is_of_films: bool


class PlexVideoSource(BaseSource):
    """`plex`."""

    name: ClassVar[str] = "plex"
    config: ClassVar[type[msgspec.Struct]] = PlexSettings
    requests_per_second: ClassVar[float] = 10.0
    capabilities: ClassVar[frozenset[Capability]] = frozenset({"incremental", "resolve", "playable", "needs-key"})
    attribution: ClassVar[str] = "Films of a Plex Media Server (https://www.plex.tv) of one's own."
    may_be_learned_from: ClassVar[bool] = True

    async def fetch(self, context: Context, state: Mapping[str, Any] | None, mode: Mode) -> AsyncIterator[Yield]:
        """Everything (`full`), or what was updated since `state` (`incremental`)."""
        client = PlexClient(context)
        run = _Run(context, client, await client.machine(), await client.sections())
        async for one in run.full(state) if mode == "full" else run.changes(state):
            yield one

    async def resolve(self, context: Context, url: str) -> str:
        """The stream of a reference, with the token of whoever asks. Raises SourceError."""
        machine, _, key = url.removeprefix("plex://").partition("/")
        if not url.startswith("plex://") or not _KEY.fullmatch(key):
            raise NotOffered(f"'{url[:100]}' is no film of a Plex server.")
        client = PlexClient(context)
        if machine != await client.machine():
            raise NotOffered("The film is on another Plex server than yours.")
        return await client.stream(key)

    async def check(self, context: Context) -> str:
        """Which sections are read, and how many films each has. Raises SourceError."""
        client = PlexClient(context)
        found = []
        for section in await client.sections():
            page = await client.films(section.key, 0, 1, None)
            found.append(f"{_total(page)} films in '{section.title}'")
        return f"The Plex server has {', '.join(found) or 'no section of films'}."


class PlexClient:
    """The requests that are made of it. Raises SourceErrors."""

    def __init__(self, context: Context) -> None:
        config: PlexSettings = context.config
        if not config.base_url.startswith(("http://", "https://")):
            raise AuthError("Plex wants the server's address: set `base_url` in [plex].")
        if not config.token:
            raise AuthError("Plex wants a token: set `token` in [plex], or DATEFLICKS_PROVIDERS_PLEX_TOKEN_FILE.")
        self._http = context.http
        self._base_url = config.base_url.rstrip("/")
        self._token = config.token
        self._headers = {"X-Plex-Token": config.token, "Accept": "application/json"}
        self._wanted = config.sections

    async def machine(self) -> str:
        """Which server it is, by the name that stays when its address does not."""
        found = text((await self._container("/identity")).get("machineIdentifier"))
        if found is None or not _MACHINE.fullmatch(found):
            raise SchemaError("the server's machineIdentifier is none")
        return found

    async def sections(self) -> list[Section]:
        """The sections with films that are to be read. Raises SourceError when one of the settings is not there."""
        container = await self._container("/library/sections")
        if "Directory" not in container and whole(container.get("size")) != 0:
            raise SchemaError("there is no Directory")
        found = [_section(one) for one in objects(container.get("Directory")) if one.get("type") == "movie"]
        missing = [title for title in self._wanted if title not in {section.title for section in found}]
        if missing:
            raise SourceError(f"The Plex server has no section of films '{missing[0]}': see `sections` in [plex].")
        return [section for section in found if not self._wanted or section.title in self._wanted]

    async def films(self, section: str, start: int, size: int, updated_since: int | None) -> dict[str, Any]:
        """A page of a section, the oldest first, so that what is new does not move the others."""
        params: dict[str, str | int] = {
            "type": _MOVIE,
            "includeGuids": 1,
            "sort": "addedAt:asc",
            "X-Plex-Container-Start": start,
            "X-Plex-Container-Size": size,
        }
        if updated_since is not None:
            params["updatedAt>>"] = updated_since  # Plex's way to write "later than"
        return await self._container(f"/library/sections/{section}/all", params)

    async def stream(self, key: str) -> str:
        """Where a film of the user's plays from, as it is stored. Raises NotOffered."""
        container = await self._container(f"/library/metadata/{key}")
        part = next((part for one in objects(container.get("Metadata")) if (part := playable_part(one))), None)
        if part is None:
            raise NotOffered("The Plex server has nothing to play of this film.")
        return f"{self._base_url}{part}?{urlencode({'X-Plex-Token': self._token})}"

    async def _container(self, path: str, params: Mapping[str, str | int] | None = None) -> dict[str, Any]:
        answer = await self._http.get(f"{self._base_url}{path}", params=params, headers=self._headers)
        found = needed_object(answer.json(), path)
        return needed_object(found.get("MediaContainer"), f"MediaContainer of {path}")


class _Run:
    """One run."""

    def __init__(self, context: Context, client: PlexClient, machine: str, sections: Sequence[Section]) -> None:
        self._context = context
        self._client = client
        self._machine = machine
        self._sections = sections
        self._scope = f"{machine} {','.join(section.key for section in sections)}"
        self._now = context.now()
        self._has_left_out = False

    async def full(self, state: Mapping[str, Any] | None) -> AsyncIterator[Yield]:
        """Every film, section by section; from the page at which an earlier run broke off, if it did."""
        begun = self._own(state)
        began = whole(begun.get("since")) or self._place()
        keys = [section.key for section in self._sections]
        is_resumed = begun.get("section") in keys
        at = keys.index(begun["section"]) if is_resumed else 0
        start = max(0, whole(begun.get("start")) or 0) if is_resumed else 0
        is_whole = not is_resumed
        for number, section in enumerate(self._sections[at:], at):
            totals: set[int] = set()
            keys_read: set[str] = set()
            while True:
                page = await self._client.films(section.key, start, PAGE, None)
                films, total = _films(page), _total(page)
                for item in self._items(films, section):
                    yield item
                start += len(films)
                totals.add(total)
                keys_read.update(str(one_object(film).get("ratingKey")) for film in films)
                is_end = not films or start >= total
                following, place = (number + 1, 0) if is_end else (number, start)
                if following < len(keys):
                    state = {"scope": self._scope, "since": began, "section": keys[following], "start": place}
                    yield Checkpoint(state=state)
                    if self._context.stopping.is_set():
                        return
                if is_end:
                    is_whole = is_whole and len(keys_read) >= total and len(totals) == 1  # else the pages have moved
                    break
            start = 0
        yield Complete(full=is_whole and not self._has_left_out, state={"scope": self._scope, "since": began})

    async def changes(self, state: Mapping[str, Any] | None) -> AsyncIterator[Yield]:
        """The films that were updated since the last run; all when it was of other sections."""
        since = whole(self._own(state).get("since"))
        for section in self._sections:
            start = 0
            while True:
                page = await self._client.films(section.key, start, PAGE, since)
                films = _films(page)
                for item in self._items(films, section):
                    yield item
                start += len(films)
                if self._context.stopping.is_set():
                    return
                if not films or start >= _total(page):
                    break
        yield Complete(full=False, state={"scope": self._scope, "since": self._place()})

    def _items(self, films: Sequence[Any], section: Section) -> list[Item]:
        found = []
        for film in films:
            try:
                one = needed_object(film, "the item")
                item = item_of(one, self._machine, section)
            except SchemaError as error:
                self._has_left_out = True
                self._context.put_aside(f"item {one_object(film).get('ratingKey')!r}"[:100], str(error))
                continue
            if playable_part(one) is None:
                self._context.log.info("Item %s is in several files, or in none, and is left out.", item.source_id)
            else:
                found.append(item)
        return found

    def _own(self, state: Mapping[str, Any] | None) -> Mapping[str, Any]:
        """A state that is of this server and these sections; else all begins anew."""
        return state if state is not None and state.get("scope") == self._scope else {}

    def _place(self) -> int:
        return int((self._now - OVERLAP).timestamp())


# --- answers ----------------------------------------------------------------------------------------------------------


def _films(page: Mapping[str, Any]) -> list[Any]:
    """The films of a page; an empty one has no list."""
    found = page.get("Metadata")
    if found is None and whole(page.get("size")) == 0:
        return []
    if not isinstance(found, list):
        raise SchemaError("Metadata is no list")
    return found


def _total(page: Mapping[str, Any]) -> int:
    """How many there are in all; a page that is everything may say only how many it holds itself."""
    total = whole(page.get("totalSize"))
    return needed_whole(page.get("size"), "size") if total is None else total


def _section(one: Mapping[str, Any]) -> Section:
    key = str(one.get("key"))
    if not _KEY.fullmatch(key):
        raise SchemaError("a section's key is none")
    return Section(key, text(one.get("title")) or key, text(one.get("agent")) not in _NO_AGENTS)


def item_of(film: Mapping[str, Any], machine: str, section: Section) -> Item:
    """A film of the server. Raises SchemaError."""
    key, title = str(film.get("ratingKey")), text(film.get("title"))
    if not _KEY.fullmatch(key):
        raise SchemaError("ratingKey is none")
    if title is None:
        raise SchemaError("title is no text")
    milliseconds = whole(film.get("duration"))
    return Item(
        source_id=key,
        url=f"plex://{machine}/{key}",
        title=title,
        kind="film" if section.is_of_films else "other",
        original_title=text(film.get("originalTitle")),
        year=whole(film.get("year")) or whole((text(film.get("originallyAvailableAt")) or "")[:4]),
        duration_seconds=milliseconds / 1_000 if milliseconds and milliseconds > 0 else None,
        genres=_tags(film, "Genre"),
        overview=text(film.get("summary")),
        people=tuple(dict.fromkeys((*_tags(film, "Director"), *_tags(film, "Role"))))[:PEOPLE_MAX],
        external_ids=_ids(film),
        offer_type="owned",
        playable=True,
    )


def playable_part(film: Mapping[str, Any]) -> str | None:
    """Where the film is as one file, by its path on the server; None when it is in several, or in none."""
    for media in objects(film.get("Media")):
        parts = objects(media.get("Part"))
        key = text(parts[0].get("key")) if len(parts) == 1 else None
        if key is not None and _PART.fullmatch(key) and ".." not in key:
            return key
    return None


def _tags(film: Mapping[str, Any], name: str) -> tuple[str, ...]:
    return tuple(tag for one in objects(film.get(name)) if (tag := text(one.get("tag"))))


def _ids(film: Mapping[str, Any]) -> dict[str, str]:
    """Its ids elsewhere, as today's agents tell them, or in the guid itself as the older ones did."""
    found: dict[str, str] = {}
    for guid in [*(text(one.get("id")) for one in objects(film.get("Guid"))), text(film.get("guid"))]:
        match = _GUID.fullmatch(guid or "")
        if match:
            found.setdefault("imdb" if match[1] == "imdb" else "tmdb", match[2])
    return found
