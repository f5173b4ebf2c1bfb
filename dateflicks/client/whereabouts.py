"""Where the own player is, told to a service that only has to know when that changes: play, pause, a seek.

Pure: what has been told is carried forward as the service does it, and told anew once the player is elsewhere.
"""

from typing import Final

from dateflicks.client.players.base import Playhead
from dateflicks.core.limits import POSITION_MAX_SECONDS
from dateflicks.protocol.predictions import PositionFrame

OFF_SECONDS: Final = 0.5  # half of what the service lets pass before it hides what lies ahead
RATE_OFF: Final = 0.1  # a follower steers by 0.03: that is still the same play
RATE_MAX: Final = 4.0


class Whereabouts:
    """What a service has been told on the line that is open now."""

    def __init__(self) -> None:
        self._told: Playhead | None = None

    def forget(self) -> None:
        """The line is another one: whoever is at its end has been told nothing."""
        self._told = None

    def due(self, head: Playhead | None, now: float) -> PositionFrame | None:
        """What to tell now (monotonic seconds), if anything; it counts as told."""
        if head is None:
            return None
        position = min(max(0.0, head.carried(now)), POSITION_MAX_SECONDS)
        rate = min(max(0.0, head.rate), RATE_MAX)
        told = self._told
        is_same = told is not None and abs(rate - told.rate) <= RATE_OFF
        if told is not None and is_same and abs(position - told.carried(now)) <= OFF_SECONDS:
            return None
        self._told = Playhead(position, now, rate)
        return PositionFrame(position=round(position, 3), rate=round(rate, 3))
