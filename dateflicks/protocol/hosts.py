"""What hosts and ports are by how they are written; nothing is looked up."""

from ipaddress import ip_address
from typing import Final

_EVERYWHERE: Final = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # noqa: S104 - compared with


def authority(host: str, port: int) -> str:
    """`host:port`, with the brackets that an IPv6 address needs."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def is_loopback_host(host: str) -> bool:
    """Whether this names this machine for itself alone."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def near(host: str) -> str:
    """Where this machine reaches what listens on `host`, which may stand for all of its addresses."""
    return _EVERYWHERE.get(host, host)
