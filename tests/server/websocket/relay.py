"""A service that exists for its feed: what one says in a room the others hear, and some words make it misbehave."""

import asyncio
from collections import defaultdict, deque
from collections.abc import Collection, Sequence
from typing import Final, Literal

from sanic import HTTPResponse

from dateflicks.core.errors import Conflict, Unauthenticated
from dateflicks.protocol.frames import ErrorFrame, Frame
from dateflicks.server.observe.metrics import Metrics
from dateflicks.server.web.route import Route
from dateflicks.server.web.service import Feed, FeedCall
from dateflicks.server.websocket.connection import Connection, ConnectionRules
from dateflicks.server.websocket.decoding import FrameDecoder
from dateflicks.server.websocket.gate import Gate
from dateflicks.settings.services import LimitSettings


class Say(Frame, tag="say", frozen=True, kw_only=True):
    """To the others in the room."""

    text: str
    client_id: str | None = None


class Do(Frame, tag="do", frozen=True, kw_only=True):
    """What the receiver is to do."""

    what: Literal["fail", "refuse", "close", "abort", "close twice", "fail at the end", "answer"]


class Said(Frame, tag="said", frozen=True, kw_only=True):
    """What somebody said."""

    by: str
    text: str


RoomConnection = Connection[Say | Do]

SEATS_KEPT: Final = 500  # to be looked at, the newest ones: a bench brings thousands, whose memory is not the server's


class Relay:
    """The service. A token is a person's name; `name~0.5` expires after that many seconds, `nobody` is none."""

    def __init__(
        self,
        limits: LimitSettings | None = None,
        origins: Collection[str] = (),
        *,
        metrics: Metrics | None = None,
        rules: ConnectionRules | None = None,
    ) -> None:
        self.name = "relay"
        self.summary = "Rooms."
        self.gate = Gate(self.name, limits, origins, metrics=metrics, rules=rules)
        self.seats: deque[Seat] = deque(maxlen=SEATS_KEPT)
        self.rooms: defaultdict[str, list[Seat]] = defaultdict(list)
        self.waiting = 0
        self.go_on = asyncio.Event()
        self.routes: Sequence[Route] = ()
        self.feeds: Sequence[Feed] = (
            Feed("/rooms/{id}/events", self.connect, "A room", client=(Say, Do), server=(Said, ErrorFrame)),
        )
        self._decoder: FrameDecoder[Say | Do] = FrameDecoder(Say | Do)

    async def authenticate(self, token: str) -> object:
        return token

    async def start(self) -> None:
        """Nothing to get ready."""

    async def stop(self) -> None:
        """Nothing to put down."""

    def close_feeds(self, code: int, reason: str) -> None:
        self.gate.close_all(code, reason)

    def database_up(self) -> bool:
        return True

    async def connect(self, call: FeedCall) -> HTTPResponse | None:
        with self.gate.told(call):
            await self._let_in(call)
        return None

    async def _let_in(self, call: FeedCall) -> None:
        person, _, lifetime = self.gate.check(call).partition("~")
        room = call.path["id"]
        if person == "nobody":
            raise Unauthenticated("This token is not valid.")
        if room == "waiting":
            self.waiting += 1
            await self.go_on.wait()
        connection = self.gate.upgrade(call, person, self._decoder)
        if room == "broken":
            raise RuntimeError("a bug after the upgrade")
        seat = Seat(self, connection, person, room)
        connection.attach(seat)
        if lifetime:
            connection.expire_at(float(lifetime), "the token has expired")


class Seat:
    """One connection's."""

    def __init__(self, relay: Relay, connection: RoomConnection, person: str, room: str) -> None:
        self.relay = relay
        self.connection = connection
        self.person = person
        self.heard: list[Say | Do] = []
        self.round_trips: list[float] = []
        self.ends = 0
        self.sent_after_the_end = False
        self._fails_at_the_end = False
        self._room = relay.rooms[room]
        self._room.append(self)
        relay.seats.append(self)

    def received(self, frame: Say | Do, at: float) -> None:
        if isinstance(frame, Say):
            said = Said(by=self.person, text=frame.text)
            for seat in self._room:
                if seat is not self:
                    seat.connection.send_struct(said)
            return
        self.heard.append(frame)
        match frame.what:
            case "fail":
                raise RuntimeError("a bug in the receiver")
            case "refuse":
                raise Conflict("Not now.", code="not-now")
            case "close":
                self.connection.close(4404, "gone")
            case "close twice":
                self.connection.close(4404, "gone")
                self.connection.close(4403, "gone again")
                self.sent_after_the_end = self.connection.send(b"{}")
                raise Conflict("Nobody hears this.")
            case "abort":
                self.connection.abort()
            case "fail at the end":
                self._fails_at_the_end = True
            case "answer":
                self.connection.send_struct(Said(by="relay", text="yes"))

    def measured(self, round_trip: float) -> None:
        self.round_trips.append(round_trip)

    def closed(self) -> None:
        self.ends += 1
        self.sent_after_the_end |= self.connection.send(b"{}")
        self._room.remove(self)
        if self._fails_at_the_end:
            raise RuntimeError("a bug at the end")
