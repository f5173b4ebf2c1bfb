"""The session service: its parts put together, and its life."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Sequence
from typing import Final

from dateflicks.core.errors import Unavailable
from dateflicks.core.limits import QUIET_PING_INTERVAL_SECONDS
from dateflicks.server.auth import signed_out
from dateflicks.server.auth.passwords import Passwords
from dateflicks.server.auth.tokens import Signer
from dateflicks.server.auth.tries import SignInTries, TryRules
from dateflicks.server.bus.local import Bus
from dateflicks.server.ending import end
from dateflicks.server.observe.metrics import Metrics
from dateflicks.server.services.session import progress, records
from dateflicks.server.services.session.feed import SessionFeed
from dateflicks.server.services.session.friends import Friends
from dateflicks.server.services.session.handler import TOPIC, Lifetimes, SessionHandler
from dateflicks.server.services.session.hub import Hub
from dateflicks.server.services.session.lists import Lists
from dateflicks.server.services.session.missed import Missed
from dateflicks.server.services.session.notices import Notices
from dateflicks.server.services.session.pairing import Pairing
from dateflicks.server.services.session.people import People
from dateflicks.server.services.session.routes import SessionRoutes
from dateflicks.server.storage.database import Database
from dateflicks.server.storage.outbox import WriteBehind
from dateflicks.server.storage.records import StorageFault
from dateflicks.server.web.limiter import Limiter
from dateflicks.server.web.route import Authenticator, Route
from dateflicks.server.web.service import Feed
from dateflicks.server.websocket.gate import Gate
from dateflicks.settings.services import SessionSettings

log = logging.getLogger(__name__)

TICK_SECONDS: Final = 1.0  # how often doubts are looked at: there are none but after an outage
WRITE_SECONDS: Final = 30.0  # how often "how far" is put down
RECHECK_SECONDS: Final = 60.0  # how soon a sign-out on another process ends the connections of this one
TOO_MANY_ACCOUNTS: Final = "Too many accounts were made from your address. Wait a while, then try again."
NOTICE_SECONDS: Final = 2.0  # how soon it is told what an operator has done, straight at the database
SWEEP_SECONDS: Final = 600.0  # how often expired tokens are forgotten


class SessionService:
    """One process's session service, on a database that is open, with `records.COLLECTIONS`, for as long as it runs.

    The key in `signer` is the deployment's: the other services know tickets by it. `now` is Unix time.
    """

    name = "session"
    summary = "People, the handshake between them, invitations, and what they watched."

    def __init__(
        self,
        database: Database,
        signer: Signer,
        bus: Bus,
        settings: SessionSettings | None = None,
        *,
        passwords: Passwords | None = None,
        metrics: Metrics | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        settings = settings or SessionSettings()
        self._database = database
        self._bus = bus
        self._passwords = passwords or Passwords()
        self._now = now
        sessions = database.table(records.SESSIONS)
        marks = database.table(records.PROGRESS)
        self._outbox = WriteBehind(marks)
        self._progress = progress.Progress(marks, self._outbox)
        users = database.table(records.USERS)
        self._pairing = Pairing(users, sessions, marks)
        self._sign_outs = signed_out.SignOuts(bus)
        self._people = People(
            users,
            database.table(records.TOKENS),
            self._passwords,
            signer,
            SignInTries(
                TryRules(
                    per_name=settings.sign_in_tries_per_name,
                    per_address=settings.sign_in_tries_per_address,
                    good_per_name=settings.sign_ins_per_name,
                    good_per_address=settings.sign_ins_per_address,
                    window_seconds=settings.sign_in_window_seconds,
                )
            ),
            Limiter(settings.accounts_per_address, settings.accounts_window_seconds, TOO_MANY_ACCOUNTS),
            self._sign_outs.tell,
            token_lifetime_seconds=settings.token_lifetime_seconds,
            sign_ins_max=settings.sign_ins_per_person,
            now=now,
        )
        lifetimes = Lifetimes(settings.ticket_lifetime_seconds, settings.invitation_lifetime_seconds)
        self._handler = SessionHandler(sessions, self._people, self._progress, signer, bus, lifetimes, now=now)
        lists = Lists(sessions, self._progress, self._handler.views)
        self._hub = Hub(self._handler.views)
        self._missed = Missed(bus, self._hub, lists, sessions)
        self._notices = Notices(database.table(records.NOTICES), sessions, bus, self._sign_outs, now=now)
        friends = Friends(database.table(records.FRIENDS), sessions, self._people, self._handler.asking, now=now)
        gate = Gate(
            self.name,
            settings.limits,
            settings.allowed_origins,
            metrics=metrics,
            ping_seconds=QUIET_PING_INTERVAL_SECONDS,
            bus=bus,
        )
        self._feed = SessionFeed(self._people, lists, self._hub, gate)
        self.routes: Sequence[Route] = SessionRoutes(self._people, self._handler, lists, friends).all()
        self.feeds: Sequence[Feed] = self._feed.all()
        self._chores: asyncio.Task[None] | None = None
        self._is_stopping = False
        self._open = contextlib.AsyncExitStack()

    @property
    def authenticate(self) -> Authenticator:
        """Who a user token belongs to."""
        return self._people.authenticate

    async def start(self) -> None:
        """Begin to listen."""
        self._open.callback(self._passwords.close)
        await self._open.enter_async_context(self._outbox)
        for topic, callback in (
            (TOPIC, self._hub.hear_session),
            (progress.TOPIC, self._progress.hear),
        ):
            self._open.callback(self._bus.subscribe(topic, callback))
        self._open.callback(signed_out.listen(self._bus, self._hub.hear_sign_out))
        self._open.callback(self._sign_outs.listen())
        self._chores = asyncio.create_task(self._do_chores(), name="session chores")

    async def stop(self) -> None:
        """Write how far the films have come, and let go."""
        self._is_stopping = True
        if self._chores is not None:
            await end([self._chores])
            self._chores = None
        self._progress.write_all()
        await self._open.aclose()

    def close_feeds(self, code: int, reason: str) -> None:
        """End every connection."""
        for seat in self._hub:
            self._hub.dismiss(seat, code, reason)

    def database_up(self) -> bool:
        """Whether the database answers."""
        return self._database.is_up()

    # --- what is done now and then ------------------------------------------------------------------------------

    async def _do_chores(self) -> None:
        loop = asyncio.get_running_loop()
        chores = [
            (TICK_SECONDS, self._handler.settle_doubts),
            (TICK_SECONDS, self._missed.look),
            (NOTICE_SECONDS, self._notices.look),
            (WRITE_SECONDS, self._write_progress),
            (RECHECK_SECONDS, self._recheck),
            (SWEEP_SECONDS, self._people.sweep),
            (SWEEP_SECONDS, self._notices.sweep),
            (SWEEP_SECONDS, self._pairing.fill),
        ]
        due = [loop.time() + seconds for seconds, _ in chores]
        due[-1] = loop.time()  # older sessions are filled at once, and looked at again only if that failed
        while not self._is_stopping:  # a cancellation may be lost: before Python 3.12 `asyncio.wait_for` swallows some
            await asyncio.sleep(TICK_SECONDS)
            for number, (seconds, chore) in enumerate(chores):
                if loop.time() < due[number] or self._is_stopping:
                    continue
                due[number] = loop.time() + seconds
                try:
                    await chore()
                except Unavailable:
                    break  # the rest needs the database too
                except Exception:
                    log.exception("a chore of the session service failed")

    async def _write_progress(self) -> None:
        self._progress.write_all()

    async def _recheck(self) -> None:
        """End connections whose token has expired or was revoked, perhaps by another process."""
        tokens = {seat.caller.token_id: seat for seat in self._hub}
        for token_id, seat in tokens.items():
            try:
                if self._now() < seat.caller.expires_at and await self._people.is_signed_in(token_id):
                    continue
            except StorageFault:  # all others are looked at all the same
                log.exception("nobody knows whether somebody is still signed in", extra={"token": token_id})
                continue
            self._sign_outs.tell(token_id)
