"""The prediction service: its parts put together, and its life."""

import time
from collections.abc import Callable, Sequence

from dateflicks.server.auth.admission import Admission
from dateflicks.server.auth.caller import Caller
from dateflicks.server.auth.tokens import Signer
from dateflicks.server.bus.local import Bus
from dateflicks.server.observe.metrics import Metrics
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
        self._now = now
        self._admission = Admission(signer)
        self._gate = Gate(self.name, settings.limits, settings.allowed_origins, metrics=metrics)
        self.routes: Sequence[Route] = ()
        self.feeds: Sequence[Feed] = ()

    @property
    def authenticate(self) -> Authenticator:
        """Whose a ticket, or a user token, is."""

        async def identify(bearer: str) -> Caller:
            return self._admission.identify(bearer)

        return identify

    async def start(self) -> None:
        """Get ready."""

    async def stop(self) -> None:
        """Let go."""

    def close_feeds(self, code: int, reason: str) -> None:
        """End every connection."""
        self._gate.close_all(code, reason)

    def database_up(self) -> bool:
        """Whether the database answers."""
        return self._database.is_up()
