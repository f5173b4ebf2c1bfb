"""mpv's transport: what is commanded, and the commands themselves, each with a note for its echo.

Positions here are mpv's own; nothing here knows of users, trims or events. A command that moves the film ends when mpv
says `playback-restart`, not when it answers.
"""

import asyncio
import contextlib
import time
from typing import Any, Final

from dateflicks.client.players.base import PlayerError
from dateflicks.client.players.echoes import Echoes
from dateflicks.client.players.instants import wait_until
from dateflicks.client.players.landing import Landing
from dateflicks.client.players.mpv_ipc import IpcError, IpcRefused, MpvIpc
from dateflicks.client.players.sensor import Sensor
from dateflicks.core.limits import POSITION_MAX_SECONDS
from dateflicks.protocol.printable import printable

LOAD_SECONDS: Final = 30.0
SEEK_SECONDS: Final = 10.0
PAUSE_SECONDS: Final = 2.0
LATENCY_MAX_SECONDS: Final = 0.150
DEAD_TIME_MAX_SECONDS: Final = 2.0
PICTURE_SECONDS: Final = 0.060  # a picture is queued up to 50 ms ahead of its time
UNEVEN: Final = 0.03  # where pictures came so much faster or slower than promised, not all of them last as long
END_MARGIN_SECONDS: Final = 0.05  # a seek nearer to the end than this may find no picture


