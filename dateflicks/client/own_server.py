"""A server for one evening: every service as a child process of ours, with its data in a folder and its words in a log.

It ends with us, however we end: asked to when we leave, and by the end of its standard input when we are killed.
"""

import asyncio
import contextlib
import os
import re
import socket
import sys
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from dateflicks.client.address import is_loopback
from dateflicks.client.errors import ServerFailed
from dateflicks.settings.services import ALL_PORT

START_SECONDS: Final = 60.0
STOP_SECONDS: Final = 10.0
LOOK_SECONDS: Final = 0.05
LOG_BYTES: Final = 1_000_000
_READY: Final = re.compile(rb"(?i)serving [\w, ]+ at https?://\S+?:(\d+)\s")
_IN_USE: Final = re.compile(r"The data folder .* is in use by [^.]+\.")
# Run as the child: the program itself, told to end when its standard input does.
_PROGRAM: Final = """
import os, signal, sys, threading
def wait_for_parent():
    while os.read(0, 1024): pass
    os.kill(os.getpid(), signal.SIGTERM)
threading.Thread(target=wait_for_parent, daemon=True).start()
import runpy
runpy.run_module("dateflicks", run_name="__main__")
"""


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
    handle, written = await asyncio.to_thread(_open_log, log)
    try:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-c", _PROGRAM),
            *("serve", "all", "--host", host, "--port", str(chosen), "--data", os.fspath(data)),
            stdin=asyncio.subprocess.PIPE,
            stdout=handle,
            stderr=handle,
            env={**environ, "DATEFLICKS_ALL_MONGO_URI": "embedded"},
            start_new_session=True,  # Ctrl-C is for us: we still have things to say to it then
        )
    finally:
        os.close(handle)
    try:
        found = await _port(process, log, written, data)
        yield OwnServer(_url(_near(host), found), _url(_far(host), found), is_loopback(_url(host, found)))
    finally:
        await _end(process)


async def _port(process: asyncio.subprocess.Process, log: Path, written: int, data: Path) -> int:
    """The port that it says it has, once it serves."""
    try:
        async with asyncio.timeout(START_SECONDS):
            while True:
                is_over = process.returncode is not None
                words = (await asyncio.to_thread(log.read_bytes))[written:]
                if (found := _READY.search(words)) is not None:
                    return int(found[1])
                if is_over:
                    raise _failed(words.decode(errors="replace"), data, log)
                await asyncio.sleep(LOOK_SECONDS)
    except TimeoutError:
        raise ServerFailed(f"The server did not start within {START_SECONDS:g} s.", why=f"See {log}.") from None


def _failed(words: str, data: Path, log: Path) -> ServerFailed:
    if found := _IN_USE.search(words):
        why = "Another evening is going on with it, or its server was left behind: end that process first."
        return ServerFailed(found[0], why=why)
    errors = [line.removeprefix("Error: ") for line in words.splitlines() if line.startswith("Error: ")]
    last = errors[-1] if errors else f"It said why in {log}."
    return ServerFailed(f"The server for this evening did not start, with its data in {data}.", why=last)


async def _end(process: asyncio.subprocess.Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    try:
        async with asyncio.timeout(STOP_SECONDS):
            await process.wait()
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


def _open_log(log: Path) -> tuple[int, int]:
    """The log for appending, and how long it is already; one that has grown large begins anew."""
    log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with contextlib.suppress(FileNotFoundError):
        if log.stat().st_size > LOG_BYTES:
            log.replace(log.with_suffix(".log.1"))
    handle = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    return handle, os.fstat(handle).st_size


def _is_free(host: str, port: int) -> bool:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
        return True


def _near(host: str) -> str:
    """Where we reach what listens on `host`."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - compared with, not listened on


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
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
