"""Who may enter a session's services: whoever shows its ticket, and whoever is signed in and has shown it before.

Nothing is asked of the session service. What was shown is remembered in memory, for a bounded number of places, by all
processes that serve the session; who was forgotten shows the ticket again. What one process tells the others of it is
no ticket, and sealed with the deployment's key: nobody enters by what they hear, or say, between processes. Who signs
out, or is erased, is heard of on the bus: their token, and the tickets that were given to it, open nothing from then
on, and what lives on them is closed.
"""

import asyncio
import contextlib
import hmac
import logging
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from typing import Any, Final, Protocol

import msgspec

from dateflicks.core.errors import Forbidden, Unauthenticated, Unavailable
from dateflicks.server.auth.caller import Caller, Ticket
from dateflicks.server.auth.signed_out import Closable, SignedOut
from dateflicks.server.auth.tokens import Signer
from dateflicks.server.bus.local import Bus, LocalBus

log = logging.getLogger(__name__)

PLACES_MAX: Final = 20_000  # about 10 MB
TOLD_MAX: Final = 2_000  # to a process that is new, those of late
TOLD_AT_ONCE: Final = 100
ANSWER_SECONDS: Final = 0.25  # for other processes to say that they were shown a ticket
EXPIRED: Final = "the ticket has expired"

Place = tuple[str, str]


class Mortal(Closable, Protocol):
    """A connection that ends by itself."""

    def expire_at(self, seconds_from_now: float, reason: str) -> asyncio.TimerHandle:
        """Close it with the token's code after this time."""


class Admission:
    """One service's door; every session has its own ticket."""

    def __init__(
        self, signer: Signer, bus: Bus | None = None, service: str = "", *, places_max: int = PLACES_MAX
    ) -> None:
        self._signer = signer
        self._places_max = places_max
        self._shown: OrderedDict[Place, Ticket] = OrderedDict()
        self._bus = bus
        self._topic = f"shown-{service}"
        self._asked: defaultdict[Place, set[asyncio.Event]] = defaultdict(set)
        self.signed_out = SignedOut()
        if bus is not None:
            bus.subscribe(self._topic, self._hear)
            bus.on_return(self._ask)

    def identify(self, bearer: str) -> Caller:
        """Whose this token or ticket is. Raises Unauthenticated."""
        caller = self._signer.verify(bearer)
        self.signed_out.check(caller.token_id, caller.user_id)
        if caller.ticket is not None and self._remember(caller.ticket) and self._bus is not None:
            self._bus.publish(self._topic, {"by": self._bus.worker_id, "shown": [self._sealed(caller.ticket)]})
        return caller

    async def authenticate(self, bearer: str) -> Caller:
        """As `identify`, in the form in which an app asks."""
        return self.identify(bearer)

    async def admitted(self, caller: Caller, session_id: str) -> Ticket:
        """Their place in this session.

        Raises Forbidden; Unauthenticated when the place has expired meanwhile; Unavailable while nobody can be asked.
        """
        place = (caller.user_id, session_id)
        if caller.ticket is None and place not in self._shown and not isinstance(self._bus, LocalBus | None):
            answered = asyncio.Event()
            self._asked[place].add(answered)
            try:
                self._bus.publish(self._topic, {"by": self._bus.worker_id, "asks": place})
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(ANSWER_SECONDS):
                        await answered.wait()
            finally:
                self._asked[place].discard(answered)
                if not self._asked[place]:
                    del self._asked[place]
            if place not in self._shown and not self._bus.is_up:
                raise Unavailable("Nobody can say now whether you may. Show the session's ticket, or try again.")
        return self.admit(caller, session_id)

    def admit(self, caller: Caller, session_id: str) -> Ticket:
        """Their place in this session, as far as this process knows. Raises as `admitted`."""
        if caller.ticket is not None:
            if caller.ticket.session_id != session_id:
                raise Forbidden("This ticket opens another session.")
            return caller.ticket
        shown = self._shown.get((caller.user_id, session_id))
        if shown is None:
            raise Forbidden("This needs the session's ticket: connect with it as the bearer token.")
        return self._signer.still_valid(shown)

    def bind(self, connection: Mortal, caller: Caller, ticket: Ticket) -> Callable[[], None]:
        """Let a connection end with what opened it, its time or its sign-in; call what is returned when it is over."""
        expiry = connection.expire_at(self._signer.seconds_left(caller.expires_at, ticket.expires_at), EXPIRED)
        let_go = self.signed_out.hold(caller.token_id, caller.user_id, connection)

        def release() -> None:
            expiry.cancel()
            let_go()

        return release

    def _remember(self, ticket: Ticket) -> bool:
        """Whether it is news; an older one that is shown later takes nothing away."""
        place = (ticket.user_id, ticket.session_id)
        known = self._shown.get(place)
        is_news = known is None or known.expires_at < ticket.expires_at
        if is_news:
            self._shown[place] = ticket
            for answered in self._asked.get(place, ()):
                answered.set()
        self._shown.move_to_end(place)
        while len(self._shown) > self._places_max:
            self._shown.popitem(last=False)
        return is_news

    # --- other processes ----------------------------------------------------------------------------------------

    def _ask(self) -> None:
        """What was shown elsewhere while nothing could be heard, or before this process began."""
        assert self._bus is not None
        self._bus.publish(self._topic, {"by": self._bus.worker_id, "asks": True})

    def _hear(self, _: str, hint: Mapping[str, Any]) -> None:
        assert self._bus is not None
        by = hint.get("by")
        if by == self._bus.worker_id or not isinstance(by, str):
            return
        if asked := hint.get("asks"):
            self._answer(by, asked)
            return
        shown = hint.get("shown")
        for one in shown if isinstance(shown, list | tuple) else ():
            try:
                ticket = msgspec.convert(one["ticket"], Ticket)
                if hmac.compare_digest(self._seal(ticket), str(one["seal"])):
                    self._remember(self._signer.still_valid(ticket))
            except (msgspec.ValidationError, Unauthenticated, KeyError, TypeError):
                log.debug("what another process was shown is of no use here")

    def _answer(self, worker_id: str, asked: Any) -> None:
        """Tell a process of one place, or of all of late."""
        assert self._bus is not None
        if isinstance(asked, list | tuple):
            is_place = len(asked) == 2 and all(isinstance(one, str) for one in asked)
            known = self._shown.get((asked[0], asked[1])) if is_place else None
            told = [] if known is None else [known]
        else:
            told = list(islice(reversed(self._shown.values()), TOLD_MAX))[::-1]
        for start in range(0, len(told), TOLD_AT_ONCE):
            shown = [self._sealed(ticket) for ticket in told[start : start + TOLD_AT_ONCE]]
            self._bus.send(worker_id, self._topic, {"by": self._bus.worker_id, "shown": shown})

    def _sealed(self, ticket: Ticket) -> dict[str, Any]:
        return {"ticket": msgspec.to_builtins(ticket), "seal": self._seal(ticket)}

    def _seal(self, ticket: Ticket) -> str:
        ends = (repr(ticket.expires_at), ticket.token_id)
        parts: Sequence[str] = (ticket.session_id, ticket.user_id, ticket.name, ticket.role, *ends)
        return self._signer.derived("shown", self._topic, *parts).hex()
