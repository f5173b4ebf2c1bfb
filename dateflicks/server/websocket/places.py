"""How many connections one person and one address may have: one more of a person replaces the oldest, of an address
none is let in."""

from collections import defaultdict
from typing import Final, Protocol

from dateflicks.core.errors import TooMany
from dateflicks.server.web.address import LOCAL
from dateflicks.server.websocket.frames import Code

RETRY_SECONDS: Final = 10.0


class Replaceable(Protocol):
    """A connection that can be told to go."""

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
        if address != LOCAL and self._addresses.get(address, 0) >= self._per_address:
            raise TooMany("Too many connections from your address. Close some, then try again.", RETRY_SECONDS)

    def enter(self, connection: Replaceable, person: str, address: str) -> None:
        """Count a connection in; the person's oldest goes when there are too many."""
        self._addresses[address] += 1
        own = self._people[person]
        own.append(connection)
        if len(own) > self._per_person:
            own.pop(0).close(Code.REPLACED, "replaced by a newer connection")

    def leave(self, connection: Replaceable, person: str, address: str) -> None:
        """Count it out."""
        self._addresses[address] -= 1
        if self._addresses[address] <= 0:
            del self._addresses[address]
        own = self._people[person]
        if connection in own:
            own.remove(connection)
        if not own:
            del self._people[person]
