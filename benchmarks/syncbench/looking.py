"""Looking at players past their followers: positions by an observer's own connections, speeds and pauses as events."""

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Self

from dateflicks.cli.demo.measuring import Apart, Track, apart
from dateflicks.cli.demo.observer import MpvEye
from dateflicks.client.players.mpv_ipc import IpcEvent, MpvIpc, connect_path

EVERY_SECONDS: Final = 0.020
MOVING: Final = 0.5  # of normal speed
_WATCHED: Final = ("speed", "pause", "seeking")


@dataclass(frozen=True, slots=True)
class Change:
    """A property of a player that changed, and when that was told."""

    at: float
    name: str
    value: Any


@dataclass
class Look:
    """One player under observation."""

    path: Path
    track: Track = field(default_factory=Track)
    changes: list[Change] = field(default_factory=list)
    ipc: MpvIpc | None = None

    async def open(self) -> None:
        """Ask to be told of what changes."""
        self.ipc = await connect_path(self.path, self._told, lambda _: None)
        for number, name in enumerate(_WATCHED, start=1):
            await self.ipc.command("observe_property", number, name)

    def _told(self, event: IpcEvent) -> None:
        if event.name == "property-change":
            self.changes.append(Change(event.at, str(event.fields.get("name")), event.fields.get("data")))

    async def read(self) -> None:
        """Read the position until cancelled."""
        eye = MpvEye(self.path)
        try:
            while True:
                began = time.monotonic()
                if (reading := await eye.look()) is not None:
                    self.track.add(reading)
                await asyncio.sleep(max(0.0, EVERY_SECONDS - (time.monotonic() - began)))
        finally:
            eye.close()

    def values(self, name: str, start: float, end: float) -> Iterator[tuple[float, Any]]:
        """How long a property had which value between two instants."""
        value: Any = None
        since = start
        for change in self.changes:
            if change.name != name:
                continue
            if change.at >= end:
                break
            if change.at > start:
                yield change.at - since, value
                since = change.at
            value = change.value
        yield end - since, value

    def count(self, name: str, value: Any, start: float, end: float) -> int:
        """How often a property became this value between two instants."""
        return sum(one.name == name and one.value == value and start < one.at < end for one in self.changes)

    async def press(self, key: str) -> float:
        """Press a key in the player; the instant of it."""
        assert self.ipc is not None
        now = time.monotonic()
        await self.ipc.command("keypress", key)
        return now


class Observer:
    """Both players; an async context manager that looks for as long as its block runs."""

    def __init__(self, host: Path, guest: Path) -> None:
        self.host = Look(host)
        self.guest = Look(guest)
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        for look in (self.host, self.guest):
            await look.open()
            self._tasks.append(asyncio.create_task(look.read()))
        return self

    async def __aexit__(self, *exception: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for look in (self.host, self.guest):
            if look.ipc is not None:
                look.ipc.close()

    def apart(self, start: float, end: float = float("inf")) -> list[Apart]:
        """How far ahead of the host the guest was, at each reading between two instants."""
        return apart(self.host.track, self.guest.track, start, end)

    async def within(self, limit: float, since: float, *, stay: float = 1.0, seconds: float = 30.0) -> float | None:
        """How long after `since` both were within `limit` and stayed so for `stay` seconds; None when never."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            await asyncio.sleep(0.1)
            found = settled(self.apart(since), limit, stay)
            if found is not None:
                return max(0.0, found - since)
        return None


def settled(readings: list[Apart], limit: float, stay: float) -> float | None:
    """Since when all readings up to the last are of films that move within `limit`, if that is `stay` seconds ago."""
    since = None
    later = None
    for one in reversed(readings):
        if abs(one.seconds) > limit:
            break
        if later is not None and later.host - one.host < MOVING * (later.at - one.at):
            break
        since, later = one.at, one
    return since if since is not None and readings[-1].at - since >= stay else None
