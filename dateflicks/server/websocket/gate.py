"""The gate of a service: everything that its feeds share, from the check of a handshake to the end of a connection.

A feed calls `check` first, then finds out who is calling and whether they may, then `upgrade`; whatever is refused
before that is an HTTP answer, and no WebSocket was ever there. Only pages, inside `told`, are upgraded to be refused.
Behind the upgrade people sit down, inside `seating`.
"""

import contextlib
import logging
from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final, TypeVar

from dateflicks.core.errors import Forbidden, NotFound, RuleError, Unauthenticated, Unavailable
from dateflicks.core.limits import PING_INTERVAL_SECONDS
from dateflicks.protocol.frames import Ping
from dateflicks.protocol.ids import new_id
from dateflicks.server.bus.local import Bus
from dateflicks.server.observe.metrics import Metrics
from dateflicks.server.observe.requests import HEADER
from dateflicks.server.web.service import FeedCall
from dateflicks.server.websocket.connection import AnyConnection, Connection, ConnectionRules
from dateflicks.server.websocket.decoding import FrameDecoder, error_frame
from dateflicks.server.websocket.frames import WENT_WRONG, Code
from dateflicks.server.websocket.handshake import accepted, allowed_origins, check_origin, check_request
from dateflicks.server.websocket.places import Places
from dateflicks.server.websocket.protocol import FeedProtocol
from dateflicks.settings.services import LimitSettings

log = logging.getLogger(__name__)

T = TypeVar("T")

PLACES_TOPIC: Final = "places"
_NOTHING: Final[FrameDecoder[Ping]] = FrameDecoder(Ping)  # of a connection that is closed before it can say anything
_WORDS: Final = {"sessionId": "session"}  # how the ids of a path are called in the log
_CODES: Final[tuple[tuple[type[RuleError], Code], ...]] = (
    (Unauthenticated, Code.TOKEN),
    (Forbidden, Code.NOT_A_MEMBER),
    (NotFound, Code.NO_SESSION),
)


class Gate:
    """One service's; `origins` are the web pages that may connect, such as `https://films.example.org`."""

    def __init__(
        self,
        service: str,
        limits: LimitSettings | None = None,
        origins: Collection[str] = (),
        *,
        metrics: Metrics | None = None,
        ping_seconds: float = PING_INTERVAL_SECONDS,
        rules: ConnectionRules | None = None,
        bus: Bus | None = None,
    ) -> None:
        """`bus` tells of people's connections to other processes."""
        limits = limits or LimitSettings()
        self._service = service
        self._origins = allowed_origins(origins)
        self._metrics = metrics or Metrics()
        self._rules = rules or ConnectionRules(
            frames_per_second=limits.frames_per_second, frames_burst=limits.frames_burst, ping_seconds=ping_seconds
        )
        self._places = Places(limits.sockets_per_person, limits.sockets_per_address)
        self._open: set[AnyConnection] = set()
        self._bus = bus
        if bus is not None:
            bus.subscribe(PLACES_TOPIC, self._hear_place)
            bus.on_gone(self._places.forget_process)
            bus.on_return(self._places.forget_elsewhere)
        self._metrics.sockets.labels(service).set(0)

    def __iter__(self) -> Iterator[AnyConnection]:
        return iter(tuple(self._open))

    def __len__(self) -> int:
        return len(self._open)

    def check(self, call: FeedCall) -> str:
        """The token of a handshake that is right, from an origin and an address that may.

        Raises Malformed, UpgradeRequired, Forbidden, TooMany, Unauthenticated.
        """
        check_request(call.request)
        check_origin(call.request, self._origins)
        self._places.check(call.address)
        if call.token is None:
            raise Unauthenticated("This needs a token: send Authorization: Bearer TOKEN.")
        return call.token

    def upgrade(self, call: FeedCall, person: str, decoder: FrameDecoder[T]) -> Connection[T]:
        """Answer the handshake and take the connection over; the caller attaches a receiver at once, without waiting.

        Raises Unavailable when the peer has gone meanwhile, and TooMany when others of its address were faster.
        """
        transport: Any = call.request.transport
        protocol: Any = transport.get_protocol() if transport is not None else None
        if not isinstance(protocol, FeedProtocol) or transport.is_closing():
            raise Unavailable("The connection is gone.")
        address = call.address
        self._places.check(address)  # once more: many may have passed the first check while each waited for something
        connection_id = new_id("req")
        answer = accepted(call.request, call.subprotocol, {HEADER: call.request_id})

        def leave(own: AnyConnection) -> None:  # knows nothing of the call: a request is not kept for an evening
            self._open.discard(own)
            self._places.leave(own, person, address)
            self._tell_place(person, connection_id, has_left=True)
            self._metrics.sockets.labels(self._service).set(len(self._open))

        about = {"request": call.request_id, **{_WORDS.get(name, name): value for name, value in call.path.items()}}
        log.info("feed opened", extra={"service": self._service, **about, "address": address})
        connection = Connection(transport, decoder, self._rules, self._service, self._metrics, leave, about)
        transport.write(answer)
        self._metrics.opened.labels(self._service).inc()
        protocol.take_over(connection)
        self._open.add(connection)
        self._metrics.sockets.labels(self._service).set(len(self._open))
        self._places.enter(connection, person, address)
        self._tell_place(person, connection_id)
        return connection

    def _tell_place(self, person: str, connection_id: str, *, has_left: bool = False) -> None:
        if self._bus is not None and person:
            where = {"service": self._service, "person": person, "connection": connection_id, "left": has_left}
            self._bus.publish(PLACES_TOPIC, {**where, "by": self._bus.worker_id})

    def _hear_place(self, _: str, hint: Mapping[str, Any]) -> None:
        assert self._bus is not None
        if hint.get("service") != self._service or hint.get("by") == self._bus.worker_id:
            return
        person, connection_id = str(hint.get("person")), str(hint.get("connection"))
        if hint.get("left"):
            self._places.left_elsewhere(person, connection_id)
        else:
            self._places.entered_elsewhere(person, connection_id, str(hint.get("by")))

    @contextlib.contextmanager
    def told(self, call: FeedCall) -> Iterator[None]:
        """Refuse a page in a way that it can see, whatever is raised in the block before the upgrade.

        A browser shows its page a close code, but no status of a handshake that failed. Whoever sends the token as a
        subprotocol is one; whoever can set headers is refused in HTTP.
        """
        try:
            yield
        except (Unauthenticated, Forbidden, NotFound) as error:
            if call.subprotocol is None or "authorization" in call.request.headers or error.code == "origin":
                raise
            connection = self.upgrade(call, "", _NOTHING)
            connection.send_struct(error_frame(error, None))
            connection.close(next(code for kind, code in _CODES if isinstance(error, kind)), error.code)

    @staticmethod
    @contextlib.contextmanager
    def seating(connection: AnyConnection, session_id: str) -> Iterator[None]:
        """Close it to somebody who, for a fault of ours, cannot sit down, whatever is raised in the block.

        The handshake is answered: what was raised from there would be written between frames.
        """
        try:
            yield
        except Exception:
            log.exception("nobody could sit down", extra={"session": session_id})
            connection.close(Code.OUR_FAULT, WENT_WRONG)

    def close_all(self, code: int, reason: str) -> None:
        """End every connection."""
        for connection in self:
            connection.close(code, reason)
