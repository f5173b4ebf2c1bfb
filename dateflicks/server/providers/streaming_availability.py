"""Streaming Availability, which knows links into the vendors' own programs, and what came and went in their catalogues:
read for `netflix`, `amazon` and `apple` when there is a key for it. An offer has the name that it has by way of TMDB,
so that a key makes links better and no film twice.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

from dateflicks.server.providers.answers import needed_list, needed_object, objects, one_object, text, texts, whole
from dateflicks.server.providers.source import (
    Checkpoint,
    Complete,
    Context,
    HttpClient,
    Item,
    NotOffered,
    OfferType,
    Removed,
    SchemaError,
    Yield,
)

KEEP_DAYS: Final = 180  # no longer than what comes by way of TMDB, whose ids and texts are among it
CHANGES_KEPT: Final = timedelta(days=31)
OVERLAP: Final = timedelta(days=1)  # a change may come to be known late
PEOPLE_MAX: Final = 12
_LANGUAGES: Final = frozenset({"en", "es", "fr", "tr"})
_SUBSCRIPTION: Final[tuple[OfferType, ...]] = ("subscription", "free")
_STORE: Final[tuple[OfferType, ...]] = ("rent", "buy")
_POSTERS: Final = ("w480", "w600", "w360", "w720", "w240")


class StreamingClient:
    """The requests that are made of it, for one vendor's films. Raises SourceErrors."""

    def __init__(
        self,
        http: HttpClient,
        *,
        base_url: str,
        key: str,
        language: str,
        service: str,
        has_subscription: bool,
        has_store: bool,
    ) -> None:
        self._http = http
        self._base_url = base_url.rstrip("/")
        self._headers = {"X-API-Key": key}
        self.service = service
        self.ways = (_SUBSCRIPTION if has_subscription else ()) + (_STORE if has_store else ())
        spoken = language[:2].lower()
        self._common = {
            "catalogs": ",".join(f"{service}.{way}" for way in self.ways),
            "show_type": "movie",
            "output_language": spoken if spoken in _LANGUAGES else "en",
        }

    async def films(self, region: str, cursor: str | None) -> dict[str, Any]:
        """A page of all films in a region."""
        return await self._page("shows/search/filters", {"country": region.lower()}, cursor)

    async def changes(self, region: str, change: str, since: int, cursor: str | None) -> dict[str, Any]:
        """A page of what is `new` or `removed` since a Unix time."""
        params = {"country": region.lower(), "change_type": change, "item_type": "show", "from": str(since)}
        return await self._page("changes", params, cursor)

    async def _page(self, path: str, params: Mapping[str, str], cursor: str | None) -> dict[str, Any]:
        sent = {**self._common, **params} | ({"cursor": cursor} if cursor else {})
        answer = await self._http.get(f"{self._base_url}/v4/{path}", params=sent, headers=self._headers)
        return needed_object(answer.json(), path)


