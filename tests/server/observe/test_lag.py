"""How late the event loop is."""

import asyncio
import time

from dateflicks.server.observe.lag import watch_lag
from dateflicks.server.observe.metrics import Metrics


def lag(metrics: Metrics) -> float:
    value = metrics.registry.get_sample_value("dateflicks_loop_lag_seconds")
    assert value is not None
    return value


async def test_a_loop_that_is_held_up_shows_it() -> None:
    metrics = Metrics()
    watching = asyncio.create_task(watch_lag(metrics, sample_seconds=0.01))
    async with asyncio.timeout(10):
        await asyncio.sleep(0)  # let it start its first sample
        time.sleep(0.1)  # noqa: ASYNC251 - holding the loop up is what this is about
        while lag(metrics) < 0.08:  # noqa: ASYNC110 - a gauge has no event
            await asyncio.sleep(0.01)
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)
    assert watching.cancelled()
