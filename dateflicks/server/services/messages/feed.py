"""The feed of a session's talk: what somebody says in, what is said by all out."""

from collections.abc import Callable, Sequence

from sanic import HTTPResponse

from dateflicks.protocol import chat
from dateflicks.protocol.frames import ErrorFrame
from dateflicks.server.auth.admission import Admission
from dateflicks.server.auth.caller import Ticket
from dateflicks.server.services.messages.handler import MessagesHandler
from dateflicks.server.services.messages.room import Room
from dateflicks.server.web.service import Feed, FeedCall
from dateflicks.server.websocket.connection import Connection
from dateflicks.server.websocket.decoding import FrameDecoder
from dateflicks.server.websocket.gate import Gate

ChatConnection = Connection[chat.ChatClientFrame]


class MessagesFeed:
    """`WS /messages/{sessionId}/events`."""

    def __init__(self, handler: MessagesHandler, admission: Admission, gate: Gate) -> None:
        self._handler = handler
        self._admission = admission
        self._gate = gate
        self._decoder: FrameDecoder[chat.ChatClientFrame] = FrameDecoder(chat.ChatClientFrame)

    def all(self) -> Sequence[Feed]:
        """The feed."""
        return (
            Feed(
                "/messages/{sessionId}/events", self.connect, "Talk", auth="user-or-ticket",
                description="What is said from now on is told to all, its author too, in the order of `seq`. "
                "`resume` tells everything after a `seq` (0 for all of it), once and in order, then `resumed` and how "
                "far the others have read; with `changes` (0, or the number that `resumed` or the last change had) "
                "also what was edited or deleted since. Resuming again starts anew, and the last one is answered. "
                "Whoever resumes with the first frame, within half a second, is told nothing before. "
                "An `ack` comes only after the message is on disk; whoever had none sends it again with the same "
                "`clientId`. An error's `replyTo` is the `clientId` of what was refused, or the frame's type. "
                "`typing` and `read` are told to the others only; `read` beyond the newest message means that one.",
                client=(
                    chat.SendFrame, chat.TypingFrame, chat.ReadFrame, chat.EditFrame, chat.DeleteFrame,
                    chat.ResumeFrame,
                ),
                server=(
                    chat.AckFrame, chat.MessageFrame, chat.TypingTold, chat.ReadTold, chat.EditedFrame,
                    chat.DeletedFrame, chat.ResumedFrame, ErrorFrame,
                ),
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
        room = await self._handler.room(ticket.session_id)
        connection = self._gate.upgrade(call, ticket.user_id, self._decoder)
        with self._gate.seating(connection, ticket.session_id):
            seated = _Seated(self._handler, room, connection, ticket)
            connection.attach(seated)
            seated.release = self._admission.bind(connection, caller, ticket)


class _Seated:
    """One connection of a participant, from the first frame to the last."""

    release: Callable[[], None] = staticmethod(lambda: None)  # of what it lives on, once that is known

    def __init__(self, handler: MessagesHandler, room: Room, connection: ChatConnection, ticket: Ticket) -> None:
        self._handler = handler
        self._seat = handler.sit_down(room, ticket.user_id, ticket.name, connection)

    def received(self, frame: chat.ChatClientFrame, at: float) -> None:
        """A frame of theirs."""
        self._handler.hear(self._seat, frame, at)

    def measured(self, round_trip: float) -> None:
        """How far away they are does not matter here."""

    def closed(self) -> None:
        """They are gone."""
        self.release()
        self._handler.stand_up(self._seat)
