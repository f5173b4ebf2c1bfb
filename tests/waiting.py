"""Waiting in tests: until something is so, with a deadline instead of a nap."""

import asyncio
import time
from collections.abc import Callable
from typing import Any, Final

DEADLINE_SECONDS: Final = 30.0  # of a busy machine; an idle one needs a moment
LOOK_SECONDS: Final = 0.005


async def until(holds: Callable[[], Any], what: str = "it", *, seconds: float = DEADLINE_SECONDS) -> float:
    """Look until it is so, where what is looked at tells nobody; how long that took."""
    began = time.monotonic()
    while not holds():
        assert time.monotonic() - began < seconds, f"not within {seconds:g} s: {what}"
        await asyncio.sleep(LOOK_SECONDS)
    return time.monotonic() - began
