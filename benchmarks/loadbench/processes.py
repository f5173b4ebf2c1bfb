"""The processes of a run: servers whose cost is measured, and crowds that load them; whoever started one ends it."""

import asyncio
import contextlib
import os
import shutil
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from benchmarks.kernel import children_of, cpu_seconds, memory_bytes
from benchmarks.loadbench.crowd import Found, Kind, Order
from benchmarks.syncbench.syncplay import server_program
from dateflicks.client.service_process import ServiceProcess

START_SECONDS: Final = 30.0
STOP_SECONDS: Final = 3.0
ANSWER_BYTES: Final = 2**26
MANY: Final = 1_000_000
_C_SOURCE: Final = Path(__file__).with_name("null_relay.c")


@dataclass(frozen=True, slots=True)
class Served:
    """A server that listens on `port`; `pids` are those whose cost counts, `database` is that of its engine, if any."""

    name: str
    port: int
    pids: tuple[int, ...]
    database: int | None = None

    def cpu(self) -> float:
        """Seconds of processor that it has had so far."""
        return sum(cpu_seconds(pid) for pid in self.pids)

    def database_cpu(self) -> float:
        """The same of its database."""
        return 0.0 if self.database is None else cpu_seconds(self.database)

    def memory(self) -> int:
        """Bytes that it has in memory."""
        return sum(memory_bytes(pid) for pid in self.pids)


def compiler() -> str | None:
    """What makes a program of C, if there is one."""
    return shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")


# --- servers ----------------------------------------------------------------------------------------------------


@contextlib.asynccontextmanager
async def ours(service: str, folder: Path, key: str, *, workers: int = 1, bus: str = "") -> AsyncIterator[Served]:
    """`dateflicks serve`, as anybody starts it, with limits that let everybody in from one address."""
    names = ("timecode", "messages") if service == "all" else (service,)
    environ = {name: value for name, value in os.environ.items() if not name.startswith("DATEFLICKS_")}
    for name in names:
        environ |= _without_limits(name)
    own = f"DATEFLICKS_{service.upper()}"
    environ |= {f"{own}_MONGO_TIMEOUT_SECONDS": "5"}  # so that a busy machine is no outage
    environ |= {f"{own}_AUTH_KEY": key, f"{own}_LOG_LEVEL": "warning", f"{own}_CONNECTIONS": str(MANY)}
    if bus:
        environ[f"{own}_BUS_URI"] = bus
    flags = ["--workers", str(workers)] if workers > 1 else []
    process = await ServiceProcess.start(service, folder / "data", folder / "log", flags=flags, environ=environ)
    try:
        below = children_of(process.pid)
        engine = next((pid for pid in below if "nxchild" in _command(pid)), None)
        serving = tuple(pid for pid in below if pid != engine) if workers > 1 else (process.pid,)
        yield Served("ours", process.port, serving, engine)
    finally:
        await process.end()


def _without_limits(service: str) -> Mapping[str, str]:
    values = {
        "LIMITS_FRAMES_PER_SECOND": "100000",
        "LIMITS_FRAMES_BURST": "100000",
        "LIMITS_SOCKETS_PER_ADDRESS": str(MANY),
    }
    if service == "messages":
        values |= {"CHAT_PER_SECOND": "100000", "CHAT_BURST": "100000"}
    return {f"DATEFLICKS_{service.upper()}_{name}": value for name, value in values.items()}


def _command(pid: int) -> str:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")
    return ""


@contextlib.asynccontextmanager
async def relay(kind: str) -> AsyncIterator[Served]:
    """One of `relays.py`."""
    async with _listening(kind, [sys.executable, "-m", "benchmarks.loadbench.relays", kind]) as served:
        yield served


@contextlib.asynccontextmanager
async def null_relay(folder: Path) -> AsyncIterator[Served]:
    """The floor in C. Raises RuntimeError where it cannot be made."""
    found = compiler()
    if found is None:
        raise RuntimeError("there is no C compiler")
    program = folder / "null_relay"
    made = await asyncio.create_subprocess_exec(found, "-O2", "-o", os.fspath(program), os.fspath(_C_SOURCE))
    if await made.wait():
        raise RuntimeError(f"{found} did not make {_C_SOURCE.name}")
    async with _listening("floor", [os.fspath(program)]) as served:
        yield served


@contextlib.asynccontextmanager
async def syncplay_server(folder: Path, *, isolated: bool = True) -> AsyncIterator[Served]:
    """Syncplay's own, on the loopback address; rooms hear nothing of each other unless `isolated` is false."""
    async with server_program(folder, isolated=isolated) as (port, pid):
        yield Served("syncplay", port, (pid,))


