"""A jump on its way: what mpv must tell, in which order, before a seek or a load has really ended."""

import asyncio
import contextlib
import time
from typing import Final

from dateflicks.client.players.base import PlayerError
from dateflicks.client.players.mpv_ipc import IpcEvent
from dateflicks.protocol.printable import printable

REASON_MAX_CHARACTERS: Final = 200


class Landing:
    """Begun by `opener` (`seek` or `file-loaded`), ended by the next `playback-restart` and by nothing else.

    A load begins with its own `start-file`: what is told before that is still about the film before it.
    """

    def __init__(self, opener: str, film: str) -> None:
        self.since = time.monotonic()
        self._opener = opener
        self._film = film
        self._is_open = False
        self._is_started = not self.is_load
        self._end: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    @property
    def is_load(self) -> bool:
        """Whether a film is opened."""
        return self._opener == "file-loaded"

    def saw(self, event: IpcEvent) -> None:
        """Take in one of mpv's events."""
        if event.name == "start-file":
            self._is_started = True
        elif not self._is_started:
            return
        elif event.name == self._opener:
            self._is_open = True
        elif event.name == "playback-restart" and self._is_open:
            if not self._end.done():
                self._end.set_result(None)
        elif event.name == "end-file" and event.fields.get("reason") == "error":
            reason = printable(str(event.fields.get("file_error", "unknown error")))[:REASON_MAX_CHARACTERS]
            self.fail(PlayerError(f"mpv cannot play {self._film or 'the film'}: {reason}. Check that it is a film."))

    def fail(self, error: PlayerError) -> None:
        """It will not end."""
        if not self._end.done():
            self._end.set_exception(error)

    async def done(self) -> None:
        """Wait for the end. Raises PlayerError."""
        await asyncio.shield(self._end)

    async def settled(self) -> None:
        """Wait until it has ended in whatever way."""
        with contextlib.suppress(PlayerError):
            await asyncio.shield(self._end)

    def give_up(self) -> None:
        """Nobody asks any more: wake those who wait, and let a failure go unread."""
        if not self._end.done():
            self._end.set_result(None)
        elif not self._end.cancelled():
            self._end.exception()
