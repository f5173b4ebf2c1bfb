"""One session in memory: its predictions as they were learned, who listens, and what is still to be seen to."""

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from typing import Protocol

from dateflicks.core.playback import Timeline
from dateflicks.server.services.prediction.records import Kept, order_key


class Listener(Protocol):
    """One connection."""

    def send(self, frame: bytes) -> bool:
        """Send a text frame; False when the peer is gone or too far behind."""


@dataclass(slots=True, eq=False)
class Seat:
    """One connection of one person; `veiled` are the predictions of which they know only that they wait."""

    session_id: str
    user_id: str
    listener: Listener
    veiled: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Silence:
    """When a proposal's time is over: on the even clock, and in Unix seconds to be told."""

    due: float
    deadline: float


@dataclass(slots=True, eq=False)
class Room:
    """One session; `known` are its predictions, `positions` what people's own clients say. Instants are of the clock
    that runs evenly. At most a hundred predictions and a few people, so all of it may be looked at whenever anything
    happens."""

    session_id: str
    touched_at: float
    is_loaded: bool = False
    seats: list[Seat] = field(default_factory=list)
    here: Counter[str] = field(default_factory=Counter)
    elsewhere: dict[str, frozenset[str]] = field(default_factory=dict)  # who is connected to other processes
    known: dict[str, Kept] = field(default_factory=dict)
    positions: dict[str, Timeline] = field(default_factory=dict)
    silences: dict[str, Silence] = field(default_factory=dict)
    unveiled: set[tuple[str, str]] = field(default_factory=set)  # by person: what was shown once stays shown
    doubts: dict[str, int] = field(default_factory=dict)  # writes that may have happened: how often to look yet
    is_writing: bool = False  # what is due; nothing more is due until that is over
    not_before: float = 0.0  # nor before this, because the database was away
    alarm: asyncio.TimerHandle | None = None

    @property
    def is_needed(self) -> bool:
        """Whether it stays in memory however long nobody has asked for it."""
        return bool(self.seats or self.silences or self.doubts or self.is_writing)

    def is_here(self, user_id: str) -> bool:
        """Whether somebody is connected, to whichever process."""
        return user_id in self.here or any(user_id in people for people in self.elsewhere.values())

    @property
    def everybody(self) -> set[str]:
        """Who is connected, to whichever process."""
        return set(self.here).union(*self.elsewhere.values())

    def newest_first(self) -> list[Kept]:
        """Its predictions, the newest first."""
        return sorted(self.known.values(), key=creation_key, reverse=True)


def creation_key(kept: Kept) -> str:
    """Where a prediction stands among those of its session."""
    return order_key(kept.prediction.created_at, kept.prediction.id)
