"""The videos service: its parts put together, and its life."""

import asyncio
import sqlite3
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from dateflicks.core.errors import Unauthenticated
from dateflicks.server.catalogue.records import WORKS
from dateflicks.server.catalogue.sources import RUNS, SOURCES
from dateflicks.server.ending import end
from dateflicks.server.services.videos.following import Following
from dateflicks.server.services.videos.handler import VideosHandler
from dateflicks.server.services.videos.routes import VideosRoutes
from dateflicks.server.services.videos.shelf import Shelf
from dateflicks.server.services.videos.sources import Sources
from dateflicks.server.storage.database import Database
from dateflicks.server.storage.records import StorageFault
from dateflicks.server.web.limiter import Limiter
from dateflicks.server.web.route import Authenticator, Route
from dateflicks.server.web.service import Feed
from dateflicks.settings.services import VideosSettings

COLLECTIONS: Final = (WORKS, SOURCES, RUNS)
FOLDER: Final = "videos-index"
_OFTEN: Final = "You ask for videos too often. Wait a moment."


class VideosService:
    """One process's videos service, on a database that is open for as long as it runs.

    The index is kept in a folder below `folder`; without one it is made anew at each start.
    """

    name = "videos"
    summary = "What there is to watch: search, browse, and where it comes from."

    def __init__(
        self,
        database: Database,
        settings: VideosSettings | None = None,
        *,
        folder: Path | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        settings = settings or VideosSettings()
        self._database = database
        self._shelf = Shelf(folder / FOLDER if folder is not None else None)
        works = database.table(WORKS)
        sources = Sources(database.table(SOURCES), database.table(RUNS), self._shelf)
        self._following = Following(works, self._shelf, poll_seconds=settings.poll_seconds, now=now)
        asking = Limiter(settings.asked_burst, settings.asked_burst / settings.asked_per_second, _OFTEN)
        self._handler = VideosHandler(works, sources, self._shelf, self._following, asking, now=now)
        self.routes: Sequence[Route] = VideosRoutes(self._handler).all()
        self.feeds: Sequence[Feed] = ()
        self._running: asyncio.Task[None] | None = None

    @property
    def authenticate(self) -> Authenticator:
        """Nobody is asked who they are."""

        async def identify(_: str) -> object:
            raise Unauthenticated("This service takes no tokens.")

        return identify

    async def start(self) -> None:
        """Ensure the collections, open the index, and begin to follow the collection; waits for no reading of it."""
        await self._database.ensure(COLLECTIONS)
        try:
            await self._shelf.open()
            await self._following.begin()
        except sqlite3.Error as error:
            raise StorageFault(f"The index of the videos cannot be made: {error}.") from error
        self._running = asyncio.create_task(self._following.run(), name="videos index")

    async def stop(self) -> None:
        """Stop following, and let go."""
        if self._running is not None:
            await end([self._running])
            self._running = None
        await self._shelf.close()

    def close_feeds(self, code: int, reason: str) -> None:
        """There are none."""

    def database_up(self) -> bool:
        """Whether the database answers."""
        return self._database.is_up()

    @property
    def condition(self) -> str:
        """What else there is to say of its health: how far the index is."""
        state = "complete" if self._following.is_complete else "being filled"
        return f"the index is {state}: {self._shelf.count} videos"
