"""News of one's own sessions: invitations, and sessions as they change, through any disconnection of their service."""

import contextlib
from collections.abc import AsyncGenerator, Callable
from typing import Final

import msgspec

from dateflicks.client import errors
from dateflicks.client.address import feed_address
from dateflicks.client.feed import Feed, FeedEnded, Lost, Opened, Received
from dateflicks.client.http import ServiceClient
from dateflicks.protocol.bodies import InvitationFrame, SessionBody, SessionFrame
from dateflicks.protocol.decoding import UNREADABLE

QUIET_SECONDS: Final = 60.0  # nothing happens for long while one waits; after this the line is made anew

_DECODER: Final[msgspec.json.Decoder[InvitationFrame | SessionFrame]] = msgspec.json.Decoder(
    InvitationFrame | SessionFrame
)


async def session_news(client: ServiceClient) -> AsyncGenerator[Opened | Lost | SessionBody]:
    """Each session as it is told, pending and live ones first; the line's coming and going between them.

    Raises ClientError when the service does not want this client.
    """
    base = await client.address_of("session")

    async def bearer() -> str:
        return client.token or ""

    feed = Feed(
        feed_address(base, "sessions"),
        bearer,
        silence_seconds=QUIET_SECONDS,
        trust=lambda: client.trust,
    )
    try:
        async with contextlib.aclosing(feed.events()) as events:
            async for event in events:
                if not isinstance(event, Received):
                    yield event
                elif (told := _session(event.data)) is not None:
                    yield told
    except FeedEnded as ended:
        raise errors.of_close_code(ended.code, str(ended), url=base) from ended


async def changed(
    client: ServiceClient, session: SessionBody, *, cut: Callable[[bool], None] = lambda _: None
) -> SessionBody:
    """The session once its state is another than it was, as by the guest's answer. Raises ClientError.

    `cut` is told when the line is lost, and when it is there.
    """
    before = session.state
    async with contextlib.aclosing(session_news(client)) as news:
        async for told in news:
            if not isinstance(told, SessionBody):
                cut(isinstance(told, Lost))
            if isinstance(told, Opened):  # what was said before there was a line
                with contextlib.suppress(errors.Unreachable):
                    session = await client.session(session.id)
            elif isinstance(told, SessionBody) and told.id == session.id:
                session = told
            if session.state != before:
                return session
    raise AssertionError("a feed only ends with an error")


def _session(data: bytes) -> SessionBody | None:
    try:
        return _DECODER.decode(data).session
    except UNREADABLE:
        return None  # of a newer service: what matters can be asked for again
