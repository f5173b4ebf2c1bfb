"""A film on the web that comes just fast enough, and for as long as somebody says not at all."""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator
from pathlib import Path

CHUNK_BYTES = 2048
AHEAD_SECONDS = 1.0  # of film, sent at once
FASTER = 1.1  # than the film is played


class Stream:
    """One film's server; clear `flows` and nothing more is sent."""

    def __init__(self, film: bytes, seconds: float) -> None:
        self.flows = asyncio.Event()
        self.flows.set()
        self.url = ""
        self._film = film
        self._answers: set[asyncio.Task[None]] = set()
        self._rate = len(film) / seconds

    def called(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """A player has connected."""
        task = asyncio.create_task(self._answer(reader, writer))
        self._answers.add(task)
        task.add_done_callback(self._answers.discard)

    async def close(self) -> None:
        """Hang up on everybody."""
        for task in list(self._answers):
            task.cancel()
        await asyncio.gather(*self._answers, return_exceptions=True)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection: what is asked for, at the pace of the film."""
        try:
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
                asked = await reader.readuntil(b"\r\n\r\n")
                ranged = re.search(rb"(?i)range: bytes=(\d+)-(\d*)", asked)
                start = int(ranged[1]) if ranged else 0
                end = int(ranged[2]) + 1 if ranged and ranged[2] else len(self._film)
                total = len(self._film)
                head = f"HTTP/1.1 {'206 Partial Content' if ranged else '200 OK'}\r\nAccept-Ranges: bytes\r\n"
                head += f"Content-Range: bytes {start}-{end - 1}/{total}\r\n" if ranged else ""
                head += f"Content-Type: video/x-matroska\r\nContent-Length: {end - start}\r\nConnection: close\r\n\r\n"
                writer.write(head.encode())
                began, free = asyncio.get_running_loop().time(), AHEAD_SECONDS * self._rate
                for at in range(start, end, CHUNK_BYTES):
                    await self.flows.wait()
                    writer.write(self._film[at : min(at + CHUNK_BYTES, end)])
                    await writer.drain()
                    due = began + (at - start - free) / (FASTER * self._rate)
                    await asyncio.sleep(due - asyncio.get_running_loop().time())
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()


@contextlib.asynccontextmanager
async def streaming(film: Path, seconds: float) -> AsyncIterator[Stream]:
    """Serve a film that lasts so long, on this machine alone."""
    stream = Stream(await asyncio.to_thread(film.read_bytes), seconds)
    server = await asyncio.start_server(stream.called, "127.0.0.1", 0)
    stream.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/film.mkv"
    try:
        yield stream
    finally:
        server.close()
        await stream.close()
