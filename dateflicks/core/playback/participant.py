"""One participant of a playback as the service knows them: presence, the last report, and how far they are trusted.

Immutable. A participant counts for the minimum only while what they say is fresh, true to the current revision, and
about a player that was in step once: whoever comes late or comes back moves nobody.
"""

from dataclasses import replace

from dateflicks.core import limits
from dateflicks.core.playback.messages import Member, Role
from dateflicks.core.values import value

_ONE_WAY_MEMORY = 8  # reports whose delays are remembered: about half a minute of ticks


@value
class Participant:
    """Presence and last report of one member; times are the server's clock, positions live in PlaybackPosition."""

    member: Member
    connected: bool = False
    in_step: bool = False
    reported_at: float | None = None
    measured_at: float | None = None
    revision: int = -1
    rate: float = 0.0
    buffering: bool = False
    stalled_since: float | None = None
    excused_until: float | None = None
    delays: tuple[float, ...] = ()

    @property
    def role(self) -> Role:
        """Host or guest."""
        return self.member.role

    @property
    def excused(self) -> bool:
        """Whether the others go on without them for a while."""
        return self.excused_until is not None

    def fresh(self, now: float, revision: int) -> bool:
        """Whether they are there, and their last report was made of late and under the current revision."""
        return (
            self.connected
            and self.reported_at is not None
            and now - self.reported_at <= limits.REPORT_FRESH_SECONDS
            and self.revision >= revision
        )

    def stands_with_us(self, now: float, revision: int) -> bool:
        """Whether their position has a say where the film goes on from."""
        return self.fresh(now, revision) and self.in_step and not self.excused

    def counted(self, now: float, revision: int) -> bool:
        """Whether their position has a say in the minimum of a moving film."""
        return self.stands_with_us(now, revision) and self.rate > 0 and not self.buffering

    @property
    def one_way(self) -> float:
        """The largest time one of their last reports took to arrive, in seconds."""
        return max(self.delays, default=0.0)

    def took(self, seconds: float) -> "Participant":
        """The same with one more measured one-way time."""
        return replace(self, delays=self.delays_with(seconds))

    def delays_with(self, seconds: float) -> tuple[float, ...]:
        """The delays that are remembered, and one more."""
        clipped = min(max(seconds, 0.0), limits.LEAD_MAX_SECONDS)
        return (*self.delays[-(_ONE_WAY_MEMORY - 1) :], clipped)
