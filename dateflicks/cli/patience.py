"""What is found in a collection that sources have just filled: it can be searched a few seconds later, and before that
nobody is told that there is nothing.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from dateflicks.cli.environment import CliEnvironment

if TYPE_CHECKING:
    from dateflicks.client.videos import Videos
    from dateflicks.protocol.videos import SourcePage, VideoBody

WAIT_SECONDS: Final = 6.0  # the index looks for what is new every five seconds
LOOK_SECONDS: Final = 0.3
RECENT_SECONDS: Final = 120.0  # after a run, films are made of what it brought
STILL_READ: Final = "The collection is still being read: there may be more in a moment."

Ask = Callable[[], "Awaitable[list[VideoBody]]"]


async def found_in(environment: CliEnvironment, videos: "Videos", ask: Ask) -> "tuple[list[VideoBody], bool]":
    """What `ask` finds, and whether that is all; nothing at all only after a while of waiting for what is new.

    Raises ClientError.
    """
    found = await ask()
    if found or (videos.is_complete and not _has_news(before := await videos.sources())):
        return found, videos.is_complete
    environment.say("Waiting for the collection to be read…")
    as_of = before.index.as_of if videos.is_complete else None
    deadline = time.monotonic() + WAIT_SECONDS
    while not found and time.monotonic() < deadline:
        await asyncio.sleep(LOOK_SECONDS)
        index = (await videos.sources()).index
        is_read = index.is_complete and index.as_of != as_of
        found = await ask()
        if is_read:
            return found, True
    return found, bool(found) and videos.is_complete


def _has_news(page: "SourcePage") -> bool:
    """Whether a source is read now, or was so lately that the index may not know of it."""
    as_of = datetime.fromisoformat(page.index.as_of) if page.index.as_of else None
    for source in page.items:
        if (run := source.last_run) is not None:
            ended = datetime.fromisoformat(run.ended_at) if run.ended_at else datetime.now(UTC)
            if as_of is None or (as_of - ended).total_seconds() < RECENT_SECONDS:
                return True
    return False
