"""PlaybackPosition: each participant's position, the video's length, and the value that all must accept."""

from collections.abc import Collection, Mapping
from dataclasses import field, replace
from types import MappingProxyType

from dateflicks.core.values import value

_NOBODY: Mapping[str, "Place"] = MappingProxyType({})


@value
class Place:
    """Where one player was: `position` held at `at` while it moved at `rate` film seconds per second."""

    position: float
    at: float = 0.0
    rate: float = 0.0

    def carried(self, now: float) -> float:
        """The position carried forward to `now`; a stamp that lies ahead of `now` is taken as it is."""
        return self.position + self.rate * (now - self.at) if self.rate and now > self.at else self.position


@value
class PlaybackPosition:
    """The minimum rule: positions are compared at one instant, and nobody is asked to be where another is not yet."""

    length: float = 0.0
    places: Mapping[str, Place] = field(default_factory=lambda: _NOBODY)

    def reported(self, user_id: str, place: Place) -> "PlaybackPosition":
        """The same with a newer place for one participant, cut at the length."""
        if not 0.0 <= place.position <= self.length:
            place = replace(place, position=min(max(place.position, 0.0), self.length))
        return PlaybackPosition(self.length, MappingProxyType({**self.places, user_id: place}))

    def with_length(self, length: float) -> "PlaybackPosition":
        """The same for a video of another length; positions beyond it are cut."""
        places = {user: replace(place, position=min(place.position, length)) for user, place in self.places.items()}
        return PlaybackPosition(length, MappingProxyType(places))

    def of(self, user_id: str, now: float) -> float | None:
        """One participant's position carried forward to `now`, cut at the length; None when never told."""
        place = self.places.get(user_id)
        return None if place is None else min(place.carried(now), self.length)

    def minimum(self, now: float, among: Collection[str]) -> tuple[float, str] | None:
        """The smallest position among some participants and whose it is; None when none of them ever told."""
        told = [(min(self.places[user].carried(now), self.length), user) for user in among if user in self.places]
        return min(told, default=None)

    def value_at(self, now: float) -> float:
        """The position that all must accept: the minimum over everybody, never beyond the length, 0 at the start."""
        smallest = self.minimum(now, self.places.keys())
        return 0.0 if smallest is None else smallest[0]
