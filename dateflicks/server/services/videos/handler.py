"""The rules of the videos service, without a web framework: questions become searches, and what is found is read.

The index says which works answer; what they are is read from the collection, so that nothing is told that is not there
any more.
"""

import time
from collections.abc import Callable
from typing import Final

from dateflicks.core.errors import FieldProblem, Invalid, NotFound
from dateflicks.protocol.ids import is_id
from dateflicks.protocol.times import rfc3339_from_unix
from dateflicks.protocol.videos import IndexBody, SourcePage, VideoBody, VideoPage, VideosQuery, years_of
from dateflicks.server.services.videos import cursors
from dateflicks.server.services.videos.following import Following
from dateflicks.server.services.videos.matching import Wanted
from dateflicks.server.services.videos.shelf import Shelf
from dateflicks.server.services.videos.sources import Sources
from dateflicks.server.services.videos.views import video_of
from dateflicks.server.storage.table import Table
from dateflicks.server.web.limiter import Limiter

CHOICES_MAX: Final = 20  # sources or genres in one question
MERGES_MAX: Final = 5  # that are followed from the id of a video that was


class VideosHandler:
    """All that is asked; `now` is Unix time, `evenly` a clock that is never stepped."""

    def __init__(
        self,
        works: Table,
        sources: Sources,
        shelf: Shelf,
        following: Following,
        asking: Limiter,
        *,
        now: Callable[[], float] = time.time,
        evenly: Callable[[], float] = time.monotonic,
    ) -> None:
        self._works = works
        self._sources = sources
        self._shelf = shelf
        self._following = following
        self._asking = asking
        self._now = now
        self._evenly = evenly

    async def search(self, query: VideosQuery, address: str) -> VideoPage:
        """A page of what answers. Raises Invalid, TooMany, Unavailable."""
        self._asking.take(address, self._evenly())
        wanted = wanted_of(query)
        found = await self._shelf.find(wanted, cursors.read(wanted, query.cursor), query.limit)
        works = await self._works.get_many(found.ids) if found.ids else {}
        if len(works) < len(found.ids):
            self._following.miss([one for one in found.ids if one not in works])
        return VideoPage(
            items=[video_of(works[one]) for one in found.ids if one in works],
            next=cursors.written(wanted, found.next) if found.next else None,
            is_complete=self._following.is_complete,
        )

    async def read(self, video_id: str, address: str) -> VideoBody:
        """One video; of two that turned out to be one film, that film. Raises NotFound, TooMany, Unavailable."""
        self._asking.take(address, self._evenly())
        for _ in range(MERGES_MAX):
            work = await self._works.get(video_id) if is_id(video_id, "vid") else None
            if work is None:
                break
            if work.get("status") != "merged":
                return video_of(work)
            video_id = str(work.get("mergedInto"))
        raise NotFound("There is no video with this id. Look for it with GET /videos?q=TITLE.")

    async def sources(self, address: str) -> SourcePage:
        """Every source, and how fresh what is searched is. Raises TooMany, Unavailable."""
        self._asking.take(address, self._evenly())
        found = await self._sources.all()
        as_of = self._following.as_of
        return SourcePage(
            items=[source.body(self._now()) for source in found],
            index=IndexBody(
                count=self._shelf.count,
                is_complete=self._following.is_complete,
                as_of=rfc3339_from_unix(as_of) if as_of is not None else None,
            ),
        )


def wanted_of(query: VideosQuery) -> Wanted:
    """What a query asks for. Raises Invalid, with every field that does not fit."""
    problems: list[FieldProblem] = []
    years = None
    try:
        years = years_of(query.year)
    except ValueError as error:
        problems.append(FieldProblem("year", str(error)))
    sources, genres = _choices(query.source), _choices(query.genre)
    for field, choices in (("source", sources), ("genre", genres)):
        if len(choices) > CHOICES_MAX:
            problems.append(FieldProblem(field, f"must name {CHOICES_MAX} at most"))
    if problems:
        raise Invalid("The query does not fit.", tuple(problems))
    return Wanted(
        text=query.q,
        sources=sources,
        genres=genres,
        years=years,
        region=query.region.strip() or None,
        playable=query.playable,
        sort=query.sort,
    )


def _choices(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(word for part in text.split(",") if (word := part.strip().casefold())))
