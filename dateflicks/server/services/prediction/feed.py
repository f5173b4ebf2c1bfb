"""The feed of a session's predictions: all that there are, then each change, as the one who listens may see it."""

from collections.abc import Callable, Sequence

from sanic import HTTPResponse

from dateflicks.protocol.frames import ErrorFrame
from dateflicks.protocol.predictions import PositionFrame, PredictionFrame
from dateflicks.server.auth.admission import Admission
from dateflicks.server.services.prediction.handler import Member, PredictionHandler
from dateflicks.server.web.service import Feed, FeedCall
from dateflicks.server.websocket.connection import Connection
from dateflicks.server.websocket.decoding import FrameDecoder
from dateflicks.server.websocket.gate import Gate

PredictionConnection = Connection[PositionFrame]


class PredictionFeed:
    """`WS /predictions/{sessionId}/events`."""

    def __init__(self, handler: PredictionHandler, admission: Admission, gate: Gate) -> None:
        self._handler = handler
        self._admission = admission
        self._gate = gate
        self._decoder: FrameDecoder[PositionFrame] = FrameDecoder(PositionFrame)

    def all(self) -> Sequence[Feed]:
        """The feed."""
        return (
            Feed(
                "/predictions/{sessionId}/events", self.connect, "Predictions, and whatever happens to them",
                auth="user-or-ticket",
                description="On connecting every prediction of the session is told (reason `present`; live ones first, "
                "and of each kind the newest first, 128 KiB at most), then each change. A connection is its person's "
                "presence: a proposal that waits for somebody who is away has its `deadline`. With `position` a client "
                "says where its player is, when that changes: by it predictions wait for their place in the film.",
                client=(PositionFrame,),
                server=(PredictionFrame, ErrorFrame),
            ),
        )  # fmt: skip

    async def connect(self, call: FeedCall) -> HTTPResponse | None:
        """Let a participant in."""
        with self._gate.told(call):
            await self._let_in(call)
        return None

    async def _let_in(self, call: FeedCall) -> None:
        caller = self._admission.identify(self._gate.check(call))
        ticket = await self._admission.admitted(caller, call.path["sessionId"])
        await self._handler.load(ticket.session_id)
        connection = self._gate.upgrade(call, ticket.user_id, self._decoder)
        with self._gate.seating(connection, ticket.session_id):
            member = Member(ticket.session_id, ticket.user_id, ticket.name)
            seated = _Seated(self._handler, connection, member)
            connection.attach(seated)
            seated.release = self._admission.bind(connection, caller, ticket)


class _Seated:
    """One connection of a participant, from the first frame to the last."""

    release: Callable[[], None] = staticmethod(lambda: None)  # of what it lives on, once that is known

    def __init__(self, handler: PredictionHandler, connection: PredictionConnection, member: Member) -> None:
        self._handler = handler
        self._seat = handler.sit_down(member, connection)

    def received(self, frame: PositionFrame, at: float) -> None:
        """Where their player is."""
        del at
        self._handler.hear(self._seat, frame)

    def measured(self, round_trip: float) -> None:
        """Nobody needs it here."""

    def closed(self) -> None:
        """They are gone."""
        self.release()
        self._handler.stand_up(self._seat)
