"""What is known of one request besides what it says: its id, when it began, and the declared route it went to."""

import time
from typing import Any, Final

from sanic import Request

from dateflicks.server.observe.requests import HEADER, accepted_id, bind_request

UNMATCHED: Final = "unmatched"  # a path is never logged or counted: it may hold an invitation's code


def request_id(request: "Request[Any, Any]") -> str:
    """This request's id; the first to ask makes it."""
    _begin(request)
    identity: str = request.ctx.identity
    return identity


def seconds_since_start(request: "Request[Any, Any]") -> float:
    """How long this request has been with us."""
    _begin(request)
    began: float = request.ctx.began
    return time.perf_counter() - began


def route_of(request: "Request[Any, Any]") -> str:
    """The declared path that the request went to, such as `/sessions/{id}`."""
    route = getattr(request.ctx, "declared", None)
    return route if isinstance(route, str) else UNMATCHED


def declare(request: "Request[Any, Any]", path: str) -> None:
    """Remember which declared path this request went to."""
    _begin(request)
    request.ctx.declared = path


def _begin(request: "Request[Any, Any]") -> None:
    if hasattr(request.ctx, "identity"):
        return
    request.ctx.began = time.perf_counter()
    offered = request.headers.getall(HEADER, [])
    request.ctx.identity = accepted_id(offered[0] if len(offered) == 1 else None)
    bind_request(request.ctx.identity)
