"""Sessions that were written before they named their pair get it, once in the life of a database.

There is no page of all sessions, but each has a host, and people are few: the walk goes from person to person, by the
names of those who have one. What changes meanwhile writes its own pair, so a session that somebody else was first to
change needs nothing more.
"""

from typing import Final

from dateflicks.core.limits import PAGE_MAX
from dateflicks.server.services.session.records import pair_of
from dateflicks.server.storage.records import Document
from dateflicks.server.storage.table import Table

DONE: Final = "filled:pair"  # the id of the mark, among those of how far films have come
_FIRST_NAME: Final = "name:"


class Pairing:
    """One process's walk over the sessions of all."""

    def __init__(self, users: Table, sessions: Table, marks: Table) -> None:
        self._users = users
        self._sessions = sessions
        self._marks = marks
        self._is_done = False

    async def fill(self) -> None:
        """Give each session with a guest its `pair`, unless that was done before; not where the host was erased.

        Raises Unavailable: begin again.
        """
        if self._is_done:
            return
        if await self._marks.get(DONE) is None:
            await self._walk()
            await self._marks.upsert({"_id": DONE, "rev": 1})
        self._is_done = True

    async def _walk(self) -> None:
        last = _FIRST_NAME
        while True:
            people = await self._users.between("nameKey", at_least=last, limit=PAGE_MAX)
            for person in people:
                if person["nameKey"] != last:
                    await self._fill_of(person["_id"])
            if len(people) < PAGE_MAX:
                return
            last = people[-1]["nameKey"]

    async def _fill_of(self, host_id: str) -> None:
        async for page in self._sessions.pages("hostUserId", host_id, order_by="order"):
            await self._sessions.replace_many([_paired(one) for one in page if _lacks_pair(one)])


def _lacks_pair(document: Document) -> bool:
    return "pair" not in document and document["guestUserId"] is not None


def _paired(document: Document) -> Document:
    pair = pair_of(document["hostUserId"], document["guestUserId"])
    return {**document, "pair": pair, "rev": document["rev"] + 1}
