"""The player for real: an mpv that is told what to do over its IPC, and watched for where it is and what its user does.

What is commanded and what is seen are kept apart. Every command leaves a note in `Echoes`; a change that has no note is
its user's wish: a pause acts at once, everything else is undone here and passed on as a request. Positions inside are
mpv's own; the person's trim is added where they leave and taken off where they come in.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Collection
from pathlib import Path
from typing import Any, Final, Self

from dateflicks.client.players.base import (
    Act,
    Closed,
    Ended,
    PlayerError,
    PlayerEvent,
    Playhead,
    Recovered,
    Stalled,
    UserActed,
)
from dateflicks.client.players.echoes import Echoes
from dateflicks.client.players.events import PlayerEvents
from dateflicks.client.players.instants import wait_until
from dateflicks.client.players.keys import SECTION, Steps, section
from dateflicks.client.players.landing import Landing
from dateflicks.client.players.mpv_ipc import (
    IpcClosed,
    IpcError,
    IpcEvent,
    IpcRefused,
    IpcTimeout,
    MpvIpc,
    connect_path,
)
from dateflicks.client.players.process import MpvOptions, MpvProcess, start_mpv
from dateflicks.client.players.sensor import Sensor
from dateflicks.client.players.sources import WEB_SCHEMES, checked_source
from dateflicks.core.limits import POSITION_MAX_SECONDS
from dateflicks.protocol.printable import printable

TICK_SECONDS: Final = 0.05  # the playhead is looked at 20 times a second
LOAD_SECONDS: Final = 30.0
SEEK_SECONDS: Final = 10.0
SLOW_SEEK_SECONDS: Final = 0.5  # a playing film that seeks for longer is stalled, as others see it
INTERNAL_SEEK_SECONDS: Final = 0.25  # mpv seeks to where it is when a track or a filter changes: nobody asked for that
MISMATCH_SECONDS: Final = 0.3  # a state that nobody commanded for so long is meant, whatever the echoes say
LATENCY_MAX_SECONDS: Final = 0.150
SHOWN_CHARACTERS: Final = 300
END_MARGIN_SECONDS: Final = 0.05
TRIM_MAX_SECONDS: Final = 1.0

_OBSERVED: Final = ("pause", "speed", "core-idle", "paused-for-cache", "eof-reached")
# What `command_line` sets for an mpv of our own; one that we attach to gets its own values back.
_BORROWED: Final[dict[str, Any]] = {
    "keep-open": "yes",
    "keep-open-pause": False,
    "audio-pitch-correction": False,
    "hr-seek": "yes",
    "load-unsafe-playlists": False,
}


class MpvPlayer:
    """One mpv; made by `start` or `attach`, ended by `close`."""

    name = "mpv"

    def __init__(self, *, trim: float = 0.0, schemes: Collection[str] = WEB_SCHEMES) -> None:
        if abs(trim) > TRIM_MAX_SECONDS:
            raise PlayerError(f"A trim of {trim:g} s is too much: it can be {TRIM_MAX_SECONDS:g} s either way.")
        self.trim = trim
        self.seek_dead_time = 0.040
        self.start_latency = 0.0
        self._schemes = schemes
        self._process: MpvProcess | None = None
        self._ipc: MpvIpc | None = None
        self._restore: dict[str, Any] = {}
        self._events = PlayerEvents()
        self._echoes = Echoes()
        self._steps = Steps()
        self._sensor = Sensor()
        self._lock = asyncio.Lock()
        self._landing: Landing | None = None
        self._foreign_seek: tuple[float, float] | None = None
        self._plan: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._length = 0.0
        self._paused = True
        self._speed = 1.0
        self._seen_paused = True
        self._mismatch_since: float | None = None
        self._started: tuple[float, float] | None = None
        self._sought: tuple[float, float] | None = None
        self._takes_speed = True
        self._quit_seen = False
        self._closing = False

    @classmethod
    async def start(
        cls, options: MpvOptions | None = None, *, trim: float = 0.0, schemes: Collection[str] = WEB_SCHEMES
    ) -> Self:
        """Start an mpv of our own. Raises PlayerError."""
        options = options or MpvOptions()
        player = cls(trim=trim, schemes=schemes)
        player._process = await start_mpv(options, player._on_event, player._on_lost)
        player._ipc = player._process.ipc
        await player._set_up(exclusive=options.user_config)
        return player

    @classmethod
    async def attach(cls, path: Path, *, trim: float = 0.0, schemes: Collection[str] = WEB_SCHEMES) -> Self:
        """Use a running mpv by its IPC socket; it is paused, and gets its settings back on `close`."""
        player = cls(trim=trim, schemes=schemes)
        try:
            player._ipc = await connect_path(path, player._on_event, player._on_lost)
        except IpcClosed as error:
            raise PlayerError(f"{error}. Start mpv with --input-ipc-server={path}.") from None
        async with player._asking() as ipc:
            for name, value in _BORROWED.items():
                with contextlib.suppress(IpcRefused):
                    player._restore[name] = await ipc.get(name)
                    await ipc.set(name, value)
            await ipc.set("pause", True)
        await player._set_up(exclusive=True)
        return player

    @property
    def socket_path(self) -> Path | None:
        """Where observers may connect, when the options asked for it."""
        return self._process.socket_path if self._process else None

    @property
    def pid(self) -> int | None:
        """The process id of an mpv of our own."""
        return self._process.process.pid if self._process else None

    # --- what the follower asks -------------------------------------------------------------------------------

    async def load(self, source: str, *, start: float = 0.0) -> float:
        checked = await asyncio.to_thread(checked_source, source, schemes=self._schemes)
        self._cancel_plan()
        async with self._lock, self._asking() as ipc:
            self._command_pause()
            self._sensor.unknow()
            self._length = 0.0
            await ipc.set("start", f"{max(start + self.trim, 0.0):.6f}")
            await self._set_speed(1.0)
            await self._land(
                Landing("file-loaded", printable(source)), "loadfile", checked, "replace", wait=LOAD_SECONDS
            )
            await ipc.set("start", "none")
            with contextlib.suppress(IpcRefused):
                self._length = min(max(float(await ipc.get("duration") or 0.0), 0.0), POSITION_MAX_SECONDS)
            await self._look_at_sound()
            await self._stand_exactly()
        return self._length

    async def play_at(self, moment: float) -> None:
        self._film()
        self._cancel_plan()
        if self._paused:
            self._plan = asyncio.create_task(self._start_at(moment))

    async def pause(self) -> None:
        self._film()
        self._cancel_plan()
        async with self._asking():
            if (sent := self._command_pause()) is not None:
                async with asyncio.timeout(2.0):
                    await sent

    async def seek(self, position: float) -> None:
        self._film()
        async with self._lock, self._asking():
            await self._seek(position + self.trim)

    async def set_speed(self, speed: float) -> None:
        self._film()
        if speed != 1.0 and not self._takes_speed:
            raise PlayerError("The sound goes to the device as it is, so its speed cannot be changed.")
        async with self._asking():
            await self._set_speed(speed)

    def playhead(self, now: float) -> Playhead | None:
        head = self._sensor.playhead.estimate(now)
        if head is None:
            return None
        limit = self._length or POSITION_MAX_SECONDS
        position = min(head.position, limit) - self.trim
        return Playhead(position, head.at, head.rate, head.noise, steady=head.steady and self._landing is None)

    def stalled(self, now: float) -> bool:
        if self._landing is not None and not self._paused:
            return now - self._landing.since > SLOW_SEEK_SECONDS
        return self._sensor.stalls.why is not None

    async def next_event(self) -> PlayerEvent:
        return await self._events.next()

    async def show(self, text: str, seconds: float = 3.0) -> None:
        line = printable(text)[:SHOWN_CHARACTERS].replace("$", "$$")  # mpv would put its properties in for ${…}
        async with self._asking() as ipc:
            with contextlib.suppress(IpcRefused):
                await ipc.command("show-text", line, round(seconds * 1000))

    async def close(self) -> None:
        self._closing = True
        self._cancel_plan()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._process is not None:
            await self._process.end()
        elif self._ipc is not None:
            with contextlib.suppress(IpcError):
                await self._ipc.command("disable-section", SECTION)
                for name, value in {**self._restore, "speed": 1.0}.items():
                    await self._ipc.set(name, value)
            self._ipc.close()

    # --- commands ---------------------------------------------------------------------------------------------

    async def _set_up(self, *, exclusive: bool) -> None:
        try:
            async with self._asking() as ipc:
                await ipc.command("define-section", SECTION, section(), "force")
                await ipc.command("enable-section", SECTION, "exclusive" if exclusive else "")
                for number, name in enumerate(_OBSERVED, 1):
                    await ipc.command("observe_property", number, name)
        except PlayerError:
            await self.close()
            raise
        self._spawn(self._watch())

    @contextlib.asynccontextmanager
    async def _asking(self) -> AsyncIterator[MpvIpc]:
        """The connection, with its failures told in a person's words."""
        if self._ipc is None or self._ipc.lost is not None:
            raise PlayerError("mpv is gone. Open the film again.")
        try:
            yield self._ipc
        except IpcClosed:
            raise PlayerError("mpv is gone. Open the film again.") from None
        except (IpcTimeout, TimeoutError):
            raise PlayerError("mpv does not answer. Close it and open the film again.") from None
        except IpcError as error:
            raise PlayerError(f"{error}.") from None

    def _film(self) -> None:
        if self._sensor.playhead.last_sample() is None:
            raise PlayerError("No film is open in mpv.")

    def _command_pause(self) -> asyncio.Future[Any] | None:
        if self._paused and self._seen_paused:
            return None
        now = time.monotonic()
        self._paused = True
        self._started = self._sought = None
        self._echoes.expect("pause", True, now)
        assert self._ipc is not None
        sent = self._ipc.send("set_property", "pause", True)
        self._sensor.stop(now)
        return _looked_after(sent)

    def _unpause(self) -> None:
        now = time.monotonic()
        head = self._sensor.playhead.estimate(now)
        self._echoes.expect("pause", False, now)
        assert self._ipc is not None
        _looked_after(self._ipc.send("set_property", "pause", False))
        self._paused = False
        self._started = None if head is None else (now, head.position)
        self._sensor.start(now + self.start_latency, self._speed)

    async def _start_at(self, moment: float) -> None:
        if self._landing is not None:
            await self._landing.settled()
        await wait_until(moment - self.start_latency)
        with contextlib.suppress(IpcError):  # gone or not reading: told as an event by those who watch for it
            self._unpause()

    def _cancel_plan(self) -> None:
        if self._plan is not None:
            self._plan.cancel()
            self._plan = None

    async def _set_speed(self, speed: float) -> None:
        if speed == self._speed:
            return
        assert self._ipc is not None
        now = time.monotonic()
        self._speed = speed
        self._echoes.expect("speed", speed, now)
        self._sensor.change_speed(now, speed)
        await self._ipc.set("speed", speed)

    async def _seek(self, target: float) -> None:
        limit = max(self._length - END_MARGIN_SECONDS, 0.0) if self._length else POSITION_MAX_SECONDS
        target = min(max(target, 0.0), limit)
        sent_at = time.monotonic()
        self._sensor.jump(target, sent_at)
        await self._land(Landing("seek", ""), "seek", target, "absolute+exact", wait=SEEK_SECONDS)
        if self._paused:
            await self._stand_exactly()
        else:
            self._sought = (sent_at, target)
            self._sensor.jump(target, time.monotonic())
            self._sensor.start(time.monotonic(), self._speed)

    async def _land(self, landing: Landing, *command: Any, wait: float) -> None:
        """Send a command that moves the film and wait until it stands, or plays, at its new place."""
        assert self._ipc is not None
        self._landing = landing
        self._foreign_seek = None
        try:
            await self._ipc.command(*command)
            async with asyncio.timeout(wait):
                await landing.done()
        finally:
            self._landing = None
            landing.give_up()

    async def _stand_exactly(self) -> None:
        """After a landing, while paused: the picture's own time is where the film stands (`audio-pts` is not)."""
        assert self._ipc is not None
        with contextlib.suppress(IpcRefused):
            position = float(await self._ipc.get("time-pos"))
            if self._paused:
                self._sensor.land(position, time.monotonic())

    async def _look_at_sound(self) -> None:
        assert self._ipc is not None
        try:
            layout = str(await self._ipc.get("audio-params/format"))
        except IpcRefused:
            layout = ""
        self._takes_speed = not layout.startswith("spdif")
        rate = 0.0
        with contextlib.suppress(IpcRefused):
            rate = float(await self._ipc.get("container-fps") or 0.0)
        self._sensor.opened(has_sound=bool(layout), frames_per_second=rate)

    # --- what mpv tells ---------------------------------------------------------------------------------------

    async def _watch(self) -> None:
        assert self._ipc is not None
        while self._ipc.lost is None:
            now = time.monotonic()
            with contextlib.suppress(IpcError):
                self._sensor.ask(self._ipc, now, busy=self._landing is not None or self._foreign_seek is not None)
                self._look(now)
                self._reconcile(now)
            self._learn(now)
            if (target := self._steps.take(now)) is not None:
                self._tell_act(Act.SEEK, target - self.trim)
            await asyncio.sleep(TICK_SECONDS)

    def _look(self, now: float) -> None:
        before = self._sensor.stalls.why
        why = self._sensor.look(now, self._length)
        head = self.playhead(now)
        position = head.position if head else 0.0
        if why is not None and before is None:
            self._events.tell(Stalled(position, now, f"mpv {why}"))
        elif why is None and before is not None and not self._paused:
            self._events.tell(Recovered(position, now))

    def _reconcile(self, now: float) -> None:
        """A pause state that differs from the commanded one for long is its user's, even if an echo hid it."""
        if self._seen_paused == self._paused or self._sensor.is_silent(now):
            self._mismatch_since = None
        elif self._mismatch_since is None:
            self._mismatch_since = now
        elif now - self._mismatch_since > MISMATCH_SECONDS:
            self._mismatch_since = None
            self._user_changed_pause(self._seen_paused, now)

    def _learn(self, now: float) -> None:
        """Once samples agree after a start or a seek, see how long it really took."""
        head = self._sensor.playhead.estimate(now)
        if head is None or not head.steady or not head.rate:
            return
        if self._started is not None:
            (sent_at, position), self._started = self._started, None
            took = now - (head.position - position) / head.rate - sent_at
            self.start_latency += 0.3 * (min(max(took, 0.0), LATENCY_MAX_SECONDS) - self.start_latency)
        if self._sought is not None:
            (sent_at, position), self._sought = self._sought, None
            took = now - (head.position - position) / head.rate - sent_at
            self.seek_dead_time += 0.5 * (min(max(took, 0.0), 2.0) - self.seek_dead_time)

    def _on_event(self, event: IpcEvent) -> None:
        match event.name:
            case "property-change":
                self._on_change(str(event.fields.get("name")), event.fields.get("data"), event.at)
            case "client-message":
                self._on_message(event.fields.get("args"), event.at)
            case "end-file" if event.fields.get("reason") == "quit":
                self._quit_seen = True
            case "shutdown":
                self._quit_seen = True
            case "start-file" if self._landing is None and not self._closing:
                self._sensor.unknow()
                self._tell_act(Act.STOP, 0.0)  # its user opened something else
            case "seek" if self._landing is None and self._foreign_seek is None:
                if (head := self._sensor.playhead.estimate(event.at)) is not None:
                    self._foreign_seek = (head.position, event.at)
            case "playback-restart" if self._landing is None:
                self._spawn(self._on_foreign_restart(event.at))
            case _ if self._landing is not None:
                self._landing.saw(event)
            case _:
                pass

    def _on_change(self, name: str, value: Any, at: float) -> None:
        match name:
            case "pause" if isinstance(value, bool):
                self._seen_paused = value
                if not self._echoes.is_echo("pause", value, at) and value != self._paused:
                    self._user_changed_pause(value, at)
            case "speed" if isinstance(value, int | float):
                if not self._echoes.is_echo("speed", value, at) and value != self._speed:
                    self._resend("speed", self._speed)
            case "core-idle":
                self._sensor.stalls.idles(at, value is True and not self._paused)
            case "paused-for-cache":
                self._sensor.stalls.waits_for_data(value is True)
                self._look(at)
            case "eof-reached" if value is True and not self._paused:
                self._on_end(at)
            case "time-pos" if isinstance(value, int | float) and self._landing is None and not self._paused:
                self._sensor.saw_picture(float(value), at)
            case _:
                pass

    def _on_end(self, at: float) -> None:
        with contextlib.suppress(IpcError):
            self._command_pause()
        self._sensor.land(self._length or self._sensor.position(at), at)
        self._events.tell(Ended(at))

    def _on_message(self, arguments: Any, at: float) -> None:
        match arguments:
            case [word, "step", str(seconds)] if word == SECTION:
                place = self._steps.press(float(seconds), self._sensor.position(at), self._length, at)
                self._spawn(self._show_place(place))
            case [word, "start"] if word == SECTION:
                self._spawn(self._show_place(self._steps.go(0.0, at)))
            case [word, "toggle" | "play" | "pause" as wish] if word == SECTION:
                still = self._paused and self._plan_is_over()
                if wish == "pause" or (wish == "toggle" and not still):
                    self._user_changed_pause(True, at)
                else:
                    self._tell_act(Act.PLAY, self._position(at))
            case [word, "confirm" | "refuse" | "stop" as wish] if word == SECTION:
                self._tell_act(Act(wish), self._position(at))
            case _:
                pass

    def _plan_is_over(self) -> bool:
        return self._plan is None or self._plan.done()

    def _user_changed_pause(self, paused: bool, at: float) -> None:
        if paused:
            if self._paused and self._plan_is_over():
                return
            self._cancel_plan()
            with contextlib.suppress(IpcError):
                self._command_pause()
            self._tell_act(Act.PAUSE, self._position(at))
        else:
            position = self._position(at)
            self._echoes.expect("pause", True, at)
            self._resend("pause", True)
            self._tell_act(Act.PLAY, position)

    def _resend(self, name: str, value: Any) -> None:
        """Put back what was commanded."""
        assert self._ipc is not None
        with contextlib.suppress(IpcError):
            _looked_after(self._ipc.send("set_property", name, value))

    async def _on_foreign_restart(self, at: float) -> None:
        """A seek that nobody here commanded has ended: its user's wish, unless mpv only refreshed where it was."""
        if self._foreign_seek is None:
            self._sensor.forget(at)
            return
        position, since = self._foreign_seek
        would_be = position + (0.0 if self._paused else self._speed * (at - since))
        try:
            async with self._lock, self._asking() as ipc:
                place = float(await ipc.get("time-pos"))
                if abs(place - would_be) < INTERNAL_SEEK_SECONDS:
                    self._sensor.forget(at)
                    return
                self._tell_act(Act.SEEK, place - self.trim)
                ahead = 0.0 if self._paused else self._speed * (time.monotonic() - at) + self.seek_dead_time
                await self._seek(would_be + ahead)
        except PlayerError:
            self._sensor.forget(at)  # mpv is gone or stuck, which is told as such
        finally:
            self._foreign_seek = None

    async def _show_place(self, position: float) -> None:
        minutes, seconds = divmod(round(position - self.trim), 60)
        hours, minutes = divmod(minutes, 60)
        with contextlib.suppress(PlayerError):
            await self.show(f"Ask to go to {hours}:{minutes:02}:{seconds:02}", 1.5)

    def _position(self, now: float) -> float:
        return self._sensor.position(now) - self.trim

    def _tell_act(self, act: Act, position: float) -> None:
        self._events.tell(UserActed(act, max(position, 0.0), time.monotonic()))

    def _on_lost(self, _why: str) -> None:
        if self._landing is not None:
            self._landing.fail(PlayerError("mpv is gone. Open the film again."))
        self._cancel_plan()
        self._sensor.unknow()
        if not self._closing:
            self._spawn(self._tell_end())

    async def _tell_end(self) -> None:
        at = time.monotonic()
        code = await self._process.wait(1.0) if self._process else None
        self._events.tell(Closed(at, by_user=self._quit_seen or code == 0))

    def _spawn(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _looked_after(future: asyncio.Future[Any]) -> asyncio.Future[Any]:
    """A future whose failure is told by other means: a lost connection has its own event."""
    future.add_done_callback(lambda done: done.cancelled() or done.exception())
    return future
