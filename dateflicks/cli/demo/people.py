"""The two who watch: an account, a player and an evening each, put together as `host`, `join` and `watch` do it.

They say what they do through the client library, and remember everything that they were told.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from dateflicks.client.errors import ClientError
from dateflicks.client.evening import Evening
from dateflicks.client.films import Film
from dateflicks.client.http import ServiceClient
from dateflicks.client.overlay import Happening
from dateflicks.client.screen import Screen
from dateflicks.client.watching import LinkChanged, Told
from dateflicks.protocol.bodies import SessionBody
from dateflicks.protocol.frames import TimecodeFrame
from dateflicks.settings.client import ClientSettings

LOOK_SECONDS: Final = 1.0  # how often a wait for news sees whether there can be any


class StepFailed(Exception):
    """What was to happen did not; the text says what happened instead."""


@dataclass(frozen=True, slots=True)
class Heard:
    """A timecode, and when it came."""

    frame: TimecodeFrame
    at: float


class Person:
    """One of the two. `register`, then `sit_down` with a film, then `watch` an accepted session."""

    def __init__(self, name: str, settings: ClientSettings) -> None:
        self.name = name
        self.settings = settings
        self.client = ServiceClient(settings.server, timeout=settings.timeout_seconds, ca_file=settings.ca_file)
        self.id = ""
        self.screen: Screen | None = None
        self.evening: Evening | None = None
        self.heard: list[Heard] = []
        self.is_line_open = False
        self._news = asyncio.Event()
        self._watching: asyncio.Task[None] | None = None

    async def sit_down(self, film: Film, length: float) -> None:
        """Start the own player and open the film in it. Raises NoPlayer, FilmUnplayable."""
        self.screen = await Screen.open(self.settings)
        await self.screen.load(film, told_length=length)

    async def watch(self, session: SessionBody) -> None:
        """Take part in the session. Raises ClientError."""
        assert self.screen is not None
        self.evening = await Evening.attend(self.client, session, self.screen, self.settings)
        self.evening.listen(self._hear)
        self._watching = asyncio.create_task(self.evening.run(), name=f"{self.name} watches")

    async def leave(self) -> None:
        """Stop watching, close the player and hang up; also when this is called off meanwhile."""
        if self.evening is not None:
            self.evening.stop()
        async with contextlib.AsyncExitStack() as last:
            last.push_async_callback(self.client.close)
            if self.screen is not None:
                last.push_async_callback(self.screen.player.close)
            if self._watching is not None:
                self._watching.cancel()
                await asyncio.wait({self._watching})  # and not the task: it may be this that is cancelled
                if not self._watching.cancelled():
                    with contextlib.suppress(ClientError):
                        self._watching.result()

    # --- what this person says ----------------------------------------------------------------------------------

    def play(self) -> None:
        """Ask to play."""
        self._evening.watching.ask("play")

    def pause(self) -> None:
        """Pause: the own player stands at once."""
        self._evening.watching.ask("pause")

    def stop(self) -> None:
        """Stop."""
        self._evening.watching.ask("stop")

    def seek(self, to: float) -> None:
        """Ask everybody to move."""
        self._evening.watching.seek(to)

    def agree(self) -> None:
        """Agree to what is pending."""
        self._evening.watching.confirm()

    def refuse(self) -> None:
        """Refuse what is pending, or take an own wish back."""
        self._evening.watching.refuse()

    # --- what this person knows ---------------------------------------------------------------------------------

    @property
    def frame(self) -> TimecodeFrame | None:
        """The newest timecode."""
        return self.heard[-1].frame if self.heard else None

    def position(self, now: float) -> float | None:
        """Where the own player is, as its follower believes."""
        head = self.screen.player.playhead(now) if self.screen is not None else None
        return None if head is None else head.carried(now)

    async def hears(
        self, what: str, is_it: Callable[[TimecodeFrame], bool], *, seconds: float, since: int = -1
    ) -> Heard:
        """The first timecode like this; `since` leaves out the first so many, -1 all but the newest.

        Raises StepFailed.
        """
        seen = max(len(self.heard) - 1, 0) if since < 0 else since
        deadline = time.monotonic() + seconds
        while True:
            self._news.clear()
            for heard in self.heard[seen:]:
                if is_it(heard.frame):
                    return heard
            seen = len(self.heard)
            left = deadline - time.monotonic()
            if left <= 0:
                raise StepFailed(f"{self.name} did not hear within {seconds:g} s {what}")
            self._see_that_watching()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), min(left, LOOK_SECONDS))

    async def sees(self, what: str, is_so: Callable[[], bool], *, seconds: float) -> None:
        """Until this is so, by whatever this person is told. Raises StepFailed."""
        deadline = time.monotonic() + seconds
        while True:
            self._news.clear()
            if is_so():
                return
            left = deadline - time.monotonic()
            if left <= 0:
                raise StepFailed(f"{self.name} did not see within {seconds:g} s {what}")
            self._see_that_watching()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), min(left, LOOK_SECONDS))

    async def hears_the_end(self, *, seconds: float) -> None:
        """Until the evening is over by itself, because the session is. Raises StepFailed."""
        if self._watching is not None:
            await asyncio.wait({self._watching}, timeout=seconds)
            if not self._watching.done():
                raise StepFailed(f"{self.name} did not hear within {seconds:g} s that the session is over")

    @property
    def _evening(self) -> Evening:
        if self.evening is None:
            raise StepFailed(f"{self.name} takes part in no session")
        return self.evening

    def _hear(self, update: Happening) -> None:
        match update:
            case Told(frame=frame):
                self.heard.append(Heard(frame, time.monotonic()))
            case LinkChanged(is_open=is_open):
                self.is_line_open = is_open
            case _:
                pass
        self._news.set()

    def _see_that_watching(self) -> None:
        if self._watching is not None and self._watching.done():
            error = None if self._watching.cancelled() else self._watching.exception()
            raise StepFailed(f"{self.name} does not watch any more: {error or 'the player was closed'}")
