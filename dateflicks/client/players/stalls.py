"""Whether a player that should move does: told by its progress, by its own flags, and by its silence. Pure."""

from collections import deque
from typing import Final

LOOK_BACK_SECONDS: Final = 0.4
RECOVERY_SECONDS: Final = 0.15
SLACK_SECONDS: Final = 0.1  # mpv's own `core-idle` may flicker this long around seeks and starts
HALF: Final = 0.5

WAITS_FOR_DATA: Final = "waits for data"
STANDS: Final = "stands still"
SILENT: Final = "does not answer"


class StallWatch:
    """Takes what is seen of a player, and says why it is stalled, or None."""

    def __init__(self) -> None:
        self._since: float | None = None
        self._speed = 1.0
        self._samples: deque[tuple[float, float]] = deque(maxlen=64)
        self._answered_at = float("-inf")
        self._waiting_for_data = False
        self._idle_since: float | None = None
        self._why: str | None = None
        self._stalled_at = float("-inf")

    @property
    def why(self) -> str | None:
        """What the last look found."""
        return self._why

    @property
    def speed(self) -> float:
        """The speed at which the player should move."""
        return self._speed

    def should_move(self, now: float, speed: float = 1.0) -> None:
        """From here on the player should move (a start, the end of a seek, a new speed)."""
        if self._since is None:
            self._since = now
            self._samples.clear()
        self._speed = speed

    def may_stand(self) -> None:
        """The player need not move: it is paused, seeks, or the film is over.

        A stall that would keep it from moving lasts on: who waits for this player must not be told that it is ready.
        """
        self._since = None
        if self._why == STANDS:
            self._why = None
        self._samples.clear()

    def answered(self, now: float) -> None:
        """The player answered something."""
        self._answered_at = now

    def sample(self, position: float, at: float) -> None:
        """The film stood at `position` at instant `at`."""
        self._samples.append((position, at))

    def waits_for_data(self, waits: bool) -> None:
        """The player says that it does, or no longer does, wait for data."""
        self._waiting_for_data = waits

    def idles(self, now: float, idle: bool) -> None:
        """The player says that its core stands, or runs."""
        if not idle:
            self._idle_since = None
        elif self._idle_since is None:
            self._idle_since = now

    def look(self, now: float, *, near_end: bool = False) -> str | None:
        """Why the player is stalled at `now`, or None. `near_end`: no progress to be seen is no reason."""
        if self._since is None:
            if self._why is not None and not self._is_kept(now):
                self._why = None
            return self._why
        why = self._reason(now, near_end)
        if why is None and self._why is not None and not self._has_recovered():
            why = self._why
        if why is not None and self._why is None:
            self._stalled_at = now
        self._why = why
        return why

    def _reason(self, now: float, near_end: bool) -> str | None:
        assert self._since is not None
        if self._waiting_for_data:
            return WAITS_FOR_DATA
        if now - self._since < LOOK_BACK_SECONDS:
            return None
        if now - self._answered_at > LOOK_BACK_SECONDS:
            return SILENT
        if near_end:
            return None
        if self._idle_since is not None and now - max(self._idle_since, self._since) > SLACK_SECONDS:
            return STANDS
        recent = [sample for sample in self._samples if sample[1] >= now - LOOK_BACK_SECONDS - SLACK_SECONDS]
        if not recent or now - recent[-1][1] > LOOK_BACK_SECONDS:
            return STANDS
        (before, begin), (after, end) = recent[0], recent[-1]
        if end - begin < LOOK_BACK_SECONDS - SLACK_SECONDS:
            return None
        return STANDS if after - before < HALF * self._speed * (end - begin) else None

    def _is_kept(self, now: float) -> bool:
        """Whether a player that stands still could not move if it should."""
        return self._waiting_for_data or now - self._answered_at > LOOK_BACK_SECONDS

    def _has_recovered(self) -> bool:
        """Whether the samples since the stall show progress again."""
        fresh = [sample for sample in self._samples if sample[1] > self._stalled_at]
        if not fresh:
            return False
        after, end = fresh[-1]
        earlier = [sample for sample in fresh if sample[1] <= end - RECOVERY_SECONDS]
        if not earlier:
            return False
        before, begin = earlier[-1]
        return after - before >= HALF * self._speed * (end - begin)
