"""The films that lists are made of, as the collection has them: remembered for a moment, because every list asks.

A film that turned out to be another is that other one; a film that nobody offers any more is known, and not active.
"""

import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

from dateflicks.core.errors import Unavailable
from dateflicks.core.limits import PAGE_MAX
from dateflicks.protocol.ids import is_id
from dateflicks.server.catalogue.paging import those
from dateflicks.server.storage.records import Document
from dateflicks.server.storage.table import Table

FRESH_SECONDS: Final = 5.0  # how long a film that is gone may still stand in a list
KEPT_MAX: Final = 20_000  # about 10 MB
MERGES_MAX: Final = 5  # that are followed from the id of a film that was


@dataclass(frozen=True, slots=True)
class Film:
    """What a list tells of a film. `added_at` is Unix seconds."""

    id: str
    title: str
    year: int | None
    duration_seconds: float | None
    playable: bool
    is_active: bool
    added_at: float
    merged_into: str | None = None


class Films:
    """One process's; `evenly` is a clock that is never stepped. All raise Unavailable when the database is away."""

    def __init__(self, works: Table, *, evenly: Callable[[], float] = time.monotonic) -> None:
        self._works = works
        self._evenly = evenly
        self._known: OrderedDict[str, tuple[float, Film | None]] = OrderedDict()
        self._newest: tuple[float, list[str]] | None = None

    async def of(self, ids: Iterable[str]) -> dict[str, Film]:
        """The films that these ids stand for, by these ids; those that there never were are missing.

        Without the database: as they were, if all of them are known.
        """
        wanted = {one: one for one in ids}
        found: dict[str, Film] = {}
        for _ in range(MERGES_MAX + 1):
            await self._learn(wanted.values())
            following: dict[str, str] = {}
            for asked, name in wanted.items():
                film = self._known[name][1]
                if film is not None and film.merged_into is not None:
                    following[asked] = film.merged_into
                elif film is not None:
                    found[asked] = film
            if not following:
                break
            wanted = following
        self._forget()
        return found

    async def one(self, video_id: str) -> Film | None:
        """The film that this id stands for."""
        return (await self.of([video_id])).get(video_id)

    async def newest(self) -> list[str]:
        """The films that came or changed last, those that can be played first: what is shown when nothing is known."""
        now = self._evenly()
        if self._newest is not None and now - self._newest[0] <= FRESH_SECONDS:
            return self._newest[1]
        found = await self._last()
        found.sort(key=lambda film: (not film.playable, -film.added_at, film.id))
        ids = [film.id for film in found]
        self._newest = (now, ids) if ids else None
        return ids

    async def _last(self) -> list[Film]:
        below: float | None = None
        while True:
            page = await self._works.between("updatedAt", at_least=0.0, below=below, descending=True, limit=PAGE_MAX)
            films = [film for film in map(film_of, page) if film.is_active]
            if films or len(page) < PAGE_MAX:
                return films
            below = page[-1]["updatedAt"]

    async def _learn(self, ids: Iterable[str]) -> None:
        now = self._evenly()
        missing = [
            one for one in dict.fromkeys(ids) if one not in self._known or now - self._known[one][0] > FRESH_SECONDS
        ]
        try:
            works = await those(self._works, [one for one in missing if is_id(one, "vid")])
        except Unavailable:
            if any(one not in self._known for one in missing):
                raise
            return
        for one in missing:
            self._known[one] = (now, film_of(works[one]) if one in works else None)
            self._known.move_to_end(one)

    def _forget(self) -> None:
        while len(self._known) > KEPT_MAX:
            self._known.popitem(last=False)


def film_of(work: Document) -> Film:
    """A work as a film."""
    merged = work.get("mergedInto") if work.get("status") == "merged" else None
    title = work.get("title")
    return Film(
        id=work["_id"],
        title=title if isinstance(title, str) and title else "a film without a title",
        year=work.get("year"),
        duration_seconds=work.get("durationSeconds"),
        playable=bool(work.get("playable")),
        is_active=work.get("status", "active") == "active",
        added_at=_number(work.get("addedAt")),
        merged_into=merged if isinstance(merged, str) else None,
    )


def _number(value: Any) -> float:
    return float(value) if isinstance(value, int | float) else 0.0
