"""The terminal client in a browser: one process for each open page, in a folder of its own that ends with it.

textual-serve gives the page and carries keys and screens over its WebSocket. From its inside (1.1) this file uses
`Server._make_app`, `Server._process_messages`, and of `AppService` `_process`, `_stdin` and `_open_app_process`. What
is not taken from it: its shell, its environment (visitors get none of ours), its log (which would show what is typed).
"""

import asyncio
import contextlib
import os
import shutil
import signal
import socket
import sys
import tempfile
from asyncio.subprocess import PIPE, Process
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import aiohttp_jinja2
from aiohttp import web
from textual_serve.app_service import AppService
from textual_serve.server import Server, to_int

import dateflicks
from dateflicks.protocol.hosts import authority, is_loopback_host

VISITS_MAX: Final = 16  # open pages at a time: each is a process of some 80 MB
COLUMNS_MAX: Final = 500
ROWS_MAX: Final = 300
FRAME_MAX_BYTES: Final = 256 * 1024  # from a browser: keys, and what is pasted
STOP_SECONDS: Final = 5.0  # for a visit to leave its evening; then it is ended
_INHERITED: Final = ("PATH", "LANG", "LANGUAGE", "TZ", "TMPDIR", "SSL_CERT_FILE", "SSL_CERT_DIR", "VIRTUAL_ENV")


@dataclass(frozen=True, slots=True)
class Wishes:
    """What was asked for: `server` is the DATEFLICKS server offered to visitors, `player` what shows their film."""

    host: str
    port: int
    server: str
    player: str
    url: str | None = None  # where browsers find the page, if a proxy stands before it
    log: Path = Path(os.devnull)  # for tracebacks


async def serve_web(wishes: Wishes, on_ready: Callable[[str], None]) -> None:
    """Serve until told to stop; then every visit has ended and its folder is gone. Raises OSError."""
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, stopped.set)
    async with contextlib.AsyncExitStack() as stack:
        listener = stack.enter_context(_bound(wishes.host, wishes.port))
        folder = Path(
            stack.enter_context(tempfile.TemporaryDirectory(prefix="dateflicks-web-", ignore_cleanup_errors=True))
        )
        pages = Pages(wishes, folder, listener.getsockname()[1])
        runner = web.AppRunner(await pages.make_app(), access_log=None, shutdown_timeout=STOP_SECONDS + 2)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        await web.SockSite(runner, listener).start()
        on_ready(pages.public_url)
        await stopped.wait()


