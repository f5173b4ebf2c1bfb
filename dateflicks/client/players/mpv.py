"""The player for real: an mpv that is told what to do over its IPC, and watched for where it is and what its user does.

The person's trim (how much later than mpv says the film reaches them: Bluetooth, a television) is added to positions on
their way in and taken off on their way out, here and nowhere else.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Collection, Coroutine
from pathlib import Path
from typing import Any, Final, Self

from dateflicks.client.players.base import (
    Act,
    Closed,
    Ended,
    OtherFilm,
    PlayerError,
    PlayerEvent,
    Playhead,
    Recovered,
    Stalled,
    UserActed,
)
from dateflicks.client.players.deck import PAUSE_SECONDS, Deck
from dateflicks.client.players.events import PlayerEvents
from dateflicks.client.players.keys import SECTION, section
from dateflicks.client.players.mpv_ipc import IpcClosed, IpcError, IpcEvent, IpcRefused, IpcTimeout, connect_path
from dateflicks.client.players.mpv_user import MpvUser
from dateflicks.client.players.process import MpvOptions, MpvProcess, start_mpv
from dateflicks.client.players.sources import WEB_SCHEMES, checked_source
from dateflicks.client.players.stalls import SILENT
from dateflicks.client.sentences import clock_text
from dateflicks.core.limits import POSITION_MAX_SECONDS
from dateflicks.protocol.printable import printable

TICK_SECONDS: Final = 0.05  # the playhead is looked at 20 times a second
SLOW_SEEK_SECONDS: Final = 0.5  # a playing film that seeks for longer is stalled, as others see it
SHOWN_CHARACTERS: Final = 300
TRIM_MAX_SECONDS: Final = 1.0
_GONE: Final = "mpv is gone. Open the film again."

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
        if not abs(trim) <= TRIM_MAX_SECONDS:
            raise PlayerError(f"A trim of {trim:g} s is too much: it can be {TRIM_MAX_SECONDS:g} s either way.")
        self.trim = trim
        self._schemes = schemes
        self._process: MpvProcess | None = None
        self._deck: Deck | None = None
        self._user: MpvUser | None = None
        self._restore: dict[str, Any] = {}
        self._events = PlayerEvents()
        self._tasks: set[asyncio.Task[None]] = set()
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
        player._deck = Deck(player._process.ipc)
        await player._set_up(exclusive=options.user_config)
        return player

    @classmethod
    async def attach(cls, path: Path, *, trim: float = 0.0, schemes: Collection[str] = WEB_SCHEMES) -> Self:
        """Use a running mpv by its IPC socket; it is paused, and gets its settings back on `close`."""
        player = cls(trim=trim, schemes=schemes)
        try:
            player._deck = Deck(await connect_path(path, player._on_event, player._on_lost))
        except IpcClosed as error:
            raise PlayerError(f"{error}. Start mpv with --input-ipc-server={path}.") from None
        await player._set_up(exclusive=True, borrow=True)
        return player

    @property
    def socket_path(self) -> Path | None:
        """Where observers may connect, when the options asked for it."""
        return self._process.socket_path if self._process else None

    @property
    def pid(self) -> int | None:
        """The process id of an mpv of our own."""
        return self._process.process.pid if self._process else None

    @property
    def seek_dead_time(self) -> float:
        """How much later than asked a playing film is after a seek, as learned, in seconds."""
        return 0.0 if self._deck is None else self._deck.seek_dead_time

    @property
    def start_latency(self) -> float:
        """From the command to the first motion, as learned and made up for by `play_at`."""
        return 0.0 if self._deck is None else self._deck.start_latency

    # --- what the follower asks -------------------------------------------------------------------------------

    async def load(self, source: str, *, start: float = 0.0) -> float:
        checked = await asyncio.to_thread(checked_source, source, schemes=self._schemes)
        async with self._asking() as deck:
            return await deck.load(checked, start + self.trim)

    async def play_at(self, moment: float) -> None:
        async with self._asking(film=True) as deck:
            deck.plan_start(moment)

    async def pause(self) -> None:
        async with self._asking(film=True) as deck:
            if (sent := deck.pause()) is not None:
                async with asyncio.timeout(PAUSE_SECONDS):
                    await sent

    async def seek(self, position: float) -> None:
        async with self._asking(film=True) as deck:
            await deck.seek(position + self.trim)

    async def set_speed(self, speed: float) -> None:
        async with self._asking(film=True) as deck:
            await deck.set_speed(speed)

    def playhead(self, now: float) -> Playhead | None:
        deck = self._deck
        head = None if deck is None else deck.sensor.playhead.estimate(now)
        if deck is None or head is None:
            return None
        position = min(head.position, deck.length or POSITION_MAX_SECONDS) - self.trim
        steady = head.steady and deck.landing is None
        if not deck.stands or not deck.frame:
            return Playhead(position, head.at, head.rate, head.noise, steady=steady)
        picture = None if deck.picture is None else deck.picture - self.trim
        steady = steady and picture is not None
        return Playhead(position, head.at, head.rate, head.noise, steady, picture, deck.frame if deck.is_even else 0.0)

    def stalled(self, now: float) -> bool:
        deck = self._deck
        if deck is None:
            return False
        if deck.landing is not None and not deck.paused:
            return now - deck.landing.since > SLOW_SEEK_SECONDS
        return deck.sensor.stalls.why is not None

    async def next_event(self) -> PlayerEvent:
        return await self._events.next()

    async def show(self, text: str, seconds: float = 3.0) -> None:
        lines = printable(text, keep_newlines=True)[:SHOWN_CHARACTERS]
        lines = lines.replace("$", "$$")  # mpv would put its properties in for ${…}
        async with self._asking() as deck:
            with contextlib.suppress(IpcRefused):
                await deck.ipc.command("show-text", lines, round(seconds * 1000))

    async def close(self) -> None:
        self._closing = True
        if self._deck is not None:
            self._deck.cancel_plan()
            self._deck.stop_looking()
        tasks = [task for task in self._tasks if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._process is not None:
            await self._process.end()
        elif self._deck is not None:
            with contextlib.suppress(IpcError):
                await self._deck.ipc.command("disable-section", SECTION)
                for name, value in {**self._restore, "speed": 1.0}.items():
                    await self._deck.ipc.set(name, value)
            self._deck.ipc.close()

    # --- the connection ---------------------------------------------------------------------------------------

    async def _set_up(self, *, exclusive: bool, borrow: bool = False) -> None:
        try:
            async with self._asking() as deck:
                for name, value in _BORROWED.items() if borrow else ():
                    with contextlib.suppress(IpcRefused):
                        self._restore[name] = await deck.ipc.get(name)
                        await deck.ipc.set(name, value)
                await deck.ipc.set("pause", True)
                await deck.ipc.command("define-section", SECTION, section(), "force")
                await deck.ipc.command("enable-section", SECTION, "exclusive" if exclusive else "")
                self._user = MpvUser(deck, self._tell_act, self._spawn, self._show_place)
                for number, name in enumerate(_OBSERVED, 1):
                    await deck.ipc.command("observe_property", number, name)
                self._spawn(self._watch(deck, self._user))
        except BaseException:
            await self.close()
            raise

    @contextlib.asynccontextmanager
    async def _asking(self, *, film: bool = False) -> AsyncIterator[Deck]:
        """The deck, with failures told in a person's words."""
        if self._deck is None or self._deck.ipc.lost is not None:
            raise PlayerError(_GONE)
        if film and not self._deck.has_film:
            raise PlayerError("No film is open in mpv.")
        try:
            yield self._deck
        except IpcClosed:
            raise PlayerError(_GONE) from None
        except (IpcTimeout, TimeoutError):
            raise PlayerError("mpv does not answer. Close it and open the film again.") from None
        except IpcError as error:
            raise PlayerError(f"{error}.") from None

    async def _watch(self, deck: Deck, user: MpvUser) -> None:
        while deck.ipc.lost is None:
            now = time.monotonic()
            with contextlib.suppress(IpcError):
                deck.sensor.ask(deck.ipc, now, busy=deck.landing is not None or user.is_seeking)
            self._look(deck, now)
            user.look(now)
            deck.learn(now)
            await asyncio.sleep(TICK_SECONDS)

    def _look(self, deck: Deck, now: float) -> None:
        before = deck.sensor.stalls.why
        why = deck.sensor.look(now, deck.length)
        position = deck.sensor.position(now) - self.trim
        if why is not None and before is None:
            self._events.tell(Stalled(position, now, f"mpv {why}"))
        elif why is None and before == SILENT and deck.stands:
            self._spawn(self._stand_again(deck, position))
        elif why is None and before is not None:
            self._events.tell(Recovered(position, now))

    async def _stand_again(self, deck: Deck, position: float) -> None:
        """After a freeze the sound has played out what was written of it: only a seek brings all to one place again."""
        with contextlib.suppress(IpcError, PlayerError, TimeoutError):
            await deck.seek(position + self.trim)
        now = time.monotonic()
        self._events.tell(Recovered(deck.sensor.position(now) - self.trim, now))

    # --- what mpv tells ---------------------------------------------------------------------------------------

    def _on_event(self, event: IpcEvent) -> None:
        if event.name == "shutdown" or (event.name == "end-file" and event.fields.get("reason") == "quit"):
            self._quit_seen = True
        deck, user = self._deck, self._user
        if deck is None or user is None:
            return
        match event.name:
            case "property-change":
                self._on_change(deck, user, str(event.fields.get("name")), event.fields.get("data"), event.at)
            case "client-message":
                user.saw_message(event.fields.get("args"), event.at)
            case "start-file" if deck.landing is None or not deck.landing.is_load:
                self._lose_film(deck, event.at)
            case _ if deck.landing is not None:
                deck.landing.saw(event)
            case "seek":
                user.saw_seek(event.at)
            case "playback-restart":
                user.saw_restart(event.at)
            case _:
                pass

    def _lose_film(self, deck: Deck, at: float) -> None:
        """Its user opened something else, which is a wish to stop; where that plays is nobody's business here."""
        deck.cancel_plan()
        deck.sensor.unknow()
        if deck.landing is not None:
            deck.landing.fail(PlayerError("Another film was opened in mpv."))
        self._tell_act(Act.STOP, 0.0)
        self._events.tell(OtherFilm(at))

    def _on_change(self, deck: Deck, user: MpvUser, name: str, value: Any, at: float) -> None:
        match name:
            case "pause" if isinstance(value, bool):
                user.saw_pause(value, at)
            case "speed" if isinstance(value, int | float):
                user.saw_speed(float(value), at)
            case "core-idle":
                deck.sensor.stalls.idles(at, value is True and not deck.paused)
            case "paused-for-cache":
                deck.sensor.stalls.waits_for_data(value is True)
                self._look(deck, at)
            case "eof-reached" if value is True and not deck.paused:
                deck.ended(at)
                self._events.tell(Ended(at))
            case "time-pos" if isinstance(value, int | float) and deck.landing is None and not deck.paused:
                deck.sensor.saw_picture(float(value), at)
            case _:
                pass

    def _on_lost(self, _why: str) -> None:
        if self._deck is not None:
            if self._deck.landing is not None:
                self._deck.landing.fail(PlayerError(_GONE))
            self._deck.cancel_plan()
            self._deck.sensor.unknow()
        if not self._closing:
            self._spawn(self._tell_end(time.monotonic()))

    async def _tell_end(self, at: float) -> None:
        code = await self._process.wait(1.0) if self._process else None
        self._events.tell(Closed(at, by_user=self._quit_seen or code == 0))

    def _tell_act(self, act: Act, position: float) -> None:
        self._events.tell(UserActed(act, max(position - self.trim, 0.0), time.monotonic()))

    async def _show_place(self, position: float) -> None:
        with contextlib.suppress(PlayerError):
            await self.show(f"Ask to go to {clock_text(max(position - self.trim, 0.0))}", 1.5)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
