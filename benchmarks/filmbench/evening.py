"""People on a deployment while something else goes on: pairs who watch and talk, others who look for films; how long
everything takes them, and all that goes wrong.
"""

import asyncio
import contextlib
import itertools
import json
import random
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Final
from urllib.parse import quote

from benchmarks.faultbench.sockets import Json, PlainSocket, opened
from benchmarks.filmbench import films
from benchmarks.filmbench.calls import CallFailed, Calls, connected
from dateflicks.protocol.ids import new_id
from dateflicks.server.auth.tokens import Signer

FILM_SECONDS: Final = 36_000.0
WAIT_SECONDS: Final = 30.0
PAIR_PAUSE: Final = 0.4  # between two rounds of a pair
LOOK_PAUSE: Final = 0.25
WRONG = (OSError, EOFError, TimeoutError, CallFailed, ValueError, KeyError)


class Record:
    """What was measured since the last `begin`: milliseconds by kind; and every error since the beginning."""

    def __init__(self) -> None:
        self.times: dict[str, list[float]] = defaultdict(list)
        self.errors: list[str] = []

    def begin(self) -> None:
        """Count anew."""
        self.times = defaultdict(list)

    async def timed(self, kind: str, work: Awaitable[object]) -> None:
        """How long it takes."""
        began, times = time.perf_counter(), self.times
        await work
        times[kind].append((time.perf_counter() - began) * 1_000)


class Evening:
    """So many pairs and others on the deployment at `port`, whose key is `signer`'s."""

    def __init__(self, port: int, signer: Signer, record: Record, *, pairs: int, lookers: int, titles: int) -> None:
        self._port = port
        self._signer = signer
        self._record = record
        self._pairs = pairs
        self._lookers = lookers
        self._titles = titles
        self._waiting = pairs + lookers
        self._all_there = asyncio.Event()

    @contextlib.asynccontextmanager
    async def going_on(self) -> AsyncIterator[None]:
        """They come, and stay until the end of the block. Raises TimeoutError when not all of them get in."""
        works = [self._watch(number) for number in range(self._pairs)]
        works += [self._look(number) for number in range(self._lookers)]
        tasks = [asyncio.create_task(self._guarded(work)) for work in works]
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                await self._all_there.wait()
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _guarded(self, work: Awaitable[None]) -> None:
        try:
            await work
        except WRONG as error:
            self._record.errors.append(f"{type(error).__name__}: {str(error)[:300]}")

    def _is_there(self) -> None:
        self._waiting -= 1
        if self._waiting == 0:
            self._all_there.set()

    # --- those who watch ----------------------------------------------------------------------------------------

    async def _watch(self, number: int) -> None:
        session = new_id("ses")
        host, guest = (
            self._signer.issue_ticket(session, new_id("usr"), f"{role}-{number}", role) for role in ("host", "guest")
        )
        chance = random.Random(number)
        async with contextlib.AsyncExitStack() as stack:
            calls = await stack.enter_async_context(connected(self._port))
            body = {"timecode": {"sessionId": session, "length": FILM_SECONDS}}
            await calls.post("/timecodes", body, host)
            feeds = [
                await stack.enter_async_context(opened(self._port, session, ticket, feed))
                for feed in ("timecodes", "messages")
                for ticket in (host, guest)
            ]
            ana, ben, ana_talks, ben_talks = feeds
            players = _Player(ana, session, is_host=True), _Player(ben, session, is_host=False)
            for player in players:
                await player.join()
            self._is_there()
            for turn in itertools.count():
                await asyncio.sleep(chance.uniform(0.5, 1.5) * PAIR_PAUSE)
                await self._record.timed("timecode", players[turn % 2].ping())
                await self._record.timed("change", _changed(*players))
                said, hears = (ana_talks, ben_talks) if turn % 2 else (ben_talks, ana_talks)
                await self._record.timed("message", _said(said, hears, f"c{turn}"))

    # --- those who look -----------------------------------------------------------------------------------------

    async def _look(self, number: int) -> None:
        chance = random.Random(number)
        kinds: list[tuple[str, Callable[[], str]]] = [
            ("search", lambda: f"/videos?q={quote(films.title(chance.randrange(self._titles)))}"),
            ("search", lambda: f"/videos?q={films.word(chance.randrange(60, 3_000))[:4]}"),
            ("browse", lambda: f"/videos?year={films.YEARS[0] + chance.randrange(100)}&sort=title"),
            ("sources", lambda: "/sources"),
        ]
        async with connected(self._port) as calls:
            found: list[str] = []
            self._is_there()
            while True:
                await asyncio.sleep(chance.uniform(0.5, 1.5) * LOOK_PAUSE)
                kind, path = kinds[chance.randrange(len(kinds))]
                if found and chance.random() < 0.4:
                    await self._record.timed("video", calls.get(f"/videos/{chance.choice(found)}"))
                else:
                    await self._record.timed(kind, self._find(calls, path(), found))

    async def _find(self, calls: Calls, path: str, found: list[str]) -> None:
        for one in (await calls.json(path))["items"]:
            if one.get("source") == films.SOURCE:
                found.append(one["id"])
        del found[:-50]


