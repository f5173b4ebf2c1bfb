"""Finding in the database what hints would have told: while the bus is away, and once it is back.

Some people are looked after each second, in turn, so that thousands of them cost the database no more than a few.
"""

import logging
from collections import deque
from typing import Final

from dateflicks.core.errors import Unavailable
from dateflicks.core.limits import PAGE_MAX
from dateflicks.server.bus.local import Bus
from dateflicks.server.services.session.hub import Hub
from dateflicks.server.services.session.lists import Lists
from dateflicks.server.storage.table import Table

log = logging.getLogger(__name__)

PEOPLE_AT_ONCE: Final = 40  # in a second, three reads each


class Missed:
    """What the seats of this process may have missed."""

    def __init__(self, bus: Bus, hub: Hub, lists: Lists, sessions: Table) -> None:
        self._bus = bus
        self._hub = hub
        self._lists = lists
        self._sessions = sessions
        self._owed: deque[str] = deque()
        bus.on_return(self._owe)

    async def look(self) -> None:
        """Look after the next few; to be called every second. Raises Unavailable."""
        if not self._owed and not self._bus.is_up:
            self._owe()
        owed = self._owed  # everybody is owed anew when the bus returns, also while this waits for the database
        for _ in range(min(PEOPLE_AT_ONCE, len(owed))):
            try:
                await self._look_after(owed[0])
            except Unavailable:
                raise
            except Exception:  # as of a session that cannot be read: the others are looked after all the same
                log.exception("nobody knows what somebody has missed", extra={"user": owed[0]})
            owed.popleft()

    async def _look_after(self, user_id: str) -> None:
        known = self._hub.known(user_id)
        present = await self._lists.present(user_id)
        left = [one for one in known if one not in {document["_id"] for document in present}]
        changed = await self._sessions.get_many(left[-PAGE_MAX:])
        for document in (*reversed(present), *changed.values()):
            self._hub.tell(user_id, document)

    def _owe(self) -> None:
        self._owed = deque(self._hub.people())
