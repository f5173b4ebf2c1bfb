"""The opening handshake (RFC 6455, section 4.2): what the request has to say, and the answer to it."""

import base64
import binascii
import hashlib
import re
from collections.abc import Iterable
from typing import Any, Final

from sanic import Request

from dateflicks.core.errors import Forbidden, Malformed
from dateflicks.server.web.problems import UpgradeRequired

VERSION: Final = "13"
_GUID: Final = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_KEY_BYTES: Final = 16
_ORIGIN: Final = re.compile(r"(?P<scheme>https?)://(?P<host>[^/@?#\s:]+|\[[0-9a-f:.]+\])(?::(?P<port>\d{1,5}))?")
_DEFAULT_PORTS: Final = {"http": "80", "https": "443"}


def check_request(request: "Request[Any, Any]") -> None:
    """Refuse what is no opening handshake. Raises Malformed, UpgradeRequired."""
    headers = request.headers
    if request.method != "GET" or request.version != "1.1":
        raise Malformed("A feed is opened with GET and HTTP/1.1.")
    if headers.getone("upgrade", "").strip().lower() != "websocket":
        raise UpgradeRequired("This is a feed: connect to it as a WebSocket.")
    said = ",".join(headers.getall("connection", ()))
    if "upgrade" not in [part.strip().lower() for part in said.split(",")]:
        raise Malformed("The Connection header has to say: Upgrade.")
    if headers.getone("sec-websocket-version", "").strip() != VERSION:
        raise UpgradeRequired("Only version 13 of the WebSocket protocol is spoken here.")
    if "content-length" in headers or "transfer-encoding" in headers:
        raise Malformed("An opening handshake has no body.")
    try:
        key = base64.b64decode(headers.getone("sec-websocket-key", "").strip(), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != _KEY_BYTES:
        raise Malformed("The Sec-WebSocket-Key has to be 16 bytes in base 64.")


def allowed_origins(origins: Iterable[str]) -> frozenset[str]:
    """The origins of the settings as browsers write them: lower case, IDN in ASCII, no slash, no default port.

    What is no origin, such as `null`, which every sandboxed page has, allows nobody.
    """
    return frozenset(found for origin in origins if (found := _as_browsers_write(origin)) is not None)


def _as_browsers_write(origin: str) -> str | None:
    found = _ORIGIN.fullmatch(origin.strip().lower().rstrip("/"))
    if found is None:
        return None
    host, port = found["host"], found["port"]
    if not host.isascii():
        try:
            encoded = host.encode("idna")
        except UnicodeError:
            return None
        if encoded.decode("idna") != host:  # such as ß, which Python makes ss and browsers do not: another's name
            return None
        host = encoded.decode()
    return f"{found['scheme']}://{host}" + (f":{port}" if port and port != _DEFAULT_PORTS[found["scheme"]] else "")


def check_origin(request: "Request[Any, Any]", allowed: frozenset[str]) -> None:
    """Let web pages in only where the settings name them, or where they come from this very server, which some
    programs that are no pages say of themselves; those that send no Origin, always. Raises Forbidden.

    Nothing here is kept in cookies, so a page of somebody else's could do nothing in a person's name; this keeps it
    from trying. Compared as it is: browsers write an origin in one way only.
    """
    origin = request.headers.getone("origin", None)
    host = request.headers.getone("host", "")
    own = {f"http://{host}", f"https://{host}"} if host else set()
    if origin is not None and origin not in allowed and origin not in own:
        raise Forbidden("Web pages of this origin may not connect here.", code="origin")


def accepted(request: "Request[Any, Any]", subprotocol: str | None, headers: dict[str, str]) -> bytes:
    """The answer that upgrades the connection. No extension is ever agreed to."""
    key = request.headers.getone("sec-websocket-key").strip().encode()
    digest = base64.b64encode(hashlib.sha1(key + _GUID).digest()).decode()  # noqa: S324 - the RFC's, no secret
    lines = [
        "HTTP/1.1 101 Switching Protocols",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Accept: {digest}",
        *([f"Sec-WebSocket-Protocol: {subprotocol}"] if subprotocol else []),
        *(f"{name}: {value}" for name, value in headers.items()),
    ]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")
