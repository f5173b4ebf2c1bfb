"""A room: one session, and whoever listens to its playback in this process, by whichever connection."""

from dataclasses import dataclass, field
from typing import Protocol

from dateflicks.core.playback import Member


class Listener(Protocol):
    """One connection of one participant."""

    def send(self, frame: bytes) -> bool:
        """Send a text frame; False when the peer is gone or too far behind."""

    def close(self, code: int, reason: str = "") -> None:
        """End the connection."""


@dataclass(slots=True)
class Seat:
    """A listener and whose it is; one that looks on is told everything, may act, and is nobody's presence or player."""

    session_id: str
    member: Member
    listener: Listener
    looks_on: bool = False


@dataclass(slots=True)
class Room:
    """One session and its seats, the newest of a person last."""

    session_id: str
    seats: list[Seat] = field(default_factory=list)

    def newest(self, user_id: str) -> Seat | None:
        """The connection of a person whose player is followed, or None when they have none."""
        for seat in reversed(self.seats):
            if seat.member.user_id == user_id and not seat.looks_on:
                return seat
        return None
