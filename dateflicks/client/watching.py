"""The shell around a viewer: a real line, a real player, a real clock. Decides nothing; carries out and passes on.

Whoever shows a session (plain lines, the terminal client, the demo) gives a `listener` that is called, in the loop's
thread, with each update; it must not block.
"""

import asyncio
import contextlib
import ssl
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Final, assert_never

import msgspec

from dateflicks.client.errors import ClientError
from dateflicks.client.feed import Feed, FeedEnded, Lost, Opened, Received
from dateflicks.client.follower import Hold, Pause, PlayAt, SeekTo, Speed
from dateflicks.client.players.base import (
    Act,
    Closed,
    Ended,
    OtherFilm,
    Player,
    PlayerError,
    PlayerEvent,
    Playhead,
    Recovered,
    Stalled,
    UserActed,
)
from dateflicks.client.viewer import Notice, Output, Send, Viewer
from dateflicks.protocol import frames
from dateflicks.protocol.decoding import UNREADABLE

SILENCE_SECONDS: Final = 7.0  # pongs come every second and a timecode every five: longer silence is a dead line
LOOK_SECONDS: Final = 0.5
REPLACE_TRIES: Final = 3


@dataclass(frozen=True, slots=True)
class Told:
    """A new timecode has arrived."""

    frame: frames.TimecodeFrame


@dataclass(frozen=True, slots=True)
class LinkChanged:
    """The line to the service came or went; `why` and `retry_in` when it went."""

    is_open: bool
    why: str = ""
    retry_in: float = 0.0


@dataclass(frozen=True, slots=True)
class PlayerChanged:
    """Something about the own player that its person may want to know."""

    kind: str
    text: str


Update = Told | LinkChanged | PlayerChanged | Notice


