"""A player that shows nothing: the model of `physics` on the real clock, for demos, tests and watching without mpv."""

import asyncio
import contextlib
import time
from typing import Final

from dateflicks.client.players.base import Act, Closed, OtherFilm, PlayerError, PlayerEvent, Playhead, UserActed
from dateflicks.client.players.events import PlayerEvents
from dateflicks.client.players.instants import wait_until
from dateflicks.client.players.physics import NEVER, SimulatedPhysics

SHOWN_KEPT: Final = 20


class SimulatedPlayer:
    """Anything loads; `press` does what a user would do in a player's window."""

    name = "simulated"

    def __init__(self, physics: SimulatedPhysics | None = None) -> None:
        self.physics = physics or SimulatedPhysics()
        self.shown: list[str] = []
        self._events = PlayerEvents()
        self._changed = asyncio.Event()
        self._is_loaded = False
        self._is_closed = False

    async def load(self, source: str, *, start: float = 0.0) -> float:
        if not source:
            raise PlayerError("No film was named. Give a file's path or a web address.")
        self.physics.load(start, time.monotonic())
        self._is_loaded = True
        self._changed.set()
        return self.physics.length

    async def play_at(self, moment: float) -> None:
        self._film().play(time.monotonic(), moment)
        self._changed.set()

    async def pause(self) -> None:
        self._film().pause(time.monotonic())
        self._changed.set()

    async def seek(self, position: float) -> None:
        ends = self._film().seek(position, time.monotonic())
        self._changed.set()
        await wait_until(ends)

    async def set_speed(self, speed: float) -> None:
        self._film().set_speed(speed, time.monotonic())
        self._changed.set()

    def playhead(self, now: float) -> Playhead | None:
        return self.physics.playhead(now) if self._is_loaded else None

    def stalled(self, now: float) -> bool:
        return self.physics.stalled(now)

    async def next_event(self) -> PlayerEvent:
        while True:
            now = time.monotonic()
            for event in self.physics.events(now):
                self._events.tell(event)
            if (waiting := self._events.take()) is not None:
                return waiting
            self._changed.clear()
            due = self.physics.next_change(now)
            with contextlib.suppress(TimeoutError):  # wait_for would lose a cancellation that comes with a change
                async with asyncio.timeout(None if due == NEVER else max(due - now, 0.0)):
                    await self._changed.wait()

    async def show(self, text: str, seconds: float = 3.0) -> None:  # noqa: ARG002 - kept, not shown
        self.shown = [*self.shown[-(SHOWN_KEPT - 1) :], text]

    async def close(self) -> None:
        self._is_closed = True

    def press(self, act: Act, position: float | None = None) -> None:
        """What a user does: a pause acts at once, everything else is only a wish."""
        now = time.monotonic()
        if act is Act.PAUSE:
            self.physics.pause(now)
        here = self.physics.position(now)
        self._events.tell(UserActed(act, here if position is None else position, now))
        self._changed.set()

    def freeze(self, seconds: float) -> None:
        """What befalls a suspended process: for so long it does nothing and takes no command."""
        self.physics.freeze(seconds, time.monotonic())
        self._changed.set()

    def stall(self, seconds: float) -> None:
        """What befalls a picture that waits for data, for so long."""
        self.physics.stall(seconds, time.monotonic())
        self._changed.set()

    def slip(self, seconds: float) -> None:
        """It is suddenly elsewhere by so much, and nobody wanted it."""
        now = time.monotonic()
        self.physics.seek(self.physics.position(now) + seconds, now)
        self._changed.set()

    def open_other(self) -> None:
        """Its user opens something else in it."""
        self._is_loaded = False
        self._events.tell(OtherFilm(time.monotonic()))
        self._changed.set()

    def end(self, *, by_user: bool) -> None:
        """Its user closes it, or it dies."""
        self._is_closed = True
        self._events.tell(Closed(time.monotonic(), by_user))
        self._changed.set()

    def _film(self) -> SimulatedPhysics:
        if self._is_closed:
            raise PlayerError("The simulated player is closed. Open the film again.")
        if not self._is_loaded:
            raise PlayerError("No film is open in the simulated player.")
        return self.physics
