"""A way to the services that can be cut: connections are passed on, or dropped and refused, as a test says."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

CHUNK_BYTES = 65_536


class Relay:
    """Listens on a port of its own; `url` is what clients are told, `server` is where it leads."""

    def __init__(self, server: str) -> None:
        self.server = server
        self.url = ""
        self._is_open = True
        self._ways: set[asyncio.Task[None]] = set()

    async def cut(self) -> None:
        """From now on nothing passes."""
        self._is_open = False
        ways = list(self._ways)
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)

    def mend(self, server: str | None = None) -> None:
        """Lead on again, perhaps to a server that was started anew."""
        self.server = server or self.server
        self._is_open = True

    def called(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Somebody has connected."""
        way = asyncio.create_task(self._lead(reader, writer))
        self._ways.add(way)
        way.add_done_callback(self._ways.discard)

    async def _lead(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers = [writer]
        try:
            if not self._is_open:
                return
            with contextlib.suppress(OSError):
                there = urlsplit(self.server)
                back, on = await asyncio.open_connection(there.hostname, there.port)
                writers.append(on)
                async with asyncio.TaskGroup() as group:
                    group.create_task(_pass(reader, on))
                    group.create_task(_pass(back, writer))
        finally:
            for one in writers:
                one.transport.abort()


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(CHUNK_BYTES):
            writer.write(data)
            await writer.drain()
    writer.transport.close()


@contextlib.asynccontextmanager
async def relay_to(server: str) -> AsyncIterator[Relay]:
    """A relay that is closed at the end."""
    relay = Relay(server)
    listening = await asyncio.start_server(relay.called, "127.0.0.1", 0)
    relay.url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    try:
        yield relay
    finally:
        listening.close()
        await relay.cut()