class Watching:
    """One person watching one session with one player. `run` lasts until `stop`, FeedEnded, or the player is closed."""

    def __init__(
        self,
        url: str,
        bearer: Callable[[], Awaitable[str]],
        viewer: Viewer,
        player: Player,
        listener: Callable[[Update], None],
        *,
        replace_player: Callable[[], Awaitable[Player]] | None = None,
        reopen_player: Callable[[], Awaitable[Player | None]] | None = None,
        reload_film: Callable[[], Awaitable[None]] | None = None,
        trust: Callable[[], ssl.SSLContext] | None = None,
        through: tuple[str, int] | None = None,
    ) -> None:
        """`through` is where to connect to in place of the host of `url`."""
        self.viewer = viewer
        self.player = player
        self._listener = listener
        self._replace_player = replace_player
        self._reopen_player = reopen_player
        self._reload_film = reload_film
        self._feed = Feed(url, bearer, silence_seconds=SILENCE_SECONDS, pings=False, trust=trust, through=through)
        self._encoder = msgspec.json.Encoder()
        self._decoder: msgspec.json.Decoder[frames.TimecodeServerFrame] = msgspec.json.Decoder(
            frames.TimecodeServerFrame
        )
        self._changed = asyncio.Event()
        self._stopped = asyncio.Event()
        self._group: asyncio.TaskGroup | None = None
        self._start: asyncio.Task[None] | None = None
        self._seeks = 0
        self._replaced = 0

    async def run(self) -> None:
        """Watch. Raises FeedEnded when the service does not want this client back."""
        try:
            async with asyncio.TaskGroup() as group:
                self._group = group
                for part in (self._listen, self._attend_player, self._look, self._end_when_stopped):
                    group.create_task(self._until_over(part))
        except* _Stopped:
            pass
        except* FeedEnded as ended:
            raise ended.exceptions[0] from None
        finally:
            self._group = None

    def stop(self) -> None:
        """End `run`; the player is the caller's to close."""
        self._stopped.set()

    # --- what the person does -----------------------------------------------------------------------------------

    def ask(self, status: frames.StatusWord) -> None:
        """Ask for a status, or agree to one."""
        now = time.monotonic()
        self._carry_out(self.viewer.ask(status, now, self.player.playhead(now)))

    def seek(self, to: float) -> None:
        """Ask everyone to move to `to` seconds."""
        self._carry_out(self.viewer.seek(to, time.monotonic()))

    def confirm(self) -> None:
        """Agree to what is pending, whatever it is."""
        told = self.viewer.timecode
        if told is None or told.pending is None:
            self._listener(Notice("error", "Nothing is pending."))
        elif isinstance(told.pending.to, str):
            self.ask(told.pending.to)
        else:
            self.seek(told.pending.to)

    def refuse(self) -> None:
        """Refuse what is pending, or take an own request back."""
        self._carry_out(self.viewer.refuse(time.monotonic()))

    def reconnect(self) -> None:
        """Try the line again now."""
        self._feed.retry()

    # --- what comes in ------------------------------------------------------------------------------------------

    async def _listen(self) -> None:
        async with contextlib.aclosing(self._feed.events()) as events:
            async for event in events:
                match event:
                    case Opened():
                        self.viewer.opened(event.at)
                        self._listener(LinkChanged(True))
                    case Received():
                        self._receive(event.data, event.at)
                    case Lost():
                        self.viewer.lost()
                        self._listener(LinkChanged(False, event.why, event.retry_in))
                    case _:
                        assert_never(event)
                self._changed.set()

    def _receive(self, data: bytes, at: float) -> None:
        try:
            frame = self._decoder.decode(data)
        except UNREADABLE:
            return  # a newer service may say things that this client does not know
        outputs = self.viewer.received(frame, at, self.player.playhead(at))
        if isinstance(frame, frames.TimecodeFrame):
            self._listener(Told(frame))
        self._carry_out(outputs)

    async def _attend_player(self) -> None:
        while True:
            event = await self.player.next_event()
            await self._player_event(event)
            self._changed.set()

    async def _player_event(self, event: PlayerEvent) -> None:
        now = time.monotonic()
        head = self.player.playhead(now)
        match event:
            case UserActed(act=act, position=position):
                self._user_acted(act, position)
            case Stalled(why=why):
                self._listener(PlayerChanged("stalled", why))
                still = Playhead(event.position, event.at, 0.0) if head is None else head
                self._carry_out(self.viewer.stalled(now, still))
            case Recovered():
                self._listener(PlayerChanged("recovered", ""))
                self._carry_out(self.viewer.recovered(now, head))
            case Ended():
                self._listener(PlayerChanged("ended", "the film is over"))
            case OtherFilm():
                await self._put_film_back()
            case Closed(by_user=by_user):
                await self._closed(by_user=by_user)
            case _:
                assert_never(event)

    def _user_acted(self, act: Act, position: float) -> None:
        match act:
            case Act.PLAY:
                self.ask("play")
            case Act.PAUSE:
                self.ask("pause")
            case Act.STOP:
                self.ask("stop")
            case Act.SEEK:
                self.seek(position)
            case Act.CONFIRM:
                self.confirm()
            case Act.REFUSE:
                self.refuse()
            case _:
                assert_never(act)

    async def _put_film_back(self) -> None:
        """Something else was opened in the player. Once is enough to say stop; then the film is there again."""
        self._listener(PlayerChanged("other-film", "another film was opened in the player; this one is put back"))
        if self._reload_film is None:
            return
        try:
            await self._reload_film()
        except (PlayerError, ClientError) as error:
            self._listener(PlayerChanged("trouble", str(error)))
        else:
            self._take(self.player)

    async def _closed(self, *, by_user: bool) -> None:
        """A player that died is replaced; one that its person closed may be opened again, or the watching ends here."""
        try:
            await self._open_again(by_user=by_user)
        except (PlayerError, ClientError) as error:
            self._listener(PlayerChanged("gave-up", str(error)))
            raise _Stopped from None

    async def _open_again(self, *, by_user: bool) -> None:
        if by_user and self._reopen_player is not None:
            self._listener(PlayerChanged("closed", "the player was closed"))
            player = await self._reopen_player()
            if player is None:
                raise _Stopped
            self._take(player)
            return
        if by_user or self._replace_player is None or self._replaced >= REPLACE_TRIES:
            closed, gave_up = ("closed", "the player was closed"), ("gave-up", "the player died again")
            self._listener(PlayerChanged(*(closed if by_user else gave_up)))
            raise _Stopped
        self._replaced += 1
        self._listener(PlayerChanged("died", "the player died and is started again"))
        self._carry_out(self.viewer.stalled(time.monotonic(), None))
        self._take(await self._replace_player())

    def _take(self, player: Player) -> None:
        self.player = player
        self.viewer.player_replaced()
        now = time.monotonic()
        self._carry_out(self.viewer.recovered(now, self.player.playhead(now)))

    # --- time ---------------------------------------------------------------------------------------------------

    async def _look(self) -> None:
        while True:
            now = time.monotonic()
            self._carry_out(self.viewer.tick(now, self.player.playhead(now)))
            wake = min(self.viewer.next_wake(), now + LOOK_SECONDS)
            self._changed.clear()
            with contextlib.suppress(TimeoutError):  # wait_for would lose a cancellation that comes with a change
                async with asyncio.timeout(max(0.0, wake - time.monotonic())):
                    await self._changed.wait()

    async def _until_over(self, part: Callable[[], Awaitable[None]]) -> None:
        """Of the parts that make up the watching the first to end ends it: from then on nothing new is begun."""
        try:
            await part()
        finally:
            self._stopped.set()

    async def _end_when_stopped(self) -> None:
        await self._stopped.wait()
        raise _Stopped

    # --- what goes out ------------------------------------------------------------------------------------------

    def _carry_out(self, outputs: list[Output]) -> None:
        for output in outputs:
            match output:
                case Send():
                    self._feed.send(self._encoder.encode(output.frame))
                case Notice():
                    self._listener(output)
                case Pause():
                    self._cancel_start()
                    self._spawn(self.player.pause)
                case PlayAt(moment=moment):
                    self._cancel_start()
                    self._start = self._spawn(partial(self.player.play_at, moment))
                case Hold(seconds=seconds):
                    self._cancel_start()
                    self._start = self._spawn(partial(self._hold, seconds))
                case SeekTo(position=position):
                    self._cancel_start()
                    self._seeks += 1
                    self._spawn(partial(self._seek, position, self._seeks))
                case Speed(value=value):
                    self._spawn(partial(self._set_speed, value))
                case _:
                    assert_never(output)

    async def _hold(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        await self.player.pause()
        await self.player.play_at(until)

    async def _seek(self, position: float, number: int) -> None:
        """Seek to the end: a player goes on with a seek that nobody awaits, and would take it for its user's."""
        began = time.monotonic()
        try:
            await self.player.seek(position)
        except PlayerError as error:
            self._listener(PlayerChanged("trouble", str(error)))
        if number == self._seeks:
            now = time.monotonic()
            self._carry_out(self.viewer.sought(now, now - began, self.player.playhead(now)))
            self._changed.set()

    async def _set_speed(self, speed: float) -> None:
        try:
            await self.player.set_speed(speed)
        except PlayerError as error:
            self.viewer.follower.refused_speed()
            self._listener(PlayerChanged("speed-refused", str(error)))

    def _cancel_start(self) -> None:
        """Of the commands that start the player only the newest may be under way."""
        if self._start is not None:
            self._start.cancel()
            self._start = None

    def _spawn(self, command: Callable[[], Awaitable[None]]) -> asyncio.Task[None] | None:
        """Begin a command. One that a player did not take is not the end: the next look asks for it again."""
        if self._group is None or self._stopped.is_set():
            return None

        async def carry_out() -> None:
            try:
                await command()
            except PlayerError as error:
                self._listener(PlayerChanged("trouble", str(error)))

        return self._group.create_task(carry_out())


class _Stopped(Exception):
    """Ends the group of tasks from inside."""
