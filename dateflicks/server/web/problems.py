"""Every error as an RFC 9457 problem: those of the rules, those of the framework, and those that nobody expected.

What a client reads here was written for it. An unexpected error is logged with its traceback and the request's id; the
client gets the id and nothing else.
"""

import asyncio
import logging
import math
from http import HTTPStatus
from typing import Any, Final

import msgspec
from sanic import HTTPResponse, Request
from sanic.exceptions import MethodNotAllowed, SanicException
from sanic.handlers import ErrorHandler

from dateflicks.core import errors
from dateflicks.protocol.problem import Problem, ProblemField
from dateflicks.server.web.context import request_id, route_of
from dateflicks.server.web.paths import Paths

log = logging.getLogger(__name__)

CONTENT_TYPE: Final = "application/problem+json"
TYPE_PREFIX: Final = "urn:dateflicks:problem:"
RETRY_SECONDS: Final = 2  # what to wait when the database is away or we are stopping

_STATUSES: Final[tuple[tuple[type[errors.RuleError], HTTPStatus], ...]] = (
    (errors.Malformed, HTTPStatus.BAD_REQUEST),
    (errors.Unauthenticated, HTTPStatus.UNAUTHORIZED),
    (errors.Forbidden, HTTPStatus.FORBIDDEN),
    (errors.NotFound, HTTPStatus.NOT_FOUND),
    (errors.Conflict, HTTPStatus.CONFLICT),
    (errors.TooLarge, HTTPStatus.REQUEST_ENTITY_TOO_LARGE),
    (errors.Invalid, HTTPStatus.UNPROCESSABLE_ENTITY),
    (errors.TooMany, HTTPStatus.TOO_MANY_REQUESTS),
    (errors.Unavailable, HTTPStatus.SERVICE_UNAVAILABLE),
)
_FRAMEWORK: Final = {
    400: ("malformed", "The request is malformed."),
    404: ("not-found", "There is nothing at this path. GET /docs says what there is."),
    405: ("method-not-allowed", "This path does not know this method; Allow says which it knows."),
    408: ("timeout", "The request took too long to arrive."),
    413: ("too-large", "The request is too large: a body may have 64 KiB, a head 8 KiB."),
    414: ("too-large", "The address is too long."),
    417: ("expectation-failed", "The only expectation that is met is 100-continue."),
    503: ("unavailable", "The answer took too long, or the server is stopping. Try again in a moment."),
}


class WrongContentType(errors.RuleError):
    """A body that does not say it is JSON (415)."""

    code = "wrong-content-type"


class UpgradeRequired(errors.RuleError):
    """A feed was asked for without a WebSocket handshake, or in another version of it (426)."""

    code = "upgrade-required"


def problem_response(
    status: int, code: str, detail: str, fields: tuple[errors.FieldProblem, ...] = (), **headers: str
) -> HTTPResponse:
    """An error answer; `headers` by their names with underscores."""
    problem = Problem(
        type=TYPE_PREFIX + code,
        title=HTTPStatus(status).phrase,
        status=status,
        detail=detail,
        errors=[ProblemField(field.field, field.message) for field in fields],
    )
    return HTTPResponse(
        msgspec.json.encode(problem),
        status=status,
        headers={name.replace("_", "-"): value for name, value in headers.items()},
        content_type=CONTENT_TYPE,
    )


def problem_bytes(status: int, code: str, detail: str, retry_after: int) -> bytes:
    """An answer as it goes over the wire, to whoever has asked nothing yet; the connection ends with it."""
    phrase = HTTPStatus(status).phrase
    body = msgspec.json.encode(Problem(type=TYPE_PREFIX + code, title=phrase, status=status, detail=detail))
    lines = [
        f"HTTP/1.1 {status} {phrase}",
        f"Content-Type: {CONTENT_TYPE}",
        f"Content-Length: {len(body)}",
        f"Retry-After: {retry_after}",
        "Connection: close",
    ]
    return "\r\n".join([*lines, "", ""]).encode() + body


def rule_problem(error: errors.RuleError) -> HTTPResponse:
    """The answer to a request that the rules do not allow."""
    if isinstance(error, WrongContentType):
        return problem_response(415, error.code, error.detail, Accept="application/json")
    if isinstance(error, UpgradeRequired):
        return problem_response(426, error.code, error.detail, Upgrade="websocket", Sec_WebSocket_Version="13")
    status = next((status for kind, status in _STATUSES if isinstance(error, kind)), HTTPStatus.BAD_REQUEST)
    if isinstance(error, errors.TooMany):
        return problem_response(status, error.code, error.detail, Retry_After=str(retry_after(error.retry_after)))
    if isinstance(error, errors.Unauthenticated):
        return problem_response(status, error.code, error.detail, WWW_Authenticate="Bearer")
    if isinstance(error, errors.Unavailable):
        return problem_response(status, error.code, error.detail, Retry_After=str(RETRY_SECONDS))
    return problem_response(
        status, error.code, error.detail, error.problems if isinstance(error, errors.Invalid) else ()
    )


def retry_after(seconds: float) -> int:
    """Whole seconds, rounded up, at least one: who comes back after them is not refused again."""
    return max(1, math.ceil(seconds)) if math.isfinite(seconds) else 3_600


class ProblemHandler(ErrorHandler):
    """Sanic's hook for everything that was raised while a request was read, routed or handled."""

    def __init__(self, paths: Paths) -> None:
        super().__init__()
        self._paths = paths

    def response(self, request: "Request[Any, Any]", exception: BaseException) -> HTTPResponse:
        """The answer to what was raised; never raises itself."""
        if isinstance(exception, errors.RuleError):
            return rule_problem(exception)
        if isinstance(exception, SanicException) and exception.status_code in _FRAMEWORK:
            return self._framework_problem(request, exception)
        if isinstance(exception, asyncio.CancelledError):  # the client has gone, or we stop: nobody's fault
            return problem_response(503, *_FRAMEWORK[503], Retry_After=str(RETRY_SECONDS))
        identity = request_id(request)
        log.error(
            "request failed",
            exc_info=exception,
            extra={"request": identity, "method": request.method, "route": route_of(request)},
        )
        detail = f"Something went wrong here, and has been noted. Its request id is {identity}."
        return problem_response(500, "internal", detail)

    def default(self, request: "Request[Any, Any]", exception: BaseException) -> HTTPResponse:
        """What Sanic asks for when it has no other way."""
        return self.response(request, exception)

    def _framework_problem(self, request: "Request[Any, Any]", error: SanicException) -> HTTPResponse:
        code, detail = _FRAMEWORK[error.status_code]
        if isinstance(error, MethodNotAllowed):
            return problem_response(405, code, detail, Allow=", ".join(self._paths.methods(request.path)))
        if error.status_code == 503:
            return problem_response(503, code, detail, Retry_After=str(RETRY_SECONDS))
        return problem_response(error.status_code, code, detail)
