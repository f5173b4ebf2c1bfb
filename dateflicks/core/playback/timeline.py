"""The timeline G of a session: one position at one instant, and whether it moves. Immutable; told once per change."""

from dateflicks.core.values import value


@value
class Timeline:
    """G(t) = min(length, position + rate × (t − at)), and `position` before `at`; rate is 0 or 1."""

    position: float = 0.0
    at: float = 0.0
    rate: float = 0.0
    length: float = 0.0

    def __post_init__(self) -> None:
        if not 0.0 <= self.position <= self.length:
            object.__setattr__(self, "position", min(max(self.position, 0.0), self.length))

    def position_at(self, now: float) -> float:
        """Where the film is at `now`, in seconds."""
        if not self.rate or now <= self.at:
            return self.position
        return min(self.length, self.position + self.rate * (now - self.at))

    def moves_at(self, now: float) -> bool:
        """Whether the film runs at `now`: it was started, its start has come, and its end has not."""
        return self.rate > 0 and now >= self.at and self.position_at(now) < self.length

    @property
    def ends_at(self) -> float | None:
        """When the film reaches its length, or None while it stands still."""
        return self.at + (self.length - self.position) / self.rate if self.rate > 0 else None

    def anchored(self, now: float) -> "Timeline":
        """The same timeline, told from `now` on (unchanged when its start still lies ahead)."""
        if now <= self.at:
            return self
        return Timeline(self.position_at(now), now, self.rate, self.length)
