"""A server for one evening: every service in one child process of ours, its data in a folder, its words in a log.

One that ends before the evening does, killed by the system or by mistake, is started again where it was: everybody's
clients look for it there, and all that was acknowledged is in its folder.
"""

import asyncio
import contextlib
import functools
import os
import socket
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from dateflicks.client.address import is_loopback
from dateflicks.client.errors import ServerFailed
from dateflicks.client.service_process import ServiceProcess
from dateflicks.protocol.hosts import authority, near
from dateflicks.settings.services import ALL_PORT

AGAIN_SECONDS: Final = 0.2  # before a server that ended is started again,
AGAIN_MAX_SECONDS: Final = 10.0  # twice as long after each try, up to this


@dataclass(frozen=True, slots=True)
class OwnServer:
    """Where it listens: `url` is how we reach it, `for_guests` how others do, if it is not for this machine alone."""

    url: str
    for_guests: str
    is_private: bool


@contextlib.asynccontextmanager
async def own_server(
    data: Path,
    log: Path,
    *,
    host: str = "127.0.0.1",
    port: int | None = None,
    environ: Mapping[str, str] = os.environ,
) -> AsyncIterator[OwnServer]:
    """The services on `host` for as long as the block runs. Raises ServerFailed.

    `port` 0 is any free one; None is the usual one, or any when that is taken.
    """
    chosen = port if port is not None else ALL_PORT if _is_free(host, ALL_PORT) else 0
    start = functools.partial(ServiceProcess.start, "all", data, log, host=host, flags=("--insecure",), environ=environ)
    process = await start(port=chosen)
    found = process.port
    keeping = asyncio.create_task(_keep(process, functools.partial(start, port=found)))
    try:
        yield OwnServer(_url(near(host), found), _url(_far(host), found), is_loopback(_url(host, found)))
    finally:
        keeping.cancel()
        await asyncio.wait([keeping])


class _Start(Protocol):
    async def __call__(self) -> ServiceProcess: ...


async def _keep(process: ServiceProcess, start: _Start) -> None:
    """Start it again whenever it ends, and end it when this is cancelled."""
    try:
        while True:
            await process.ended()
            pause = AGAIN_SECONDS
            while True:
                await asyncio.sleep(pause)
                try:
                    process = await start()
                except (ServerFailed, OSError):  # its log says why; the port or the folder may be free in a moment
                    pause = min(2 * pause, AGAIN_MAX_SECONDS)
                else:
                    break
    finally:
        await process.end()


def _is_free(host: str, port: int) -> bool:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
        return True


def _far(host: str) -> str:
    """Where others reach it: for all addresses that of the way out, which needs no packet to be known."""
    ways = {"0.0.0.0": (socket.AF_INET, "192.0.2.1"), "::": (socket.AF_INET6, "2001:db8::1")}  # noqa: S104
    if host not in ways:
        return host
    family, outside = ways[host]
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((outside, 9))
        except OSError:
            return socket.gethostname()
        return str(probe.getsockname()[0])


def _url(host: str, port: int) -> str:
    return f"http://{authority(host, port)}"
