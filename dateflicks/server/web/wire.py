"""Requests as they come over the wire, held to more of RFC 9112 than the framework asks for.

A head that two programs could read in two ways (a bare line feed, two Hosts, a space before a colon) is refused before
anything is done with it, so that a proxy in front and we never disagree on what was asked. Private ways of Sanic that
this depends on: `Request.__init__`, the request that it makes up when a head could not be read, and `is_websocket`, by
which it knows of a handler that it may return without an answer.
"""

import re
from typing import Any, Final, TypeVar

from sanic import Request
from sanic.compat import Header
from sanic.exceptions import BadURL

from dateflicks.core.errors import Malformed

Handler = TypeVar("Handler")

_DOUBTFUL: Final = re.compile(
    rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]"  # control characters
    rb"|\r(?!\n)|(?<!\r)\n"  # half an end of line
    rb"|\r\n(?![!#$%&'*+\-.^_`|~0-9A-Za-z]+:)"  # a line that does not start with a name and a colon
)
_MAY_NOT_ANSWER: Final = "is_websocket"
_SINGLE: Final = ("host", "authorization", "content-type", "idempotency-key", "upgrade", "origin", "sec-websocket-key")


class CheckedRequest(Request[Any, Any]):
    """A request whose head has one meaning. Raises Malformed."""

    def __init__(
        self,
        url_bytes: bytes,
        headers: Header,
        version: str,
        method: str,
        transport: Any,
        app: Any,
        head: bytes = b"",
        stream_id: int = 0,
    ) -> None:
        try:
            super().__init__(url_bytes, headers, version, method, transport, app, head, stream_id)
        except BadURL:
            if head:  # else it is the request that Sanic makes up to answer a head that could not be read
                raise
            super().__init__(b"*", headers, version, method, transport, app, head, stream_id)
        if head:
            _check(head, headers, version)


def upgrading(handler: Handler) -> Handler:
    """The same handler, as one that may return without an answer: it has taken the connection over."""
    setattr(handler, _MAY_NOT_ANSWER, True)
    return handler


def is_upgrading(handler: object) -> bool:
    """Whether it is one of these."""
    return hasattr(handler, _MAY_NOT_ANSWER)


def _check(head: bytes, headers: Header, version: str) -> None:
    if _DOUBTFUL.search(head):
        raise Malformed("The head of the request is malformed.")
    for name in _SINGLE:
        if len(headers.getall(name, ())) > 1:
            raise Malformed(f"The header {name} is given more than once.")
    if version == "1.1" and "host" not in headers:
        raise Malformed("The request names no Host.")
