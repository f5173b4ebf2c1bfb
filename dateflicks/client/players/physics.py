"""How a player behaves, as a pure model with time as an argument: latencies, drift, stalls and the end of the film.

Between two changes a film moves in a straight line, so its position at any instant is computed, not stepped: a
simulation may look once an hour or a thousand times a second at the same price. Instants must not go back.
"""

import heapq
import random
from typing import Final, Literal, assert_never

from dateflicks.client.players.base import Ended, PlayerEvent, Playhead, Recovered, Stalled

# What an mpv does, as `benchmarks/syncbench/playerfacts.py` measures it:
START_LATENCY_SECONDS: Final = 0.0  # what is left of it: `play_at` makes up for what it has learned
START_JITTER_SECONDS: Final = 0.0003
SEEK_SECONDS: Final = 0.040  # a small film takes 10 ms, a large one 90 ms and more
SEEK_JITTER_SECONDS: Final = 0.030  # half a picture either way, and how far the last key frame is
SPEED_DEAD_SECONDS: Final = 0.37  # what mpv needs to act on a speed, measured
NOISE_SECONDS: Final = 0.00026
NOTICE_SECONDS: Final = 0.4  # a stall is noticed after this
SETTLE_SECONDS: Final = 0.2  # until samples agree again after a start, a seek or a stall
NEVER: Final = float("inf")

_Effect = Literal["move", "stand", "speed", "land", "free", "notice"]


