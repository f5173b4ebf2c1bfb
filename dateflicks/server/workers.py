"""Several processes behind one port: a parent that serves nothing itself, and runs, watches and replaces its workers.

The parent has what must outlive any worker: the port, the embedded database, and the clock that all follow. Each worker
is a whole server; what joins them is the bus. A worker that dies is replaced, the others are told at once, and whoever
was connected to it comes back to any of them: the port never stops listening.

On SIGUSR2 the workers are renewed, one after the other, each once the one before serves: that is how changed settings
and a new version are taken up while people watch. A process is tried first with what it would be started with; where
that says no, nothing is touched, and where a new worker does not come up all the same, the others stay as they are.
"""

import asyncio
import contextlib
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import msgspec

from dateflicks.protocol.hosts import authority
from dateflicks.protocol.ids import new_id
from dateflicks.server.bus.clock import tell_workers
from dateflicks.server.bus.local import Bus
from dateflicks.server.bus.opening import LOCAL, follow_deployment, open_bus
from dateflicks.server.clock import ClockBase, ServerClock
from dateflicks.server.observe.logs import configure_logs
from dateflicks.server.storage.database import EMBEDDED
from dateflicks.server.storage.embedded import EmbeddedEngine
from dateflicks.server.web.listener import BACKLOG, SettingsClash, StartFailed, bind
from dateflicks.settings.services import HostingSettings

log = logging.getLogger(__name__)

FIRST_PAUSE_SECONDS: Final = 0.05
LONGEST_PAUSE_SECONDS: Final = 5.0
STEADY_SECONDS: Final = 10.0  # a worker that lived this long is replaced at once, whatever came before
GRACE_SECONDS: Final = 2.0  # beyond the time that a worker has to stop, until it is made to
CUT_OFF_EXIT: Final = 70  # EX_SOFTWARE
RENEW_SECONDS: Final = 60.0  # for a new worker to serve, and for what is tried before
READY: Final = "ready"
TRIAL: Final = "trial"  # in the place of a place: say whether a worker could be started, and end


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """What a worker is given: its number and name, the port's socket to inherit, and the clock that all workers of its
    parent keep, for they are on one host, whose monotonic clock they share."""

    number: int
    worker_id: str
    port_handle: int
    parent: str  # its name on the bus
    clock: ClockBase

    @classmethod
    def read(cls, text: str) -> "Place":
        """From what the parent wrote. Raises StartFailed."""
        try:
            return msgspec.json.decode(text, type=cls)
        except msgspec.MsgspecError as error:
            raise StartFailed("This is for workers, which are started with --workers.") from error

    def listener(self) -> socket.socket:
        """The port, which listens already."""
        listener = socket.socket(fileno=self.port_handle)
        listener.setblocking(False)
        return listener


def tell_parent(what: str) -> None:
    """Say something to the parent; nobody has to be there."""
    with contextlib.suppress(OSError):
        os.write(1, what.encode() + b"\n")


def end_with_parent() -> None:
    """End as by SIGTERM when the parent is gone, however it went."""

    def watch() -> None:
        with contextlib.suppress(OSError):
            while os.read(0, 1024):
                pass
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, daemon=True, name="parent").start()


@dataclass(frozen=True, slots=True)
class Seat:
    """What is known of a worker's number through all who have it."""

    ready: asyncio.Event = field(default_factory=asyncio.Event)  # one of them has served
    serving: asyncio.Event = field(default_factory=asyncio.Event)  # the one that has it now does
    renewal: asyncio.Event = field(default_factory=asyncio.Event)  # another one is to have it


