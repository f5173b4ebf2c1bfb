"""What a player is to the rest: the few things the follower needs, whatever plays the film.

Times are seconds of the client's monotonic clock (`time.monotonic`), positions seconds of film. A player keeps what the
follower told it apart from what its user did: only the user's acts come out as events.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Playhead:
    """Where the player is: `position` held at `at`; `rate` is film seconds per second (0 still, about 1 playing).

    `noise` is the spread of the samples behind it in seconds; `steady` is false just after a seek, hold or start,
    while samples do not yet agree. Where a standing player can tell which picture is up, `picture` is that one's
    position and `frame` how long a picture lasts, in seconds, or 0 where no two last as long.
    """

    position: float
    at: float
    rate: float
    noise: float = 0.0
    steady: bool = True
    picture: float | None = None
    frame: float = 0.0

    def carried(self, now: float) -> float:
        """The position carried forward to `now`."""
        return self.position + self.rate * (now - self.at)


class Act(StrEnum):
    """What a user did in the player itself."""

    PLAY = "play"
    PAUSE = "pause"
    STOP = "stop"
    SEEK = "seek"
    CONFIRM = "confirm"
    REFUSE = "refuse"


@dataclass(frozen=True, slots=True)
class UserActed:
    """The user asked for something by the player's own keys; `position` is where they were, or want to go."""

    act: Act
    position: float
    at: float


@dataclass(frozen=True, slots=True)
class Stalled:
    """The player should move and does not."""

    position: float
    at: float
    why: str


@dataclass(frozen=True, slots=True)
class Recovered:
    """The player moves again, or could."""

    position: float
    at: float


@dataclass(frozen=True, slots=True)
class Ended:
    """The film is over."""

    at: float


@dataclass(frozen=True, slots=True)
class OtherFilm:
    """Its user opened something else in it: the film is not there any more until it is loaded again."""

    at: float


@dataclass(frozen=True, slots=True)
class Closed:
    """The player is gone; `by_user` when its window was closed or it was quit, false when it died."""

    at: float
    by_user: bool


PlayerEvent = UserActed | Stalled | Recovered | Ended | OtherFilm | Closed


class PlayerError(Exception):
    """The player can not do what was asked; the text is for people and says what to do."""


class Player(Protocol):
    """One player. Commands return when the player has taken them; `seek` when the picture stands at the target.

    Of the commands that start or move the film only the newest counts: `pause`, `seek` and another `play_at` take a
    planned start back.
    """

    name: str

    async def load(self, source: str, *, start: float = 0.0) -> float:
        """Open `source` paused at `start`; returns the length in seconds (0 when unknown). Raises PlayerError."""

    async def play_at(self, moment: float) -> None:
        """Plan to unpause as near to monotonic `moment` as the player can (at once when it has passed).

        Returns when that is planned, not when it has happened; a player that moves already is left alone.
        """

    async def pause(self) -> None:
        """Pause now."""

    async def seek(self, position: float) -> None:
        """Seek exactly, playing on if the film played; returns when the seek has really ended."""

    async def set_speed(self, speed: float) -> None:
        """Play at `speed` times normal (0.97 to 1.03 in use). Raises PlayerError where it is refused."""

    def playhead(self, now: float) -> Playhead | None:
        """The best estimate of where the player is, or None while it can not be told."""

    def stalled(self, now: float) -> bool:
        """Whether it should move and does not."""

    async def next_event(self) -> PlayerEvent:
        """The next thing that happened in the player by itself or by its user; after a `Closed`, only that again."""

    async def show(self, text: str, seconds: float = 3.0) -> None:
        """Show one line of text over the film, where the player can."""

    async def close(self) -> None:
        """End it (when we started it) or let go of it (when we attached)."""
