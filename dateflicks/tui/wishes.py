"""What one person wishes of the film, by key or by command: each goes to the room, presses in a row as one.

It draws nothing and has no keys: the film's screen says which key is which wish.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from textual.timer import Timer

from dateflicks.protocol.frames import StatusWord
from dateflicks.tui.drawing.words import stands_here

if TYPE_CHECKING:
    from dateflicks.tui.app import DateflicksApp

MORE_PRESSES_SECONDS: Final = 0.4  # so long after a key that moves the film another one may follow


class Wishes:
    """`set_timer` is the screen's: what waits for more presses does not outlive it."""

    def __init__(self, app: "DateflicksApp", set_timer: Callable[[float, Callable[[], None]], Timer]) -> None:
        self._app = app
        self._set_timer = set_timer
        self._moving_to: float | None = None  # what is asked for once no more presses follow
        self._timer: Timer | None = None

    def answer(self, *, agreed: bool) -> None:
        """Yes or no to what the other asks for; no takes an own request back."""
        room, pending = self._app.room, self._app.state.pending
        if room is not None and pending is not None and not (agreed and pending.is_mine):
            room.answer(agreed=agreed)

    def ask(self, status: StatusWord) -> None:
        """Play, pause or stop for everybody."""
        if status == "stop":
            self._forget_presses()
        if self._app.room is not None:
            self._app.room.ask(status)

    def play_or_pause(self) -> None:
        """Play if it stands, pause if it plays; without a line that is what it does here."""
        state = self._app.state
        plays = state.film.status == "play" and not stands_here(state)
        self.ask("pause" if plays else "play")

    def resync(self) -> None:
        """Measure anew."""
        if self._app.room is not None:
            self._app.room.resync()
            self._app.tell("Measuring anew." if self._app.state.link.is_open else "Trying the line again.")

    def move(self, by: float) -> None:
        """Presses in a row are one wish: it is shown with each of them, and asked for after the last."""
        room, here = self._app.room, self._headed_for()
        if here is None or room is None:
            return
        self._moving_to = self._within(here + by)
        room.about_to_seek(self._moving_to)
        if self._timer is not None:
            self._timer.stop()
        self._timer = self._set_timer(MORE_PRESSES_SECONDS, self._move_now)

    def seek(self, to: float) -> None:
        """To a position."""
        self._forget_presses()
        if self._app.room is not None:
            self._app.room.seek(self._within(to))

    def _headed_for(self) -> float | None:
        """Where this person has asked to be, else where the film is: moves count from there."""
        state = self._app.state
        if self._moving_to is not None:
            return self._moving_to
        if state.wish is not None and state.wish.target is not None:
            return state.wish.target
        pending = state.pending
        if pending is not None and pending.is_mine and isinstance(pending.target, float | int):
            return pending.target
        return self._app.room.here() if self._app.room is not None else None

    def _move_now(self) -> None:
        to, self._moving_to, self._timer = self._moving_to, None, None
        if to is not None:
            self.seek(to)

    def _forget_presses(self) -> None:
        """What came after them is what is wanted."""
        if self._timer is not None:
            self._timer.stop()
        self._moving_to = self._timer = None

    def _within(self, position: float) -> float:
        length = self._app.state.film.length
        return max(0.0, min(position, length) if length else position)
