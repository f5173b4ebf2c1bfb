"""`archive`: films of the Internet Archive that are in the public domain or under a licence that lets anybody watch.

Its search gives names, a page at a time with a cursor; what each one is must be asked for by itself, and gently. A full
run asks for all, an incremental one for what was added or changed since the last.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Any, ClassVar, Final

import msgspec

from dateflicks.server.providers.answers import needed_list, needed_object, needed_whole, one_object, text
from dateflicks.server.providers.archive_answers import NotFree, item_of
from dateflicks.server.providers.source import (
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
    SourceError,
    Yield,
)
from dateflicks.settings.providers import ArchiveSettings

PAGE: Final = 100  # the fewest that its search gives at a time
AT_ONCE: Final = 2
GONE_SHARE: Final = 0.3  # of a page; more is an archive that has trouble, not one that has lost so much
GONE_LEAST: Final = 20
OVERLAP: Final = timedelta(days=2)  # its search lags behind
_FREE: Final = "licenseurl:(*creativecommons.org* OR *publicdomain*)"
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,200}")


class ArchiveVideoSource(BaseSource):
    """`archive`."""

    name: ClassVar[str] = "archive"
    config: ClassVar[type[msgspec.Struct]] = ArchiveSettings
    hosts: ClassVar[tuple[str, ...]] = ("archive.org", "*.archive.org")
    requests_per_second: ClassVar[float] = 2.0
    capabilities: ClassVar[frozenset[Capability]] = frozenset({"incremental", "playable"})
    attribution: ClassVar[str] = (
        "Films of the Internet Archive (https://archive.org), each under the licence that is told with it."
    )
    may_be_learned_from: ClassVar[bool] = True

    async def fetch(self, context: Context, state: Mapping[str, Any] | None, mode: Mode) -> AsyncIterator[Yield]:
        """Everything (`full`), or what was added or changed since `state` (`incremental`)."""
        run = _Run(context)
        async for one in run.full(state) if mode == "full" else run.changes(state):
            yield one

    async def check(self, context: Context) -> str:
        """How many films there are. Raises SourceError."""
        page = await _Run(context).page(None, None)
        return f"The Internet Archive has {needed_whole(page.get('total'), 'total')} films that anybody may watch."


class _Run:
    """One run."""

    def __init__(self, context: Context) -> None:
        config: ArchiveSettings = context.config
        self._context = context
        self._base_url = config.base_url.rstrip("/")
        self._query = _query(config.collections)
        self._today = context.now().date()
        self._scope = self._query
        self._has_left_out = False

    async def full(self, state: Mapping[str, Any] | None) -> AsyncIterator[Yield]:
        """Every film; from the page at which an earlier run broke off, if it did."""
        begun = self._own(state)
        cursor = text(begun.get("cursor"))
        began = text(begun.get("began")) or self._today.isoformat()
        is_whole = cursor is None
        listed: set[str] = set()
        total = 0
        async for page, following in self._pages(None, cursor):
            names = self._names(page)
            listed.update(names)
            total = max(total, needed_whole(page.get("total"), "total"))
            for one in await self._films(names):
                yield one
            if following is not None:
                yield Checkpoint(state={"scope": self._scope, "began": began, "cursor": following})
                if self._context.stopping.is_set():
                    return
        if is_whole and len(listed) < total:
            self._context.log.info("Of %d films %d were listed: nothing counts as gone.", total, len(listed))
            is_whole = False
        yield Complete(full=is_whole and not self._has_left_out, state={"scope": self._scope, "since": began})

    async def changes(self, state: Mapping[str, Any] | None) -> AsyncIterator[Yield]:
        """The films that were added or changed since the last run; all when it was of other settings."""
        since = _day(self._own(state).get("since"))
        async for page, following in self._pages(since, None):
            for one in await self._films(self._names(page)):
                yield one
            if following is not None and self._context.stopping.is_set():
                return
        yield Complete(full=False, state={"scope": self._scope, "since": self._today.isoformat()})

    # --- pages --------------------------------------------------------------------------------------------------

    async def page(self, since: date | None, cursor: str | None) -> dict[str, Any]:
        """One page of names."""
        query = self._query
        if since is not None:
            span = f"[{(since - OVERLAP).isoformat()} TO 9999-12-31]"
            query += f" AND (publicdate:{span} OR oai_updatedate:{span})"
        params: dict[str, str | int] = {"q": query, "fields": "identifier", "count": PAGE}
        if cursor is not None:
            params["cursor"] = cursor
        answer = await self._context.http.get(f"{self._base_url}/services/search/v1/scrape", params=params)
        found = needed_object(answer.json(), "the search's answer")
        if told := text(found.get("error")):
            raise SchemaError(f"the search said: {told[:200]}")
        return found

    async def _pages(self, since: date | None, cursor: str | None) -> AsyncIterator[tuple[dict[str, Any], str | None]]:
        """All pages, each with the cursor of the next; a cursor that is known no more is forgotten."""
        seen: set[str] = set()
        while True:
            try:
                page = await self.page(since, cursor)
            except (SchemaError, NotOffered):
                if cursor is None or seen:
                    raise
                self._context.log.info("The place to go on is known no more: begun anew.")
                cursor = None
                continue
            cursor = text(page.get("cursor"))
            if cursor in seen:
                raise SchemaError("the search's cursor leads round in circles")
            yield page, cursor
            if cursor is None:
                return
            seen.add(cursor)

    def _names(self, page: Mapping[str, Any]) -> list[str]:
        names = []
        for one in needed_list(page.get("items"), "items"):
            name = text(one_object(one).get("identifier"))
            if name is None or not _NAME.fullmatch(name):
                self._left_out(repr(one)[:100], "identifier is no name")
            else:
                names.append(name)
        return [*dict.fromkeys(names)]

    # --- films --------------------------------------------------------------------------------------------------

    async def _films(self, names: Sequence[str]) -> list[Item | Removed]:
        """What became of these. Raises SchemaError when too much of it is said to be gone."""
        found: list[Item | Removed] = []
        for at in range(0, len(names), AT_ONCE):
            some = names[at : at + AT_ONCE]
            for name, answer in zip(some, await asyncio.gather(*map(self._asked, some)), strict=True):
                if (one := self._judged(name, answer)) is not None:
                    found.append(one)
        gone = sum(isinstance(one, Removed) for one in found)
        if gone > max(GONE_LEAST, GONE_SHARE * len(names)):
            raise SchemaError(f"of {len(names)} films that the search lists as free {gone} are said not to be there")
        return found

    async def _asked(self, name: str) -> dict[str, Any] | SourceError:
        """All of an item. What is unknown is answered with nothing; asked again, for the search has just named it."""
        try:
            answer = await self._metadata(name)
            return answer or await self._metadata(name)
        except NotOffered:
            return {}
        except SourceError as error:
            return error

    async def _metadata(self, name: str) -> dict[str, Any]:
        answer = await self._context.http.get(f"{self._base_url}/metadata/{name}")
        return needed_object(answer.json(), "the item")

    def _judged(self, name: str, answer: dict[str, Any] | SourceError) -> Item | Removed | None:
        if isinstance(answer, SourceError) and not isinstance(answer, SchemaError):
            raise answer
        try:
            if isinstance(answer, SourceError):
                raise answer
            return item_of(name, answer, self._base_url) if answer else Removed(source_id=name)
        except NotFree as reason:
            self._context.log.debug("%s is not offered: %s.", name, reason)
            return Removed(source_id=name)
        except SchemaError as error:
            self._left_out(name, str(error))
            return None

    def _left_out(self, what: str, problem: str) -> None:
        self._has_left_out = True
        self._context.put_aside(what, problem)

    def _own(self, state: Mapping[str, Any] | None) -> Mapping[str, Any]:
        """A state that is of these settings; else all begins anew."""
        return state if state is not None and state.get("scope") == self._scope else {}


def _query(collections: Sequence[str]) -> str:
    """The films that anybody may watch, in these collections; in all of them when none is named."""
    wrong = [one for one in collections if not _NAME.fullmatch(one)]
    if wrong:
        raise SourceError(f"`collections` of [archive] has '{wrong[0][:60]}', which is no name of a collection.")
    within = f" AND collection:({' OR '.join(collections)})" if collections else ""
    return f"mediatype:movies AND {_FREE}{within}"


def _day(value: Any) -> date | None:
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError):
        return None
