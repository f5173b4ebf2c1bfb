"""A real HTTP server on loopback that stands in for a provider: it answers from recorded files, keeps to their habits
(keys, ETags), remembers what it was asked, and misbehaves when it is told to.

It runs on threads of its own, so that a test may wait for it, run an event loop beside it, or start a process.
"""

import hashlib
import json
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Literal, Self
from urllib.parse import parse_qsl, urlsplit

RECORDED: Final = Path(__file__).parent / "recorded"
JSON_TYPE: Final = "application/json; charset=utf-8"


@dataclass(frozen=True)
class Asked:
    """One request as it came in; header names are in lower case."""

    path: str
    params: Mapping[str, str]
    headers: Mapping[str, str]
    at: float = field(default_factory=time.monotonic)


@dataclass(frozen=True)
class Reply:
    """One answer. `how` it goes out: whole, cut off half way, without an end, or not at all while the server lives."""

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    how: Literal["whole", "cut off", "endless", "never"] = "whole"

    def value(self) -> Any:
        """The body, which is JSON."""
        return json.loads(self.body)

    def with_value(self, value: Any) -> "Reply":
        """The same with another body."""
        return replace(self, body=json.dumps(value).encode())


Fault = Callable[[Reply], Reply]
"""What becomes of the answer that would have been given."""

Body = str | bytes | dict[str, Any] | list[Any] | Reply | Callable[[Asked], Reply]


@dataclass
class _Route:
    path: str
    params: Mapping[str, str]
    body: Body


class RecordedServer:
    """The server; a context manager. `url` is its base address, to be set as the source's `base_url`.

    `headers` are those that every request must have (a token, for instance), else it is 401.
    """

    def __init__(self, folder: str | Path = "", *, headers: Mapping[str, str] | None = None) -> None:
        self.folder = RECORDED / folder
        self.asked: list[Asked] = []
        self.required = {name.lower(): value for name, value in (headers or {}).items()}
        self.denied = Reply(b'{"message": "wrong key"}', 401, {"Content-Type": JSON_TYPE})
        self.missing = Reply(b'{"message": "not found"}', 404, {"Content-Type": JSON_TYPE})
        self.closing = threading.Event()
        self._routes: list[_Route] = []
        self._faults: list[tuple[str | None, Fault, bool]] = []
        self._lock = threading.Lock()
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.owner = self
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)

    @property
    def url(self) -> str:
        """Its base address, without a slash at the end."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def route(self, path: str, body: Body, params: Mapping[str, str | int] | None = None) -> Self:
        """Answer requests for `path` that have these `params` (among others); the most exact and latest route wins.

        `body` is the name of a file in the folder, bytes, what is to be sent as JSON, a whole reply, or makes one.
        """
        self._routes.append(_Route(path, {name: str(value) for name, value in (params or {}).items()}, body))
        return self

    def misbehave(self, *faults: Fault, path: str | None = None, always: bool = False) -> Self:
        """Let the next requests (for `path`, if it is given), one each, go wrong in this order, or all of them."""
        with self._lock:
            self._faults += [(path, fault, always) for fault in faults]
        return self

    def behave(self) -> None:
        """Forget all faults."""
        with self._lock:
            self._faults.clear()

    def asked_for(self, path: str) -> list[Asked]:
        """The requests for a path."""
        return [asked for asked in self.asked if asked.path == path]

    # --- what a request is answered -----------------------------------------------------------------------------

    def reply(self, asked: Asked) -> Reply:
        """The answer to a request, as it is or as a fault makes it."""
        self.asked.append(asked)
        answer = self._unless_unchanged(asked, self._regular(asked))
        fault = self._next_fault(asked.path)
        return fault(answer) if fault else answer

    def _regular(self, asked: Asked) -> Reply:
        if any(asked.headers.get(name) != value for name, value in self.required.items()):
            return self.denied
        fitting = [
            route
            for route in self._routes
            if route.path == asked.path and route.params.items() <= dict(asked.params).items()
        ]
        if not fitting:
            return self.missing
        body = max(reversed(fitting), key=lambda route: len(route.params)).body
        if isinstance(body, Reply):
            return body
        if callable(body):
            return body(asked)
        if isinstance(body, str):
            content = (self.folder / body).read_bytes()
        else:
            content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return Reply(content, 200, {"Content-Type": JSON_TYPE, "ETag": f'"{hashlib.sha256(content).hexdigest()[:16]}"'})

    def _unless_unchanged(self, asked: Asked, answer: Reply) -> Reply:
        tag = answer.headers.get("ETag")
        if tag and asked.headers.get("if-none-match") == tag:
            return Reply(b"", 304, {"ETag": tag})
        return answer

    def _next_fault(self, path: str) -> Fault | None:
        with self._lock:
            for at, (place, fault, always) in enumerate(self._faults):
                if place in (None, path):
                    if not always:
                        del self._faults[at]
                    return fault
        return None


# --- what can go wrong --------------------------------------------------------------------------------------------


def too_many(retry_after: str | int | None = None) -> Fault:
    """429, with how long to wait as seconds or a date, or without."""
    return failing(429, {} if retry_after is None else {"Retry-After": str(retry_after)})


def failing(status: int = 500, headers: Mapping[str, str] | None = None) -> Fault:
    """Any other status, with a body that is no JSON."""
    return lambda _: Reply(b"<html>It failed.</html>", status, {"Content-Type": "text/html", **(headers or {})})


def silent(_: Reply) -> Reply:
    """No answer at all, on a connection that stays open."""
    return Reply(how="never")


def cut_off(answer: Reply) -> Reply:
    """Half of the body, then the end of the connection."""
    return replace(answer, how="cut off")


def malformed(answer: Reply) -> Reply:
    """Half of the body, as if it were all."""
    return replace(answer, body=answer.body[: len(answer.body) // 2])


def endless(answer: Reply) -> Reply:
    """The body again and again."""
    return replace(answer, how="endless")


def changed(change: Callable[[Any], Any]) -> Fault:
    """Another schema: what `change` makes of the JSON (in place, or as what it returns)."""

    def fault(answer: Reply) -> Reply:
        value = answer.value()
        made = change(value)
        return answer.with_value(value if made is None else made)

    return fault


def redirected(url: str, status: int = 302) -> Fault:
    """Somewhere else."""
    return failing(status, {"Location": url})


def unchanged(_: Reply) -> Reply:
    """304, whether it was asked for or not."""
    return Reply(b"", 304)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False  # a connection that a client keeps open would be waited for
    owner: RecordedServer

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that go away are what is tested."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        owner = self.server.owner
        answer = owner.reply(Asked(url.path, dict(parse_qsl(url.query, keep_blank_values=True)), headers))
        if answer.how == "never":
            owner.closing.wait()
            self.close_connection = True
            return
        self._head(answer)
        if answer.how == "whole":
            self.wfile.write(answer.body)
            return
        self.close_connection = True
        for part in self._spoilt(answer):
            self.wfile.write(part)

    def _head(self, answer: Reply) -> None:
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if answer.how == "endless":
            self.send_header("Connection", "close")
        elif answer.status != 304:
            self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()

    def _spoilt(self, answer: Reply) -> Iterable[bytes]:
        if answer.how == "cut off":
            yield answer.body[: len(answer.body) // 2]
            return
        while not self.server.owner.closing.is_set():
            yield answer.body or b" " * 4_096

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Say nothing."""
