"""What a player has to tell, kept until somebody asks: bounded, with the end never lost."""

import asyncio
from collections import deque
from typing import Final

from dateflicks.client.players.base import Closed, PlayerEvent

KEPT_MAX: Final = 64


class PlayerEvents:
    """A bounded queue of events. When it is full the oldest goes: what a user did long ago is no longer meant.

    `Closed` is kept apart and told last, again and again, so that nobody waits for a player that is gone.
    """

    def __init__(self) -> None:
        self._kept: deque[PlayerEvent] = deque(maxlen=KEPT_MAX)
        self._closed: Closed | None = None
        self._news = asyncio.Event()

    def tell(self, event: PlayerEvent) -> None:
        """Keep one event; nothing follows a `Closed`."""
        if self._closed is not None:
            return
        if isinstance(event, Closed):
            self._closed = event
        else:
            self._kept.append(event)
        self._news.set()

    async def next(self) -> PlayerEvent:
        """The oldest event, waiting for one if there is none."""
        while (event := self.take()) is None:
            self._news.clear()
            await self._news.wait()
        return event

    def take(self) -> PlayerEvent | None:
        """The oldest event, or None when there is none."""
        return self._kept.popleft() if self._kept else self._closed
