"""Where a request came from and what address it used: a proxy's word counts only when the proxy was configured."""

import re
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any, Final

from sanic import Request

from dateflicks.protocol.hosts import authority

LOCAL: Final = "local"  # a peer without an address, such as that of a Unix socket
_HOST: Final = re.compile(r"(?:[A-Za-z0-9](?:[A-Za-z0-9.\-]{0,252})|\[[0-9A-Fa-f:.]{2,45}\])(?::\d{1,5})?")

Address = IPv4Address | IPv6Address


class Proxies:
    """The proxies in front, by address or network such as `10.0.0.0/8`. Raises ValueError for what is neither."""

    def __init__(self, addresses: Iterable[str] = ()) -> None:
        self._networks: tuple[IPv4Network | IPv6Network, ...] = tuple(
            ip_network(address, strict=False) for address in addresses
        )

    def is_one(self, address: Address) -> bool:
        """Whether this address is a proxy of ours."""
        return any(address.version == network.version and address in network for network in self._networks)


def peer_address(request: "Request[Any, Any]", proxies: Proxies) -> str:
    """The client's address: the connection's, or what the nearest proxy of ours says of the one before it."""
    peer = _parsed(request.ip)
    if peer is None:
        return LOCAL
    if proxies.is_one(peer):
        for said in reversed(_forwarded_for(request)):
            before = _parsed(said)
            if before is None:
                break  # whoever wrote this, it is no address: the proxy that passed it on is all we know
            peer = before
            if not proxies.is_one(peer):
                break
    return str(peer)


def base_url(request: "Request[Any, Any]", proxies: Proxies) -> str:
    """How the caller reached us: the Host that it named, or the address it connected to when it named none."""
    host = request.headers.getone("host", "")
    scheme = "http" if request.transport.get_extra_info("sslcontext") is None else "https"
    peer = _parsed(request.ip)
    if peer is not None and proxies.is_one(peer):
        host = _last(request, "x-forwarded-host") or host
        scheme = "https" if _last(request, "x-forwarded-proto").lower() == "https" else "http"
    if not _HOST.fullmatch(host):
        own = request.transport.get_extra_info("sockname")
        host = authority(own[0], own[1]) if isinstance(own, tuple) else "localhost"
    return f"{scheme}://{host}"


def _forwarded_for(request: "Request[Any, Any]") -> list[str]:
    values = request.headers.getall("x-forwarded-for", [])
    return [part.strip() for value in values for part in value.split(",")]


def _last(request: "Request[Any, Any]", header: str) -> str:
    values = request.headers.getall(header, [])
    return values[-1].split(",")[-1].strip() if values else ""


def _parsed(text: str) -> Address | None:
    try:
        address = ip_address(text.strip("[]"))
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped if mapped is not None else address
