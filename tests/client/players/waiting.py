"""Waiting in tests: for a predicate or an event, always with a deadline."""

import asyncio
import time
from typing import TypeVar

from dateflicks.client.players.base import Player, PlayerEvent
from tests.waiting import until

E = TypeVar("E")


async def told(player: Player, kind: type[E], *, seconds: float = 5.0) -> E:
    """The next event of this kind; others are passed over."""
    async with asyncio.timeout(seconds):
        while True:
            event: PlayerEvent = await player.next_event()
            if isinstance(event, kind):
                return event


async def is_playing(player: Player, *, seconds: float = 5.0) -> None:
    """Wait until the player moves and knows well where it is."""

    def playing() -> bool:
        head = player.playhead(time.monotonic())
        return head is not None and head.steady and head.rate > 0

    await until(playing, seconds=seconds)


async def is_steady(player: Player, *, seconds: float = 5.0) -> None:
    """Wait until the player knows well where it is."""

    def steady() -> bool:
        head = player.playhead(time.monotonic())
        return head is not None and head.steady

    await until(steady, seconds=seconds)


def where(player: Player) -> float:
    """The player's own word for where it is now."""
    now = time.monotonic()
    head = player.playhead(now)
    assert head is not None
    return head.carried(now)
