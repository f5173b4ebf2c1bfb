"""The requests that are made of The Movie Database: lists in pages, of which it gives no more than five hundred, so
that a longer one is asked for by spans of release dates; one film; what has changed.
"""

from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from dateflicks.server.providers.answers import needed_list, needed_object, needed_whole, objects, text, whole
from dateflicks.server.providers.source import Answer, HttpClient

PAGES_MAX: Final = 500
CHANGES_DAYS: Final = 14  # that one request for changes may span
FIRST_DAY: Final = date(1874, 1, 1)
DAYS_AHEAD: Final = 10 * 366
_WALKS: Final = 2  # of a list that moved while it was read
_DETAILS: Final = "external_ids,watch/providers,credits"
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Found:
    """The films that a list held, and whether it could be read to the end."""

    ids: frozenset[int]
    is_whole: bool


@dataclass(frozen=True, slots=True)
class _Span:
    """Release dates, both ends included."""

    first: date
    last: date

    def halves(self) -> tuple["_Span", "_Span"]:
        middle = self.first + (self.last - self.first) // 2
        return _Span(self.first, middle), _Span(middle + _DAY, self.last)

    def params(self) -> dict[str, str]:
        return {
            "primary_release_date.gte": self.first.isoformat(),
            "primary_release_date.lte": self.last.isoformat(),
        }


class TmdbClient:
    """TMDB, asked in one language with one key. Raises SourceErrors."""

    def __init__(self, http: HttpClient, *, base_url: str, token: str, language: str) -> None:
        self._http = http
        self._base_url = base_url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {token}"}
        self._language = language

    async def film(self, number: int, *, conditional: bool = False) -> dict[str, Any] | None:
        """All of one film; None when it is as it was. Raises NotOffered."""
        answer = await self._get(
            f"movie/{number}", {"language": self._language, "append_to_response": _DETAILS}, conditional=conditional
        )
        return None if answer.status == 304 else needed_object(answer.json(), "the film")

    async def genres(self) -> dict[int, str]:
        """The English names of genres, whatever language else is spoken, for these are understood."""
        answer = await self._object("genre/movie/list", {"language": "en"})
        named = {whole(one.get("id")): text(one.get("name")) for one in objects(answer.get("genres"))}
        return {number: name for number, name in named.items() if number is not None and name}

    async def providers(self, region: str) -> dict[int, str]:
        """Who offers films in a region at all."""
        answer = await self._object("watch/providers/movie", {"watch_region": region})
        found = objects(needed_list(answer.get("results"), "results"))
        return {
            needed_whole(one.get("provider_id"), "provider_id"): text(one.get("provider_name")) or "" for one in found
        }

    async def changed(self, first: date, last: date) -> set[int]:
        """The films of which anything was changed on these days, but not who offers them: of that TMDB says nothing."""
        found: set[int] = set()
        while first <= last:
            until = min(last, first + (CHANGES_DAYS - 1) * _DAY)
            span: dict[str, str | int] = {"start_date": first.isoformat(), "end_date": until.isoformat()}
            async for page in self._pages("movie/changes", span):
                found |= _ids(page)
            first = until + _DAY
        return found

    # --- what a vendor offers -----------------------------------------------------------------------------------

    async def offered(self, region: str, provider_ids: Collection[int], today: date) -> Found:
        """The films that these providers offer in a region."""
        params: dict[str, str | int] = {
            "watch_region": region,
            "with_watch_providers": "|".join(str(number) for number in provider_ids),
            "sort_by": "primary_release_date.asc",  # unlike popularity it stands still while pages are turned
            "include_adult": "false",
            "include_video": "false",
        }
        first = await self._page("discover/movie", params, 1)
        if _pages_of(first) <= PAGES_MAX:
            return await self._walked(params, first)
        return await self._sliced(params, _total(first), _Span(FIRST_DAY, today + DAYS_AHEAD * _DAY))

    async def _sliced(self, params: dict[str, str | int], total: int, everything: _Span) -> Found:
        """A list with too many pages; what has no date is in no span, and counts as not read."""
        ids: set[int] = set()
        is_whole = True
        spans = [everything]
        while spans:
            span = spans.pop()
            within = {**params, **span.params()}
            first = await self._page("discover/movie", within, 1)
            if _pages_of(first) > PAGES_MAX and span.first < span.last:
                spans += reversed(span.halves())
                continue
            found = await self._walked(within, first)
            ids |= found.ids
            is_whole = is_whole and found.is_whole
        return Found(frozenset(ids), is_whole and len(ids) >= total)

    async def _walked(self, params: dict[str, str | int], first: dict[str, Any]) -> Found:
        """All pages of a list, again if it moved while they were turned."""
        ids: set[int] = set()
        for _ in range(_WALKS):
            ids |= _ids(first)
            async for page in self._pages("discover/movie", params, first):
                ids |= _ids(page)
            if len(ids) >= _total(first):
                return Found(frozenset(ids), _pages_of(first) <= PAGES_MAX)
        return Found(frozenset(ids), False)

    # --- requests -----------------------------------------------------------------------------------------------

    async def _pages(
        self, path: str, params: dict[str, str | int], first: dict[str, Any] | None = None
    ) -> AsyncIterator[dict[str, Any]]:
        """The pages, or those after the first if that is known."""
        if first is None:
            first = await self._page(path, params, 1)
            yield first
        for number in range(2, min(_pages_of(first), PAGES_MAX) + 1):
            yield await self._page(path, params, number)

    async def _page(self, path: str, params: dict[str, str | int], number: int) -> dict[str, Any]:
        return await self._object(path, {**params, "page": number})

    async def _object(self, path: str, params: dict[str, str | int]) -> dict[str, Any]:
        answer = await self._get(path, params)
        return needed_object(answer.json(), path)

    async def _get(self, path: str, params: dict[str, str | int], *, conditional: bool = False) -> Answer:
        return await self._http.get(
            f"{self._base_url}/3/{path}", params=params, headers=self._headers, conditional=conditional
        )


def _ids(page: dict[str, Any]) -> set[int]:
    return {needed_whole(one.get("id"), "results.id") for one in objects(needed_list(page.get("results"), "results"))}


def _pages_of(page: dict[str, Any]) -> int:
    return needed_whole(page.get("total_pages"), "total_pages")


def _total(page: dict[str, Any]) -> int:
    return needed_whole(page.get("total_results"), "total_results")
