"""Listening to a session's playback without taking part in it: states as they come, through any disconnection.

For whoever only looks: it moves nobody, and takes no place of a player of the same person's.
"""

import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Final

import msgspec

from dateflicks.client import errors
from dateflicks.client.address import feed_address
from dateflicks.client.feed import Feed, FeedEnded, Lost, Opened, Received
from dateflicks.protocol.decoding import UNREADABLE
from dateflicks.protocol.frames import TimecodeFrame, TimecodeServerFrame

_DECODER: Final[msgspec.json.Decoder[TimecodeServerFrame]] = msgspec.json.Decoder(TimecodeServerFrame)


def feed_url(base: str, session_id: str) -> str:
    """Where a session's playback is told; `base` is the timecode service's address."""
    return feed_address(base, "timecodes", session_id)


def looking_on(
    base: str, session_id: str, ticket: Callable[[], Awaitable[str]], trust: Callable[[], ssl.SSLContext] | None = None
) -> Feed:
    """A line on which a session's playback is told to somebody who is not there; `base` is the service's address."""
    return Feed(f"{feed_url(base, session_id)}?looksOn=true", ticket, trust=trust)


def frame_of(data: bytes) -> TimecodeServerFrame | None:
    """What the service said; None for a frame of a newer one: what matters comes again within seconds."""
    try:
        return _DECODER.decode(data)
    except UNREADABLE:
        return None


async def playback(
    base: str,
    session_id: str,
    ticket: Callable[[], Awaitable[str]],
    trust: Callable[[], ssl.SSLContext] | None = None,
) -> AsyncIterator[TimecodeFrame]:
    """Every state of the playback until the session ends; `ticket` is asked for one at each connection, `trust` whom to
    believe by TLS."""
    was_open, revision, clock = False, -1, ""
    try:
        async with contextlib.aclosing(looking_on(base, session_id, ticket, trust).events()) as events:
            async for event in events:
                if isinstance(event, Opened):
                    was_open = True
                elif isinstance(event, Lost) and not was_open and event.tries > 1:
                    raise errors.Unreachable(f"{base} cannot be reached: {event.why}.", url=base)
                elif isinstance(event, Received) and isinstance(frame := frame_of(event.data), TimecodeFrame):
                    if frame.clock_id == clock and frame.revision < revision:
                        continue
                    revision, clock = frame.revision, frame.clock_id
                    yield frame
                    if frame.reason == "end":
                        return
    except FeedEnded as ended:
        raise errors.of_close_code(ended.code, str(ended), url=base) from ended
