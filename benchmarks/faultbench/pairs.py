"""Many pairs over several workers, whose bus is away while they start their films: what each is told in the end."""

import asyncio
import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import httpx2

from benchmarks.faultbench.history import Observed
from benchmarks.faultbench.kills import FREE, KEY, WORKERS
from benchmarks.faultbench.sockets import Json, PlainSocket, opened
from dateflicks.protocol.ids import new_id
from dateflicks.server.auth.tokens import Signer
from tests.faults.town import Town, town, until

AT_ONCE: Final = 40  # pairs that connect at one time
START_SECONDS: Final = 300.0
AWAY_SECONDS: Final = 4.0
HEALED_SECONDS: Final = 2.0
LENGTH: Final = 3_600.0


@dataclass(eq=False)
class Seat:
    """One person's connection, who agrees to everything."""

    session_id: str
    user_id: str
    ticket: str
    is_host: bool
    latest: Observed | None = None
    pending: Json | None = None
    answered: int = -1
    socket: PlainSocket | None = None
    endings: int = 0

    async def attend(self, port: int) -> None:
        """Be connected, and come back, until cancelled."""
        while True:
            with contextlib.suppress(OSError, EOFError, TimeoutError):
                async with opened(port, self.session_id, self.ticket, "timecodes") as self.socket:
                    while True:
                        self._hear(await self.socket.receive())
            self.socket = None
            self.endings += 1
            await asyncio.sleep(0.2)

    def ask(self, status: str) -> None:
        """Ask for it, or agree to it."""
        if self.socket is None or self.latest is None:
            return
        self.socket.send(
            {
                "type": "report", "sessionId": self.session_id, "status": status, "isHost": self.is_host,
                "currentPosition": self.latest.position, "revision": self.latest.revision, "cause": "user",
            }
        )  # fmt: skip

    def _hear(self, frame: Json) -> None:
        if frame["type"] != "timecode" or (self.latest and frame["revision"] < self.latest.revision):
            return
        self.latest = Observed(
            frame["revision"], frame["status"], frame["rate"], frame["currentPosition"], frame["at"]
        )  # fmt: skip
        self.pending = frame["pending"]
        if self.pending and self.pending["by"] != self.user_id and self.answered != frame["revision"]:
            self.answered = frame["revision"]
            self.ask(self.pending["to"])


@dataclass(slots=True, kw_only=True)
class Divergence:
    """What became of the pairs."""

    pairs: int
    changed: int = 0  # pairs that both saw something new of while the bus was away
    diverged: int = 0  # two seconds after it was back
    converged_seconds: float = field(default=0.0)  # until none was
    endings: int = 0


async def run_pairs(count: int, folder: Path) -> Divergence:
    """Connect so many pairs, take the bus away while each asks for something, and see what each knows afterwards."""
    result = Divergence(pairs=count)
    async with town(folder, WORKERS, variables=FREE) as place:
        pairs = _pairs(count)
        running: list[asyncio.Task[None]] = []
        try:
            await _begin(place, pairs, running)
            assert place.redis is not None
            before = {seat: seat.latest for pair in pairs for seat in pair}
            await place.redis.kill()
            away = time.monotonic()
            await asyncio.sleep(1.0)
            for number, pair in enumerate(pairs):
                pair[number % 2].ask("play")
                if number % 25 == 24:
                    await asyncio.sleep(0.02)
            await asyncio.sleep(max(0.0, AWAY_SECONDS - (time.monotonic() - away)))
            result.changed = sum(all(seat.latest != before[seat] for seat in pair) for pair in pairs)
            await place.redis.start()
            back = time.monotonic()
            await asyncio.sleep(HEALED_SECONDS)
            result.diverged = sum(1 for _ in _apart(pairs))
            await until(lambda: not any(_apart(pairs)), "the same for both of each pair")
            result.converged_seconds = round(time.monotonic() - back, 2)
            result.endings = sum(seat.endings for pair in pairs for seat in pair)
        finally:
            for task in running:
                task.cancel()
            if running:
                await asyncio.wait(running)
    return result


def _apart(pairs: list[tuple[Seat, Seat]]) -> Iterator[tuple[Seat, Seat]]:
    """Pairs whose two know of different states."""
    for pair in pairs:
        first, second = (seat.latest and (seat.latest.revision, seat.latest.status) for seat in pair)
        if first is None or first != second:
            yield pair


async def _begin(place: Town, pairs: list[tuple[Seat, Seat]], running: list[asyncio.Task[None]]) -> None:
    gate = asyncio.Semaphore(AT_ONCE)
    async with httpx2.AsyncClient(base_url=place.url, trust_env=False, timeout=60.0) as rest:

        async def begin(pair: tuple[Seat, Seat]) -> None:
            async with gate:
                body = {"timecode": {"sessionId": pair[0].session_id, "length": LENGTH}}
                headers = {"Authorization": f"Bearer {pair[0].ticket}"}
                for _ in range(50):  # the machine may be busy with the others
                    answer = await rest.post("/timecodes", json=body, headers=headers)
                    if answer.status_code != 503:
                        break
                    await asyncio.sleep(0.2)
                assert answer.status_code in (201, 409), answer.text
                for seat in pair:
                    running.append(asyncio.create_task(seat.attend(place.port)))
                    while seat.latest is None:  # noqa: ASYNC110 - a frame among others
                        await asyncio.sleep(0.005)

        async with asyncio.timeout(START_SECONDS):
            await asyncio.gather(*(begin(pair) for pair in pairs))
    await until(lambda: not any(_apart(pairs)), "the same for both of each pair")


def _pairs(count: int) -> list[tuple[Seat, Seat]]:
    signer, found = Signer(KEY.encode()), []
    for _ in range(count):
        session_id, host, guest = new_id("ses"), new_id("usr"), new_id("usr")
        found.append(
            (
                Seat(session_id, host, signer.issue_ticket(session_id, host, "ana", "host"), True),
                Seat(session_id, guest, signer.issue_ticket(session_id, guest, "ben", "guest"), False),
            )
        )
    return found
