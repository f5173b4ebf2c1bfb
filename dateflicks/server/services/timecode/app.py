"""The timecode service: its parts put together, and its life."""

import asyncio
import contextlib
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from dateflicks.core.playback import OnLeave, PlaybackControl, PlaybackRules
from dateflicks.server.auth.admission import Admission
from dateflicks.server.auth.signed_out import ERASED_NAME
from dateflicks.server.auth.tokens import Signer
from dateflicks.server.bus.local import Bus
from dateflicks.server.clock import ServerClock
from dateflicks.server.ending import end
from dateflicks.server.observe.metrics import Metrics
from dateflicks.server.services.timecode.detour import Detour
from dateflicks.server.services.timecode.feed import TimecodeFeed
from dateflicks.server.services.timecode.handler import TimecodeHandler
from dateflicks.server.services.timecode.house import House
from dateflicks.server.services.timecode.kept import KeptRecords
from dateflicks.server.services.timecode.recording import PlaybackLog, recorded_by
from dateflicks.server.services.timecode.records import COLLECTIONS, LETTERS, TIMECODES
from dateflicks.server.services.timecode.routes import TimecodeRoutes
from dateflicks.server.services.timecode.watch import Watch
from dateflicks.server.storage.database import Database
from dateflicks.server.web.route import Authenticator, Route
from dateflicks.server.web.service import Feed
from dateflicks.server.websocket.gate import Gate
from dateflicks.settings.services import TimecodeSettings

log = logging.getLogger(__name__)

AGAIN_SECONDS: Final = 0.1  # after what nobody foresaw in the loop that carries out what time brings


class TimecodeService:
    """One process's timecode service, on a database that is open for as long as it runs."""

    name = "timecode"
    summary = "Playback in step: one timeline for each session, told to all and kept."

    def __init__(
        self,
        database: Database,
        signer: Signer,
        bus: Bus,
        settings: TimecodeSettings | None = None,
        *,
        metrics: Metrics | None = None,
        clock: ServerClock | None = None,
    ) -> None:
        settings = settings or TimecodeSettings()
        self._database = database
        self._bus = bus
        self._clock = clock or ServerClock()
        self._rules = PlaybackRules(
            confirm_seconds=settings.confirm_seconds,
            band_seconds=settings.band_seconds,
            wait_seconds=settings.wait_seconds,
            on_leave=OnLeave(settings.on_leave),
        )
        self._admission = Admission(signer, bus, self.name)
        self._gate = Gate(self.name, settings.limits, settings.allowed_origins, metrics=metrics, bus=bus)
        timecodes = database.table(TIMECODES)
        self._records = KeptRecords(timecodes, bus, self._overtaken)
        kind = (
            recorded_by(PlaybackLog(Path(settings.record_folder)).note) if settings.record_folder else PlaybackControl
        )
        self._handler = TimecodeHandler(self._records, self._clock, self._rules, bus, Watch(metrics or Metrics()), kind)
        self._admission.signed_out.on_erased(lambda user_id: self._handler.rename(user_id, ERASED_NAME))
        detour = Detour(database.table(LETTERS), timecodes, bus, self._clock)
        self._house = House(self._handler, self._records, bus, self._clock, detour, database)
        self.routes: Sequence[Route] = TimecodeRoutes(self._house, self._admission).all()
        self.feeds: Sequence[Feed] = TimecodeFeed(self._house, self._admission, self._gate).all()
        self._running: asyncio.Task[None] | None = None
        self._open = contextlib.AsyncExitStack()

    @property
    def authenticate(self) -> Authenticator:
        """Whose a ticket, or a user token, is."""
        return self._admission.authenticate

    async def start(self) -> None:
        """Ensure the collections and begin to keep time."""
        await self._database.ensure(COLLECTIONS)
        self._open.callback(self._admission.signed_out.listen(self._bus))
        await self._open.enter_async_context(self._records)
        await self._open.enter_async_context(self._house.open())
        self._running = asyncio.create_task(self._keep_time(), name="timecode clockwork")

    async def stop(self) -> None:
        """Write where every film is, and let go."""
        if self._running is not None:
            await end([self._running])
            self._running = None
        self._handler.keep_all()
        await self._open.aclose()

    def close_feeds(self, code: int, reason: str) -> None:
        """End every connection because the service stops: nobody has left."""
        self._house.end()
        self._gate.close_all(code, reason)

    def database_up(self) -> bool:
        """Whether the database answers."""
        return self._database.is_up()

    def measure(self) -> None:
        """Set the numbers of this moment."""
        self._handler.measure()

    def _overtaken(self, session_id: str) -> None:
        self._house.overtaken(session_id)

    async def _keep_time(self) -> None:
        """What fails in one session the handler takes care of; whatever else fails must not stop the clockwork."""
        while True:
            try:
                await self._handler.run()
            except Exception:
                log.exception("the clockwork of the timecode service failed and goes on")
                await asyncio.sleep(AGAIN_SECONDS)
