"""Which bus a process has, and which clock it follows, by the settings."""

import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Final

from dateflicks.core.errors import DateflicksError
from dateflicks.server.bus.clock import following
from dateflicks.server.bus.local import Bus, LocalBus
from dateflicks.server.clock import ClockBase, ServerClock
from dateflicks.settings.services import BusSettings

LOCAL: Final = "local"


class BusUnusable(DateflicksError):
    """What joins processes is not installed; the text is for people."""


@contextlib.asynccontextmanager
async def open_bus(settings: BusSettings, worker_id: str | None = None) -> AsyncIterator[Bus]:
    """The bus for as long as the block runs; a Redis that is away is waited for in the background.

    `worker_id` is the name that this process was given.

    Raises BusUnusable, BusAddressWrong.
    """
    if settings.uri == LOCAL:
        yield LocalBus()
        return
    try:
        from dateflicks.server.bus.redis import RedisBus
    except ImportError as error:
        raise BusUnusable(
            "`bus.uri` names a Redis, and the package that speaks to it is not installed.\n"
            "Install dateflicks[redis], or set it to `local` for a single process."
        ) from error
    async with RedisBus(settings.uri, deployment=settings.deployment, worker_id=worker_id).open() as bus:
        yield bus


@contextlib.asynccontextmanager
async def follow_deployment(
    settings: BusSettings, clock: ServerClock, led: Callable[[ClockBase], None] = lambda _: None
) -> AsyncIterator[None]:
    """Have a clock led to that of the deployment for as long as the block runs; `led` is told of each change.

    Where nothing joins processes it is the deployment's. Raises BusAddressWrong.
    """
    if settings.uri == LOCAL:
        yield
        return
    from dateflicks.server.bus.redis import client_of

    async with following(client_of(settings.uri), settings.deployment, clock, led):
        yield
