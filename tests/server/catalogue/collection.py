"""A collection as the tests use it: items given to a source's writer, films read back, and a clock that stands."""

import asyncio
from collections.abc import Coroutine, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest
from pymongo.monitoring import CommandStartedEvent

from dateflicks.server.catalogue.paging import pages_from
from dateflicks.server.catalogue.records import VIDEOS, WORKS, is_linkable, offer_id
from dateflicks.server.catalogue.works import Works
from dateflicks.server.catalogue.writing import Writer
from dateflicks.server.providers.records import Swept, Written
from dateflicks.server.providers.source import Item
from dateflicks.server.storage.database import Database
from dateflicks.server.storage.records import Document

START = 1_790_000_000.0
DAY = 86_400.0


def item(source_id: str, title: str = "The Birds", **facts: Any) -> Item:
    """An item that makes sense."""
    return Item(**{"source_id": source_id, "title": title, "url": f"https://films.test/{source_id}"} | facts)


class Collected:
    """One collection."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.videos = database.table(VIDEOS)
        self.films = database.table(WORKS)
        self.time = START
        self.works = Works(database, now=self.now)
        self._runs = 0

    def now(self) -> float:
        """The time, which stands."""
        return self.time

    def writer(self, source: str = "archive") -> Writer:
        """For one more run."""
        self._runs += 1
        return Writer(self.database, source, f"run{self._runs}", now=self.now)

    async def run(self, source: str, items: Sequence[Item], *, is_confirmed: bool = False) -> tuple[Written, Swept]:
        """A complete run of a source that offers these."""
        writer = self.writer(source)
        written = Written()
        for start in range(0, len(items), 500):
            one = await writer.write(items[start : start + 500])
            written = Written(
                new=written.new + one.new,
                changed=written.changed + one.changed,
                unchanged=written.unchanged + one.unchanged,
                quarantined=written.quarantined + one.quarantined,
            )
        return written, await writer.sweep(is_confirmed=is_confirmed)

    @contextmanager
    def commands(self) -> Iterator[list[str]]:
        """The names of the commands that leave for the database meanwhile."""
        names: list[str] = []

        def listen(event: CommandStartedEvent) -> None:
            names.append(event.command_name)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(self.database.fence, "started", listen)
            yield names

    async def cut_off(self, work: Coroutine[Any, Any, object], stop_after: int) -> None:
        """Let something go on until so many commands have left."""
        task = asyncio.create_task(work)
        left = stop_after

        def listen(event: CommandStartedEvent) -> None:
            nonlocal left
            left -= 1
            if left == 0:
                task.cancel()

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(self.database.fence, "started", listen)
            await asyncio.gather(task, return_exceptions=True)

    async def offer(self, source: str, source_id: str, region: str = "") -> Document:
        """What is stored of it."""
        found = await self.videos.get(offer_id(source, source_id, region))
        assert found is not None
        return found

    async def all_offers(self) -> list[Document]:
        """Every offer."""
        return [one async for page in pages_from(self.videos, "changedAt", 0.0) for one in page]

    async def all_films(self) -> list[Document]:
        """Every film, ended ones too."""
        return [one async for page in pages_from(self.films, "updatedAt", 0.0) for one in page]

    async def film_of(self, source: str, source_id: str, region: str = "") -> Document:
        """The film that an offer is one of."""
        offer = await self.offer(source, source_id, region)
        film = await self.films.get(offer["workId"])
        assert film is not None
        assert offer["_id"] in film["members"]
        return film

    async def groups(self) -> set[frozenset[str]]:
        """Which offers are one film, as the offers say it; the films must say the same."""
        held: dict[str, set[str]] = {}
        offers = {one["_id"]: one for one in await self.all_offers() if is_linkable(one)}
        for key, one in offers.items():
            held.setdefault(one["workId"], set()).add(key)
        films = {one["_id"]: set(one["members"]) for one in await self.all_films() if one["endedAt"] is None}
        assert films == held
        return {frozenset(name_of(offers[key]) for key in one) for one in held.values()}


def name_of(offer: Document) -> str:
    """Its source, its name there, and its region when it has one."""
    return "/".join(filter(None, (offer["source"], offer["sourceId"], offer["region"])))
