"""The prediction service: its parts put together, and its life."""

import asyncio
import contextlib
import time
from collections.abc import Callable, Sequence

from dateflicks.core.limits import QUIET_PING_INTERVAL_SECONDS
from dateflicks.server.auth.admission import Admission
from dateflicks.server.auth.tokens import Signer
from dateflicks.server.bus.local import Bus
from dateflicks.server.ending import end
from dateflicks.server.observe.metrics import Metrics
from dateflicks.server.services.prediction import presence
from dateflicks.server.services.prediction.feed import PredictionFeed
from dateflicks.server.services.prediction.films import TOPIC
from dateflicks.server.services.prediction.handler import PredictionHandler
from dateflicks.server.services.prediction.keeping import CHANGED_TOPIC, Keeping
from dateflicks.server.services.prediction.presence import Presence
from dateflicks.server.services.prediction.records import COLLECTIONS, OUTCOMES, PREDICTIONS, SETTLING
from dateflicks.server.services.prediction.routes import PredictionRoutes
from dateflicks.server.services.prediction.tables import Tables
from dateflicks.server.storage.database import Database
from dateflicks.server.web.route import Authenticator, Route
from dateflicks.server.web.service import Feed
from dateflicks.server.websocket.gate import Gate
from dateflicks.settings.services import PredictionSettings


class PredictionService:
    """One process's prediction service, on a database that is open for as long as it runs."""

    name = "prediction"
    summary = "Predictions: called in secret, locked by film time, settled by both, scored."

    def __init__(
        self,
        database: Database,
        signer: Signer,
        bus: Bus,
        settings: PredictionSettings | None = None,
        *,
        metrics: Metrics | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        settings = settings or PredictionSettings()
        self._database = database
        self._bus = bus
        self._admission = Admission(signer, bus, self.name)
        self._gate = Gate(
            self.name,
            settings.limits,
            settings.allowed_origins,
            metrics=metrics,
            ping_seconds=QUIET_PING_INTERVAL_SECONDS,
            bus=bus,
        )
        predictions = database.table(PREDICTIONS)
        self._tables = Tables(predictions, database.table(OUTCOMES), database.table(SETTLING), now)
        self._keeping = Keeping(predictions, self._tables, settings.confirm_seconds, bus, now=now)
        self._presence = Presence(bus, self._keeping.rooms, self._keeping.fresh)
        handler = PredictionHandler(self._keeping, self._tables, now=now)
        self.routes: Sequence[Route] = PredictionRoutes(handler, self._admission).all()
        self.feeds: Sequence[Feed] = PredictionFeed(handler, self._admission, self._gate).all()
        self._tasks: list[asyncio.Task[None]] = []
        self._open = contextlib.ExitStack()

    @property
    def authenticate(self) -> Authenticator:
        """Whose a ticket, or a user token, is."""
        return self._admission.authenticate

    async def start(self) -> None:
        """Ensure the collections, listen to where films are, and write what an earlier process has left."""
        await self._database.ensure(COLLECTIONS)
        self._open.callback(self._admission.signed_out.listen(self._bus))
        self._open.callback(self._bus.subscribe(TOPIC, self._keeping.rooms.hear))
        self._open.callback(self._bus.subscribe(CHANGED_TOPIC, self._keeping.hear_change))
        self._open.callback(self._bus.subscribe(presence.TOPIC, self._presence.hear))
        self._tasks = [
            asyncio.create_task(self._tables.run(), name="prediction outcomes"),
            asyncio.create_task(self._presence.run(), name="predictions of other processes"),
        ]

    async def stop(self) -> None:
        """Let go: all that was answered is written."""
        self._open.close()
        await end(self._tasks)
        self._tasks = []
        await self._keeping.stop()

    def close_feeds(self, code: int, reason: str) -> None:
        """End every connection because the service stops: nobody has gone away."""
        self._keeping.rooms.end()
        self._gate.close_all(code, reason)

    def database_up(self) -> bool:
        """Whether the database answers."""
        return self._database.is_up()
