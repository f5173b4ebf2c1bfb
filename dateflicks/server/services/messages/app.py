"""The messages service: its parts put together, and its life."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from dateflicks.core.limits import QUIET_PING_INTERVAL_SECONDS
from dateflicks.server.auth.admission import Admission
from dateflicks.server.auth.tokens import Signer
from dateflicks.server.bus.local import Bus, LocalBus
from dateflicks.server.ending import end
from dateflicks.server.observe.metrics import Metrics
from dateflicks.server.services.messages import film, lines, others
from dateflicks.server.services.messages.feed import MessagesFeed
from dateflicks.server.services.messages.film import FilmPositions
from dateflicks.server.services.messages.handler import MessagesHandler, Tables
from dateflicks.server.services.messages.lines import FilmLines
from dateflicks.server.services.messages.records import CHANGES, COLLECTIONS, MARKS, MESSAGES
from dateflicks.server.services.messages.routes import MessagesRoutes
from dateflicks.server.storage.database import Database
from dateflicks.server.storage.outbox import WriteBehind
from dateflicks.server.web.route import Authenticator, Route
from dateflicks.server.web.service import Feed
from dateflicks.server.websocket.gate import Gate
from dateflicks.settings.services import MessagesSettings

log = logging.getLogger(__name__)

SWEEP_SECONDS: Final = 30.0  # how often rooms with nobody there are looked for
AGAIN_SECONDS: Final = 0.5  # after what nobody foresaw


class MessagesService:
    """One process's messages service, on a database that is open for as long as it runs."""

    name = "messages"
    summary = "Chat and reactions, kept in one order, with the film position where they belong."

    def __init__(
        self,
        database: Database,
        signer: Signer,
        bus: Bus,
        settings: MessagesSettings | None = None,
        *,
        metrics: Metrics | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        settings = settings or MessagesSettings()
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
        self._marks = WriteBehind(database.table(MARKS))
        self._film = FilmPositions()
        self._handler = MessagesHandler(
            Tables(database.table(MESSAGES), database.table(CHANGES), self._marks),
            self._film,
            bus,
            database.wait_up,
            per_second=settings.chat_per_second,
            burst=settings.chat_burst,
            now=now,
            metrics=metrics,
            is_erased=self._admission.signed_out.is_erased,
        )
        self._lines = FilmLines(self._handler, database.wait_up, is_alone=isinstance(bus, LocalBus))
        self.routes: Sequence[Route] = MessagesRoutes(self._handler, self._admission).all()
        self.feeds: Sequence[Feed] = MessagesFeed(self._handler, self._admission, self._gate).all()
        self._running: list[asyncio.Task[None]] = []
        self._open = contextlib.AsyncExitStack()

    @property
    def authenticate(self) -> Authenticator:
        """Whose a ticket, or a user token, is."""
        return self._admission.authenticate

    async def start(self) -> None:
        """Ensure the collections and begin to listen."""
        await self._database.ensure(COLLECTIONS)
        await self._open.enter_async_context(self._marks)
        self._open.callback(self._lines.close)
        self._bus.on_return(self._handler.others.returned)
        self._open.callback(self._admission.signed_out.listen(self._bus))
        hearing = (
            (film.TOPIC, self._film.hear),
            (lines.TOPIC, self._lines.hear),
            (others.TOPIC, self._handler.others.hear),
        )
        for topic, callback in hearing:
            self._open.callback(self._bus.subscribe(topic, callback))
        self._running = [
            asyncio.create_task(self._go_on(self._lines.run), name="lines of films"),
            asyncio.create_task(self._go_on(self._sweep), name="sweep of rooms"),
            asyncio.create_task(self._go_on(self._handler.others.run), name="talk of other processes"),
        ]

    async def stop(self) -> None:
        """Write what waits, and let go."""
        await end(self._running)
        self._running = []
        await self._handler.finish()
        await self._open.aclose()

    def close_feeds(self, code: int, reason: str) -> None:
        """End every connection."""
        self._gate.close_all(code, reason)

    def database_up(self) -> bool:
        """Whether the database answers."""
        return self._database.is_up()

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            self._handler.sweep()

    async def _go_on(self, work: Callable[[], Awaitable[None]]) -> None:
        """What nobody foresaw must not end what goes on in the background."""
        while True:
            try:
                await work()
            except Exception:
                log.exception("a task of the messages service failed and goes on")
            await asyncio.sleep(AGAIN_SECONDS)
