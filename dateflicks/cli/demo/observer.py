"""Whoever looks on: reads where each player is from the player itself, past the follower and its estimates.

An mpv is asked over a connection of the observer's own; a simulated player's place is taken from its physics, not from
the noisy reports that its follower gets. Nothing is steered from here.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, Protocol

from dateflicks.cli.demo.measuring import Apart, Drift, Reading, Track, apart, drift, in_step_since
from dateflicks.client.players.mpv_ipc import IpcError, IpcRefused, MpvIpc, connect_path
from dateflicks.client.players.simulated import SimulatedPlayer

EVERY_SECONDS: Final = 0.030
ANSWER_SECONDS: Final = 10.0  # a frozen player answers when it wakes, and is not asked again before


class Eye(Protocol):
    """A way to look at one player."""

    async def look(self) -> Reading | None:
        """Where a playing film is, or None when it cannot be told."""

    async def stand(self) -> float | None:
        """Where a film stands, or None when it does not."""

    def close(self) -> None:
        """Let go of the player."""


class MpvEye:
    """Looks at an mpv over a connection of its own, made again when that mpv was replaced."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._ipc: MpvIpc | None = None

    async def look(self) -> Reading | None:
        with contextlib.suppress(IpcError):
            reply = await (await self._connected()).command("get_property", "audio-pts", timeout=ANSWER_SECONDS)
            if isinstance(reply.data, int | float):
                return Reading(float(reply.data), reply.at, reply.took)
        return None

    async def stand(self) -> float | None:
        """The picture's own time, which is where a paused film stands."""
        with contextlib.suppress(IpcError):
            ipc = await self._connected()
            if await ipc.get("pause") is True:
                return float(await ipc.get("time-pos"))
        return None

    def close(self) -> None:
        if self._ipc is not None:
            self._ipc.close()

    async def _connected(self) -> MpvIpc:
        if self._ipc is None or self._ipc.lost is not None:
            self._ipc = await connect_path(self._path, lambda _: None, lambda _: None)
            with contextlib.suppress(IpcRefused):
                await self._ipc.command("disable_event", "all")
        return self._ipc


class SimulatedEye:
    """Looks at the physics behind a simulated player."""

    def __init__(self, player: Callable[[], SimulatedPlayer]) -> None:
        self._player = player

    async def look(self) -> Reading | None:
        now = time.monotonic()
        return Reading(self._player().physics.position(now), now)

    async def stand(self) -> float | None:
        now, physics = time.monotonic(), self._player().physics
        return None if physics.wants_to_move else physics.position(now)

    def close(self) -> None:
        pass


class Observer:
    """Reads both players all the time, and knows when both are meant to play."""

    def __init__(self, host: Eye, guest: Eye) -> None:
        self.eyes = (host, guest)
        self.host = Track()
        self.guest = Track()
        self._windows: list[tuple[float, float]] = []
        self._playing_from: float | None = None

    async def run(self) -> None:
        """Read until cancelled."""
        try:
            async with asyncio.TaskGroup() as group:
                for eye, track in zip(self.eyes, (self.host, self.guest), strict=True):
                    group.create_task(self._read(eye, track))
        finally:
            for eye in self.eyes:
                eye.close()

    async def _read(self, eye: Eye, track: Track) -> None:
        while True:
            reading = await eye.look()
            if reading is not None:
                track.add(reading)
            await asyncio.sleep(EVERY_SECONDS)

    # --- what is meant ------------------------------------------------------------------------------------------

    def settled(self, moment: float) -> None:
        """From `moment` on both are meant to play in step."""
        self.disturbed(moment)
        self._playing_from = moment

    def disturbed(self, moment: float) -> None:
        """From `moment` on they are not, until told otherwise."""
        if self._playing_from is not None:
            self._windows.append((self._playing_from, moment))
        self._playing_from = None

    # --- what is ------------------------------------------------------------------------------------------------

    def apart(self, start: float, end: float = float("inf")) -> list[Apart]:
        """Every difference from `start` to `end`."""
        return apart(self.host, self.guest, start, end)

    def in_step_since(self, start: float) -> float | None:
        """Since when, at the earliest `start`, both play within a frame of each other."""
        return in_step_since(self.apart(start))

    def measured(self) -> list[Apart]:
        """Every difference while both were meant to play in step."""
        open_one = [] if self._playing_from is None else [(self._playing_from, float("inf"))]
        return [each for start, end in [*self._windows, *open_one] for each in self.apart(start, end)]

    def drift(self) -> Drift | None:
        """Of all that was measured."""
        return drift(self.measured())

    async def stand(self) -> tuple[float, float] | None:
        """Where both stand, or None when one does not."""
        host, guest = [await eye.stand() for eye in self.eyes]
        return None if host is None or guest is None else (host, guest)
