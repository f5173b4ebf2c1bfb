"""A film that came near its end is told to those who recommend, so that nobody is asked to watch it again."""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from typing import Final

from dateflicks.client import errors
from dateflicks.client.http import ServiceClient
from dateflicks.client.recommendations import Recommendations, is_recommended_from
from dateflicks.core.playback.timeline import Timeline
from dateflicks.core.ranking.interactions import FINISHED_SHARE
from dateflicks.protocol.bodies import SessionBody

LOOK_SECONDS: Final = 10.0  # the last tenth of a film takes minutes


async def tell_when_watched(
    client: ServiceClient,
    session: SessionBody,
    user_id: str,
    line: Callable[[], Timeline | None],
    *,
    pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> None:
    """Wait until the film has come so far for everybody, and tell it once; where nobody wants to know, do nothing.

    It is told as one of the two who watch.
    """
    if session.video_id is None:
        return
    with contextlib.suppress(errors.ClientError):
        if not await is_recommended_from(client):
            return
        while not _is_watched(line()):
            await pause(LOOK_SECONDS)
        other = session.guest_user_id if user_id == session.host_user_id else session.host_user_id
        await Recommendations(client).tell(session.video_id, "watched", other=other)


def _is_watched(line: Timeline | None) -> bool:
    if line is None or line.length <= 0.0:
        return False
    return line.position_at(time.monotonic()) >= FINISHED_SHARE * line.length
