"""Carrying services: one app on one port in this process and loop, from bind to a stop that loses nothing.

A stop goes in this order: health says so (503), feeds are told 1012, running requests finish, the port is closed, the
services put down what they must keep. All of it within a few seconds, whatever hangs.
"""

import asyncio
import contextlib
import functools
import logging
import os
import signal
import socket
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, cast

from sanic import Sanic
from sanic.server import AsyncioServer

from dateflicks.core.errors import DateflicksError
from dateflicks.protocol.hosts import authority
from dateflicks.server.garbage import look_less
from dateflicks.server.observe.lag import watch_lag
from dateflicks.server.observe.logs import configure_logs
from dateflicks.server.observe.metrics import Metrics
from dateflicks.server.observe.watching import watch_certificate
from dateflicks.server.web.about import exposition_of
from dateflicks.server.web.address import Proxies
from dateflicks.server.web.app import App, build_app, state_of
from dateflicks.server.web.colleagues import Colleagues
from dateflicks.server.web.listener import BACKLOG, StartFailed, bind
from dateflicks.server.web.service import Service
from dateflicks.server.web.state import AppState, WebSettings
from dateflicks.server.web.tls import GOODBYE_SECONDS, HANDSHAKE_SECONDS, Certificate, certificate_of
from dateflicks.server.websocket.protocol import FeedProtocol
from dateflicks.settings.services import ServerSettings

__all__ = ["Deploy", "Server", "StartFailed", "running", "serve_forever", "web_settings"]

log = logging.getLogger(__name__)

START_SECONDS: Final = 60.0  # for one service to get ready
SHUTDOWN_SECONDS: Final = 5.0
REQUESTS_SHARE: Final = 0.6  # of the time for a stop; the rest is for the services to put things down
SERVICES_SHARE: Final = 0.8  # of the time that a program has; the rest is for what the services share
CLOSE_SECONDS: Final = 0.5  # for what was written last to leave
RESTART_CODE: Final = 1012
_TLS_TIMES: Final = {"ssl_handshake_timeout": HANDSHAKE_SECONDS, "ssl_shutdown_timeout": GOODBYE_SECONDS}
CUT_OFF_EXIT: Final = 70  # EX_SOFTWARE: something that should have let go did not

Deploy = Callable[[Metrics], AbstractAsyncContextManager[Sequence[Service]]]
"""Makes the services, with what they share (a database), for as long as they run."""


@dataclass(frozen=True, slots=True)
class WorkerPlace:
    """A worker's number among `count` that share a folder."""

    folder: Path
    number: int
    count: int


class Server:
    """What runs: its app, and the address at which it is reached."""

    def __init__(self, app: App, host: str, port: int) -> None:
        self.app = app
        self.host = host
        self.port = port
        self.scheme = "https" if state_of(app).settings.is_encrypted else "http"

    @property
    def url(self) -> str:
        """The base address, such as `http://127.0.0.1:8700`."""
        return f"{self.scheme}://{authority(self.host, self.port)}"


