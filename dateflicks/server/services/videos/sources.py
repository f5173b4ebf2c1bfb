"""Where the collection comes from, as anybody may see it: looked up when it is asked for, and not more often than that
changes anything.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from dateflicks.core.limits import PAGE_MAX
from dateflicks.protocol.times import rfc3339_from_unix
from dateflicks.protocol.videos import RunBody, SourceBody
from dateflicks.server.catalogue.sources import GOOD, KIND
from dateflicks.server.services.videos.shelf import Shelf
from dateflicks.server.storage.records import Document
from dateflicks.server.storage.table import Table

KEPT_SECONDS: Final = 5.0
RUNS_LOOKED_AT: Final = 20  # for the last one that was good


@dataclass(frozen=True, slots=True)
class Source:
    """One source: how many films it offers, its last run, and when a run last found all that it has."""

    name: str
    count: int
    attribution: str | None
    last_run: Mapping[str, Any] | None
    good_at: float | None

    def body(self, now: float) -> SourceBody:
        """The source as it travels, with its age at this Unix time."""
        return SourceBody(
            name=self.name,
            count=self.count,
            last_run=_run(self.last_run) if self.last_run is not None else None,
            last_success_at=_time(self.good_at),
            age_seconds=round(max(now - self.good_at, 0.0), 3) if self.good_at else None,
            attribution=self.attribution,
        )


class Sources:
    """All sources; `evenly` is a clock that is never stepped."""

    def __init__(
        self, sources: Table, runs: Table, shelf: Shelf, *, evenly: Callable[[], float] = time.monotonic
    ) -> None:
        self._sources = sources
        self._runs = runs
        self._shelf = shelf
        self._evenly = evenly
        self._kept: tuple[float, list[Source]] | None = None
        self._looking = asyncio.Lock()

    async def all(self) -> list[Source]:
        """All of them, by name. Raises Unavailable."""
        async with self._looking:
            now = self._evenly()
            if self._kept is None or now >= self._kept[0] + KEPT_SECONDS:
                found = await self._sources.find("kind", KIND, limit=PAGE_MAX)
                named = sorted((one for one in found if one.get("name")), key=lambda one: str(one["name"]))
                self._kept = now, [await self._source(document) for document in named]
            return self._kept[1]

    async def _source(self, document: Document) -> Source:
        name = str(document["name"])
        runs = await self._runs.page("source", name, order_by="startedAt", limit=RUNS_LOOKED_AT)
        good = next((run for run in runs if run.get("status") in GOOD and run.get("endedAt")), None)
        return Source(
            name=name,
            count=await self._shelf.count_of(name),
            attribution=document.get("attribution") or None,
            last_run=runs[0] if runs else None,
            good_at=float(good["endedAt"]) if good else None,
        )


def _run(run: Mapping[str, Any]) -> RunBody:
    return RunBody(
        started_at=_time(run.get("startedAt")),
        ended_at=_time(run.get("endedAt")),
        status=run.get("status") or "running",
    )


def _time(seconds: float | None) -> str | None:
    return rfc3339_from_unix(seconds) if seconds else None
