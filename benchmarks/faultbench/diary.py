"""What one client of a bench went through, and when: so that it can be told why somebody waited after a kill."""

import time
from collections import deque
from dataclasses import dataclass, field
from typing import Final

KEPT: Final = 2_000  # entries; what belongs to one kill is far less


@dataclass(frozen=True, slots=True)
class Entry:
    """Something that happened (monotonic seconds), and to whom."""

    at: float
    who: str
    what: str


@dataclass(slots=True)
class Diary:
    """One client's."""

    who: str
    entries: deque[Entry] = field(default_factory=lambda: deque(maxlen=KEPT))
    lost_at: float = float("-inf")
    _sent_at: dict[str, float] = field(default_factory=dict)
    _served: deque[tuple[float, float]] = field(
        default_factory=lambda: deque(maxlen=KEPT)
    )  # gone out at, acknowledged at

    def note(self, what: str) -> None:
        """Something happened."""
        self.entries.append(Entry(time.monotonic(), self.who, what))

    def lost(self, why: str, retry_in: float) -> None:
        """The line is gone."""
        self.lost_at = time.monotonic()
        self.note(f"the line is lost ({why}), the next try in {retry_in:.2f} s")

    def sent(self, client_id: str) -> None:
        """Something went out, perhaps once more."""
        self._sent_at[client_id] = time.monotonic()

    def acknowledged(self, client_id: str) -> None:
        """It was kept."""
        self._served.append((self._sent_at.pop(client_id, float("-inf")), time.monotonic()))

    def served_after(self, at: float) -> float | None:
        """When something was acknowledged that had gone out after `at`: what came from before proves nothing."""
        return next((served for sent, served in self._served if sent > at), None)

    def since(self, at: float, until: float) -> list[Entry]:
        """What happened from one instant to another."""
        return [one for one in self.entries if at <= one.at <= until]