class Pages(Server):
    """The page, and a visit for each that is open."""

    def __init__(self, wishes: Wishes, folder: Path, port: int) -> None:
        url = (wishes.url or f"http://{authority(wishes.host, port)}").rstrip("/")
        super().__init__("", wishes.host, port, title="dateflicks", public_url=url)
        self._wishes = wishes
        self._folder = folder
        self._is_local = is_loopback_host(wishes.host)
        self._open: set[web.WebSocketResponse] = set()
        self._visits = 0

    async def make_app(self) -> web.Application:
        """The routes, and what guards them."""
        app = await self._make_app()
        app.middlewares.append(self._guard)
        app.on_response_prepare.append(_harden)
        return app

    async def on_startup(self, app: web.Application) -> None:
        """Say nothing: whoever serves does."""

    async def on_shutdown(self, app: web.Application) -> None:  # noqa: ARG002 - nothing of it is needed
        """Close every page, which ends its visit."""
        for one in list(self._open):
            with contextlib.suppress(ConnectionError, TimeoutError):
                await asyncio.wait_for(one.close(code=1001), 1.0)

    @web.middleware
    async def _guard(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        """No page of another origin may speak to this one.

        Nor one that has given this machine a name of its own, where it is known under which names we are asked for.
        """
        origin = request.headers.get("Origin")
        if not self._is_own_name(request.host) or (
            origin is not None and urlsplit(origin).netloc != self._name(request)
        ):
            raise web.HTTPForbidden(text="This page is not served under that name.")
        return await handler(request)

    def _is_own_name(self, host: str) -> bool:
        if self._wishes.url is not None:
            return host == urlsplit(self._wishes.url).netloc
        return not self._is_local or is_loopback_host(urlsplit(f"//{host}").hostname or "")

    def _name(self, request: web.Request) -> str:
        return urlsplit(self._wishes.url).netloc if self._wishes.url is not None else request.host

    @aiohttp_jinja2.template("app_index.html")
    async def handle_index(self, request: web.Request) -> dict[str, Any]:
        """The page, whose addresses are those under which it was asked for."""
        base = self._wishes.url.rstrip("/") if self._wishes.url is not None else f"http://{request.host}"
        return {
            "font_size": max(6, min(to_int(request.query.get("fontsize", "16"), 16), 64)),
            "app_websocket_url": f"ws{base.removeprefix('http')}/ws",
            "config": {"static": {"url": f"{base}/static/"}},
            "application": {"name": self.title},
        }

    async def handle_websocket(self, request: web.Request) -> web.WebSocketResponse:
        """One open page: its visit begins and ends with the connection."""
        if self._visits >= VISITS_MAX:
            raise web.HTTPServiceUnavailable(text="Too many pages are open here.")
        self._visits += 1
        websocket = web.WebSocketResponse(heartbeat=15, max_msg_size=FRAME_MAX_BYTES)
        try:
            await websocket.prepare(request)
            self._open.add(websocket)
            width, height = (to_int(request.query.get(name, ""), 80) for name in ("width", "height"))
            await self._visit(websocket, width, height)
        finally:
            self._visits -= 1
            self._open.discard(websocket)
        return websocket

    async def _visit(self, websocket: web.WebSocketResponse, width: int, height: int) -> None:
        home = Path(tempfile.mkdtemp(prefix="visit-", dir=self._folder))  # 0700, as all of them
        visit = Visit(websocket, self, home, self._wishes)
        try:
            await visit.start(width, height)
            await self._process_messages(websocket, visit)
        except (ValueError, TypeError, LookupError, AttributeError, AssertionError):
            await websocket.close(code=1007)  # nothing that our page would send
        except ConnectionError:
            pass
        finally:
            await asyncio.shield(visit.stop())


class Visit(AppService):
    """The process behind one page."""

    def __init__(self, websocket: web.WebSocketResponse, pages: Pages, home: Path, wishes: Wishes) -> None:
        super().__init__(
            "",
            write_bytes=websocket.send_bytes,
            write_str=websocket.send_str,
            close=_closer(websocket),
            download_manager=pages.download_manager,
        )
        self._home = home
        self._wishes = wishes

    async def start(self, width: int, height: int) -> None:
        """Begin with a screen of this size, within reason."""
        await super().start(*_sized(width, height))

    async def set_terminal_size(self, width: int, height: int) -> None:
        """Tell of another size, within reason."""
        await super().set_terminal_size(*_sized(width, height))

    async def _open_app_process(self, width: int = 80, height: int = 24) -> Process:
        here = self._home / "here"  # empty: a name without a folder finds nothing
        here.mkdir(mode=0o700)
        (self._home / "settings").mkdir(mode=0o700)
        environ = _environ(os.environ, self._home, self._wishes)
        environ |= {
            name: value for name, value in self._build_environment(width, height).items() if name in _OF_TEXTUAL
        }
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "dateflicks.cli.web_visit", str(self._wishes.log), str(os.getpid()),
            stdin=PIPE, stdout=PIPE, stderr=PIPE, env=environ, cwd=here, start_new_session=True,
        )  # fmt: skip
        assert self._process.stdin is not None
        self._stdin = self._process.stdin
        return self._process

    async def run(self) -> None:
        """Carry what the process shows; the page ends with it, also if it broke down."""
        await super().run()
        with contextlib.suppress(ConnectionError):
            await self.remote_close()

    async def stop(self) -> None:
        """End the process, if need be without asking, and remove all that it had."""
        with contextlib.suppress(TimeoutError, ConnectionError):
            await asyncio.wait_for(super().stop(), STOP_SECONDS)
        if self._process is not None:
            if self._process.returncode is None:
                try:
                    await asyncio.wait_for(self._process.wait(), 1.0)
                except TimeoutError:
                    self._process.kill()
            await self._process.wait()
        await asyncio.to_thread(shutil.rmtree, self._home, ignore_errors=True)


_OF_TEXTUAL: Final = (
    "TEXTUAL_DRIVER", "TEXTUAL_FPS", "TEXTUAL_COLOR_SYSTEM", "TERM_PROGRAM", "TERM_PROGRAM_VERSION", "COLUMNS", "ROWS",
)  # fmt: skip


def _environ(ours: Mapping[str, str], home: Path, wishes: Wishes) -> dict[str, str]:
    """What a visit is told: of ours only what says how this machine works, nothing that says whose it is."""
    kept = {name: value for name, value in ours.items() if name in _INHERITED or name.startswith("LC_")}
    return {
        **kept,
        "HOME": str(home),
        "DATEFLICKS_HOME": str(home),
        "DATEFLICKS_SETTINGS": str(home / "settings"),
        "DATEFLICKS_CLIENT_SERVER": wishes.server,
        "DATEFLICKS_CLIENT_PLAYER": wishes.player,
        "DATEFLICKS_CLIENT_CREDENTIALS": "file",
        "TERM": "xterm-256color",
        "PYTHONIOENCODING": "utf-8",
        "PYTHONPATH": str(Path(dateflicks.__file__).parents[1]),
    }


def _closer(websocket: web.WebSocketResponse) -> Callable[[], Awaitable[None]]:
    async def close() -> None:
        await websocket.close()

    return close


def _sized(width: int, height: int) -> tuple[int, int]:
    return max(1, min(int(width), COLUMNS_MAX)), max(1, min(int(height), ROWS_MAX))


async def _harden(request: web.Request, response: web.StreamResponse) -> None:
    """Nothing from elsewhere in the page (its font is one of the system's then), and the page in nothing else."""
    del request
    response.headers["Content-Security-Policy"] = (
        "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; img-src 'self' data:;"
        " connect-src 'self' ws: wss:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
    )
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "no-referrer"


def _bound(host: str, port: int) -> socket.socket:
    family, _, _, _, place = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(place)
    except OSError:
        listener.close()
        raise
    return listener
