"""The recommendation service: its parts put together, and its life."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Sequence
from typing import Final

from dateflicks.core.errors import Unavailable
from dateflicks.server.auth.tokens import Signer
from dateflicks.server.bus.local import Bus
from dateflicks.server.catalogue.records import WORKS
from dateflicks.server.ending import end
from dateflicks.server.recommendation import history, records
from dateflicks.server.recommendation.experiments import Experiments
from dateflicks.server.recommendation.history import Histories
from dateflicks.server.recommendation.runs import Reader
from dateflicks.server.services.recommendation.callers import Callers
from dateflicks.server.services.recommendation.choosing import Choosing
from dateflicks.server.services.recommendation.films import Films
from dateflicks.server.services.recommendation.handler import RecommendationHandler
from dateflicks.server.services.recommendation.rankings import Rankings
from dateflicks.server.services.recommendation.routes import RecommendationRoutes
from dateflicks.server.services.recommendation.stored import Stored
from dateflicks.server.services.recommendation.telling import Exposures, Ratings
from dateflicks.server.services.recommendation.written import Written
from dateflicks.server.storage.database import Database
from dateflicks.server.web.route import Authenticator, Route
from dateflicks.server.web.service import Feed
from dateflicks.settings.recommendation import RecommendationSettings

log = logging.getLogger(__name__)

COLLECTIONS: Final = (*records.COLLECTIONS, WORKS, *(one for one in history.COLLECTIONS if one is not records.RATINGS))


class RecommendationService:
    """One process's recommendation service, on a database that is open, with `COLLECTIONS`, for as long as it runs.

    It writes what was shown and what people say of films; lists are written by recommenders, in processes of their own.
    """

    name = "recommendation"
    summary = "What to watch next, for one and for two, why, and what became of it."

    def __init__(
        self,
        database: Database,
        signer: Signer,
        settings: RecommendationSettings | None = None,
        *,
        bus: Bus | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        settings = settings or RecommendationSettings()
        self._bus = bus
        self._database = database
        self._poll_seconds = settings.poll_seconds
        histories = Histories(database)
        reader = Reader(database)
        stored = Stored(reader)
        films = Films(database.table(WORKS))
        self._choosing = Choosing(reader, Experiments(database, now=now), settings)
        self._rankings = Rankings(
            histories, stored, Written(database.table(records.RECOMMENDATIONS)), self._choosing, films, now=now
        )
        self._callers = Callers(histories, signer)
        self._handler = RecommendationHandler(
            histories,
            self._choosing,
            films,
            self._rankings,
            stored,
            Exposures(database.table(records.EXPOSURES), self._choosing, now=now),
            Ratings(database.table(records.RATINGS), now=now),
        )
        self.routes: Sequence[Route] = RecommendationRoutes(self._handler).all()
        self.feeds: Sequence[Feed] = ()
        self._polling: asyncio.Task[None] | None = None
        self._open = contextlib.ExitStack()

    @property
    def authenticate(self) -> Authenticator:
        """Whose a user token is."""
        return self._callers.authenticate

    async def start(self) -> None:
        """Ensure the collections, put experiments of the settings into the database, and follow what is live."""
        await self._database.ensure(COLLECTIONS)
        if self._bus is not None:
            self._open.callback(self._callers.signed_out.listen(self._bus))
        await self._look()
        self._polling = asyncio.create_task(self._poll(), name="live recommendations")

    async def stop(self) -> None:
        """Let go."""
        self._open.close()
        if self._polling is not None:
            await end([self._polling])
            self._polling = None

    def close_feeds(self, code: int, reason: str) -> None:
        """There are none."""

    def database_up(self) -> bool:
        """Whether the database answers."""
        return self._database.is_up()

    @property
    def condition(self) -> str:
        """What else there is to say of its health: whose lists are told."""
        return self._choosing.condition

    async def _poll(self) -> None:
        while True:
            await asyncio.sleep(self._poll_seconds)
            await self._look()

    async def _look(self) -> None:
        try:
            await self._choosing.refresh()
        except Unavailable:
            return  # what was known stays
        except Exception:
            log.exception("the runs and experiments that are live cannot be read; those known before stay")
