"""Where a player is, from samples that are noisy and late: a median of the recent ones, each carried forward. Pure.

A sample says: at this instant the film stood here. While it plays, samples of the last 0.35 s (1 s for pictures without
sound) are carried forward at the commanded speed and their median taken. Where there are no samples yet, what is known
from the command itself stands in: the place a seek ended, or where a start began.
"""

from collections import deque
from statistics import median
from typing import Final

from dateflicks.client.players.base import Playhead

SOUND_WINDOW_SECONDS: Final = 0.35
PICTURE_WINDOW_SECONDS: Final = 1.0
STEADY_SAMPLES: Final = 3
STEADY_NOISE_SECONDS: Final = 0.005
SLOW_ANSWER_SECONDS: Final = 0.004  # beyond this the middle of the request says too little about when mpv looked
JUMP_SECONDS: Final = 0.050  # samples this far from the estimate are not noise: the film has been moved
JUMP_SAMPLES: Final = 2
_RATES_KEPT: Final = 32


class PlayheadEstimator:
    """Takes samples and commands in the order of their instants, and tells where the player is."""

    def __init__(self) -> None:
        self.window = SOUND_WINDOW_SECONDS
        self._samples: deque[tuple[float, float]] = deque(maxlen=64)
        self._anchor: tuple[float, float] | None = None
        self._exact = False
        self._rates: deque[tuple[float, float]] = deque([(float("-inf"), 0.0)], maxlen=_RATES_KEPT)
        self._strays = 0

    @property
    def rate(self) -> float:
        """The rate last commanded: 0 still, else the speed."""
        return self._rates[-1][1]

    def landed(self, position: float, now: float) -> None:
        """A seek or load has ended exactly here; samples before it mean nothing."""
        self._samples.clear()
        self._anchor = (position, now)
        self._exact = True

    def started(self, now: float, rate: float) -> None:
        """The player begins to move from where it stands."""
        self._disturb(now)
        self._set_rate(now, rate)

    def stopped(self, now: float) -> None:
        """The player stands still from here on."""
        self._disturb(now)
        self._set_rate(now, 0.0)

    def changed_speed(self, now: float, rate: float) -> None:
        """The speed of a moving player changes; older samples are carried forward at the older speed."""
        self._set_rate(now, rate)

    def forget(self, now: float) -> None:
        """What was sampled so far may be wrong (a stall ended); keep the last of it as a stopgap."""
        self._disturb(now)

    def stood(self, position: float, at: float) -> None:
        """Knows for sure that the player held `position` at `at`, after which nobody has looked (a stall)."""
        self._samples.clear()
        self._anchor = (position, at)
        self._exact = False

    def unknow(self) -> None:
        """No film: nothing can be said."""
        self._samples.clear()
        self._anchor = None
        self._exact = False

    def sample(self, position: float, at: float) -> None:
        """The film stood at `position` at instant `at`."""
        expected = self._position(at)
        if expected is not None and len(self._samples) >= STEADY_SAMPLES and abs(position - expected) > JUMP_SECONDS:
            self._strays += 1
            if self._strays < JUMP_SAMPLES:
                return  # one stray may be a late answer; a second one is a move
            self._samples.clear()
        self._strays = 0
        self._samples.append((position, at))
        self._anchor = (position, at)
        self._exact = False
        while self._samples[0][1] < at - self.window:
            self._samples.popleft()

    def last_sample(self) -> tuple[float, float] | None:
        """The newest sample or what stands in for it: position and instant."""
        return self._anchor

    def estimate(self, now: float) -> Playhead | None:
        """The playhead at `now`, or None while nothing is known."""
        position = self._position(now)
        if position is None:
            return None
        rate = self.rate
        if not self._samples:
            return Playhead(position, now, rate, 0.0, steady=self._exact and rate == 0)
        carried = [self._carried(sample, now) for sample in self._samples]
        noise = 1.4826 * median(abs(each - position) for each in carried)
        needed = STEADY_SAMPLES if rate else 2
        return Playhead(position, now, rate, noise, steady=len(carried) >= needed and noise <= STEADY_NOISE_SECONDS)

    def _position(self, now: float) -> float | None:
        if self._samples:
            return median(self._carried(sample, now) for sample in self._samples)
        return None if self._anchor is None else self._carried(self._anchor, now)

    def _disturb(self, now: float) -> None:
        position = self._position(now)
        if position is not None and (self._samples or self.rate):
            self._anchor = (position, now)
            self._exact = False
        elif self._anchor is not None:
            self._anchor = (self._anchor[0], now)
        self._samples.clear()
        self._strays = 0

    def _set_rate(self, now: float, rate: float) -> None:
        if rate != self.rate:
            self._rates.append((now, rate))

    def _carried(self, sample: tuple[float, float], now: float) -> float:
        """A sample's position moved from its instant to `now` through every rate in between."""
        position, until = sample[0], now
        for since, rate in reversed(self._rates):
            begin = max(since, sample[1])
            if until > begin:
                position += rate * (until - begin)
                until = begin
            if since <= sample[1]:
                break
        return position
