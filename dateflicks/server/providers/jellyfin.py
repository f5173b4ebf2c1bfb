"""`jellyfin`: the films of one's own Jellyfin server. What is stored is a reference, `jellyfin://SERVER/ITEM`; what a
player opens is made of it when it is to be played, with the key of the person who asks.
"""

import re
from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from typing import Any, ClassVar, Final
from urllib.parse import quote, urlencode

import msgspec

from dateflicks.server.providers.answers import (
    needed_list,
    needed_object,
    needed_whole,
    objects,
    one_object,
    text,
    texts,
    whole,
)
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
    Removed,
    SchemaError,
    Yield,
)
from dateflicks.settings.providers import JellyfinSettings

PAGE: Final = 200
OVERLAP: Final = timedelta(hours=1)  # its clock may be another
PEOPLE_MAX: Final = 12
TICKS_PER_SECOND: Final = 10_000_000
_FIELDS: Final = "ProviderIds,OriginalTitle,Overview,Genres,People,MediaSources,DateCreated"
_ID: Final = re.compile(r"[0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_CONTAINER: Final = re.compile(r"[a-z0-9]{1,10}")


class JellyfinVideoSource(BaseSource):
    """`jellyfin`."""

    name: ClassVar[str] = "jellyfin"
    config: ClassVar[type[msgspec.Struct]] = JellyfinSettings
    requests_per_second: ClassVar[float] = 10.0
    capabilities: ClassVar[frozenset[Capability]] = frozenset({"incremental", "resolve", "playable", "needs-key"})
    attribution: ClassVar[str] = "Films of a Jellyfin server (https://jellyfin.org) of one's own."
    may_be_learned_from: ClassVar[bool] = True

    async def fetch(self, context: Context, state: Mapping[str, Any] | None, mode: Mode) -> AsyncIterator[Yield]:
        """Everything (`full`), or what was saved since `state` (`incremental`)."""
        run = _Run(context, await JellyfinClient(context).server_id())
        async for one in run.full(state) if mode == "full" else run.changes(state):
            yield one

    async def resolve(self, context: Context, url: str) -> str:
        """The stream of a reference, with the key of whoever asks. Raises SourceError."""
        server, _, item = url.removeprefix("jellyfin://").partition("/")
        if not url.startswith("jellyfin://") or not _ID.fullmatch(item):
            raise NotOffered(f"'{url[:100]}' is no film of a Jellyfin server.")
        client = JellyfinClient(context)
        if server != await client.server_id():
            raise NotOffered("The film is on another Jellyfin server than yours.")
        return await client.stream(item)

    async def check(self, context: Context) -> str:
        """Which server it is, and how many films it has for the user. Raises SourceError."""
        client = JellyfinClient(context)
        name = await client.server_name()
        page = await client.films(0, 1, None)
        return f"The Jellyfin server '{name}' has {needed_whole(page.get('TotalRecordCount'), 'its number')} films."


class JellyfinClient:
    """The requests that are made of it. Raises SourceErrors."""

    def __init__(self, context: Context) -> None:
        config: JellyfinSettings = context.config
        if not config.base_url.startswith(("http://", "https://")):
            raise AuthError("Jellyfin wants the server's address: set `base_url` in [jellyfin].")
        if not config.token:
            raise AuthError(
                "Jellyfin wants a key: set `token` in [jellyfin], or DATEFLICKS_PROVIDERS_JELLYFIN_TOKEN_FILE."
            )
        self._http = context.http
        self._base_url = config.base_url.rstrip("/")
        self._token = config.token
        self._headers = {"Authorization": f'MediaBrowser Token="{quote(config.token, safe="")}"'}
        self._user = {"userId": config.user_id} if config.user_id else {}

    async def server_id(self) -> str:
        """Which server it is, by the name that stays when its address does not."""
        found = text((await self._server()).get("Id"))
        if found is None or not _ID.fullmatch(found):
            raise SchemaError("the server's Id is none")
        return found

    async def server_name(self) -> str:
        """What people call it."""
        return text((await self._server()).get("ServerName")) or "without a name"

    async def _server(self) -> dict[str, Any]:
        return await self._object("/System/Info/Public", {})

    async def films(self, start: int, limit: int, saved_since: str | None) -> dict[str, Any]:
        """A page of films, the oldest first, so that what is new does not move the others."""
        params: dict[str, str | int] = {
            "recursive": "true",
            "includeItemTypes": "Movie",
            "fields": _FIELDS,
            "sortBy": "DateCreated,SortName",
            "sortOrder": "Ascending",
            "startIndex": start,
            "limit": limit,
        }
        if saved_since is not None:
            params["minDateLastSaved"] = saved_since
        return await self._object("/Items", params)

    async def stream(self, item: str) -> str:
        """Where a film of the user's plays from, as it is stored. Raises NotOffered."""
        page = await self._object("/Items", {"ids": item, "fields": "MediaSources"})
        found = next(iter(objects(needed_list(page.get("Items"), "Items"))), None)
        if found is None:
            raise NotOffered("The Jellyfin server has this film no more, or not for you.")
        media = next(iter(objects(found.get("MediaSources"))), {})
        params = {"static": "true", "mediaSourceId": text(media.get("Id")) or item, "ApiKey": self._token}
        container = (text(media.get("Container")) or "").partition(",")[0].lower()
        ending = f".{container}" if _CONTAINER.fullmatch(container) else ""
        return f"{self._base_url}/Videos/{item}/stream{ending}?{urlencode(params)}"

    async def _object(self, path: str, params: Mapping[str, str | int]) -> dict[str, Any]:
        answer = await self._http.get(
            f"{self._base_url}{path}",
            params={**params, **self._user} if path == "/Items" else {},
            headers=self._headers,
        )
        return needed_object(answer.json(), path)


class _Run:
    """One run."""

    def __init__(self, context: Context, server_id: str) -> None:
        self._context = context
        self._client = JellyfinClient(context)
        self._server_id = server_id
        self._scope = f"{server_id} {context.config.user_id}"
        self._now = context.now()
        self._has_left_out = False

    async def full(self, state: Mapping[str, Any] | None) -> AsyncIterator[Yield]:
        """Every film; from the page at which an earlier run broke off, if it did."""
        begun = self._own(state)
        start = max(0, whole(begun.get("start")) or 0)
        began = text(begun.get("began")) or self._place()
        ids: set[str] = set()
        totals: set[int] = set()
        is_resumed = start > 0
        while True:
            page = await self._client.films(start, PAGE, None)
            films = needed_list(page.get("Items"), "Items")
            total = needed_whole(page.get("TotalRecordCount"), "TotalRecordCount")
            totals.add(total)
            for item, is_there in self._items(films):
                ids.add(item.source_id)
                if is_there:
                    yield item
            start += len(films)
            if not films or start >= total:
                break
            yield Checkpoint(state={"scope": self._scope, "began": began, "start": start})
            if self._context.stopping.is_set():
                return
        has_moved = len(totals) > 1  # so that a page may have begun behind a film that was never shown
        is_whole = not is_resumed and not has_moved and len(ids) >= total and not self._has_left_out
        if not is_whole:
            self._context.log.info("Of %d films %d were read: nothing counts as gone.", total, len(ids))
        yield Complete(full=is_whole, state={"scope": self._scope, "since": began})

    async def changes(self, state: Mapping[str, Any] | None) -> AsyncIterator[Yield]:
        """The films that were saved since the last run; all when it was of another server or user."""
        since = text(self._own(state).get("since"))
        start = 0
        while True:
            page = await self._client.films(start, PAGE, since)
            films = needed_list(page.get("Items"), "Items")
            for item, is_there in self._items(films):
                yield item if is_there else Removed(source_id=item.source_id)
            start += len(films)
            if not films or start >= needed_whole(page.get("TotalRecordCount"), "TotalRecordCount"):
                break
            if self._context.stopping.is_set():
                return
        yield Complete(full=False, state={"scope": self._scope, "since": self._place()})

    def _items(self, films: list[Any]) -> list[tuple[Item, bool]]:
        """The films of a page, each with whether it can be played."""
        found = []
        for film in films:
            try:
                one = needed_object(film, "the item")
                found.append((item_of(one, self._server_id), _is_there(one)))
            except SchemaError as error:
                self._has_left_out = True
                self._context.put_aside(f"item {one_object(film).get('Id')!r}"[:100], str(error))
        return found

    def _own(self, state: Mapping[str, Any] | None) -> Mapping[str, Any]:
        """A state that is of this server and user; else all begins anew."""
        return state if state is not None and state.get("scope") == self._scope else {}

    def _place(self) -> str:
        return (self._now - OVERLAP).strftime("%Y-%m-%dT%H:%M:%SZ")


def item_of(film: Mapping[str, Any], server_id: str) -> Item:
    """A film of the server. Raises SchemaError."""
    item_id, title = text(film.get("Id")), text(film.get("Name"))
    if item_id is None or not _ID.fullmatch(item_id):
        raise SchemaError("Id is none")
    if title is None:
        raise SchemaError("Name is no text")
    ticks = whole(film.get("RunTimeTicks"))
    known = {name.lower(): text(value) for name, value in one_object(film.get("ProviderIds")).items()}
    return Item(
        source_id=item_id,
        url=f"jellyfin://{server_id}/{item_id}",
        title=title,
        original_title=text(film.get("OriginalTitle")),
        year=whole(film.get("ProductionYear")) or whole((text(film.get("PremiereDate")) or "")[:4]),
        duration_seconds=ticks / TICKS_PER_SECOND if ticks and ticks > 0 else None,
        genres=texts(film.get("Genres")),
        overview=text(film.get("Overview")),
        people=_people(film),
        external_ids={kind: value for kind in ("imdb", "tmdb", "wikidata") if (value := known.get(kind))},
        offer_type="owned",
        playable=True,
    )


def _people(film: Mapping[str, Any]) -> tuple[str, ...]:
    """Who directed it, then who plays in it, in their order."""
    everybody = objects(film.get("People"))
    names = [text(one.get("Name")) for job in ("Director", "Actor") for one in everybody if one.get("Type") == job]
    return tuple(dict.fromkeys(name for name in names if name))[:PEOPLE_MAX]


def _is_there(film: Mapping[str, Any]) -> bool:
    """Whether there is a film to play, as opposed to the mention of one."""
    return film.get("LocationType") != "Virtual" and not film.get("IsPlaceHolder") and film.get("IsFolder") is not True
