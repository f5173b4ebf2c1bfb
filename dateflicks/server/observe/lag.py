"""How late the event loop is: a sleep that should take a fixed time, and what it took beyond that."""

import asyncio
from collections import deque

from dateflicks.server.observe.metrics import Metrics

SAMPLE_SECONDS = 0.25
REMEMBERED = 40  # ten seconds: longer than a scraper's usual pause would hide nothing, shorter would


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