class SimulatedPhysics:
    """One film in one imagined player.

    `drift_ppm` is its sound clock's error, `noise` the spread of its reports. A *freeze* is a player that does nothing
    and takes no command (a suspended process), a *stall* one whose picture waits for data.
    """

    def __init__(
        self,
        *,
        length: float = 5400.0,
        seed: int = 0,
        drift_ppm: float = 0.0,
        start_latency: float = START_LATENCY_SECONDS,
        start_jitter: float = START_JITTER_SECONDS,
        seek_latency: float = SEEK_SECONDS,
        seek_jitter: float = SEEK_JITTER_SECONDS,
        speed_latency: float = SPEED_DEAD_SECONDS,
        noise: float = NOISE_SECONDS,
    ) -> None:
        self.length = length
        self._random = random.Random(seed)  # noqa: S311 - a simulation, and one that must repeat itself
        self._clock = 1.0 + drift_ppm * 1e-6
        self._start_latency = start_latency
        self._start_jitter = start_jitter
        self._seek_latency = seek_latency
        self._seek_jitter = seek_jitter
        self._speed_latency = speed_latency
        self._noise = noise
        self._position = 0.0
        self._at: float | None = None
        self._moving = False
        self._seeking: int | None = None
        self._speed = 1.0
        self._frozen_until = float("-inf")
        self._stalled_until = float("-inf")
        self._stalled = False
        self._blind_since: float | None = None
        self._settled_at = float("-inf")
        self._order = 0
        self._start_order: int | None = None
        self._effects: list[tuple[float, int, _Effect, float]] = []
        self._events: list[PlayerEvent] = []
        self.wants_to_move = False
        self.seeks = 0

    # --- what is done to it -----------------------------------------------------------------------------------

    def load(self, position: float, now: float) -> None:
        """A film is opened, standing at `position`."""
        self._advance(now)
        self._effects.clear()
        self._events.clear()
        self._moving = self.wants_to_move = self._stalled = False
        self._seeking = self._start_order = self._blind_since = None
        self._speed = 1.0
        self._position, self._at = self._within(position), now
        self._settled_at = now

    def play(self, now: float, moment: float | None = None) -> None:
        """Start at `moment` (at once when it is left out or has passed); a newer start replaces an older one."""
        self._advance(now)
        jitter = self._random.uniform(0.0, self._start_jitter)
        begin = max(now if moment is None else moment, now, self._frozen_until) + self._start_latency + jitter
        self._start_order = self._plan(begin, "move")

    def pause(self, now: float) -> None:
        """Stand still; a planned start is off."""
        self._advance(now)
        self._start_order = None
        if self._frozen_until > now:
            self._plan(self._frozen_until, "stand")
        else:
            self._stand(now)

    def seek(self, position: float, now: float) -> float:
        """Go there, playing on if it played; returns the instant at which the seek will have ended."""
        self._advance(now)
        self.seeks += 1
        jitter = self._random.uniform(-self._seek_jitter, self._seek_jitter)
        ends = max(now, self._frozen_until) + max(self._seek_latency + jitter, 0.0)
        self._rest(now)
        self._seeking = self._plan(ends, "land", self._within(position))
        return ends

    def set_speed(self, speed: float, now: float) -> None:
        """Play at this speed, after the dead time."""
        self._advance(now)
        self._plan(max(now, self._frozen_until) + self._speed_latency, "speed", speed)

    def freeze(self, seconds: float, now: float) -> None:
        """Do nothing and take no command for so long."""
        self._advance(now)
        self._rest(now)
        self._frozen_until = max(self._frozen_until, now + seconds)
        self._blind_since = now
        self._block(now, self._frozen_until)

    def stall(self, seconds: float, now: float) -> None:
        """Wait for data for so long."""
        self._advance(now)
        self._rest(now)
        self._stalled_until = max(self._stalled_until, now + seconds)
        self._block(now, self._stalled_until)

    # --- what can be seen of it -------------------------------------------------------------------------------

    def position(self, now: float) -> float:
        """Where the film really is."""
        self._advance(now)
        return self._place(now)

    def rate(self, now: float) -> float:
        """How fast the film really moves, in its own seconds per real second."""
        self._advance(now)
        return self._pace(now)

    def playhead(self, now: float) -> Playhead | None:
        """Where a careful observer believes it to be; None before a film is open."""
        if self._at is None:
            return None
        self._advance(now)
        rate = self._speed if self.wants_to_move and not self._stalled else 0.0
        position = self._place(now)
        if self._blind_since is not None and rate:
            position += rate * (now - self._blind_since)  # nobody has noticed yet that it does not answer
        if rate and self._noise:
            position += self._random.gauss(0.0, self._noise)
        position = min(position, self.length)
        steady = self._seeking is None and (not rate or now >= self._settled_at) and not self._stalled
        return Playhead(position, now, rate, self._noise if rate else 0.0, steady=steady)

    def stalled(self, now: float) -> bool:
        """Whether it should move, does not, and this has been noticed."""
        self._advance(now)
        return self._stalled

    def events(self, now: float) -> list[PlayerEvent]:
        """What has happened by itself since this was last asked, oldest first."""
        self._advance(now)
        events, self._events = self._events, []
        return events

    def next_change(self, now: float) -> float:
        """The next instant at which something happens by itself, or infinity; at once when events wait."""
        self._advance(now)
        if self._events:
            return now
        return min(self._effects[0][0] if self._effects else NEVER, self._end())

    # --- the model --------------------------------------------------------------------------------------------

    def _plan(self, at: float, effect: _Effect, value: float = 0.0) -> int:
        self._order += 1
        heapq.heappush(self._effects, (at, self._order, effect, value))
        return self._order

    def _advance(self, now: float) -> None:
        """Let everything happen that was to happen until `now`."""
        while True:
            ends, due = self._end(), self._effects[0][0] if self._effects else NEVER
            if min(ends, due) > now:
                break
            if ends <= due:
                self._finish(ends)
            else:
                at, order, effect, value = heapq.heappop(self._effects)
                self._apply(at, order, effect, value)

    def _apply(self, at: float, order: int, effect: _Effect, value: float) -> None:
        match effect:
            case "move":
                if order == self._start_order and not self.wants_to_move:
                    self._rest(at)
                    self._moving = self.wants_to_move = True
                    self._settled_at = at + SETTLE_SECONDS
                    if self._blocked_until() > at:
                        self._block(at, self._blocked_until())
            case "stand":
                self._stand(at)
            case "speed":
                self._rest(at)
                self._speed = value
            case "land":
                if order == self._seeking:
                    self._position, self._at = value, at
                    self._seeking = None
                    self._settled_at = at + SETTLE_SECONDS
            case "notice":
                if self.wants_to_move and not self._stalled and self._blocked_until() > at:
                    self._stalled = True
                    self._blind_since = None
                    self._events.append(Stalled(self._place(at), at, "the simulated player stands still"))
            case "free":
                if self._blocked_until() <= at:
                    self._at = at  # it stood all the while
                    self._blind_since = None
                    self._settled_at = at + SETTLE_SECONDS
                    if self._stalled:
                        self._stalled = False
                        self._events.append(Recovered(self._place(at), at))
            case _:
                assert_never(effect)

    def _block(self, now: float, until: float) -> None:
        if self.wants_to_move:
            self._plan(now + NOTICE_SECONDS, "notice")
        self._plan(until, "free")

    def _stand(self, now: float) -> None:
        self._rest(now)
        self._moving = self.wants_to_move = False

    def _finish(self, at: float) -> None:
        self._rest(at)
        self._position = self.length
        self._moving = self.wants_to_move = False
        self._start_order = None
        self._events.append(Ended(at))

    def _rest(self, now: float) -> None:
        """Take the line that the film has moved on up to `now` as done."""
        if self._at is not None:
            self._position, self._at = self._place(now), now

    def _place(self, now: float) -> float:
        if self._at is None:
            return 0.0
        return min(self._position + self._pace(now) * max(now - self._at, 0.0), self.length)

    def _pace(self, now: float) -> float:
        if not self._moving or self._seeking is not None or self._blocked_until() > now:
            return 0.0
        return self._speed * self._clock

    def _blocked_until(self) -> float:
        return max(self._frozen_until, self._stalled_until)

    def _end(self) -> float:
        if self._at is None or not self._moving or self._seeking is not None or self._blocked_until() > self._at:
            return NEVER
        return self._at + (self.length - self._position) / (self._speed * self._clock)

    def _within(self, position: float) -> float:
        return min(max(position, 0.0), self.length)
