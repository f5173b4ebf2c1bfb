"""A real HTTP server on loopback that gives the answers it was told to give, and remembers what it was asked."""

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit


@dataclass(frozen=True)
class Asked:
    """One request as it came in."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Any


@dataclass(frozen=True)
class Answer:
    """One answer; a `body` of bytes goes out as it is, anything else as JSON."""

    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    before: Callable[[], object] = lambda: None

    @classmethod
    def problem(
        cls, status: int, detail: str, *, errors: list[dict[str, str]] | None = None, retry_after: int | None = None
    ) -> "Answer":
        """An answer as every service gives when it says no."""
        body = {"type": "about:blank", "title": "", "status": status, "detail": detail, "errors": errors or []}
        extra = {} if retry_after is None else {"Retry-After": str(retry_after)}
        return cls(status, body, {"Content-Type": "application/problem+json", **extra})


class ScriptedServer:
    """Answers by method and path; `services` names itself for both services unless told otherwise."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.answers: dict[tuple[str, str], Answer] = {}
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _answer(self) -> None:
                server._serve(self)

            do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = _answer  # noqa: N815 - the names that http.server looks for

            def log_message(self, *arguments: object) -> None:
                """Say nothing."""

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._http.server_port}"
        self.on("GET", "/services", {"services": {"session": self.url, "timecode": self.url}})

    def on(self, method: str, path: str, answer: Any, status: int = 200) -> None:
        """From now on give this answer there."""
        self.answers[method, path] = answer if isinstance(answer, Answer) else Answer(status, answer)

    @property
    def last(self) -> Asked:
        return self.asked[-1]

    def _serve(self, handler: BaseHTTPRequestHandler) -> None:
        content = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
        parts = urlsplit(handler.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        body = json.loads(content) if content else None
        self.asked.append(Asked(handler.command, parts.path, query, dict(handler.headers), body))
        answer = self.answers.get((handler.command, parts.path), Answer.problem(404, "There is no such thing."))
        answer.before()
        content = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body).encode()
        if answer.status == 204:
            content = b""
        try:
            handler.send_response(answer.status)
            for name, value in answer.headers.items():
                handler.send_header(name, value)
            handler.send_header("Content-Length", str(len(content)))
            handler.end_headers()
            handler.wfile.write(content)
        except OSError:
            handler.close_connection = True  # the client gave up waiting, as some tests want

    def __enter__(self) -> "ScriptedServer":
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()


@contextmanager
def scripted_server() -> Iterator[ScriptedServer]:
    with ScriptedServer() as server:
        yield server


def session_json(**changes: Any) -> dict[str, Any]:
    """A session as the service writes it."""
    return {
        "id": "ses_" + "a" * 26,
        "hostUserId": "usr_" + "a" * 26,
        "guestUserId": "usr_" + "b" * 26,
        "videoId": None,
        "startTime": None,
        "isAccepted": None,
        "details": None,
        "state": "pending",
        "hostName": "ana",
        "guestName": "bea",
        "video": {"url": "film.mkv", "title": "A film", "length": 0.0},
        "createdAt": "2026-11-24T01:43:00.123Z",
        **changes,
    }
