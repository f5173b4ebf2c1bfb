"""Where the film of a session and each of its people are: what has been passed, and what is not to be seen yet."""

from collections.abc import Callable
from typing import Final

from dateflicks.core.playback import Timeline
from dateflicks.core.prediction import Prediction, State
from dateflicks.server.services.prediction.films import Film, Films, reached_at
from dateflicks.server.services.prediction.room import Room

VEIL_SECONDS: Final = 1.0  # of film: two people in step are never further apart, and a moment earlier spoils nothing
NEVER: Final = float("inf")


class Whereabouts:
    """Of all sessions; `evenly` is a clock that is never stepped."""

    def __init__(self, films: Films, evenly: Callable[[], float]) -> None:
        self._films = films
        self._evenly = evenly

    def film(self, room: Room) -> Film | None:
        """What the bus said of the film, or None."""
        return self._films.get(room.session_id)

    def film_position(self, room: Room) -> float | None:
        """Where the film is now, as far as the bus said."""
        film = self.film(room)
        return None if film is None else film.timeline.position_at(self._evenly())

    def furthest(self, room: Room) -> float | None:
        """Where the film is now as far as locks go, or None when nobody knows."""
        now = self._evenly()
        return max((one.position_at(now) for one in self._believed(room, now)), default=None)

    def position_of(self, room: Room, user_id: str) -> float | None:
        """Where this person is in the film now: as they say, as the bus says of them, or where the film is."""
        timeline = self._timeline_of(room, user_id)
        return None if timeline is None else timeline.position_at(self._evenly())

    def has_passed(self, room: Room, prediction: Prediction) -> bool:
        """Whether the film has got to where this prediction locks."""
        now = self._evenly()
        return self.passes_at(room, prediction, now) <= now

    def passes_at(self, room: Room, prediction: Prediction, now: float) -> float:
        """When the film gets there, if it goes on like this; never for what is not open."""
        place = prediction.locks_at_position
        if prediction.state is not State.OPEN or place is None:
            return NEVER
        return min((reached_at(one, place, now) for one in self._believed(room, now)), default=NEVER)

    def waits(self, room: Room, prediction: Prediction, user_id: str) -> bool:
        """Whether this person is told only that there is a prediction: their film is not yet where it was made."""
        shown = (user_id, prediction.id)
        if shown in room.unveiled or prediction.at_position is None or user_id in prediction.people:
            return False
        now = self._evenly()
        if self.unveils_at(room, prediction, user_id, now) > now:
            return True
        room.unveiled.add(shown)
        return False

    def unveils_at(self, room: Room, prediction: Prediction, user_id: str, now: float) -> float:
        """When this person's film gets to where it was made; now, when nobody knows where that film is."""
        timeline = self._timeline_of(room, user_id)
        if timeline is None or prediction.at_position is None:
            return now
        return reached_at(timeline, prediction.at_position - VEIL_SECONDS, now)

    def _timeline_of(self, room: Room, user_id: str) -> Timeline | None:
        own = room.positions.get(user_id)
        if own is not None:
            return own
        film = self.film(room)
        return None if film is None else film.people.get(user_id, film.timeline)

    def _believed(self, room: Room, now: float) -> list[Timeline]:
        """What a film is believed by: the bus while it speaks, else whoever of its people is furthest."""
        film = self.film(room)
        if film is not None and (film.is_fresh(now) or not room.positions):
            return [film.timeline]
        return list(room.positions.values())
