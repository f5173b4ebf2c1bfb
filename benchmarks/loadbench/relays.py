"""Relays to be measured beside the services: what somebody sends goes, as it came, to all who opened the same path.

    python -m benchmarks.loadbench.relays websockets
    python -m benchmarks.loadbench.relays sanic

`websockets` is the bare library, `sanic` the web framework's own WebSocket handler. Each listens on a free port of the
loopback address, says which on standard output, and ends when its standard input does.
"""

import asyncio
import sys
from collections import defaultdict
from collections.abc import Awaitable, Callable
from typing import Any

import uvloop
import websockets
from sanic import Sanic
from websockets.asyncio.server import ServerConnection, serve

from dateflicks.server.web.listener import BACKLOG

FRAME_BYTES = 16 * 1024


async def run_websockets() -> None:
    """The library, as it comes but for what the services do not have either: compression, and an answer's headers."""
    rooms: dict[str, set[ServerConnection]] = defaultdict(set)

    async def relay(own: ServerConnection) -> None:
        assert own.request is not None
        room = rooms[own.request.path]
        room.add(own)
        try:
            async for text in own:
                for peer in tuple(room):
                    await peer.send(text)
        except websockets.ConnectionClosed:
            pass
        finally:
            room.discard(own)

    server = serve(
        relay, "127.0.0.1", 0, compression=None, backlog=BACKLOG, max_size=FRAME_BYTES, server_header=None,
    )  # fmt: skip
    async with server as running:
        await _until_left_alone(running.sockets[0].getsockname()[1])


async def run_sanic() -> None:
    """The framework's own handler, with its own protocol."""
    app: Sanic[Any, Any] = Sanic("stock-relay", configure_logging=False)
    app.config.MOTD = app.config.ACCESS_LOG = app.config.TOUCHUP = False
    app.config.WEBSOCKET_MAX_SIZE = FRAME_BYTES
    rooms: dict[str, set[Any]] = defaultdict(set)

    async def relay(_: Any, own: Any, path: str) -> None:
        room = rooms[path]
        room.add(own)
        try:
            async for text in own:
                for peer in tuple(room):
                    await peer.send(text)
        finally:
            room.discard(own)

    app.add_websocket_route(relay, "/<path:path>")
    server: Any = await app.create_server("127.0.0.1", 0, return_asyncio_server=True, backlog=BACKLOG)
    await server.startup()
    await server.start_serving()
    await _until_left_alone(server.server.sockets[0].getsockname()[1])


KINDS: dict[str, Callable[[], Awaitable[None]]] = {"websockets": run_websockets, "sanic": run_sanic}


async def _until_left_alone(port: int) -> None:
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    await asyncio.to_thread(sys.stdin.read)


async def _run(kind: str) -> None:
    await KINDS[kind]()


if __name__ == "__main__":
    uvloop.run(_run(sys.argv[1]))
