"""What is mended of the driver before it is used.

On Python 3.11 PyMongo waits in its pool of connections by `asyncio.wait_for`, which has a task of its own wait there.
When the wait is over by its own limit, that task must first have the pool's lock again; when the whole call is over
meanwhile, as by the limit that we put around it, nobody waits for the task any more. It gets the lock all the same, and
keeps it: from then on every call hangs, for ever. It takes two limits that end at almost the same time, which a busy
machine is enough for. From 3.12 on `wait_for` waits in the task that called it, and so it does here.
"""

import asyncio
import sys
from collections.abc import Awaitable
from typing import TypeVar

import pymongo.lock

T = TypeVar("T")


async def wait_here(awaitable: Awaitable[T], timeout: float | None) -> T:
    """As `asyncio.wait_for` of Python 3.12: in the task that calls it. Raises TimeoutError."""
    async with asyncio.timeout(timeout):
        return await awaitable


def mend() -> None:
    """To be called before a client is made; once is enough, more does no harm."""
    if sys.version_info < (3, 12):
        pymongo.lock.wait_for = wait_here  # type: ignore[attr-defined, assignment]  # the name under which it imports it