@contextlib.asynccontextmanager
async def running(
    services: Sequence[Service],
    host: str = "127.0.0.1",
    port: int = 0,
    *,
    settings: WebSettings | None = None,
    metrics: Metrics | None = None,
    shutdown_seconds: float = SHUTDOWN_SECONDS,
    listener: socket.socket | None = None,
    certificate: Certificate | None = None,
) -> AsyncIterator[Server]:
    """These services behind one port for as long as the block runs; port 0 takes any free one.

    A `listener` is a port that is had already, perhaps by others too. With a `certificate` it speaks TLS.

    Raises StartFailed when the port cannot be had or a service does not start.
    """
    is_shared = listener is not None
    listener = listener or bind(host, port)
    with contextlib.ExitStack() as stack:
        stack.callback(listener.close)
        settings = replace(settings or WebSettings(), is_encrypted=certificate is not None)
        app = build_app(services, settings, metrics=metrics)
        stack.callback(Sanic.unregister_app, app)
        state = state_of(app)
        started: list[Service] = []
        serving: AsyncioServer | None = None
        beside: list[asyncio.Task[None]] = []
        try:
            for service in services:
                await _start(service)
                started.append(service)
            serving = await app.create_server(
                sock=listener,
                ssl=certificate.context if certificate is not None else None,
                protocol=FeedProtocol,
                backlog=BACKLOG,
                asyncio_server_kwargs={"start_serving": False, **(_TLS_TIMES if certificate is not None else {})},
            )
            assert serving is not None
            await serving.startup()  # type: ignore[no-untyped-call]  # Sanic's own is untyped
            await _listening(serving).start_serving()
            beside.append(asyncio.create_task(watch_lag(state.metrics), name="loop lag"))
            if certificate is not None:
                watch_certificate(state.metrics, certificate)
                beside.append(asyncio.create_task(certificate.watch(), name="certificate"))
            yield Server(app, host, listener.getsockname()[1])
        finally:
            deadline = asyncio.get_running_loop().time() + shutdown_seconds
            for task in beside:
                task.cancel()
            try:
                if serving is not None:
                    await _stop_serving(state, serving, shutdown_seconds, is_shared=is_shared)
            finally:  # whatever hangs or fails before: what must be kept is put down
                await _stop_services(started, deadline)


def serve_forever(
    deploy: Deploy,
    settings: ServerSettings,
    on_ready: Callable[[str], None],
    listener: socket.socket | None = None,
    place: WorkerPlace | None = None,
) -> None:
    """Run the services of `deploy` until SIGTERM or SIGINT; a second signal ends the process at once.

    `place` is this process's among several behind one port. `on_ready` is told the address. Raises StartFailed, and
    whatever else `deploy` says cannot be.
    """
    configure_logs(settings.log_level)
    with asyncio.Runner(loop_factory=_loop_factory()) as runner, contextlib.suppress(asyncio.CancelledError):
        runner.run(_serve(deploy, settings, on_ready, listener, place))


async def _serve(
    deploy: Deploy,
    settings: ServerSettings,
    on_ready: Callable[[str], None],
    listener: socket.socket | None,
    place: WorkerPlace | None,
) -> None:
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    main = asyncio.current_task()
    assert main is not None
    is_ready = False

    def on_signal(number: int) -> None:
        if stop.is_set():
            os._exit(128 + number)
        stop.set()
        loop.call_later(settings.shutdown_seconds, _cut_off)
        if not is_ready:
            main.cancel()

    certificate = certificate_of(settings.tls_cert, settings.tls_key)
    with _signals(on_signal), _reloading(certificate):
        metrics = Metrics()
        async with (
            deploy(metrics) as services,
            running(
                services,
                settings.host,
                settings.port,
                settings=web_settings(settings),
                metrics=metrics,
                shutdown_seconds=settings.shutdown_seconds * SERVICES_SHARE,
                listener=listener,
                certificate=certificate,
            ) as server,
            _among_colleagues(state_of(server.app), place),
        ):
            is_ready = True
            look_less()
            on_ready(server.url)
            log.info("serving", extra={"url": server.url, "services": [service.name for service in services]})
            await stop.wait()
            log.info("stopping")


def _cut_off() -> None:
    log.error("the stop took too long and is cut off")
    os._exit(CUT_OFF_EXIT)


def web_settings(settings: ServerSettings) -> WebSettings:
    """What the app has to know of the settings. Raises StartFailed for a proxy that is no address."""
    try:
        Proxies(settings.proxies)
    except ValueError as error:
        raise StartFailed(f"[server] proxies: {error}.\nGive addresses or networks, such as 10.0.0.0/8.") from error
    return WebSettings(
        public_url=settings.public_url,
        services=settings.services,
        proxies=tuple(settings.proxies),
        connections=settings.connections,
    )


