"""The floor: two players that run free, under the same observer. What they drift is the machine's, not ours."""

import asyncio
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from benchmarks.syncbench.figures import percentile
from benchmarks.syncbench.looking import Observer
from dateflicks.client.players.mpv import MpvPlayer
from dateflicks.client.players.process import MpvOptions

LIMIT_MS: Final = 2.0
SETTLE_SECONDS: Final = 2.0
READINGS_MIN: Final = 0.8  # of those that a machine with time on its hands makes


async def measure_floor(film: Path, seconds: float) -> float:
    """The 99th percentile of how far two free players are from their own mean distance, in milliseconds."""
    with tempfile.TemporaryDirectory(prefix="dateflicks-floor-") as name:
        paths = [Path(name) / "one", Path(name) / "other"]
        options = [MpvOptions(null_outputs=True, arguments=(f"--input-ipc-server={path}",)) for path in paths]
        players = await asyncio.gather(*(MpvPlayer.start(one) for one in options))
        try:
            for player in players:
                await player.load(str(film))
            await _exist(paths)
            async with Observer(*paths) as observer:
                at = time.monotonic() + 0.5
                for player in players:
                    await player.play_at(at)
                await asyncio.sleep(0.5 + SETTLE_SECONDS)
                began = time.monotonic()
                await asyncio.sleep(seconds)
                distances = [one.seconds for one in observer.apart(began)]
        finally:
            for player in players:
                await player.close()
    if len(distances) < READINGS_MIN * seconds / 0.020:
        return float("inf")
    mean = sum(distances) / len(distances)
    return 1000 * percentile([abs(one - mean) for one in distances], 0.99)


async def _exist(paths: list[Path]) -> None:
    exist: Callable[[], bool] = lambda: all(path.exists() for path in paths)  # noqa: E731 - asked once
    for _ in range(200):
        if await asyncio.to_thread(exist):
            return
        await asyncio.sleep(0.02)
    raise RuntimeError("the players did not open their sockets")
