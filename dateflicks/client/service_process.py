"""Services as a child process of ours: started, waited for until they say where they listen, and ended.

It ends with us, however we end: asked to when we leave, and by the end of its standard input when we are killed.
"""

import asyncio
import contextlib
import os
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, Self

from dateflicks.client.errors import ServerFailed

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


class ServiceProcess:
    """One `dateflicks serve` of ours; made by `start`, which returns once it serves."""

    def __init__(self, process: asyncio.subprocess.Process, host: str) -> None:
        self._process = process
        self.host = host
        self.port = 0

    @classmethod
    async def start(
        cls,
        services: str,
        data: Path,
        log: Path,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        flags: Sequence[str] = (),
        environ: Mapping[str, str] = os.environ,
    ) -> Self:
        """Start `services` (`all`, or one of them) on a port, 0 for any free one. Raises ServerFailed."""
        handle, written = await asyncio.to_thread(_open_log, log)
        try:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-P", "-c", _PROGRAM),
                *("serve", services, "--host", host, "--port", str(port), "--data", os.fspath(data), *flags),
                stdin=asyncio.subprocess.PIPE,
                stdout=handle,
                stderr=handle,
                env={**environ, f"DATEFLICKS_{services.upper()}_MONGO_URI": "embedded"},
                start_new_session=True,  # Ctrl-C is for us: we still have things to say to it then
            )
        finally:
            os.close(handle)
        started = cls(process, host)
        try:
            started.port = await _port(process, log, written, data)
        except BaseException:
            await started.end()
            raise
        return started

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    async def ended(self) -> int:
        """Wait until it ends, by itself or however; its exit status."""
        return await self._process.wait()

    async def kill(self) -> None:
        """End it as a crash would: at once, and without its doing anything more."""
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()

    async def end(self) -> int:
        """Ask it to end, and kill it when it does not; its exit status."""
        with contextlib.suppress(ProcessLookupError):
            self._process.terminate()
        try:
            async with asyncio.timeout(STOP_SECONDS):
                return await self._process.wait()
        except TimeoutError:
            await self.kill()
            return await self._process.wait()


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
        why = (
            "Are you two people on one machine? Then say --profile, or DATEFLICKS_HOME, to keep you apart. Or else "
            "another evening is going on with it, or its server was left behind: end that process first."
        )
        return ServerFailed(found[0], why=why)
    _, error, last = words.rpartition("Error: ")
    what, *hint = last.splitlines()[:2]
    last = " ".join((what, *(line for line in hint if not line.startswith("{")))) if error else f"It said why in {log}."
    return ServerFailed(f"The server for this evening did not start, with its data in {data}.", why=last)


def _open_log(log: Path) -> tuple[int, int]:
    """The log for appending, and how long it is already; one that has grown large begins anew."""
    log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with contextlib.suppress(FileNotFoundError):
        if log.stat().st_size > LOG_BYTES:
            log.replace(log.with_suffix(".log.1"))
    handle = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    return handle, os.fstat(handle).st_size
