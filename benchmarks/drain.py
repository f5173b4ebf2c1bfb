"""A stop of a server that people are connected to: how long from SIGTERM to its end, and was everybody told?

python -m benchmarks.drain [--sockets 200] [--workers 1]
"""

import argparse
import asyncio
import contextlib
import os
import secrets
import signal
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Final

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from benchmarks.filmbench.calls import connected
from benchmarks.kernel import files_allowed, is_running, parent_of
from benchmarks.loadbench.processes import ours, redis
from dateflicks.protocol.ids import new_id
from dateflicks.server.auth.tokens import Signer

RESTART: Final = 1012
STOP_SECONDS_MAX: Final = 5.0


def main() -> None:
    """Run it; exit status 1 when somebody was not told, or it took too long."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--sockets", type=int, default=200, help="how many (200)")
    parser.add_argument("--workers", type=int, default=1, help="processes that serve; more than one need a Redis (1)")
    wishes = parser.parse_args()
    raise SystemExit(asyncio.run(drain(wishes.sockets, wishes.workers)))


async def drain(sockets: int, workers: int) -> int:
    """The exit status."""
    files_allowed()
    key = secrets.token_hex(32)
    with tempfile.TemporaryDirectory(prefix="dateflicks-drain-") as folder:
        async with contextlib.AsyncExitStack() as stack:
            bus = await stack.enter_async_context(redis(Path(folder))) if workers > 1 else ""
            served = await stack.enter_async_context(ours("timecode", Path(folder), key, workers=workers, bus=bus))
            feeds = [await one for one in [_pair(served.port, key) for _ in range(sockets // 2)]]
            endings = [asyncio.create_task(_ending(feed)) for both in feeds for feed in both]
            parent = served.pids[0] if workers == 1 else parent_of(served.pids[0])
            began = time.perf_counter()
            os.kill(parent, signal.SIGTERM)
            codes = Counter(await asyncio.gather(*endings))
            told = time.perf_counter() - began
            while is_running(parent):  # noqa: ASYNC110 - a process tells only its own parent
                await asyncio.sleep(0.005)
            took = time.perf_counter() - began
    print(f"{sum(codes.values())} sockets: " + ", ".join(f"{count} saw {code}" for code, count in codes.items()))
    print(f"all told after {told:.2f} s, ended after {took:.2f} s")
    return 0 if set(codes) == {RESTART} and took <= STOP_SECONDS_MAX else 1


async def _pair(port: int, key: str) -> list[ClientConnection]:
    signer, session = Signer(key.encode()), new_id("ses")
    tickets = [signer.issue_ticket(session, new_id("usr"), role, role) for role in ("host", "guest")]
    async with connected(port) as calls:
        await calls.post("/timecodes", {"timecode": {"sessionId": session, "length": 3600.0}}, tickets[0])
    url = f"ws://127.0.0.1:{port}/timecodes/{session}/events"
    return [
        await connect(url, additional_headers={"Authorization": f"Bearer {one}"}, compression=None, proxy=None)
        for one in tickets
    ]


async def _ending(feed: ClientConnection) -> int | None:
    with contextlib.suppress(ConnectionClosed):
        while True:
            await feed.recv()
    return feed.close_code


if __name__ == "__main__":
    main()
