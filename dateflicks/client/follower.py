"""The follower: what a player must do next to be where the timeline is. Pure; times are arguments.

Small errors are steered away by speeds that nobody hears, larger ones ahead of the film by holding still for just as
long; backwards jumps are for those who ran far ahead, forward jumps only for those who may (who join, come back, were
excused, or follow a confirmed seek). e is timeline minus playhead, in seconds: positive means behind.
"""

from dataclasses import dataclass
from math import ceil
from typing import Final

from dateflicks.client.players.base import Playhead
from dateflicks.core.playback import Timeline

INTERVAL_SECONDS: Final = 0.5  # mpv needs 0.37 s to act on a speed: looking more often would steer on stale news
CALM_SECONDS: Final = 0.001  # up to here speed is exactly 1: four times the noise of a playhead
DONE_SECONDS: Final = 0.0003  # once steering, until here
GAIN: Final = 0.5  # 1/s: half of an error is gone in a second or so; no integral term, for the dead time's sake
CLAMP: Final = 0.03  # half a semitone, for a few seconds at most
GENTLE_CLAMP: Final = 0.01
BAND_SECONDS: Final = 0.150  # the rules' own band: what is outside it may move the timeline
COARSE_BAND_SECONDS: Final = 0.250  # where a player refuses speeds
HOLD_MAX_SECONDS: Final = 3.0  # ahead by more than this is sought back: holding longer would look like a fault
SETTLE_SECONDS: Final = 0.4
COARSE_INTERVAL_SECONDS: Final = 3.0
PICTURE_SLACK_SECONDS: Final = 0.005  # mpv's exact seek also takes a picture that begins so much before the target
STILL_SECONDS: Final = 0.010  # a quarter of a frame at 25 fps: nearer than this, still players show the same frame
DEAD_TIME_START: Final = 0.040
SEEK_MAX_SECONDS: Final = 5.0  # a seek that has not ended by now is taken for lost
CUE_SECONDS: Final = 0.3  # a late joiner cues this far ahead of the timeline and starts when it gets there
END_SECONDS: Final = 0.2  # nothing is started this near to the end of the film


@dataclass(frozen=True, slots=True)
class Speed:
    """Play at this speed."""

    value: float


@dataclass(frozen=True, slots=True)
class Hold:
    """Stand still for exactly this long, then play on."""

    seconds: float


@dataclass(frozen=True, slots=True)
class SeekTo:
    """Go exactly there; a player that played plays on from there."""

    position: float


@dataclass(frozen=True, slots=True)
class PlayAt:
    """Start at this local instant."""

    moment: float


@dataclass(frozen=True, slots=True)
class Pause:
    """Stand still now; a start that was planned is off."""


Action = Speed | Hold | SeekTo | PlayAt | Pause


