"""Listening to a session's playback without taking part in it: states as they come, through any disconnection.

For whoever only looks: it sends no report, so it moves nobody.
"""

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Final
from urllib.parse import quote

import msgspec

from dateflicks.client import errors
from dateflicks.client.feed import TOKEN_CODE, Feed, FeedEnded, Lost, Opened, Received
from dateflicks.protocol.frames import TimecodeFrame, TimecodeServerFrame

_ENDED: Final[dict[int, type[errors.ClientError]]] = {
    TOKEN_CODE: errors.NotSignedIn,
    4403: errors.NotAllowed,
    4404: errors.NotThere,
    4409: errors.AtOdds,
}


def feed_url(base: str, session_id: str) -> str:
    """Where a session's playback is told; `base` is the timecode service's address."""
    return f"ws{base.removeprefix('http')}/timecodes/{quote(session_id, safe='')}/events"


async def playback(base: str, session_id: str, ticket: Callable[[], Awaitable[str]]) -> AsyncIterator[TimecodeFrame]:
    """Every state of the playback until the session ends; `ticket` is asked for one at each connection."""
    was_open, revision, clock = False, -1, ""
    try:
        async with contextlib.aclosing(Feed(feed_url(base, session_id), ticket).events()) as events:
            async for event in events:
                if isinstance(event, Opened):
                    was_open = True
                elif isinstance(event, Lost) and not was_open and event.tries > 1:
                    raise errors.Unreachable(f"{base} cannot be reached: {event.why}.", url=base)
                elif isinstance(event, Received) and (frame := _state(event.data)) is not None:
                    if frame.clock_id == clock and frame.revision < revision:
                        continue
                    revision, clock = frame.revision, frame.clock_id
                    yield frame
                    if frame.reason == "end":
                        return
    except FeedEnded as ended:
        kind = _ENDED.get(ended.code, errors.ServiceFailed)
        sentence = str(ended)[:1].upper() + str(ended)[1:]
        raise kind(f"{sentence}.", url=base) from ended


def _state(data: bytes) -> TimecodeFrame | None:
    try:
        frame = msgspec.json.decode(data, type=TimecodeServerFrame)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None  # a frame of a newer service: what matters comes again within seconds
    return frame if isinstance(frame, TimecodeFrame) else None
