"""The control: the minimum rule taken literally. It must do badly; where it does well, the observer sees nothing.

Both players report where they are every half second, the guest a tenth of a second after the host, as two programs
that know nothing of each other would. At each report the smaller of the last two raw positions, not carried forward, is
told to both, who go there: no clock, no band, no speed. Each word is up to half a second old, so the film hardly moves.
(Where both report in the same instant each word is at once corrected by the next, and the film plays on, stuttering.)
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from typing import Final

from benchmarks.syncbench.figures import percentile
from benchmarks.syncbench.free_players import free_players
from benchmarks.syncbench.measurement import Measurement, series
from benchmarks.syncbench.room import Setting
from dateflicks.client.players.mpv import MpvPlayer
from dateflicks.client.relay import Relay

EVERY_SECONDS: Final = 0.5
LATER_SECONDS: Final = 0.1  # the guest's reports than the host's
WARM_UP_SECONDS: Final = 3.0
TOLD_MAX: Final = 1_000  # words that wait to be obeyed: a player that is so far behind fails the run


class LiteralRule:
    """The service of the control: one line per report, the smallest place to everybody as a line."""

    def __init__(self) -> None:
        self.port = 0
        self._places: dict[asyncio.StreamWriter, float] = {}

    @contextlib.asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        """Listen for as long as the block runs."""
        server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield
        finally:
            server.close()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := await reader.readline():
                self._places[writer] = float(line)
                for each in self._places:
                    each.write(b"%.6f\n" % min(self._places.values()))
        finally:
            self._places.pop(writer, None)
            writer.transport.abort()


async def obey(player: MpvPlayer, port: int, first: float) -> None:
    """Report the player's place, from the instant `first` on, and take it where it is told, until cancelled."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    told: asyncio.Queue[float] = asyncio.Queue(TOLD_MAX)

    async def report() -> None:
        due = first
        while True:
            await asyncio.sleep(due - time.monotonic())
            head = player.playhead(time.monotonic())
            if head is not None:
                writer.write(b"%.6f\n" % head.position)
            due += EVERY_SECONDS

    async def hear() -> None:
        while line := await reader.readline():
            told.put_nowait(float(line))
        raise RuntimeError("the control's service has gone")

    async def go() -> None:
        while True:
            await player.seek(await told.get())

    try:
        async with asyncio.TaskGroup() as group:
            for work in (report(), hear(), go()):
                group.create_task(work)
    finally:
        writer.transport.abort()


async def control(setting: Setting, seconds: float) -> Measurement:
    """Both play under the literal rule."""
    rule = LiteralRule()
    async with contextlib.AsyncExitStack() as stack:
        await stack.enter_async_context(rule.serving())
        relays = (
            await stack.enter_async_context(Relay(rule.port, setting.host_line, setting.seed)),
            await stack.enter_async_context(Relay(rule.port, setting.guest_line, setting.seed + 1)),
        )
        players, observer = await stack.enter_async_context(free_players(setting.film))
        at = time.monotonic() + 0.5
        for player in players:
            await player.play_at(at)
        await asyncio.sleep(0.5 + WARM_UP_SECONDS)
        first = time.monotonic() + 0.2
        obeying = [
            asyncio.create_task(obey(players[0], relays[0].port, first)),
            asyncio.create_task(obey(players[1], relays[1].port, first + LATER_SECONDS)),
        ]
        try:
            await asyncio.sleep(WARM_UP_SECONDS)
            start = time.monotonic()
            done, _ = await asyncio.wait(obeying, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
            end = time.monotonic()
            for task in done:
                task.result()
        finally:
            for task in obeying:
                task.cancel()
            await asyncio.gather(*obeying, return_exceptions=True)
        looks = (observer.host, observer.guest)
        return Measurement(
            {
                "progress": max(look.track.pace(start, end) for look in looks),
                "drift p95": percentile([1000 * abs(one.seconds) for one in observer.apart(start, end)], 0.95),
                "seeks a second": max(look.count("seeking", True, start, end) for look in looks) / (end - start),
            },
            series(observer, start, end),
        )