class StreamingAvailability:
    """One run against it."""

    def __init__(self, context: Context, client: StreamingClient, regions: Sequence[str]) -> None:
        self._context = context
        self._client = client
        self._regions = regions
        self._scope = (
            f"streaming {client.service} {','.join(client.ways)} {','.join(regions)} {context.config.language}"
        )
        self._has_left_out = False

    async def full(self, state: Mapping[str, Any] | None) -> AsyncIterator[Yield]:
        """Every film, region by region; from the page at which an earlier run broke off, if it did."""
        begun = self._own(state)
        began = begun.get("began", int(self._context.now().timestamp()))
        is_resumed = begun.get("region") in self._regions
        at = self._regions.index(begun["region"]) if is_resumed else 0
        cursor = begun.get("cursor") if is_resumed else None
        for region in self._regions[at:]:
            async for page, following in self._film_pages(region, cursor):
                for one in self._films_of(page, region):
                    yield one
                place = {"region": region if following else self._after(region), "cursor": following}
                yield Checkpoint(state={"scope": self._scope, "began": began, **place})
                if self._context.stopping.is_set():
                    return
            cursor = None
        is_full = not is_resumed and not self._has_left_out
        yield Complete(full=is_full, state={"scope": self._scope, "since": began})

    async def changes(self, state: Mapping[str, Any] | None) -> AsyncIterator[Yield]:
        """What came and went; everything when that is too long ago to be told."""
        now = self._context.now()
        since = self._own(state).get("since")  # none: an earlier walk through everything broke off
        oldest = int((now - CHANGES_KEPT).timestamp()) + 3_600
        if since is None or since < oldest:
            async for one in self.full(state):
                yield Complete(full=False, state=one.state) if isinstance(one, Complete) else one
            return
        first = max(oldest, since - int(OVERLAP.total_seconds()))
        for region in self._regions:
            for change in ("removed", "new"):
                async for page in self._change_pages(region, change, first):
                    for one in self._changes_of(page, region):
                        yield one
                    if self._context.stopping.is_set():
                        return
        yield Complete(full=False, state={"scope": self._scope, "since": int(now.timestamp())})

    async def check(self) -> str:
        """Whether the key is good and films are known. Raises SourceError."""
        for region in self._regions:
            await self._client.films(region, None)
        return f"Streaming Availability answers for {self._client.service} in {', '.join(self._regions)}."

    # --- pages --------------------------------------------------------------------------------------------------

    async def _film_pages(self, region: str, cursor: str | None) -> AsyncIterator[tuple[dict[str, Any], str | None]]:
        """All pages with the cursor of the next; a cursor that has grown too old is forgotten."""
        seen: set[str] = set()
        while True:
            try:
                page = await self._client.films(region, cursor)
            except (SchemaError, NotOffered):
                if cursor is None or seen:
                    raise
                self._context.log.info("The place to go on in %s is known no more: begun anew.", region)
                cursor = None
                continue
            cursor = _following(page, seen)
            yield page, cursor
            if cursor is None:
                return

    async def _change_pages(self, region: str, change: str, since: int) -> AsyncIterator[dict[str, Any]]:
        seen: set[str] = set()
        cursor: str | None = None
        while True:
            page = await self._client.changes(region, change, since, cursor)
            cursor = _following(page, seen)
            yield page
            if cursor is None:
                return

    # --- films --------------------------------------------------------------------------------------------------

    def _films_of(self, page: Mapping[str, Any], region: str) -> list[Yield]:
        found = [self._judged(show, region) for show in needed_list(page.get("shows"), "shows")]
        return [one for one in found if isinstance(one, Item)]

    def _changes_of(self, page: Mapping[str, Any], region: str) -> list[Yield]:
        """What became of each film that a page of changes names: judged by what is offered now, not by the change."""
        shows = needed_object(page.get("shows"), "shows")
        found = []
        for change in needed_list(page.get("changes"), "changes"):
            name = one_object(change).get("showId")
            found.append(self._judged(shows.get(name) if isinstance(name, str) else None, region))
        return [one for one in found if one is not None]

    def _judged(self, show: Any, region: str) -> Yield | None:
        try:
            if needed_object(show, "the show").get("showType") == "series":
                return None
            option = self._best_option(show, region)
            source_id = source_id_of(show)
            return item_of(show, region, option) if option else Removed(source_id=source_id, region=region)
        except SchemaError as error:
            self._has_left_out = True
            self._context.put_aside(f"show {one_object(show).get('id')} in {region}", str(error))
            return None

    def _best_option(self, show: Mapping[str, Any], region: str) -> dict[str, Any] | None:
        """How this vendor offers it there at best. Raises SchemaError: what cannot be read is not withdrawn."""
        everywhere = needed_object(show.get("streamingOptions"), "streamingOptions")
        options = needed_list(everywhere.get(region.lower(), []), f"streamingOptions.{region.lower()}")
        own = [one for one in objects(options) if one_object(one.get("service")).get("id") == self._client.service]
        for way in self._client.ways:
            for one in own:
                if one.get("type") == way:
                    return one
        return None

    # --- states -------------------------------------------------------------------------------------------------

    def _own(self, state: Mapping[str, Any] | None) -> Mapping[str, Any]:
        """A state that is of these settings; else all begins anew."""
        return state if state is not None and state.get("scope") == self._scope else {}

    def _after(self, region: str) -> str | None:
        at = self._regions.index(region) + 1
        return self._regions[at] if at < len(self._regions) else None


def _following(page: Mapping[str, Any], seen: set[str]) -> str | None:
    """The cursor of the page after this one, if there is one. Raises SchemaError when it leads round in circles."""
    has_more = page.get("hasMore")
    if not isinstance(has_more, bool):
        raise SchemaError("hasMore is neither true nor false")
    if not has_more:
        return None
    cursor = text(page.get("nextCursor"))
    if cursor is None or cursor in seen:
        raise SchemaError("hasMore is true, and nextCursor leads nowhere new")
    seen.add(cursor)
    return cursor


def source_id_of(show: Mapping[str, Any]) -> str:
    """The name of its offers: TMDB's number where there is one. Raises SchemaError."""
    number = _tmdb_number(show)
    own = text(show.get("id"))
    if number is None and own is None:
        raise SchemaError("it has neither tmdbId nor id")
    return number or f"show/{own}"


def item_of(show: Mapping[str, Any], region: str, option: Mapping[str, Any]) -> Item:
    """A film as it is offered there. Raises SchemaError."""
    title = text(show.get("title")) or text(show.get("originalTitle"))
    url = text(option.get("link")) or text(option.get("videoLink"))
    if title is None or url is None:
        raise SchemaError("title or link is no text")
    minutes = whole(show.get("runtime"))
    posters = one_object(one_object(show.get("imageSet")).get("verticalPoster"))
    ids = {"tmdb": _tmdb_number(show), "imdb": text(show.get("imdbId"))}
    way: OfferType = option["type"]
    return Item(
        source_id=source_id_of(show),
        region=region,
        url=url,
        title=title,
        original_title=text(show.get("originalTitle")),
        year=whole(show.get("releaseYear")),
        duration_seconds=minutes * 60.0 if minutes else None,
        genres=tuple(
            name for one in objects(show.get("genres")) if (name := text(one.get("id")) or text(one.get("name")))
        ),
        overview=text(show.get("overview")),
        poster=next((found for size in _POSTERS if (found := text(posters.get(size)))), None),
        people=tuple(dict.fromkeys((*texts(show.get("directors")), *texts(show.get("cast")))))[:PEOPLE_MAX],
        external_ids={kind: value for kind, value in ids.items() if value},
        offer_type=way,
        playable=False,
        keep_days=KEEP_DAYS,
    )


def _tmdb_number(show: Mapping[str, Any]) -> str | None:
    kind, _, number = (text(show.get("tmdbId")) or "").partition("/")
    return number if kind == "movie" and number.isdecimal() else None
