"""The caller's token: in the Authorization header or, for feeds of clients that cannot set it, in a subprotocol."""

import re
from typing import Any, Final

from sanic import Request

from dateflicks.core.errors import Unauthenticated

SUBPROTOCOL: Final = "dateflicks.v1"
TOKEN_MAX_CHARACTERS: Final = 4_096
_HEADER: Final = re.compile(r"(?i:bearer) +([A-Za-z0-9._~+/\-]+=*) *")
_OFFER: Final = re.compile(r"bearer\.([A-Za-z0-9._~+/\-]+=*)")


def bearer_token(request: "Request[Any, Any]") -> str | None:
    """The token in the Authorization header, or None without one. Raises Unauthenticated for anything else in it."""
    value = request.headers.getone("authorization", None)
    if value is None:
        return None
    found = _HEADER.fullmatch(value)
    if found is None or len(found[1]) > TOKEN_MAX_CHARACTERS:
        raise Unauthenticated("The Authorization header has to be: Bearer TOKEN.")
    return found[1]


def feed_token(request: "Request[Any, Any]") -> str | None:
    """A feed's token from either place, the header first; None when there is no good one, which the feed tells."""
    if "authorization" in request.headers:
        try:
            return bearer_token(request)
        except Unauthenticated:
            return None
    for offer in _offers(request):
        found = _OFFER.fullmatch(offer)
        if found is not None and len(found[1]) <= TOKEN_MAX_CHARACTERS:
            return found[1]
    return None


def feed_subprotocol(request: "Request[Any, Any]") -> str | None:
    """The subprotocol to answer with: ours when it was offered. What carries a token is never answered."""
    return SUBPROTOCOL if SUBPROTOCOL in _offers(request) else None


def _offers(request: "Request[Any, Any]") -> list[str]:
    values = request.headers.getall("sec-websocket-protocol", [])
    return [offer.strip() for value in values for offer in value.split(",")]
