"""The relay as a process of its own, so that what an attack costs can be seen from outside; and a pair beside it."""

import asyncio
import contextlib
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from tests.server.websocket.peer import Peer, connected, joined, say
from tests.server.websocket.serving import Wish

ROOT: Final = Path(__file__).parents[3]
PAGE: Final = os.sysconf("SC_PAGE_SIZE")
GROWTH_MAX_BYTES: Final = 16 * 1024 * 1024


@dataclass(slots=True)
class Memory:
    """Bytes of memory that a process had at first, and the most that it has had since."""

    before: int
    peak: int

    @property
    def growth(self) -> int:
        """How many more that were."""
        return self.peak - self.before


class Program:
    """One run."""

    def __init__(self, process: "subprocess.Popen[str]", port: int) -> None:
        self.process = process
        self.port = port

    def resident(self) -> int:
        """Bytes of memory that it has at this moment."""
        return int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]) * PAGE

    @contextlib.asynccontextmanager
    async def watched(self) -> AsyncIterator[Memory]:
        """Its memory for as long as the block runs."""
        memory = Memory(self.resident(), self.resident())

        async def watch() -> None:
            while True:
                memory.peak = max(memory.peak, self.resident())
                await asyncio.sleep(0.01)

        watching = asyncio.create_task(watch())
        try:
            yield memory
            memory.peak = max(memory.peak, self.resident())
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)

    async def metric(self, line: str) -> float:
        """The value of a metric, by its name and labels as they are exposed."""
        async with connected(self.port) as peer:
            await peer.send(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
            _, _, body = await peer.answer()
        found = [one.rsplit(" ", 1)[1] for one in body.decode().splitlines() if one.startswith(line + " ")]
        return float(found[0]) if found else 0.0

    async def closes(self, code: int) -> float:
        """How many sockets have ended with this code."""
        return await self.metric(f'dateflicks_socket_closes_total{{code="{code}",service="relay"}}')

    async def wait_closes(self, code: int, count: float) -> None:
        """Wait until so many have ended with this code."""
        async with asyncio.timeout(10):
            while await self.closes(code) < count:  # noqa: ASYNC110 - another process tells nobody
                await asyncio.sleep(0.02)


@contextlib.contextmanager
def program(wish: Wish) -> Iterator[Program]:
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.server.websocket.serving", msgspec.json.encode(wish).decode()],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        url = process.stdout.readline().strip()
        yield Program(process, int(url.rsplit(":", 1)[1]))
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        process.stdout.close()


class Bystanders:
    """Two who talk to each other all the while, at the pace of people in a hurry."""

    def __init__(self, one: Peer, other: Peer) -> None:
        self._one = one
        self._other = other
        self.seconds: list[float] = []

    async def talk(self) -> None:
        while True:
            began = time.monotonic()
            for speaker, listener in ((self._one, self._other), (self._other, self._one)):
                await speaker.send(say(text := str(len(self.seconds))))
                assert (await listener.heard())["text"] == text
            self.seconds.append(time.monotonic() - began)
            await asyncio.sleep(0.1)


@contextlib.asynccontextmanager
async def attack(served: Program, what: str) -> AsyncIterator[None]:
    """The block is an attack: another pair notices nothing, and the server's memory does not grow beyond the bound."""
    async with joined(served.port, "quiet", "eve") as eve, joined(served.port, "quiet", "joe") as joe:
        pair = Bystanders(eve, joe)
        talk = asyncio.create_task(pair.talk())
        while len(pair.seconds) < 2:
            assert not talk.done(), talk
            await asyncio.sleep(0.01)
        try:
            async with served.watched() as memory:
                yield
                heard = len(pair.seconds)
                async with asyncio.timeout(10):
                    while len(pair.seconds) < heard + 2:
                        if talk.done():
                            await talk
                        await asyncio.sleep(0.01)
        finally:
            talk.cancel()
            await asyncio.gather(talk, return_exceptions=True)
        print(
            f"{what}: RSS {memory.before / 2**20:.1f} MB, grew by {memory.growth / 2**20:.2f} MB; "
            f"{len(pair.seconds)} exchanges beside it, the slowest {max(pair.seconds) * 1000:.0f} ms"
        )
        assert memory.growth <= GROWTH_MAX_BYTES


async def pour(peer: Peer, piece: bytes, *, megabytes: float, seconds: float = 1.0) -> int:
    """Send this again and again, as fast as the server takes it; how many bytes it took before it hung up."""
    sent, limit, deadline = 0, int(megabytes * 1e6), time.monotonic() + seconds
    piece *= max(1, 65_536 // len(piece))
    with contextlib.suppress(ConnectionError, TimeoutError):
        while sent < limit and time.monotonic() < deadline:
            peer.writer.write(piece)
            async with asyncio.timeout(max(0.01, deadline - time.monotonic())):
                await peer.writer.drain()
            sent += len(piece)
            await asyncio.sleep(0)
    return sent
