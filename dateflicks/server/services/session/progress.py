"""How far each session's film has come: heard from the bus and from who ends a session, kept now and then.

The newest word is in memory, and written behind every half minute, at the end of a session and of the service. If the
process dies, half a minute of "how far" is lost, and nothing else.
"""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from dateflicks.core.limits import POSITION_MAX_SECONDS
from dateflicks.protocol.ids import is_id
from dateflicks.server.storage.records import Document
from dateflicks.server.storage.table import Table

TOPIC: Final = "playback"
SESSIONS_MAX: Final = 10_000  # about 3 MB; the ones that were heard of last


@dataclass(frozen=True, slots=True)
class Mark:
    """A position in a film and the film's length, in seconds; a length of 0 is not known."""

    position: float
    length: float


class Outbox(Protocol):
    """Writes documents some time soon."""

    def put(self, document: Document) -> None:
        """Never waits, never raises."""


class Progress:
    """One process's knowledge; `table` has what was written."""

    def __init__(self, table: Table, outbox: Outbox) -> None:
        self._table = table
        self._outbox = outbox
        self._known: OrderedDict[str, Mark] = OrderedDict()
        self._unwritten: set[str] = set()

    def hear(self, _: str, hint: Mapping[str, Any]) -> None:
        """A hint of the topic; one that makes no sense is ignored."""
        session_id, position = hint.get("sessionId"), _seconds(hint.get("position"))
        if isinstance(session_id, str) and is_id(session_id, "ses") and position is not None:
            self.tell(session_id, position, _seconds(hint.get("length")))

    def tell(self, session_id: str, position: float, length: float | None) -> None:
        """The film has come so far; without a length the one that is known stays."""
        before = self._known.get(session_id)
        mark = Mark(round(position, 3), length if length else before.length if before else 0.0)
        if mark == before:
            return
        self._known[session_id] = mark
        self._known.move_to_end(session_id)
        self._unwritten.add(session_id)
        while len(self._known) > SESSIONS_MAX:
            oldest = next(iter(self._known))
            self.write(oldest)
            del self._known[oldest]

    async def recall(self, session_id: str) -> None:
        """Know again the length that an earlier process wrote. Raises Unavailable."""
        known = self._known.get(session_id)
        if known is not None and known.length:
            return
        stored = await self._table.get(session_id)
        if stored is not None:
            known = self._known.get(session_id)  # it may have been told meanwhile
            self.tell(session_id, known.position if known else float(stored["position"]), float(stored["length"]))

    def write(self, session_id: str) -> None:
        """Put down what is known of one session."""
        if session_id in self._unwritten:
            self._unwritten.discard(session_id)
            mark = self._known[session_id]
            self._outbox.put({"_id": session_id, "position": mark.position, "length": mark.length})

    def write_all(self) -> None:
        """Put down what is known and not written yet."""
        for session_id in tuple(self._unwritten):
            self.write(session_id)

    async def of(self, session_ids: Sequence[str]) -> dict[str, Mark]:
        """How far these sessions have come (200 at most), those of which anything is known. Raises Unavailable."""
        found = {one: self._known[one] for one in session_ids if one in self._known}
        for one, document in (await self._table.get_many([one for one in session_ids if one not in found])).items():
            found[one] = Mark(float(document["position"]), float(document["length"]))
        return found


def _seconds(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if 0 <= value <= POSITION_MAX_SECONDS else None  # no NaN, no infinity
