"""The feed of a session's playback: reports and requests in, the one timeline out."""

from collections.abc import Callable, Sequence

from sanic import HTTPResponse

from dateflicks.core.errors import RuleError
from dateflicks.core.playback import Member, Role
from dateflicks.protocol import frames
from dateflicks.server.auth.admission import Admission
from dateflicks.server.auth.caller import Ticket
from dateflicks.server.services.timecode.house import House
from dateflicks.server.web.service import Feed, FeedCall
from dateflicks.server.websocket.connection import Connection
from dateflicks.server.websocket.decoding import FrameDecoder, error_frame
from dateflicks.server.websocket.frames import Code
from dateflicks.server.websocket.gate import Gate

TimecodeConnection = Connection[frames.TimecodeClientFrame]


class TimecodeFeed:
    """`WS /timecodes/{sessionId}/events`."""

    def __init__(self, house: House, admission: Admission, gate: Gate) -> None:
        self._house = house
        self._admission = admission
        self._gate = gate
        self._decoder: FrameDecoder[frames.TimecodeClientFrame] = FrameDecoder(frames.TimecodeClientFrame)

    def all(self) -> Sequence[Feed]:
        """The feed."""
        return (
            Feed(
                "/timecodes/{sessionId}/events", self.connect, "Watch in step", auth="user-or-ticket",
                description="The timecode is told on connecting, at every change, and at least every 5 s. Of several "
                "connections of one participant the newest one's reports count. With `?looksOn=true` a connection is "
                "told everything, and is nobody's presence or player; it may act by `seek`, `refuse` and a `report` of "
                "the cause `user` whose status alone counts.",
                client=(frames.Ping, frames.Report, frames.Seek, frames.Refuse),
                server=(frames.Pong, frames.TimecodeFrame, frames.ErrorFrame),
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
        await self._house.load(ticket.session_id)
        connection = self._gate.upgrade(call, ticket.user_id, self._decoder)
        with self._gate.seating(connection, ticket.session_id):
            looks_on = call.request.args.get("looksOn") == "true"
            try:
                seated = _Seated(self._house, connection, ticket, looks_on=looks_on)
                connection.attach(seated)
                seated.release = self._admission.bind(connection, caller, ticket)
            except RuleError as error:
                connection.send_struct(error_frame(error, None))
                connection.close(Code.NOT_A_MEMBER, "there is no place")


class _Seated:
    """One connection of a participant, from the first frame to the last. Raises TooMany when the party is full."""

    release: Callable[[], None] = staticmethod(lambda: None)  # of what it lives on, once that is known

    def __init__(
        self,
        house: House,
        connection: TimecodeConnection,
        ticket: Ticket,
        *,
        looks_on: bool,
    ) -> None:
        member = Member(ticket.user_id, Role(ticket.role), ticket.name)
        self._house = house
        self._chair = house.sit_down(ticket.session_id, member, connection, looks_on=looks_on)

    def received(self, frame: frames.TimecodeClientFrame, at: float) -> None:
        """A frame of theirs."""
        self._house.hear(self._chair, frame, at)

    def measured(self, round_trip: float) -> None:
        """How far away they are."""
        self._house.measured(self._chair, round_trip)

    def closed(self) -> None:
        """They are gone."""
        self.release()
        self._house.stand_up(self._chair)
