"""What mpv's user wants, told from our own commands: keys, clicks, and states that nobody here asked for.

A pause acts at once, as it was done. Everything else is put back to what was commanded and passed on as a request,
because it needs the others' consent.
"""

import contextlib
import time
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any, Final

from dateflicks.client.players.base import Act, PlayerError
from dateflicks.client.players.deck import Deck
from dateflicks.client.players.keys import SECTION, Steps
from dateflicks.client.players.mpv_ipc import IpcError

INTERNAL_SEEK_SECONDS: Final = 0.25  # mpv seeks to where it is when a track or a filter changes: nobody wants that
REACTION_SECONDS: Final = 0.2  # nobody answers sooner to what they see: a key means what was there this long ago
STOOD_KEPT: Final = 16
MISMATCH_SECONDS: Final = 0.3  # a state that nobody commanded for so long is meant, whatever the echoes say

Tell = Callable[[Act, float], None]
Spawn = Callable[[Coroutine[Any, Any, None]], None]
Show = Callable[[float], Coroutine[Any, Any, None]]


class MpvUser:
    """Watches one deck for its user; `tell` gets each wish with mpv's own position, `show` the place wished for."""

    def __init__(self, deck: Deck, tell: Tell, spawn: Spawn, show: Show) -> None:
        self._deck = deck
        self._tell = tell
        self._spawn = spawn
        self._show = show
        self._steps = Steps()
        self._seek: tuple[float, float] | None = None
        self._mismatch_since: float | None = None
        self._stood: deque[tuple[float, bool]] = deque([(float("-inf"), True)], maxlen=STOOD_KEPT)

    @property
    def is_seeking(self) -> bool:
        """Whether a seek that its user did is under way or being undone."""
        return self._seek is not None

    def look(self, now: float) -> None:
        """Done at every tick: what has become due, and what does not fit."""
        if (target := self._steps.take(now)) is not None:
            self._tell(Act.SEEK, target)
        deck = self._deck
        if deck.stands != self._stood[-1][1]:
            self._stood.append((now, deck.stands))
        if deck.seen_paused == deck.paused or deck.sensor.is_silent(now):
            self._mismatch_since = None
        elif self._mismatch_since is None:
            self._mismatch_since = now
        elif now - self._mismatch_since > MISMATCH_SECONDS:
            self._mismatch_since = None
            self._changed_pause(deck.seen_paused, now)

    def saw_pause(self, paused: bool, at: float) -> None:
        """mpv says that it is paused, or not."""
        deck = self._deck
        deck.seen_paused = paused
        if not deck.echoes.is_echo("pause", paused, at) and paused != deck.paused:
            self._changed_pause(paused, at)

    def saw_speed(self, speed: float, at: float) -> None:
        """mpv says how fast it plays; a speed of its user's own would only be steered against."""
        deck = self._deck
        if not deck.echoes.is_echo("speed", speed, at) and speed != deck.speed:
            with contextlib.suppress(IpcError):
                deck.put("speed", deck.speed)

    def saw_seek(self, at: float) -> None:
        """mpv seeks, and not for us."""
        if self._seek is None and self._deck.has_film:
            self._seek = (self._deck.sensor.position(at), at)

    def saw_restart(self, at: float) -> None:
        """mpv plays on after something that was not for us."""
        if self._seek is None:
            self._deck.sensor.forget(at)
        else:
            self._spawn(self._settle(at, *self._seek))

    def saw_message(self, arguments: Any, at: float) -> None:
        """One of our keys was pressed."""
        if not isinstance(arguments, list) or not arguments or arguments[0] != SECTION or not self._deck.has_film:
            return
        position = self._deck.sensor.position(at)
        match arguments[1:]:
            case ["step", str(seconds)]:
                with contextlib.suppress(ValueError):
                    self._spawn(self._show(self._steps.press(float(seconds), position, self._deck.length, at)))
            case ["start"]:
                self._spawn(self._show(self._steps.go(0.0, at)))
            case ["pause"]:
                self._changed_pause(True, at)
            case ["toggle"] if not self._saw_stand(at) and self._deck.stands:
                self._tell(Act.PAUSE, position)  # somebody else's pause came first: both mean the same
            case ["toggle"] if not self._saw_stand(at):
                self._changed_pause(True, at)
            case ["toggle" | "play"]:
                self._tell(Act.PLAY, position)
            case ["confirm" | "refuse" | "stop" as wish]:
                self._tell(Act(wish), position)
            case _:
                pass

    def _changed_pause(self, paused: bool, at: float) -> None:
        deck = self._deck
        with contextlib.suppress(IpcError):
            if not paused:
                position = deck.sensor.position(at)
                deck.put("pause", True)
                self._tell(Act.PLAY, position)
            elif not deck.stands:
                deck.pause()
                self._stood.append((float("-inf"), True))  # its user knows
                self._tell(Act.PAUSE, deck.sensor.position(at))

    def _saw_stand(self, at: float) -> bool:
        """Whether the film stood by what its user can have seen: not what has just changed from elsewhere."""
        seen = at - REACTION_SECONDS
        return next((stood for since, stood in reversed(self._stood) if since <= seen), self._deck.stands)

    async def _settle(self, at: float, position: float, since: float) -> None:
        deck = self._deck
        would_be = position + (0.0 if deck.paused else deck.speed * (at - since))
        try:
            place = float(await deck.ipc.get("time-pos"))
            if abs(place - would_be) < INTERNAL_SEEK_SECONDS:
                deck.sensor.forget(time.monotonic())
                return
            self._tell(Act.SEEK, place)
            await deck.seek_from(would_be, at)
        except (IpcError, PlayerError, TimeoutError):
            deck.sensor.forget(time.monotonic())  # gone or stuck, which is told as such
        finally:
            self._seek = None