async def _start(service: Service) -> None:
    what = f"The {service.name} service did not start"
    limit = asyncio.timeout(START_SECONDS)
    try:
        async with limit:
            await service.start()
    except (DateflicksError, OSError) as error:
        if limit.expired():
            raise StartFailed(f"{what} within {START_SECONDS:g} s. The log may say what it waited for.") from error
        raise StartFailed(f"{what}: {str(error) or type(error).__name__}") from error
    except Exception as error:
        log.exception("service did not start", extra={"service": service.name})
        raise StartFailed(f"{what}: an error of the program ({type(error).__name__}). The log has it.") from error


async def _stop_serving(state: AppState, serving: AsyncioServer, seconds: float, *, is_shared: bool) -> None:
    """Let what runs finish, then close the port and every connection."""
    state.is_stopping = True
    listening = _listening(serving)
    if is_shared:
        listening.close()  # whoever is told to come back, comes to another process
    for service in state.services:
        try:
            service.close_feeds(RESTART_CODE, "restart")
        except Exception:
            log.exception("feeds were not told", extra={"service": service.name})
    try:
        async with asyncio.timeout(seconds * REQUESTS_SHARE):
            await state.wait_quiet()
    except TimeoutError:
        log.warning("requests did not finish in time and are cut off")
    listening.close()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(min(CLOSE_SECONDS, seconds / 10)):
            while _close_idle(serving.connections):  # noqa: ASYNC110 - connections tell nobody that they end
                await asyncio.sleep(0.01)
    for connection in list(serving.connections):
        connection.abort()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(CLOSE_SECONDS):
            # The services have to hear of every end before they are stopped.
            while serving.connections:  # noqa: ASYNC110 - connections tell nobody that they end
                await asyncio.sleep(0)
            await listening.wait_closed()


def _listening(serving: AsyncioServer) -> asyncio.Server:
    """The loop's server in it, which Sanic leaves without a type; uvloop's has the same methods as asyncio's."""
    return cast(asyncio.Server, serving.server)


def _close_idle(connections: Iterable[Any]) -> bool:
    """Close the connections that wait for a request; whether any is left."""
    left = list(connections)
    for connection in left:
        connection.close_if_idle()
    return bool(left)


async def _stop_services(started: Sequence[Service], deadline: float) -> None:
    """Stop what was started, the last first; one that fails or hangs does not keep the others from it."""
    for service in reversed(started):
        try:
            async with asyncio.timeout_at(max(deadline, asyncio.get_running_loop().time() + CLOSE_SECONDS)):
                await service.stop()
        except TimeoutError:
            log.error("service did not stop in time", extra={"service": service.name})
        except Exception:
            log.exception("service did not stop cleanly", extra={"service": service.name})


@contextlib.contextmanager
def _signals(on_signal: Callable[[int], None]) -> Iterator[None]:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, on_signal, number)
    try:
        yield
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)


@contextlib.asynccontextmanager
async def _among_colleagues(state: AppState, place: WorkerPlace | None) -> AsyncIterator[None]:
    """A worker answers for the metrics of all."""
    if place is None:
        yield
        return
    own = functools.partial(exposition_of, state)
    async with Colleagues(place.folder, place.number, place.count, own).open() as state.colleagues:
        yield


@contextlib.contextmanager
def _reloading(certificate: Certificate | None) -> Iterator[None]:
    """With TLS, SIGHUP means that the certificate has changed; without, it ends the process as everywhere. SIGUSR2, by
    which a parent renews its workers, means no more than that to a single process."""
    if certificate is None:
        yield
        return
    loop = asyncio.get_running_loop()
    for number in (signal.SIGHUP, signal.SIGUSR2):
        loop.add_signal_handler(number, certificate.reload)
    try:
        yield
    finally:
        for number in (signal.SIGHUP, signal.SIGUSR2):
            loop.remove_signal_handler(number)


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop]:
    """uvloop where it is installed: it gives a few per cent, and nothing depends on it."""
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop
    return uvloop.new_event_loop
