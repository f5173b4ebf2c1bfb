"""Waiting for a session to change its state, as by the guest's answer, through any disconnection of its service."""

import contextlib
from typing import Final

import msgspec

from dateflicks.client import errors
from dateflicks.client.feed import Feed, FeedEnded, Opened, Received
from dateflicks.client.http import ServiceClient
from dateflicks.protocol.bodies import InvitationFrame, SessionBody, SessionFrame

QUIET_SECONDS: Final = 60.0  # nothing happens for long while one waits; after this the line is made anew

_DECODER: Final[msgspec.json.Decoder[InvitationFrame | SessionFrame]] = msgspec.json.Decoder(
    InvitationFrame | SessionFrame
)


async def changed(client: ServiceClient, session: SessionBody) -> SessionBody:
    """The session once its state is another than it was. Raises ClientError."""
    before = session.state
    base = await client.address_of("session")

    async def bearer() -> str:
        return client.token or ""

    feed = Feed(f"ws{base.removeprefix('http')}/sessions/events", bearer, silence_seconds=QUIET_SECONDS)
    try:
        async for event in feed.events():
            match event:
                case Opened():  # what was said before there was a line
                    with contextlib.suppress(errors.Unreachable):
                        session = await client.session(session.id)
                case Received(data=data) if (told := _session(data)) is not None and told.id == session.id:
                    session = told
                case _:
                    continue
            if session.state != before:
                return session
    except FeedEnded as ended:
        raise errors.of_close_code(ended.code, str(ended), url=base) from ended
    raise AssertionError("a feed only ends with an error")


def _session(data: bytes) -> SessionBody | None:
    try:
        return _DECODER.decode(data).session
    except (msgspec.MsgspecError, RecursionError):
        return None  # of a newer service: what matters can be asked for again
