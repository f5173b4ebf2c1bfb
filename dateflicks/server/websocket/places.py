"""How many connections one person and one address may have: one more of a person replaces the oldest, of an address
none is let in."""

from collections import defaultdict
from ipaddress import IPv6Address, ip_address
from typing import Final, Protocol

from dateflicks.core.errors import TooMany
from dateflicks.server.web.address import LOCAL
from dateflicks.server.websocket.frames import Code

RETRY_SECONDS: Final = 10.0


class Replaceable(Protocol):
    """A connection that can be told to go."""

    @property
    def is_open(self) -> bool:
        """Whether it has not been told, and has not gone by itself."""

    def close(self, code: int, reason: str = "") -> None:
        """End it."""


class Places:
    """One service's."""

    def __init__(self, per_person: int, per_address: int) -> None:
        self._per_person = per_person
        self._per_address = per_address
        self._people: defaultdict[str, list[Replaceable]] = defaultdict(list)
        self._addresses: defaultdict[str, int] = defaultdict(int)

    def check(self, address: str) -> None:
        """Raises TooMany when this address has all the connections that it may have."""
        if address != LOCAL and self._addresses.get(_origin(address), 0) >= self._per_address:
            raise TooMany("Too many connections from your address. Close some, then try again.", RETRY_SECONDS)

    def enter(self, connection: Replaceable, person: str, address: str) -> None:
        """Count a connection in; the person's oldest goes when there are too many."""
        self._addresses[_origin(address)] += 1
        # One that is closing takes no place of its person's any more, or it would cost an open one its own.
        own = [one for one in self._people[person] if one.is_open]
        self._people[person] = [*own, connection]
        for oldest in own[: max(0, len(own) + 1 - self._per_person)]:
            self._people[person].remove(oldest)
            oldest.close(Code.REPLACED, "replaced by a newer connection")

    def leave(self, connection: Replaceable, person: str, address: str) -> None:
        """Count it out."""
        origin = _origin(address)
        self._addresses[origin] -= 1
        if self._addresses[origin] <= 0:
            del self._addresses[origin]
        own = self._people[person]
        if connection in own:
            own.remove(connection)
        if not own:
            del self._people[person]


def _origin(address: str) -> str:
    """What counts as one address: of IPv6 the network of 64 bits, all of whose addresses one machine can have."""
    if ":" not in address:
        return address
    try:
        found = ip_address(address)
    except ValueError:
        return address
    return str(IPv6Address(int(found) >> 64 << 64)) if isinstance(found, IPv6Address) else address