class Deck:
    """One mpv's film: where it was told to be, whether it was told to move."""

    def __init__(self, ipc: MpvIpc) -> None:
        self.ipc = ipc
        self.sensor = Sensor()
        self.echoes = Echoes()
        self.landing: Landing | None = None
        self.length = 0.0
        self.frame = 0.0  # how long a picture lasts; 0 while nobody knows
        self.is_even = True  # all pictures last as long, as far as has been seen
        self.picture: float | None = None  # the one that is up while the film stands; None until mpv has said
        self.paused = True
        self.seen_paused = True
        self.speed = 1.0
        self.takes_speed = True
        self.start_latency = 0.0
        self.seek_dead_time = 0.040
        self._lock = asyncio.Lock()
        self._plan: asyncio.Task[None] | None = None
        self._looking: asyncio.Task[None] | None = None
        self._started: tuple[float, float] | None = None
        self._sought: tuple[float, float] | None = None

    @property
    def has_film(self) -> bool:
        """Whether a film is open."""
        return self.sensor.playhead.last_sample() is not None

    @property
    def stands(self) -> bool:
        """Whether the film is commanded to stand, and no start is planned."""
        return self.paused and (self._plan is None or self._plan.done())

    async def load(self, source: str, start: float) -> float:
        """Open a checked source, paused; returns its length."""
        self.cancel_plan()
        async with self._lock:
            self.pause()
            self.sensor.unknow()
            self.length = 0.0
            await self.ipc.set("start", f"{max(start, 0.0):.6f}")
            await self._set_speed(1.0)
            landing = Landing("file-loaded", printable(source))
            await self._land(landing, "loadfile", source, "replace", wait=LOAD_SECONDS)
            await self.ipc.set("start", "none")
            self.length = min(max(await self._number("duration"), 0.0), POSITION_MAX_SECONDS)
            try:
                sound = str(await self.ipc.get("audio-params/format"))
            except IpcRefused:
                sound = ""
            self.takes_speed = not sound.startswith("spdif")
            frames_per_second = await self._number("container-fps")
            self.is_even = True
            self.frame = 1.0 / frames_per_second if frames_per_second > 0 else 0.0
            self.sensor.opened(has_sound=bool(sound), frames_per_second=frames_per_second)
            await self._stand_exactly()
        return self.length

    def plan_start(self, moment: float) -> None:
        """Start at this instant, unless the film moves already."""
        self.cancel_plan()
        if self.paused:
            self._plan = asyncio.create_task(self._start_at(moment))

    def cancel_plan(self) -> None:
        """Take a planned start back."""
        if self._plan is not None:
            self._plan.cancel()
            self._plan = None

    def pause(self) -> asyncio.Future[Any] | None:
        """Stand still now; returns what to wait for, if mpv had to be asked."""
        self.cancel_plan()
        if self.paused and self.seen_paused:
            return None
        now = time.monotonic()
        self.paused = True
        self.picture = None
        self._started = self._sought = None
        self.sensor.stop(now)
        self.stop_looking()
        self._looking = asyncio.create_task(self._see_picture())
        return self.put("pause", True)

    def stop_looking(self) -> None:
        """It does not matter any more which picture is up."""
        if self._looking is not None:
            self._looking.cancel()
            self._looking = None

    def put(self, name: str, value: Any) -> asyncio.Future[Any]:
        """Set a property now; its echo will be known as ours."""
        self.echoes.expect(name, value, time.monotonic())
        sent = self.ipc.send("set_property", name, value)
        sent.add_done_callback(lambda done: done.cancelled() or done.exception())  # a loss is told as an event
        return sent

    async def seek(self, target: float) -> None:
        """Go exactly there, playing on if the film played; a planned start is off."""
        self.cancel_plan()
        async with self._lock:
            await self._seek(target)

    async def seek_from(self, target: float, since: float) -> None:
        """Go to where a film at `target` at the instant `since` would be by the time the seek has ended."""
        async with self._lock:
            ahead = 0.0 if self.paused else self.speed * (time.monotonic() - since) + self.seek_dead_time
            await self._seek(target + ahead)

    async def set_speed(self, speed: float) -> None:
        """Play at this speed. Raises PlayerError when the sound's device takes only normal speed."""
        if speed != 1.0 and not self.takes_speed:
            raise PlayerError("The sound goes to its device as it is, so the speed cannot be changed.")
        await self._set_speed(speed)

    def ended(self, at: float) -> None:
        """The film has played to its end: stand there."""
        with contextlib.suppress(IpcError):
            self.pause()
        self.sensor.land(self.length or self.sensor.position(at), at)

    def learn(self, now: float) -> None:
        """Once samples agree after a start or a seek, see how long it really took."""
        head = self.sensor.playhead.estimate(now)
        if head is None or not head.steady or not head.rate:
            return
        if self._started is not None:
            (sent_at, position), self._started = self._started, None
            took = now - (head.position - position) / head.rate - sent_at
            self.start_latency += 0.3 * (min(max(took, 0.0), LATENCY_MAX_SECONDS) - self.start_latency)
        if self._sought is not None:
            (sent_at, position), self._sought = self._sought, None
            took = now - (head.position - position) / head.rate - sent_at
            self.seek_dead_time += 0.5 * (min(max(took, 0.0), DEAD_TIME_MAX_SECONDS) - self.seek_dead_time)

    async def _see_picture(self) -> None:
        """Some moments after a pause, when what was queued is up: which picture is it?"""
        await asyncio.sleep(PICTURE_SECONDS)
        with contextlib.suppress(IpcError, TypeError, ValueError):  # gone: told as an event by those who watch for it
            position = float(await self.ipc.get("time-pos"))
            seen = await self._number("estimated-vf-fps")
            self.is_even = self.is_even and (not seen or abs(seen * self.frame - 1.0) <= UNEVEN)
            if self.paused and self.landing is None and self.frame:
                self.picture = position

    async def _start_at(self, moment: float) -> None:
        if self.landing is not None:
            await self.landing.settled()
        await wait_until(moment - self.start_latency)
        with contextlib.suppress(IpcError):  # gone or not reading: told as an event by those who watch for it
            now = time.monotonic()
            self.put("pause", False)
            head = self.sensor.playhead.estimate(now)
            self.paused = False
            self.picture = None
            self._started = None if head is None else (now, head.position)
            self.sensor.start(now + self.start_latency, self.speed)

    async def _set_speed(self, speed: float) -> None:
        if speed == self.speed:
            return
        self.speed = speed
        self.sensor.change_speed(time.monotonic(), speed)
        async with asyncio.timeout(PAUSE_SECONDS):
            await self.put("speed", speed)

    async def _seek(self, target: float) -> None:
        limit = max(self.length - END_MARGIN_SECONDS, 0.0) if self.length else POSITION_MAX_SECONDS
        target = min(max(target, 0.0), limit)
        sent_at = time.monotonic()
        self.picture = None
        self.sensor.jump(target, sent_at)
        try:
            await self._land(Landing("seek", ""), "seek", target, "absolute+exact", wait=SEEK_SECONDS)
        finally:
            if not self.paused:
                self.sensor.jump(target, time.monotonic())
                self.sensor.start(time.monotonic(), self.speed)
        if self.paused:
            await self._stand_exactly()
        else:
            self._sought = (sent_at, target)

    async def _land(self, landing: Landing, *command: Any, wait: float) -> None:
        self.landing = landing
        try:
            await self.ipc.command(*command)
            async with asyncio.timeout(wait):
                await landing.done()
        finally:
            self.landing = None
            landing.give_up()

    async def _stand_exactly(self) -> None:
        """After a landing, while paused: the picture's own time is where the film stands (`audio-pts` is not)."""
        with contextlib.suppress(IpcRefused):
            position = float(await self.ipc.get("time-pos"))
            if self.paused:
                self.sensor.land(position, time.monotonic())
                self.picture = position if self.frame else None

    async def _number(self, name: str) -> float:
        """A property that is a number, 0 when mpv has none."""
        try:
            return float(await self.ipc.get(name) or 0.0)
        except (IpcRefused, TypeError, ValueError):
            return 0.0
