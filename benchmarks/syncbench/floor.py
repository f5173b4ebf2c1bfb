"""The floor: two players that run free, under the same observer. What they drift is the machine's, not ours."""

import asyncio
import time
from pathlib import Path
from typing import Final

from benchmarks.syncbench.figures import percentile
from benchmarks.syncbench.free_players import free_players

LIMIT_MS: Final = 2.0
SETTLE_SECONDS: Final = 2.0
READINGS_MIN: Final = 0.8  # of those that a machine with time on its hands makes


async def measure_floor(film: Path, seconds: float) -> float:
    """The 99th percentile of how far two free players are from their own mean distance, in milliseconds."""
    async with free_players(film) as (players, observer):
        at = time.monotonic() + 0.5
        for player in players:
            await player.play_at(at)
        await asyncio.sleep(0.5 + SETTLE_SECONDS)
        began = time.monotonic()
        await asyncio.sleep(seconds)
        distances = [one.seconds for one in observer.apart(began)]
    if len(distances) < READINGS_MIN * seconds / 0.020:
        return float("inf")
    mean = sum(distances) / len(distances)
    return 1000 * percentile([abs(one - mean) for one in distances], 0.99)
