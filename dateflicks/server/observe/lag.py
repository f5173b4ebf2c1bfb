"""How late the event loop is: a sleep that should take a fixed time, and what it took beyond that."""

import asyncio
from collections import deque
from typing import Final

from dateflicks.server.observe.metrics import Metrics

SAMPLE_SECONDS: Final = 0.25
REMEMBERED: Final = 40  # samples, ten seconds: much less would forget what was between two scrapes


async def watch_lag(metrics: Metrics, *, sample_seconds: float = SAMPLE_SECONDS) -> None:
    """Keep `loop_lag` at the longest delay of the last samples, until cancelled."""
    loop = asyncio.get_running_loop()
    recent: deque[float] = deque(maxlen=REMEMBERED)
    while True:
        expected = loop.time() + sample_seconds
        await asyncio.sleep(sample_seconds)
        metrics.lag = max(0.0, loop.time() - expected)
        recent.append(metrics.lag)
        metrics.loop_lag.set(max(recent))
