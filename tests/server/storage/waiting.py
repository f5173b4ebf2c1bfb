"""Waiting for something to become true, with a deadline instead of a nap."""

import asyncio
import time
from collections.abc import Callable


async def until(predicate: Callable[[], bool], *, seconds: float = 10.0) -> None:
    """Wait until it holds; the test fails when it does not in time."""
    began = time.monotonic()
    while not predicate():
        assert time.monotonic() - began < seconds, "it did not happen in time"
        await asyncio.sleep(0.005)
