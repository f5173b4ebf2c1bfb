"""From a request of the framework to a `Call`, and from a handler's struct to an answer; the same for every route."""

import re
from collections.abc import Callable, Coroutine
from typing import Any, Final
from urllib.parse import unquote_to_bytes

import msgspec
from sanic import HTTPResponse, Request

from dateflicks.core.errors import NotFound, Unauthenticated, Unavailable
from dateflicks.server.web.address import peer_address
from dateflicks.server.web.bearer import bearer_token, feed_subprotocol, feed_token
from dateflicks.server.web.context import declare, request_id
from dateflicks.server.web.fitting import decode_body, decode_query
from dateflicks.server.web.problems import WrongContentType
from dateflicks.server.web.route import PARAMETER_MAX_CHARACTERS, Authenticator, Call, Route
from dateflicks.server.web.service import Feed, FeedCall
from dateflicks.server.web.state import AppState
from dateflicks.server.web.wire import upgrading

_JSON: Final = re.compile(r"application/(?:[a-z0-9.\-]+\+)?json(?: *; *charset *= *\"?utf-?8\"?)? *;?", re.IGNORECASE)

SanicRequest = Request[Any, Any]
SanicHandler = Callable[..., Coroutine[Any, Any, HTTPResponse | None]]


def route_handler(route: Route, authenticate: Authenticator, state: AppState) -> SanicHandler:
    """What the framework calls for this route."""
    encode = msgspec.json.Encoder().encode

    async def handle(request: SanicRequest, **parameters: str) -> HTTPResponse:
        declare(request, route.path)
        state.begin()
        try:
            _refuse_when_stopping(state)
            call = await _call(request, parameters, route, authenticate, state)
            answer = await route.handler(call)
        finally:
            state.finish()
        if answer is None:
            return HTTPResponse(status=204)
        return HTTPResponse(encode(answer), status=route.status, content_type="application/json")

    return handle


def feed_handler(feed: Feed, state: AppState) -> SanicHandler:
    """What the framework calls for this feed; it returns when the connection is a feed's, or was refused."""

    async def handle(request: SanicRequest, **parameters: str) -> HTTPResponse | None:
        declare(request, feed.path)
        _refuse_when_stopping(state)
        return await feed.connect(
            FeedCall(
                request=request,
                path=_decoded(parameters),
                address=peer_address(request, state.proxies),
                request_id=request_id(request),
                token=feed_token(request),
                subprotocol=feed_subprotocol(request),
            )
        )

    return upgrading(handle)


def _refuse_when_stopping(state: AppState) -> None:
    if state.is_stopping:
        raise Unavailable("The server is stopping. Try again in a moment.", code="stopping")


async def _call(
    request: SanicRequest,
    parameters: dict[str, str],
    route: Route,
    authenticate: Authenticator,
    state: AppState,
) -> Call:
    path = _decoded(parameters)
    caller = None
    if route.auth != "none":
        token = bearer_token(request)
        if token is not None:
            caller = await authenticate(token)
        elif route.auth != "optional":
            raise Unauthenticated("This needs a token: send Authorization: Bearer TOKEN.")
    return Call(
        path=path,
        query=decode_query(request.query_string, route.query) if route.query is not None else None,
        body=_body(request, route) if route.body is not None else None,
        caller=caller,
        address=peer_address(request, state.proxies),
        request_id=request_id(request),
        headers={name: value for name, value in request.headers.items() if name != "authorization"},
    )


def _body(request: SanicRequest, route: Route) -> msgspec.Struct:
    assert route.body is not None
    raw: bytes = request.body
    if not raw and not route.body_required:
        raw = b"{}"
    elif not _JSON.fullmatch(request.headers.getone("content-type", "application/json")):
        raise WrongContentType("The body has to be JSON: send Content-Type: application/json.")
    return decode_body(raw, route.body)


def _decoded(parameters: dict[str, str]) -> dict[str, str]:
    """The path's parameters, percent-decoded. What cannot be anything's name is not found."""
    found = {}
    for name, value in parameters.items():
        try:
            text = unquote_to_bytes(value).decode()
        except UnicodeDecodeError:
            text = ""
        if not text or len(text) > PARAMETER_MAX_CHARACTERS or not text.isprintable():
            raise NotFound("There is nothing at this path. GET /docs says what there is.")
        found[name] = text
    return found
