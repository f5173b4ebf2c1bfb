"""Addresses of servers: the one form under which they are kept and compared, and where they tell what happens.

Standard library only.
"""

from urllib.parse import quote, urlsplit

from dateflicks.client.errors import DoesNotFit
from dateflicks.protocol.hosts import is_loopback_host


def server_address(text: str) -> str:
    """A server's address as `scheme://host[:port][/path]`, without a slash at the end; `http` when none is named."""
    text = text.strip()
    refusal = DoesNotFit(f"'{text}' is not the address of a server, such as https://films.example.org.")
    try:
        parts = urlsplit(text if "://" in text else f"http://{text}")
        _ = parts.port  # raises for what is none
    except ValueError:
        raise refusal from None
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment or parts.username:
        raise refusal
    if not parts.netloc.isprintable():
        raise refusal
    return f"{parts.scheme}://{parts.netloc.lower()}{parts.path.rstrip('/')}"


def feed_address(base: str, *path: str) -> str:
    """Where a service tells what happens: the WebSocket below its address, each part of the path quoted."""
    return f"ws{base.removeprefix('http')}/{'/'.join(quote(part, safe='') for part in path)}/events"


def is_loopback(address: str) -> bool:
    """Whether an address is on this machine: such traffic needs no proxy."""
    return is_loopback_host(urlsplit(address).hostname or "")
