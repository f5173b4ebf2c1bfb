"""Where a source's requests may go: to the hosts that it declares, and to the addresses that its settings name.

Declared hosts are reached by HTTPS; an address that a person has written into the source's settings is reached as it is
written, which is how a recorded server stands in for a provider.
"""

from collections.abc import Iterable
from typing import Final
from urllib.parse import urlsplit

import msgspec

_NOWHERE: Final = ("", "", 0)


class Hosts:
    """Where requests may go: declared hosts (`*.example.org` for those below one), and addresses from the settings."""

    def __init__(self, declared: Iterable[str], addresses: Iterable[str] = ()) -> None:
        self._exact = {host.lower() for host in declared if not host.startswith("*.")}
        self._below = tuple(host[1:].lower() for host in declared if host.startswith("*."))
        self._origins = {origin_of(address) for address in addresses} - {_NOWHERE}

    def may_reach(self, url: str) -> bool:
        """Whether it is one of them."""
        scheme, host, port = origin = origin_of(url)
        if origin in self._origins:
            return True
        is_declared = host in self._exact or host.endswith(self._below)
        return scheme == "https" and port == 443 and is_declared and "@" not in urlsplit(url).netloc


def origin_of(url: str) -> tuple[str, str, int]:
    """Scheme, host and port of an address; nothing of what is none."""
    try:
        parts = urlsplit(url)
        port = parts.port or {"https": 443, "http": 80}.get(parts.scheme, 0)
    except ValueError:
        return _NOWHERE
    return parts.scheme, (parts.hostname or "").lower(), port


def addresses_of(config: msgspec.Struct) -> list[str]:
    """The addresses that a person wrote into a source's settings: in keys such as `base_url`, `url` or `list_urls`."""
    found: list[str] = []
    for field in msgspec.structs.fields(type(config)):
        value = getattr(config, field.name)
        if isinstance(value, msgspec.Struct):
            found += addresses_of(value)
        elif field.name.rpartition("_")[2] in ("url", "urls"):
            several = value if isinstance(value, list | tuple) else [value]
            found += [one for one in several if isinstance(one, str)]
    return [address for address in found if address.startswith(("http://", "https://"))]
