"""How many connections one person and one address may have: one more of a person replaces the oldest, of an address
none is let in. Those of a person are counted over all processes, those of an address in each.
"""

from collections import defaultdict
from ipaddress import IPv6Address, ip_address
from typing import Final, Protocol

from dateflicks.core.errors import TooMany
from dateflicks.server.web.address import LOCAL
from dateflicks.server.websocket.frames import Code

RETRY_SECONDS: Final = 10.0
REPLACED: Final = "replaced by a newer connection"


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
        # Of each, those of its person that came later to other processes: their ids, and whose they are.
        self._elsewhere: dict[Replaceable, dict[str, str]] = {}

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
            oldest.close(Code.REPLACED, REPLACED)
        self._elsewhere[connection] = {}
        self._replace(person)

    def entered_elsewhere(self, person: str, connection_id: str, process: str) -> None:
        """A person has one more connection, to another process."""
        for one in self._people.get(person, ()):
            self._elsewhere[one][connection_id] = process
        self._replace(person)

    def left_elsewhere(self, person: str, connection_id: str) -> None:
        """One of them is gone."""
        for one in self._people.get(person, ()):
            self._elsewhere[one].pop(connection_id, None)

    def forget_process(self, process: str) -> None:
        """A process is gone, and all of its connections with it."""
        for later in self._elsewhere.values():
            for connection_id in [one for one, whose in later.items() if whose == process]:
                del later[connection_id]

    def forget_elsewhere(self) -> None:
        """Some may have left unheard: rather one too many than one that is closed for nobody."""
        for later in self._elsewhere.values():
            later.clear()

    def _replace(self, person: str) -> None:
        own = [one for one in self._people.get(person, ()) if one.is_open]
        for number, one in enumerate(own):
            if len(own) - 1 - number + len(self._elsewhere.get(one, ())) >= self._per_person:
                one.close(Code.REPLACED, REPLACED)

    def leave(self, connection: Replaceable, person: str, address: str) -> None:
        """Count it out."""
        origin = _origin(address)
        self._addresses[origin] -= 1
        if self._addresses[origin] <= 0:
            del self._addresses[origin]
        own = self._people[person]
        self._elsewhere.pop(connection, None)
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
