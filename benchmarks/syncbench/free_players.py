"""Two players of our own that nobody follows, with sockets for an observer."""

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

from benchmarks.syncbench.looking import Observer
from dateflicks.client.players.mpv import MpvPlayer
from dateflicks.client.players.process import MpvOptions


@contextlib.asynccontextmanager
async def free_players(film: Path) -> AsyncIterator[tuple[tuple[MpvPlayer, MpvPlayer], Observer]]:
    """Both stand at the start of the film, under observation, for as long as the block runs."""
    with tempfile.TemporaryDirectory(prefix="dateflicks-free-") as name:
        paths = (Path(name) / "one", Path(name) / "other")
        async with contextlib.AsyncExitStack() as stack:
            players = []
            for path in paths:
                options = MpvOptions(null_outputs=True, arguments=(f"--input-ipc-server={path}",))
                players.append(await MpvPlayer.start(options))
                stack.push_async_callback(players[-1].close)
            for player in players:
                await player.load(str(film))
            await exist(*paths)
            yield (players[0], players[1]), await stack.enter_async_context(Observer(*paths))


async def exist(*paths: Path, seconds: float = 4.0) -> None:
    """Wait until the sockets are there. Raises RuntimeError when they do not come."""
    are_there: Callable[[], Any] = lambda: all(path.exists() for path in paths)  # noqa: E731 - asked in a thread
    for _ in range(int(seconds / 0.02)):
        if await asyncio.to_thread(are_there):
            return
        await asyncio.sleep(0.02)
    raise RuntimeError("the players did not open their sockets")
