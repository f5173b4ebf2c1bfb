"""The messages service's calls: from HTTP's words to the handler's and back."""

import hashlib
from collections.abc import Sequence
from typing import Final

from dateflicks.core.errors import FieldProblem, Invalid
from dateflicks.protocol.chat import MessageAnswer, MessagePage, MessageRequest, PostMessage
from dateflicks.server.auth.admission import Admission
from dateflicks.server.auth.caller import Caller, Ticket
from dateflicks.server.services.messages.handler import MessagesHandler
from dateflicks.server.services.messages.history import HistoryQuery
from dateflicks.server.web.idempotency import key_in
from dateflicks.server.web.route import Call, Route

_KEY_MAX_CHARACTERS: Final = 64  # those of a `clientId`, in whose place it stands


class MessagesRoutes:
    """The calls, over the handler; each opens only to a participant of its session."""

    def __init__(self, handler: MessagesHandler, admission: Admission) -> None:
        self._handler = handler
        self._admission = admission

    def all(self) -> Sequence[Route]:
        """Every call."""
        return (
            Route(
                "GET", "/messages/{sessionId}", self.history, "What was said", auth="user-or-ticket",
                query=HistoryQuery, answer=MessagePage, errors=(403,),
                description="In the order of `seq`; without `before` and `after` the newest. `before` reads towards "
                "the oldest, `after` towards the newest, both together from `after` on; `next` leads on in the same "
                "direction, and is null where there is no more for now. Each page costs the same, however far back.",
            ),
            Route(
                "POST", "/messages/{sessionId}", self.say, "Say something", auth="user-or-ticket",
                body=PostMessage, answer=MessageAnswer, status=201, errors=(403, 409),
                description="Answered when it is on disk; whoever is connected is told. The fields may stand inside "
                "`message` or by themselves. With a `clientId` a repeated request is answered with the message that "
                "there is, stored once; the same `clientId` with something else is 409. Without one an Idempotency-Key "
                "stands for it. Text has 1 to 4,000 characters after cleaning, a reaction one line of at "
                "most 32. Without a `position` a message has that of the film, where it is known.",
            ),
        )  # fmt: skip

    async def history(self, call: Call) -> MessagePage:
        """`GET /messages/{sessionId}`."""
        query: HistoryQuery = call.query
        return await self._handler.history((await self._ticket(call)).session_id, query)

    async def say(self, call: Call) -> MessageAnswer:
        """`POST /messages/{sessionId}`."""
        ticket = await self._ticket(call)
        said = _said(call.body, key_in(call))
        message = await self._handler.post(ticket.session_id, ticket.user_id, ticket.name, said)
        return MessageAnswer(message=message)

    async def _ticket(self, call: Call) -> Ticket:
        """The caller's place in the session. Raises Forbidden, Unauthenticated."""
        caller = call.caller
        assert isinstance(caller, Caller)
        return await self._admission.admitted(caller, call.path["sessionId"])


def _said(body: PostMessage, key: str | None) -> MessageRequest:
    said: PostMessage | MessageRequest = body if body.message is None else body.message
    if said.content is None:
        raise Invalid("The body does not fit.", (FieldProblem("message.content", "is required"),))
    return MessageRequest(
        content=said.content,
        kind=said.kind if said.type is None or said.type == "message" else said.type,
        client_id=said.client_id or _client_id(key),
        position=said.position,
        reply_to=said.reply_to,
    )


def _client_id(key: str | None) -> str | None:
    """What a key that came in the header is as a `clientId`."""
    if key is None:
        return None
    return key if len(key) <= _KEY_MAX_CHARACTERS else hashlib.sha256(key.encode()).hexdigest()
