"""The app around the services: one Sanic application that carries one service or several behind one port."""

import itertools
import logging
import re
from collections.abc import Sequence
from typing import Any, Final

from sanic import Sanic
from sanic.config import Config
from sanic.response import BaseHTTPResponse

from dateflicks.core import limits
from dateflicks.server.observe.metrics import Metrics
from dateflicks.server.observe.requests import HEADER
from dateflicks.server.web.about import SYSTEM_PATHS, system_handlers
from dateflicks.server.web.context import request_id, route_of, seconds_since_start
from dateflicks.server.web.dispatch import SanicHandler, feed_handler, route_handler
from dateflicks.server.web.paths import Paths
from dateflicks.server.web.problems import ProblemHandler
from dateflicks.server.web.service import Service
from dateflicks.server.web.state import AppState, WebSettings
from dateflicks.server.web.wire import CheckedRequest, is_upgrading

log = logging.getLogger(__name__)

App = Sanic[Any, Any]

HEADER_MAX_BYTES: Final = 8 * 1024
RESPONSE_SECONDS: Final = 15
KEEP_ALIVE_SECONDS: Final = 15
HSTS: Final = "max-age=31536000"  # browsers that came by TLS once come by nothing else for a year

_SETTINGS: Final = {
    "ACCESS_LOG": False,
    "AUTO_EXTEND": False,
    "GRACEFUL_SHUTDOWN_TIMEOUT": 5.0,
    "KEEP_ALIVE_TIMEOUT": KEEP_ALIVE_SECONDS,
    "MOTD": False,
    "REQUEST_MAX_HEADER_SIZE": HEADER_MAX_BYTES,
    "REQUEST_MAX_SIZE": limits.BODY_MAX_BYTES,
    "REQUEST_TIMEOUT": 10,  # the protocol's own deadline is shorter and counts from the accept
    "RESPONSE_TIMEOUT": RESPONSE_SECONDS,
    "TOUCHUP": False,  # a second app in one process fails with it
}
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_numbers = itertools.count(1)


def build_app(
    services: Sequence[Service], settings: WebSettings | None = None, *, metrics: Metrics | None = None
) -> App:
    """An app that carries these services. They are not started by it, but by whoever runs it.

    Raises ValueError when two services declare the same call.
    """
    if not services:
        raise ValueError("an app carries at least one service")
    state = AppState(services, settings or WebSettings(), metrics or Metrics())
    paths = Paths()
    config = Config(defaults=dict(_SETTINGS), env_prefix=None)
    app: App = Sanic(
        f"dateflicks-{state.name}-{next(_numbers)}",
        config=config,
        request_class=CheckedRequest,
        error_handler=ProblemHandler(paths),
        configure_logging=False,
    )
    app.ctx.state = state
    for path, handler in system_handlers(state).items():
        _add(app, paths, "GET", path, handler)
    for service in services:
        for route in service.routes:
            _add(app, paths, route.method, route.path, route_handler(route, service.authenticate, state))
        for feed in service.feeds:
            _add(app, paths, "GET", feed.path, feed_handler(feed, state))
    app.register_middleware(_finish_response, "response")
    return app


def state_of(app: App) -> AppState:
    """What the parts of this app share."""
    state = app.ctx.state
    assert isinstance(state, AppState)
    return state


def _add(app: App, paths: Paths, method: str, path: str, handler: SanicHandler) -> None:
    methods = ["GET", "HEAD"] if method == "GET" and not is_upgrading(handler) else [method]
    paths.add(path, methods)
    name = "_".join([method.lower(), *(re.sub(r"\W", "_", part) for part in path.split("/"))])
    app.add_route(handler, path.replace("{", "<").replace("}", ":str>"), methods=methods, name=name)


def _finish_response(request: Any, response: BaseHTTPResponse) -> None:
    """Headers that every answer has, and what is counted and logged of each."""
    response.headers[HEADER] = request_id(request)
    response.headers["X-Content-Type-Options"] = "nosniff"
    if state_of(request.app).settings.is_encrypted:
        response.headers["Strict-Transport-Security"] = HSTS
    response.headers.setdefault("Cache-Control", "no-store")
    route, seconds = route_of(request), seconds_since_start(request)
    metrics = state_of(request.app).metrics
    method = request.method if request.method in _METHODS else "other"
    metrics.requests.labels(method, route, str(response.status)).inc()
    metrics.latency.labels(method, route).observe(seconds)
    log.log(
        logging.DEBUG if route in SYSTEM_PATHS else logging.INFO,
        "request",
        extra={"method": method, "route": route, "status": response.status, "ms": round(seconds * 1000, 1)},
    )
