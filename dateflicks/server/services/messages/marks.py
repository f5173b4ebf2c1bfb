"""How far each person has read in a session: marks that only grow, kept in one small document per session."""

from collections.abc import Mapping
from typing import Any, Final, Protocol

from dateflicks.server.storage.records import Document, StorageFault

PEOPLE_MAX: Final = 64  # in one session's document; a party has eight, over the evenings some more may come and go


class Outbox(Protocol):
    """Writes documents some time soon."""

    async def get(self, id: str) -> Document | None:  # noqa: A002 - the outbox's own word
        """The document as put last, written or not. Raises Unavailable."""

    def put(self, document: Mapping[str, Any]) -> None:
        """Never waits, never raises."""


class ReadMarks:
    """One session's; `load` before the first use."""

    def __init__(self, session_id: str, outbox: Outbox) -> None:
        self._session_id = session_id
        self._outbox = outbox
        self._seqs: dict[str, int] = {}

    async def load(self) -> None:
        """Know what was kept. Raises Unavailable, StorageFault."""
        document = await self._outbox.get(self._session_id)
        if document is None:
            return
        try:
            self._seqs = {one["userId"]: int(one["seq"]) for one in document["people"]}
        except (KeyError, TypeError, ValueError) as error:
            raise StorageFault(f"the marks of {self._session_id} cannot be read: {error!r}") from error

    def move(self, user_id: str, seq: int) -> bool:
        """Somebody has read so far; False when that is nothing new."""
        if not self.hear(user_id, seq):
            return False
        people = [{"userId": one, "seq": mark} for one, mark in self._seqs.items()]
        self._outbox.put({"_id": self._session_id, "sessionId": self._session_id, "people": people})
        return True

    def hear(self, user_id: str, seq: int) -> bool:
        """Somebody has read so far at another process, which keeps it; False when that is nothing new."""
        if seq <= self._seqs.get(user_id, 0):
            return False
        self._seqs.pop(user_id, None)
        self._seqs[user_id] = seq  # whoever has read last stands last
        while len(self._seqs) > PEOPLE_MAX:
            del self._seqs[next(iter(self._seqs))]
        return True

    def others(self, user_id: str) -> list[tuple[str, int]]:
        """The marks of everybody else."""
        return [(one, seq) for one, seq in self._seqs.items() if one != user_id]
