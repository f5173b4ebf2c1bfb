"""The arithmetic of the observer: where two players were at one instant, how far apart, and since when in step. Pure.

Instants are seconds of the one monotonic clock on which both players are read, positions are seconds of film.
"""

import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

FRAME_SECONDS: Final = 0.040  # of the demo's film, at 25 frames a second
QUICK_SECONDS: Final = 0.004  # an answer that took longer says too little about when the player looked
SLOW_SECONDS: Final = 0.010  # unless nothing better has come for a while, and never when slower than this
LONELY_SECONDS: Final = 0.100
GAP_SECONDS: Final = 0.400  # readings further apart say nothing about the time between them
STAY_SECONDS: Final = 1.0  # who is within a frame for so long is in step
SLOWEST: Final = 0.5  # of normal speed: a player that moves is steered by a few per cent, and one that is slower,
FASTEST: Final = 2.0  # or faster, between two readings stood for a part of that time, or jumped


@dataclass(frozen=True, slots=True)
class Reading:
    """Where a player was; `took` is how long it took to find out."""

    position: float
    at: float
    took: float = 0.0


@dataclass(frozen=True, slots=True)
class Apart:
    """Both at one instant: where the host was, and how far ahead of the host the guest was."""

    at: float
    host: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Drift:
    """How far apart two players were, either way, in milliseconds, over `count` readings."""

    median: float
    p95: float
    max: float
    count: int


class Track:
    """One player's readings, oldest first; answers that came too slowly are left out."""

    def __init__(self) -> None:
        self._instants: list[float] = []
        self._positions: list[float] = []

    def add(self, reading: Reading) -> None:
        """Take a reading; they come in the order of their instants."""
        is_lonely = not self._instants or reading.at - self._instants[-1] > LONELY_SECONDS
        if reading.took <= (SLOW_SECONDS if is_lonely else QUICK_SECONDS):
            self._instants.append(reading.at)
            self._positions.append(reading.position)

    def since(self, start: float, end: float = math.inf) -> list[Reading]:
        """The readings from `start` to `end`."""
        first, last = bisect_left(self._instants, start), bisect_left(self._instants, end)
        return [Reading(self._positions[i], self._instants[i]) for i in range(first, last)]

    def at(self, moment: float) -> float | None:
        """Where it was at `moment`, on the straight line between the readings around it."""
        after = bisect_left(self._instants, moment)
        if after == len(self._instants):
            return None
        if self._instants[after] == moment:
            return self._positions[after]
        if after == 0 or (gap := self._instants[after] - self._instants[after - 1]) > GAP_SECONDS:
            return None
        share = (moment - self._instants[after - 1]) / gap
        return self._positions[after - 1] + share * (self._positions[after] - self._positions[after - 1])

    def fell_back(self, start: float, end: float = math.inf) -> float:
        """The furthest that it went back from where it had been, in seconds of film."""
        furthest, fell = -math.inf, 0.0
        for reading in self.since(start, end):
            furthest = max(furthest, reading.position)
            fell = max(fell, furthest - reading.position)
        return fell

    def pace(self, start: float, end: float) -> float:
        """Seconds of film per second between the first and the last reading; 0 when there are no two."""
        readings = self.since(start, end)
        if len(readings) < 2:
            return 0.0
        return (readings[-1].position - readings[0].position) / (readings[-1].at - readings[0].at)


def apart(host: Track, guest: Track, start: float, end: float = math.inf) -> list[Apart]:
    """The difference at each of the host's readings at which the guest's place is known."""
    found = []
    for reading in host.since(start, end):
        there = guest.at(reading.at)
        if there is not None:
            found.append(Apart(reading.at, reading.position, there - reading.position))
    return found


def in_step_since(apart: Sequence[Apart], *, stay: float = STAY_SECONDS) -> float | None:
    """Since when both play within a frame of each other, up to the last look; None when for less than `stay`.

    Counted from the first look that was come to in motion: where a player stands after a jump, the clock of its sound
    may be short of the place by as much as is to be heard yet, and where looks are rare that passes for motion.
    """
    since = math.inf
    for earlier, later in zip(apart[-2::-1], apart[:0:-1], strict=True):
        step = later.at - earlier.at
        is_moving = SLOWEST * step <= later.host - earlier.host <= FASTEST * step
        if abs(later.seconds) > FRAME_SECONDS or step > GAP_SECONDS or not is_moving:
            break
        since = later.at
    return since if apart and apart[-1].at - since >= stay else None


def drift(apart: Sequence[Apart]) -> Drift | None:
    """Median, 95th percentile (nearest rank) and maximum of the distances; None when nothing was read."""
    if not apart:
        return None
    distances = sorted(1000 * abs(each.seconds) for each in apart)
    median, late, worst = (round(nearest_rank(distances, share), 3) for share in (0.5, 0.95, 1.0))
    return Drift(median, late, worst, len(distances))


def nearest_rank(ordered: Sequence[float], share: float) -> float:
    """The percentile of what is ordered, and not empty."""
    return ordered[max(math.ceil(share * len(ordered)) - 1, 0)]
