"""What is mended of the driver before it is used.

On Python 3.11 PyMongo waits in its pool of connections by `asyncio.wait_for`, which has a task of its own wait there.
When the wait is over by its own limit, that task must first have the pool's lock again; when the whole call is over
meanwhile, as by the limit that we put around it, nobody waits for the task any more. It gets the lock all the same, and
keeps it: from then on every call hangs, for ever. It takes two limits that end at almost the same time, which a busy
machine is enough for. From 3.12 on `wait_for` waits in the task that called it, and so it does here.

The driver's monitor, which has to find a server again before anything can be asked of it, looks only every half second
whether somebody wants it to look. A cluster takes longer than that to elect; the engine that we start ourselves is back
sooner, and everybody would wait for the monitor.
"""

import asyncio
import sys
from collections.abc import Awaitable
from typing import Any, Final, TypeVar

import pymongo.lock
from pymongo import AsyncMongoClient

T = TypeVar("T")

WATCHFUL_SECONDS: Final = 0.1  # ten times a second a task of the driver looks at a flag: 0.1 % of a processor


async def wait_here(awaitable: Awaitable[T], timeout: float | None) -> T:
    """As `asyncio.wait_for` of Python 3.12: in the task that calls it. Raises TimeoutError."""
    async with asyncio.timeout(timeout):
        return await awaitable


def mend() -> None:
    """To be called before a client is made; once is enough, more does no harm."""
    if sys.version_info < (3, 12):
        pymongo.lock.wait_for = wait_here  # type: ignore[attr-defined, assignment]  # the name under which it imports it


def make_watchful(client: "AsyncMongoClient[Any]") -> None:
    """Have the monitors of a client that has found its server look again as soon as they are wanted to."""
    for server in client._topology._servers.values():
        server._monitor._executor._min_interval = WATCHFUL_SECONDS