class _Player:
    """One person's line to the timecode."""

    def __init__(self, socket: PlainSocket, session: str, *, is_host: bool) -> None:
        self._socket = socket
        self._session = session
        self._is_host = is_host
        self._offset_ms = 0.0
        self.latest: Json = {}

    async def join(self) -> None:
        """Hear where the film is, and learn the server's clock."""
        await self.hears(lambda frame: frame["type"] == "timecode")
        pong = await self.ping()
        self._offset_ms = pong["t1"] - time.monotonic() * 1_000

    async def ping(self) -> Json:
        """Ask for the time."""
        self._socket.send({"type": "ping", "t0": time.monotonic() * 1_000})
        return await self.hears(lambda frame: frame["type"] == "pong")

    def report(self, status: str, **more: object) -> None:
        """Say that the film is played, or not."""
        self._socket.send(
            {"type": "report", "sessionId": self._session, "status": status, "isHost": self._is_host,
             "currentPosition": self.latest["currentPosition"], "sentAt": time.monotonic() * 1_000 + self._offset_ms,
             "revision": self.latest["revision"], "cause": "user", **more}
        )  # fmt: skip

    def refuse(self) -> None:
        """Let what was asked for not be."""
        self._socket.send({"type": "refuse"})

    async def hears(self, what: Callable[[Json], bool]) -> Json:
        """The next frame of that kind; a refusal is an error."""
        async with asyncio.timeout(WAIT_SECONDS):
            while True:
                frame = await self._socket.receive()
                if frame["type"] == "timecode":
                    self.latest = frame
                if frame["type"] == "error":
                    raise ValueError(f"refused: {json.dumps(frame)}")
                if what(frame):
                    return frame


async def _changed(one: _Player, other: _Player) -> None:
    """One wants to play, the other hears of it and refuses, the first hears of that."""
    one.report("play")
    await other.hears(lambda frame: frame["type"] == "timecode" and frame["pending"] is not None)
    other.refuse()
    before = other.latest["revision"]
    await other.hears(lambda frame: frame["type"] == "timecode" and frame["pending"] is None)
    await one.hears(
        lambda frame: frame["type"] == "timecode" and frame["pending"] is None and frame["revision"] > before
    )


async def _said(one: PlainSocket, other: PlainSocket, client_id: str) -> None:
    """One says something, which is kept; the other hears it."""
    content = f"what about {client_id}"
    one.send({"type": "message", "clientId": client_id, "kind": "text", "content": content})
    async with asyncio.timeout(WAIT_SECONDS):
        while (frame := await one.receive())["type"] != "ack":
            if frame["type"] == "error":
                raise ValueError(f"refused: {json.dumps(frame)}")
        while content.encode() not in await other.receive_text():
            pass
