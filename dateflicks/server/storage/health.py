"""Whether the database answers: a circuit breaker that a background probe closes again.

Operations report what looks like an outage; one ping then decides. While pings fail nobody waits for the database:
`is_up` is False and operations are refused at once. Only one that has just gone is waited for: what was killed is back
after a moment, and nobody has to be told of it. The probe also looks now and then by itself, so that `is_up` is true to
life without traffic.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Final

from dateflicks.server.ending import end
from dateflicks.server.storage.faults import stop_when_told_to

log = logging.getLogger(__name__)

IDLE_SECONDS: Final = 1.0  # how often the probe looks when nothing seems wrong: one ping costs 0.3 ms
FIRST_PAUSE_SECONDS: Final = 0.1
LONGEST_PAUSE_SECONDS: Final = 1.0
JUST_GONE_SECONDS: Final = 1.0  # the engine is back after 0.3 s; no longer than a ping, by which a hang is found out


class Health:
    """`probe` says whether the database answers: within about a second, and without raising anything.

    The one that finds it back may take longer: it prepares what could not be prepared meanwhile.
    """

    def __init__(self, probe: Callable[[], Awaitable[bool]], on_silence: Callable[[float], None]) -> None:
        self._probe = probe
        self._on_silence = on_silence
        self._up = asyncio.Event()
        self._suspected = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._gone_at = float("-inf")
        self.outcomes_unknown = 0  # writes that were sent and never answered

    @property
    def is_up(self) -> bool:
        """Whether the last look found a database that answers."""
        return self._up.is_set()

    def suspect(self) -> None:
        """An operation failed in a way that an outage would explain: look now."""
        self._suspected.set()

    async def wait_up(self) -> None:
        """Wait until the database answers."""
        await self._up.wait()

    async def is_up_soon(self, seconds: float) -> bool:
        """Whether the database answers; one that has just gone is waited for, so long at most."""
        left = self._gone_at + JUST_GONE_SECONDS - time.monotonic()
        if not self.is_up and left > 0:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(min(seconds, left)):
                    await self._up.wait()
        return self.is_up

    async def start(self) -> None:
        """Look once, then keep looking until `stop`."""
        if await self._probe():
            self._up.set()
        else:
            self._suspected.set()
        self._task = asyncio.create_task(self._watch(), name="database health")

    async def stop(self) -> None:
        """Stop looking; from now on the database counts as away."""
        self._up.clear()
        self._gone_at = float("-inf")
        if self._task is not None:
            await end([self._task])
            self._task = None

    async def _watch(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(IDLE_SECONDS):
                    await self._suspected.wait()
            is_suspected = self._suspected.is_set()
            self._suspected.clear()
            # A ping that is late on a busy machine is no outage yet, unless somebody has felt one.
            since = time.monotonic()
            if await self._asked() or (not is_suspected and await self._asked()):
                self._up.set()
            else:
                self._gone_at = since
                self._up.clear()
                log.warning("the database does not answer")
                await self._until_back(since)
                log.warning("the database answers again", extra={"seconds": round(time.monotonic() - since, 2)})

    async def _until_back(self, since: float) -> None:
        pause = FIRST_PAUSE_SECONDS
        while not await self._asked():
            self._on_silence(time.monotonic() - since)
            await asyncio.sleep(pause)
            pause = min(pause * 1.5, LONGEST_PAUSE_SECONDS)
        self._suspected.clear()
        self._up.set()

    async def _asked(self) -> bool:
        """One look by the watch, which ends where it was stopped meanwhile."""
        answers = await self._probe()
        stop_when_told_to()
        return answers
