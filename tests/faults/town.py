"""A whole deployment that a test breaks: one process or several workers, their Redis and their database, by pid."""

import asyncio
import contextlib
import os
import re
import signal
import socket
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path

import httpx2

from tests.journeys.deployment import Server, running_server
from tests.redis_server import RedisServer, redis_server
from tests.server.processes import WorkerProcess, engine_of, is_running, kill, workers_of

DEADLINE = 40.0
# The limits of strangers are met by one address here, from which everybody calls.
LIMITS = {"SOCKETS_PER_ADDRESS": "500", "SOCKETS_PER_PERSON": "8"}


BUS_UP = re.compile(r'^dateflicks_bus_up\{worker="\d+"\} (\d)', re.MULTILINE)


async def until(holds: Callable[[], bool], what: str, within: float = DEADLINE) -> None:
    """Look until it is so."""
    try:
        async with asyncio.timeout(within):
            while not holds():  # noqa: ASYNC110 - what is looked at tells nobody
                await asyncio.sleep(0.01)
    except TimeoutError:
        raise AssertionError(f"not within {within:g} s: {what}") from None


def free_port() -> int:
    """A port that nobody has, so that a deployment comes back where it was."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


class Town:
    """`serve all` on one port and one folder through all its lives."""

    def __init__(
        self,
        folder: Path,
        workers: int,
        redis: RedisServer | None,
        *flags: str,
        variables: Mapping[str, str] | None = None,
    ) -> None:
        self.folder = folder
        self.count = workers
        self.redis = redis
        self._port = free_port()
        self._flags = flags
        self._variables = variables or {}
        self._open = contextlib.ExitStack()
        self._server: Server | None = None

    @property
    def port(self) -> int:
        """Where it is, while it runs and while it does not."""
        return self._port

    @property
    def url(self) -> str:
        """Where it is, while it runs and while it does not."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def server(self) -> Server:
        """The process that was started."""
        assert self._server is not None
        return self._server

    @property
    def workers(self) -> list[WorkerProcess]:
        """The workers, by their numbers."""
        return workers_of(self.server.process.pid)

    def serves(self, number: int) -> bool:
        """Whether the worker of this number does: then it has a socket at which it tells the others what it counts."""
        with socket.socket(socket.AF_UNIX) as one, contextlib.suppress(OSError):
            one.connect(os.fspath(self.folder / f"metrics-{number}.sock"))
            return True
        return False

    @property
    def engine(self) -> int:
        """The embedded database."""
        found = engine_of(self.server.process.pid)
        assert found is not None, "the database is away"
        return found

    @property
    def has_engine(self) -> bool:
        """Whether the embedded database runs."""
        return engine_of(self.server.process.pid) is not None

    async def all_find_the_bus_away(self) -> None:
        """Wait until each of the workers says so; whichever is asked asks the others."""
        async with asyncio.timeout(DEADLINE), httpx2.AsyncClient(trust_env=False) as client:
            away = ["0"] * self.count
            while BUS_UP.findall((await client.get(f"{self.url}/metrics")).text) != away:  # noqa: ASYNC110 - as above
                await asyncio.sleep(0.02)

    async def start(self) -> None:
        """Start it, and wait until it answers and all its workers do."""
        flags = ["--port", str(self._port), *self._flags]
        variables = {
            f"DATEFLICKS_{service}_LIMITS_{name}": value
            for service in ("SESSION", "TIMECODE", "MESSAGES", "PREDICTION")
            for name, value in LIMITS.items()
        }
        if self.redis is not None:
            flags += ["--workers", str(self.count)]
            variables["DATEFLICKS_ALL_BUS_URI"] = self.redis.uri
        variables |= self._variables
        running = running_server(self.folder, *flags, variables=variables)
        self._server = await asyncio.to_thread(self._open.enter_context, running)

    async def stop(self) -> None:
        """Ask it to stop, as an upgrade does."""
        self.server.ask_to_stop()
        await until(lambda: self.server.process.poll() is not None, "the end of the services")
        await asyncio.to_thread(self._open.close)

    async def kill(self) -> None:
        """End all of it at once, as a power cut does."""
        pids = [*(one.pid for one in self.workers), engine_of(self.server.process.pid), self.server.process.pid]
        for pid in pids:
            if pid is not None:
                kill(pid)
        await until(lambda: not any(is_running(pid) for pid in pids if pid is not None), "the end of everything")
        await asyncio.to_thread(self._open.close)

    async def close(self) -> None:
        """Whatever was done to it, end it."""
        if self._server is not None:
            for pid in (*(one.pid for one in self.workers), engine_of(self.server.process.pid)):
                if pid is not None:
                    kill(pid, signal.SIGCONT)
        await asyncio.to_thread(self._open.close)


@contextlib.asynccontextmanager
async def town(
    folder: Path, workers: int = 1, *flags: str, variables: Mapping[str, str] | None = None
) -> AsyncIterator[Town]:
    """A deployment for as long as the block runs; with more than one worker there is a Redis that joins them."""
    data = folder / "data"
    data.mkdir(exist_ok=True)
    async with contextlib.AsyncExitStack() as stack:
        redis = await stack.enter_async_context(redis_server(folder)) if workers > 1 else None
        made = Town(data, workers, redis, *flags, variables=variables)
        await made.start()
        try:
            yield made
        finally:
            if redis is not None:
                with contextlib.suppress(ProcessLookupError):
                    redis.thaw()
            await made.close()
