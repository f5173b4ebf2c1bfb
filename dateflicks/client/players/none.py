"""No player: its person looks at somebody else's screen, or only wants to talk. It is nowhere and holds up nobody."""

import asyncio

from dateflicks.client.players.base import PlayerEvent, Playhead


class NoFilm:
    """Takes every command and does nothing; `length` is what its person was told."""

    name = "none"

    def __init__(self, *, length: float = 0.0) -> None:
        self._length = length
        self._never = asyncio.Event()

    async def load(self, source: str, *, start: float = 0.0) -> float:
        """Nothing is opened."""
        del source, start
        return self._length

    async def play_at(self, moment: float) -> None:
        """Nothing moves."""

    async def pause(self) -> None:
        """Nothing stands."""

    async def seek(self, position: float) -> None:
        """Nothing is looked for."""

    async def set_speed(self, speed: float) -> None:
        """Nothing has a speed."""

    def playhead(self, now: float) -> Playhead | None:
        """It is nowhere, so its position is not told and not counted."""
        del now
        return None

    def stalled(self, now: float) -> bool:
        """It can't."""
        del now
        return False

    async def next_event(self) -> PlayerEvent:
        """Nothing ever happens in it."""
        await self._never.wait()
        raise AssertionError("never set")

    async def show(self, text: str, seconds: float = 3.0) -> None:
        """There is nothing to show it over."""

    async def close(self) -> None:
        """There is nothing to end."""
