"""A line with delay: a TCP relay that holds back what passes, in order, by seeded amounts, and counts it.

For simulated people, and for measurements; nobody's own line leads through it.
"""

import asyncio
import contextlib
import random
import time
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Final, Self

CHUNK_BYTES: Final = 65_536
HELD_MAX: Final = 4_096  # pieces on their way in one direction; a line that would have to hold more breaks
SENT_AGAIN_SECONDS: Final = 0.2  # what TCP waits at least before it sends again what was lost; all behind it waits too


@dataclass(frozen=True, slots=True)
class Delay:
    """One direction: between `seconds - jitter` and `seconds + jitter`, uniformly.

    `loss` is the share of pieces that are lost and sent again, which nobody above TCP sees but by their lateness.
    """

    seconds: float = 0.0
    jitter: float = 0.0
    loss: float = 0.0

    def draw(self, source: random.Random) -> float:
        """How long the next piece takes."""
        takes = max(0.0, source.uniform(self.seconds - self.jitter, self.seconds + self.jitter))
        while self.loss and source.random() < self.loss:
            takes += SENT_AGAIN_SECONDS + 2 * self.seconds
        return takes


@dataclass(frozen=True, slots=True)
class Line:
    """Both directions: `there` is towards the service."""

    there: Delay = Delay()
    back: Delay = Delay()

    @classmethod
    def same(cls, seconds: float, jitter: float = 0.0, loss: float = 0.0) -> "Line":
        """The same both ways."""
        return cls(Delay(seconds, jitter, loss), Delay(seconds, jitter, loss))


class LoopbackPort(ABC):
    """Listens on a port of its own, `port`; an async context manager, with whose end all connections break off."""

    def __init__(self) -> None:
        self.port = 0
        self._server: asyncio.Server | None = None
        self._tasks: dict[asyncio.Task[None], asyncio.Task[None]] = {}  # what each carries its connection by

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *exception: object) -> None:
        assert self._server is not None
        self._server.close()
        self._break_off()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @abstractmethod
    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """What is done with one connection, which is ended after it."""

    def _break_off(self) -> None:
        for carrying in self._tasks.values():
            carrying.cancel()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        # In a task of its own: of a callback that is cancelled asyncio prints a traceback, before Python 3.12.
        carrying = self._tasks[task] = asyncio.create_task(self._carry(reader, writer))
        try:
            await asyncio.wait((carrying,))
        finally:
            carrying.cancel()
            writer.transport.abort()
            del self._tasks[task]
        if not carrying.cancelled() and (error := carrying.exception()) and not isinstance(error, OSError):
            raise error


class Relay(LoopbackPort):
    """Passes on to `port` of `host`."""

    def __init__(self, port: int, line: Line, seed: int, *, host: str = "127.0.0.1") -> None:
        super().__init__()
        self.line = line
        self.bytes_there = 0
        self.bytes_back = 0
        self._host, self._target = host, port
        self._cut_until = float("-inf")
        self._random = random.Random(seed)  # noqa: S311 - a line that must repeat itself

    def cut(self, seconds: float) -> None:
        """Everything that passes breaks off, and nothing gets through for so long."""
        self._cut_until = time.monotonic() + seconds
        self._break_off()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if time.monotonic() < self._cut_until:
            return
        far_reader, far_writer = await asyncio.open_connection(self._host, self._target)
        try:
            await asyncio.gather(
                self._pass(reader, far_writer, is_there=True), self._pass(far_reader, writer, is_there=False)
            )
        finally:
            far_writer.transport.abort()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, is_there: bool) -> None:
        """Read at once, write late; the end of a direction passes too. Raises OSError where too much is on its way."""
        held: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(HELD_MAX)

        async def release() -> None:
            with contextlib.suppress(OSError):  # whoever reads there is gone, which the other direction tells
                while True:
                    due, data = await held.get()
                    if (left := due - time.monotonic()) > 0:
                        await asyncio.sleep(left)
                    if not data:
                        writer.close()
                        return
                    writer.write(data)
                    await writer.drain()

        releasing = asyncio.create_task(release())
        last = 0.0
        try:
            while True:
                try:
                    data = await reader.read(CHUNK_BYTES)
                except OSError:
                    data = b""
                if is_there:
                    self.bytes_there += len(data)
                else:
                    self.bytes_back += len(data)
                delay = self.line.there if is_there else self.line.back
                last = max(last, time.monotonic() + delay.draw(self._random))
                if held.full():
                    raise ConnectionResetError("more is on its way than the line holds")
                held.put_nowait((last, data))
                if not data:
                    break
            await releasing
        finally:
            releasing.cancel()
