"""A television or a page that no program can reach: its person is told what to do, and tells where the film is.

What was said is taken as done at the instant it was said for. A person is good to about a third of a second, so the
playhead is never called better than that, and small corrections are left alone.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Final

from dateflicks.client.players.base import Act, Ended, PlayerError, PlayerEvent, Playhead, UserActed
from dateflicks.client.players.events import PlayerEvents
from dateflicks.client.players.instants import wait_until
from dateflicks.client.sentences import clock_text
from dateflicks.protocol.printable import printable

HAND_SECONDS: Final = 0.3  # from reading a word to pressing a key
COUNTED: Final = 3  # seconds are counted down from here
SEEK_SECONDS: Final = 4.0  # a seek is taken as done after this, or when its person says where they are


class ManualPlayer:
    """`say` gets each line for the person; `i_am_at` and `acted` are what the person answers."""

    name = "manual"

    def __init__(self, say: Callable[[str], None], *, length: float = 0.0, seek_seconds: float = SEEK_SECONDS) -> None:
        self._say = say
        self._length = length
        self._seek_seconds = seek_seconds
        self._events = PlayerEvents()
        self._anchor: tuple[float, float] | None = None
        self._moving = False
        self._plan: asyncio.Task[None] | None = None
        self._ending: asyncio.TimerHandle | None = None
        self._answered = asyncio.Event()

    async def load(self, source: str, *, start: float = 0.0) -> float:
        self._cancel_plan()
        self._hold(start)
        self._say(f"Open {printable(source)} and pause it at {clock_text(start)}.")
        return self._length

    async def play_at(self, moment: float) -> None:
        self._place()
        self._cancel_plan()
        if not self._moving:
            self._plan = asyncio.create_task(self._count_down(moment))

    async def pause(self) -> None:
        position = self._place()
        was_moving = self._moving
        self._cancel_plan()
        self._hold(position)
        if was_moving:
            self._say(f"Pause now, at {clock_text(position)}.")

    async def seek(self, position: float) -> None:
        self._place()
        self._cancel_plan()
        position = min(max(position, 0.0), self._length or position)
        plays_on = self._moving
        self._say(f"Go to {clock_text(position)}{'' if plays_on else ' and pause there'}, then say where you are.")
        self._answered.clear()
        try:
            async with asyncio.timeout(self._seek_seconds):
                await self._answered.wait()
        except TimeoutError:
            self._hold(position)
            if plays_on:
                self._run(time.monotonic())

    async def set_speed(self, speed: float) -> None:
        if speed != 1.0:
            raise PlayerError("A film that plays elsewhere keeps its own speed.")

    def playhead(self, now: float) -> Playhead | None:
        if self._anchor is None:
            return None
        return Playhead(self._position(now), now, 1.0 if self._moving else 0.0, HAND_SECONDS)

    def stalled(self, now: float) -> bool:  # noqa: ARG002 - nobody can see there whether it moves
        return False

    async def next_event(self) -> PlayerEvent:
        return await self._events.next()

    async def show(self, text: str, seconds: float = 3.0) -> None:  # noqa: ARG002 - a line said stays said
        self._say(printable(text))

    async def close(self) -> None:
        self._cancel_plan()
        self._stop_clock()

    def i_am_at(self, position: float, now: float | None = None) -> None:
        """The person says where the film is; whether it moves stays as it was."""
        now = time.monotonic() if now is None else now
        self._anchor = (min(max(position, 0.0), self._length or position), now)
        if self._moving:
            self._run(now)
        self._answered.set()

    def acted(self, act: Act, position: float | None = None) -> None:
        """The person did something there, or wishes it: a pause has happened, everything else is asked for."""
        here = self._place()
        if act is Act.PAUSE:
            self._cancel_plan()
            self._hold(here)
        self._events.tell(UserActed(act, here if position is None else position, time.monotonic()))

    async def _count_down(self, moment: float) -> None:
        where = clock_text(self._place())
        left = moment - time.monotonic()
        if left > HAND_SECONDS:
            self._say(f"Be at {where}, and press play when I say now.")
        for count in range(min(COUNTED, int(left)), 0, -1):
            await wait_until(moment - count)
            self._say(f"{count} …")
        # Said early by what a hand needs, so that the film starts at the moment itself.
        await wait_until(moment - HAND_SECONDS)
        self._say("Now." if left > HAND_SECONDS else f"Press play now, at {where}.")
        await wait_until(moment)
        self._run(max(moment, time.monotonic()))

    def _place(self) -> float:
        if self._anchor is None:
            raise PlayerError("No film is named yet for the other screen.")
        return self._position(time.monotonic())

    def _position(self, now: float) -> float:
        if self._anchor is None:
            return 0.0
        position = self._anchor[0] + (now - self._anchor[1] if self._moving else 0.0)
        return min(position, self._length) if self._length else position

    def _hold(self, position: float) -> None:
        self._stop_clock()
        self._moving = False
        self._anchor = (position, time.monotonic())

    def _run(self, now: float) -> None:
        self._stop_clock()
        position = self._position(now)
        self._anchor = (position, now)
        self._moving = True
        if self._length:
            self._ending = asyncio.get_running_loop().call_later(self._length - position, self._ended)

    def _ended(self) -> None:
        self._hold(self._length)
        self._events.tell(Ended(time.monotonic()))

    def _stop_clock(self) -> None:
        if self._ending is not None:
            self._ending.cancel()
            self._ending = None

    def _cancel_plan(self) -> None:
        if self._plan is not None:
            self._plan.cancel()
            self._plan = None
