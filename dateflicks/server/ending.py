"""The end of what runs in the background: within a time, so that what is to be put down after it still is."""

import asyncio
import logging
from collections.abc import Iterable
from typing import Any, Final

log = logging.getLogger(__name__)

# Less than the least that a service gets for its stop: something is left for what comes after.
END_SECONDS: Final = 0.4


async def end(tasks: Iterable[asyncio.Task[Any]], seconds: float = END_SECONDS) -> None:
    """Cancel these and wait until they have ended, this long at most; what has not is told in the log.

    Whatever still runs after half of the time is cancelled once more: a cancellation may be lost (before Python 3.12
    `asyncio.wait_for` swallows some).
    """
    left = set(tasks)
    for _ in range(2):
        for task in left:
            task.cancel()
        if left:
            _, left = await asyncio.wait(left, timeout=seconds / 2)
    for task in left:
        log.error("what runs in the background did not end in time", extra={"task": task.get_name()})