class Follower:
    """Decides one action at a time; remembers only what it has asked for and when to look again."""

    def __init__(self, *, gentle: bool = False) -> None:
        self._clamp = GENTLE_CLAMP if gentle else CLAMP
        self.steers = True  # False once the player has refused a speed
        self.dead_time = DEAD_TIME_START
        self._speed = 1.0
        self._steering = False
        self._starts_at: float | None = None
        self._quiet_until = float("-inf")
        self._seeking_until = float("-inf")
        self._coarse_from = float("-inf")
        self._still_at: float | None = None

    @property
    def speed(self) -> float:
        """The speed last asked for."""
        return self._speed

    def sought(self, now: float, took: float) -> None:
        """A seek has ended after `took` seconds: learn the dead time, and let the samples settle."""
        self.dead_time += 0.5 * (min(took, 2.0) - self.dead_time)
        self._seeking_until = now
        self._quiet_until = now + SETTLE_SECONDS

    def refused_speed(self) -> None:
        """The player can not change its speed: only holds and seeks are left."""
        self.steers = False
        self._speed = 1.0

    def decide(self, now: float, head: Playhead, line: Timeline, *, exact: bool, may_jump: bool) -> Action | None:
        """The next action, or None. `line` is in local time.

        `exact`: a still timeline is a place to be at, not just a time to stand. `may_jump`: forward seeks are allowed.
        """
        if line.rate == 0:
            return self._stand(now, head, line, exact=exact, may_jump=may_jump)
        self._still_at = None
        if head.rate == 0:
            return self._start(now, head, line, may_jump=may_jump)
        self._starts_at = None if self._starts_at is not None and now > self._starts_at else self._starts_at
        if now < self._quiet_until or self._starts_at is not None or not head.steady:
            return None
        return self._follow(now, head, line, may_jump=may_jump)

    def _stand(self, now: float, head: Playhead, line: Timeline, *, exact: bool, may_jump: bool) -> Action | None:
        if head.rate > 0 or self._starts_at is not None:
            self._starts_at = None
            self._steering = False
            return Pause()
        if self._speed != 1.0:
            self._speed = 1.0
            return Speed(1.0)
        if now < self._seeking_until or self._still_at == line.position:
            return None
        e = line.position - head.position
        if not head.steady and abs(e) < HOLD_MAX_SECONDS:
            return None
        if not exact:
            if not (e < -HOLD_MAX_SECONDS or (may_jump and e > BAND_SECONDS)):
                return None
            target = line.position
        elif head.picture is not None and head.frame > 0:
            # All are to see one picture: the one that a seek to the line's position finds, which is mostly up already.
            pictures = ceil((line.position - PICTURE_SLACK_SECONDS - head.picture) / head.frame)
            if pictures == 0:
                return None
            target = max(0.0, head.picture + pictures * head.frame)
        elif head.picture is not None or abs(e) > STILL_SECONDS:  # of uneven pictures only a seek finds the one
            target = line.position
        else:
            return None
        self._still_at = line.position  # once: a player that can not stand exactly there is not asked for ever
        return self._seek(now, target)

    def _start(self, now: float, head: Playhead, line: Timeline, *, may_jump: bool) -> Action | None:
        if self._starts_at is not None and now < self._starts_at + SETTLE_SECONDS:
            return None
        if now < self._seeking_until or line.length - head.position < END_SECONDS:
            return None
        # On a scheduled start everybody stands near the line's position; each starts when the line gets to theirs.
        moment = line.at + (head.position - line.position)
        ahead = head.position - line.position_at(now)
        if ahead > HOLD_MAX_SECONDS:
            return self._seek(now, line.position_at(now + self.dead_time + CUE_SECONDS))
        if moment < now and may_jump and -ahead > BAND_SECONDS:
            return self._seek(now, line.position_at(now + self.dead_time + CUE_SECONDS))
        self._starts_at = max(moment, now)
        self._quiet_until = self._starts_at + SETTLE_SECONDS
        return PlayAt(self._starts_at)

    def _follow(self, now: float, head: Playhead, line: Timeline, *, may_jump: bool) -> Action | None:
        here = head.carried(now)
        e = line.position_at(now) - here
        if now < line.at:
            # Motion starts again at a set instant while this player still moves: stand until the line gets here. A
            # line that is there already began a clock's error ago: its player is steered like any other.
            moment = line.at + here - line.position
            if abs(moment - now) > STILL_SECONDS:
                return self._hold(now, moment - now) if now < moment <= line.at + HOLD_MAX_SECONDS else Pause()
            e = now - moment
        band = BAND_SECONDS if self.steers else COARSE_BAND_SECONDS
        if abs(e) > band and now >= self._coarse_from:
            if -HOLD_MAX_SECONDS <= e < 0:
                return self._hold(now, -e)
            if e < 0 or may_jump:
                self._coarse_from = now + COARSE_INTERVAL_SECONDS
                return self._seek(now, line.position_at(now + self.dead_time))
        return self._steer(e) if self.steers else None

    def _seek(self, now: float, position: float) -> Action:
        self._quiet_until = self._seeking_until = now + SEEK_MAX_SECONDS  # or until `sought` says that it has ended
        self._steering = False
        return SeekTo(position)

    def _hold(self, now: float, seconds: float) -> Action:
        self._starts_at = now + seconds
        self._quiet_until = self._starts_at + SETTLE_SECONDS
        self._coarse_from = now + COARSE_INTERVAL_SECONDS
        self._steering = False
        return Hold(seconds)

    def _steer(self, e: float) -> Action | None:
        self._steering = abs(e) > (DONE_SECONDS if self._steering else CALM_SECONDS)
        nudge = min(max(GAIN * e, -self._clamp), self._clamp) if self._steering else 0.0
        speed = round(1.0 + nudge, 4)
        if speed == self._speed:
            return None
        self._speed = speed
        return Speed(speed)
