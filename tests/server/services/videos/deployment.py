"""A videos service on a real server with a real database, whose collection the tests fill."""

import contextlib
import os
import signal
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from dateflicks.server.catalogue.records import WORKS
from dateflicks.server.runner import running
from dateflicks.server.services.videos.app import COLLECTIONS, VideosService
from dateflicks.server.storage.database import Database, DatabaseSettings
from dateflicks.settings.services import VideosSettings
from tests.journeys.deployment import Deployment as Address
from tests.journeys.wire import Answer, Json, Rest, open_rest
from tests.waiting import until

DEADLINE_SECONDS = 30.0
OFTEN = VideosSettings(asked_per_second=10_000, asked_burst=100_000, poll_seconds=0.05)


@dataclass
class Deployment:
    """What runs."""

    rest: Rest
    service: VideosService
    database: Database

    async def fill(self, works: Iterable[Mapping[str, Any]]) -> None:
        """Write these works, and wait until they are in the index."""
        table, newest = self.database.table(WORKS), 0.0
        for work in works:
            await table.upsert(work)
            newest = max(newest, work["updatedAt"])
        await self.caught_up()

    async def caught_up(self) -> None:
        """Wait until the index has looked at the collection twice from now on."""
        following = self.service._following
        for _ in range(2):
            before = following.as_of
            following.wake()
            await until(lambda before=before: following.as_of not in (None, before))  # type: ignore[misc]  # a default

    async def get(self, path: str, *, expect: int = 200, **query: Any) -> Json:
        """The body of an answer with this status."""
        return (await self.answer(path, expect=expect, **query)).body  # type: ignore[no-any-return]

    async def answer(self, path: str, *, expect: int = 200, **query: Any) -> Answer:
        """An answer with this status."""
        return await self.rest.call("GET", f"{path}?{urlencode(query)}" if query else path, expect=expect)

    async def titles(self, **query: Any) -> list[str]:
        """What is found on the first page, by title."""
        return [item["title"] for item in (await self.get("/videos", **query))["items"]]

    @contextlib.contextmanager
    def stopped_engine(self) -> Iterator[None]:
        """The database stands still for as long as the block runs."""
        assert self.database.engine is not None
        pid = self.database.engine.pid
        assert pid is not None
        os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(pid, signal.SIGCONT)


@contextlib.asynccontextmanager
async def deployed(folder: Path, settings: VideosSettings = OFTEN, **more: Any) -> AsyncIterator[Deployment]:
    """A deployment for as long as the block runs; no command may have left the fence by its end."""
    async with Database.open(DatabaseSettings(timeout_seconds=5.0), folder, COLLECTIONS) as database:
        service = VideosService(database, settings, folder=folder, **more)
        async with running([service]) as server, open_rest(Address(server.url, is_ours=True)) as rest:
            yield Deployment(rest, service, database)
        assert not database.fence.breaches
