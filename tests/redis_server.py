"""A real Redis for tests, on a Unix socket in a folder of the test; to be started, killed, frozen and started again."""

import asyncio
import contextlib
import signal
import socket
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

from tests.conftest import require

START_SECONDS = 20.0


class RedisServer:
    """One Redis that keeps nothing."""

    def __init__(self, folder: Path) -> None:
        self.socket = folder / "redis.sock"
        self._process: asyncio.subprocess.Process | None = None

    @property
    def uri(self) -> str:
        """Where it is."""
        return f"unix://{self.socket}"

    async def start(self) -> None:
        """Start it, and wait until it answers."""
        self.socket.unlink(missing_ok=True)
        self._process = await asyncio.create_subprocess_exec(
            "redis-server", "--port", "0", "--unixsocket", str(self.socket), "--save", "", "--appendonly", "no",
            "--daemonize", "no", "--dir", str(self.socket.parent),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        async with asyncio.timeout(START_SECONDS):
            while not _answers(self.socket):  # noqa: ASYNC110 - it tells nobody that it listens
                await asyncio.sleep(0.01)

    async def kill(self) -> None:
        """End it at once, as a crash does."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()

    def freeze(self) -> None:
        """Let it hang: connections stay, and nothing is answered."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)


@contextlib.asynccontextmanager
async def redis_server(folder: Path) -> AsyncIterator[RedisServer]:
    """A Redis for as long as the block runs."""
    require("redis-server")
    server = RedisServer(folder)
    await server.start()
    try:
        yield server
    finally:
        await server.kill()


@contextlib.contextmanager
def running_redis(folder: Path) -> Iterator[str]:
    """The same for tests that have no loop; the address."""
    with asyncio.Runner() as runner:
        require("redis-server")
        server = RedisServer(folder)
        runner.run(server.start())
        try:
            yield server.uri
        finally:
            runner.run(server.kill())


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as one:
        try:
            one.connect(str(path))
        except OSError:
            return False
        return True
