"""The feed of session events: what somebody who was away has to know, then everything as it happens."""

from collections.abc import Sequence

from sanic import HTTPResponse

from dateflicks.core.errors import Invalid
from dateflicks.protocol import frames
from dateflicks.protocol.bodies import InvitationFrame, SessionFrame
from dateflicks.server.services.session.hub import Hub, Seat
from dateflicks.server.services.session.lists import Lists
from dateflicks.server.services.session.people import People
from dateflicks.server.web.service import Feed, FeedCall
from dateflicks.server.websocket.decoding import FrameDecoder
from dateflicks.server.websocket.gate import Gate


class SessionFeed:
    """`WS /sessions/events`."""

    def __init__(self, people: People, lists: Lists, hub: Hub, gate: Gate) -> None:
        self._people = people
        self._lists = lists
        self._hub = hub
        self._gate = gate
        self._decoder: FrameDecoder[frames.Ping] = FrameDecoder(frames.Ping)

    def all(self) -> Sequence[Feed]:
        """The feed."""
        return (
            Feed(
                "/sessions/events", self.connect, "Invitations, and sessions as they change",
                description="On connecting: pending invitations and the present state of live sessions, with one's own "
                "`ticket`. Then each change of state of one's own sessions. Nothing is sent by the client.",
                server=(InvitationFrame, SessionFrame, frames.ErrorFrame),
            ),
        )  # fmt: skip

    async def connect(self, call: FeedCall) -> HTTPResponse | None:
        """Let somebody listen.

        Their seat is taken before it is read whether they are signed in, and what there is, so nothing falls between.
        """
        with self._gate.told(call):
            await self._let_in(call)
        return None

    async def _let_in(self, call: FeedCall) -> None:
        caller = self._people.claimed(self._gate.check(call))
        seat = self._hub.take(caller)
        try:
            await self._people.check_signed_in(caller)
            present = await self._lists.present(caller.user_id)
            connection = self._gate.upgrade(call, caller.user_id, self._decoder)
        except BaseException:
            self._hub.leave(seat)
            raise
        connection.attach(_Listening(self._hub, seat))
        self._hub.open(seat, connection, present)


class _Listening:
    """One connection, which only listens."""

    def __init__(self, hub: Hub, seat: Seat) -> None:
        self._hub = hub
        self._seat = seat

    def received(self, frame: frames.Ping, at: float) -> None:
        """Nothing is said on this feed."""
        del frame, at
        raise Invalid("This feed only tells; it takes no frames.", code="unknown-type")

    def measured(self, round_trip: float) -> None:
        """Nobody needs it here."""

    def closed(self) -> None:
        """Gone."""
        self._hub.leave(self._seat)