@dataclass(frozen=True, kw_only=True)
class Crew:
    """Workers to be: `command` starts one, up to its place, which is put behind it."""

    count: int
    command: Sequence[str]
    hosting: HostingSettings
    folder: Path
    on_ready: Callable[[str], None]
    _running: dict[int, asyncio.subprocess.Process] = field(default_factory=dict)

    def serve_forever(self) -> None:
        """Run them until SIGTERM or SIGINT; a second signal ends everything at once. SIGUSR2 renews them.

        Raises StartFailed, FolderInUse, BusUnusable, BusAddressWrong, OSError.
        """
        if self.hosting.bus.uri == LOCAL:
            raise SettingsClash(
                f"{self.count} workers need something that joins them, and `bus.uri` is `local`.\n"
                'Name a Redis in [bus], such as uri = "redis://127.0.0.1:6379/0", or start a single worker.'
            )
        configure_logs(self.hosting.server.log_level)
        with asyncio.Runner() as runner, contextlib.suppress(asyncio.CancelledError):
            runner.run(self._serve())

    async def _serve(self) -> None:
        server = self.hosting.server
        loop, stop, renew = asyncio.get_running_loop(), asyncio.Event(), asyncio.Event()

        def on_signal(number: int) -> None:
            if stop.is_set():
                for process in self._running.values():
                    with contextlib.suppress(ProcessLookupError):
                        process.kill()
                os._exit(128 + number)
            stop.set()
            loop.call_later(server.shutdown_seconds + 2 * GRACE_SECONDS, os._exit, CUT_OFF_EXIT)

        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, on_signal, number)
        loop.add_signal_handler(signal.SIGUSR2, renew.set)
        if server.tls_cert:
            loop.add_signal_handler(signal.SIGHUP, self._pass_on, signal.SIGHUP)
        clock = ServerClock()
        async with contextlib.AsyncExitStack() as stack:
            listener = stack.enter_context(contextlib.closing(bind(server.host, server.port)))
            listener.listen(BACKLOG)  # from here on whoever comes waits for a worker
            await stack.enter_async_context(self._database())
            bus = await stack.enter_async_context(open_bus(self.hosting.bus))
            await stack.enter_async_context(follow_deployment(self.hosting.bus, clock, tell_workers(bus)))
            seats = [Seat() for _ in range(self.count)]
            keeping = [
                asyncio.create_task(self._keep(number, listener, clock, bus, stop, seat), name=f"worker {number}")
                for number, seat in enumerate(seats)
            ]
            stopping = asyncio.create_task(stop.wait(), name="stop")
            all_ready = asyncio.create_task(_all([seat.ready for seat in seats]), name="all workers ready")
            renewing: asyncio.Task[None] | None = None
            try:
                await asyncio.wait({stopping, all_ready, *keeping}, return_when=asyncio.FIRST_COMPLETED)
                if all_ready.done():
                    scheme = "https" if server.tls_cert else "http"
                    url = f"{scheme}://{authority(server.host, listener.getsockname()[1])}"
                    self.on_ready(url)
                    log.info("serving", extra={"url": url, "workers": self.count})
                    renewing = asyncio.create_task(self._renew_when_asked(renew, seats), name="renewals")
                    await asyncio.wait({stopping, *keeping}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                stop.set()
                all_ready.cancel()
                if renewing is not None:
                    renewing.cancel()
                await asyncio.wait({stopping, *keeping})
            for one in keeping:
                one.result()  # a worker that never came up ends everything, and says why

    def _pass_on(self, number: signal.Signals) -> None:
        """Tell the workers what was told to us."""
        for process in self._running.values():
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(number)

    async def _renew_when_asked(self, asked: asyncio.Event, seats: Sequence[Seat]) -> None:
        """Renew all workers each time that it is asked; what is asked meanwhile is done once, afterwards."""
        while await asked.wait():
            asked.clear()
            if await self._could_start():
                await self._renew(seats)
            else:
                log.error("a worker could not be started now, so none was renewed; what is wrong is said above")

    async def _could_start(self) -> bool:
        """Whether a worker would start with the settings and the program that are there now; it says why not."""
        process: asyncio.subprocess.Process | None = None
        try:
            process = await asyncio.create_subprocess_exec(
                *self.command, TRIAL, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL
            )
            async with asyncio.timeout(RENEW_SECONDS):
                return await process.wait() == 0
        except (OSError, TimeoutError) as error:
            log.error("trying a worker: %s", str(error) or type(error).__name__)
            return False
        finally:
            if process is not None and process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()

    async def _renew(self, seats: Sequence[Seat]) -> None:
        """One worker after the other drains and is replaced; the first that does not come up is the last."""
        log.info("renewing all workers", extra={"workers": self.count})
        for number, seat in enumerate(seats):
            seat.serving.clear()
            seat.renewal.set()
            try:
                async with asyncio.timeout(self.hosting.server.shutdown_seconds + GRACE_SECONDS + RENEW_SECONDS):
                    await seat.serving.wait()
            except TimeoutError:
                log.error("the new worker does not serve; the others stay as they are", extra={"worker": number})
                return
        log.info("all workers were renewed", extra={"workers": self.count})

    @contextlib.asynccontextmanager
    async def _database(self) -> AsyncIterator[None]:
        """The embedded database, when that is what all use: run here, so that no worker takes it along."""
        if self.hosting.mongo.uri != EMBEDDED:
            yield
            return
        engine = EmbeddedEngine(self.folder, "service")
        await engine.start()
        try:
            yield
        finally:
            await engine.stop()

    async def _keep(
        self,
        number: int,
        listener: socket.socket,
        clock: ServerClock,
        bus: Bus,
        stop: asyncio.Event,
        seat: Seat,
    ) -> None:
        """Run one worker, and another in its place for as long as nobody stops us. Raises StartFailed."""
        loop, pause = asyncio.get_running_loop(), FIRST_PAUSE_SECONDS
        while not stop.is_set():
            place = Place(
                number=number,
                worker_id=new_id("wrk"),
                port_handle=listener.fileno(),
                parent=bus.worker_id,
                clock=clock.base,
            )
            began = loop.time()
            seat.renewal.clear()
            code = await self._tried(place, stop, seat)
            bus.tell_gone(place.worker_id)
            if stop.is_set():
                return
            if not seat.ready.is_set():
                raise StartFailed(f"Worker {number} did not start (it ended with {code}). What it said is above.")
            if seat.renewal.is_set():
                pause = FIRST_PAUSE_SECONDS
                continue
            pause = (
                FIRST_PAUSE_SECONDS if loop.time() - began > STEADY_SECONDS else min(pause * 2, LONGEST_PAUSE_SECONDS)
            )
            log.error("a worker ended and is replaced", extra={"worker": number, "code": code, "seconds": pause})
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await stop.wait()

    async def _tried(self, place: Place, stop: asyncio.Event, seat: Seat) -> int | str:
        """How a worker ended; on a host that has no room for another process now, why there was none."""
        try:
            return await self._run(place, stop, seat)
        except OSError as error:
            return error.strerror or type(error).__name__

    async def _run(self, place: Place, stop: asyncio.Event, seat: Seat) -> int:
        process = await asyncio.create_subprocess_exec(
            *self.command,
            msgspec.json.encode(place).decode(),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            pass_fds=(place.port_handle,),
            start_new_session=True,  # Ctrl-C is for the parent, which tells them
        )
        self._running[place.number] = process
        hearing = asyncio.create_task(_hear(process, seat), name=f"heard of worker {place.number}")
        stopping = asyncio.create_task(stop.wait(), name="stop")
        renewing = asyncio.create_task(seat.renewal.wait(), name=f"renewal of worker {place.number}")
        ended = asyncio.create_task(process.wait(), name=f"end of worker {place.number}")
        try:
            await asyncio.wait({stopping, renewing, ended}, return_when=asyncio.FIRST_COMPLETED)
            if not ended.done():
                with contextlib.suppress(ProcessLookupError):
                    process.terminate()
                await asyncio.wait({ended}, timeout=self.hosting.server.shutdown_seconds + GRACE_SECONDS)
            return ended.result() if ended.done() else -signal.SIGKILL
        finally:
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
            for task in (hearing, stopping, renewing):
                task.cancel()
            await asyncio.wait({hearing, stopping, renewing, ended})
            seat.serving.clear()
            self._running.pop(place.number, None)


async def _all(events: Sequence[asyncio.Event]) -> None:
    for event in events:
        await event.wait()


async def _hear(process: asyncio.subprocess.Process, seat: Seat) -> None:
    """What a worker says; anything but that it is ready is passed on to where the parent speaks."""
    assert process.stdout is not None
    while True:
        try:
            line = await process.stdout.readline()
        except ValueError:  # longer than the reader takes: nothing that anybody waits for
            continue
        if not line:
            return
        if line.strip() == READY.encode():
            seat.ready.set()
            if not seat.renewal.is_set():  # else it is the one that has to go, and was only beginning
                seat.serving.set()
        else:
            with contextlib.suppress(OSError):  # nobody reads it any more: the worker is to be heard all the same
                sys.stderr.buffer.write(line)
                sys.stderr.buffer.flush()