@contextlib.asynccontextmanager
async def redis(folder: Path) -> AsyncIterator[str]:
    """A Redis that keeps nothing, on a socket in this folder; its address."""
    path = folder / "redis.sock"
    process = await asyncio.create_subprocess_exec(
        "redis-server", "--port", "0", "--unixsocket", os.fspath(path), "--save", "", "--appendonly", "no",
        "--dir", os.fspath(folder), stdout=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        async with asyncio.timeout(START_SECONDS):
            while not await asyncio.to_thread(path.exists):  # noqa: ASYNC110 - it tells nobody that it listens
                await asyncio.sleep(0.02)
        yield f"unix://{path}"
    finally:
        process.terminate()
        await _end(process)


@contextlib.asynccontextmanager
async def _listening(name: str, command: Sequence[str]) -> AsyncIterator[Served]:
    process = await asyncio.create_subprocess_exec(
        *command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        async with asyncio.timeout(START_SECONDS):
            port = int(await process.stdout.readline())
        yield Served(name, port, (process.pid,))
    finally:
        await _end(process)


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.stdin is not None:
        process.stdin.close()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(STOP_SECONDS):
            await process.wait()
            return
    with contextlib.suppress(ProcessLookupError):
        process.kill()
    await process.wait()


# --- crowds -----------------------------------------------------------------------------------------------------


class Crowds:
    """Several processes of pairs, told the same at the same time; made by `crowds`."""

    def __init__(self, processes: Sequence[asyncio.subprocess.Process], served: Served) -> None:
        self._processes = processes
        self.served = served

    async def invite(self, kind: Kind, pairs: int, key: str = "") -> None:
        """Make so many pairs, who are not connected yet."""
        shares = _shares(pairs, len(self._processes))
        first, orders = 0, []
        for share in shares:
            orders.append(Order(do="invite", kind=kind, port=self.served.port, key=key, first=first, pairs=share))
            first += share
        await self._ask(orders)

    async def enter(self, pairs: int = 0) -> Found:
        """Have so many of them connect, or all."""
        shares = _shares(pairs, len(self._processes))
        return await self._ask([Order(do="enter", pairs=share) for share in shares])

    async def hurry(self, seconds: float, pairs: int = 0) -> Found:
        """One change after the other, and each pair at least one."""
        shares = _shares(pairs, len(self._processes))
        return await self._ask([Order(do="hurry", seconds=seconds, pairs=share) for share in shares])

    async def stroll(self, seconds: float, rate: float, pairs: int = 0) -> Found:
        """So many changes a second, at random moments."""
        shares = _shares(pairs, len(self._processes))
        rate /= len(self._processes)
        return await self._ask([Order(do="stroll", seconds=seconds, rate=rate, pairs=share) for share in shares])

    async def live(self, seconds: float, every: float) -> Found:
        """As people do."""
        return await self._ask([Order(do="live", seconds=seconds, every=every) for _ in self._processes])

    async def rest(self, seconds: float) -> Found:
        """Do nothing but answer pings."""
        return await self._ask([Order(do="rest", seconds=seconds) for _ in self._processes])

    async def split(self) -> Found:
        """Only those whose two are connected to different processes stay."""
        pids, port = list(self.served.pids), self.served.port
        return await self._ask([Order(do="split", port=port, pids=pids) for _ in self._processes])

    async def leave(self) -> None:
        """All of them."""
        await self._ask([Order(do="leave") for _ in self._processes])

    async def _ask(self, orders: Sequence[Order]) -> Found:
        answers = await asyncio.gather(*map(_asked, self._processes, orders))
        found = Found()
        for one in answers:
            found.changes += one.changes
            found.said += one.said
            found.delays += one.delays
            found.errors += one.errors
            found.samples += one.samples
            found.seconds = max(found.seconds, one.seconds)
        return found


@contextlib.asynccontextmanager
async def crowds(served: Served, count: int) -> AsyncIterator[Crowds]:
    """So many processes for as long as the block runs."""
    processes = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-m", "benchmarks.loadbench.crowd",
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, limit=ANSWER_BYTES,
        )
        for _ in range(count)
    ]  # fmt: skip
    try:
        yield Crowds(processes, served)
    finally:
        await asyncio.gather(*map(_end, processes))


async def _asked(process: asyncio.subprocess.Process, order: Order) -> Found:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(msgspec.json.encode(order) + b"\n")
    answer = await process.stdout.readline()
    if not answer:
        raise RuntimeError(f"a crowd ended when it was told to {order.do}")
    return msgspec.json.decode(answer, type=Found)


def _shares(count: int, among: int) -> list[int]:
    """How many each has; 0 means all, to all of them."""
    assert not 0 < count < among, "more processes than pairs"
    return [count // among + (number < count % among) for number in range(among)]
