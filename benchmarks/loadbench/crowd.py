"""So many pairs in one process, which does with them what it is told, a line of JSON for each: order in, answer out.

    python -m benchmarks.loadbench.crowd

Orders are those of `Order`; each is answered with a `Found`. It ends when its standard input does.
"""

import asyncio
import contextlib
import gc
import random
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Literal

import msgspec
import uvloop

from benchmarks.filmbench.calls import connected
from benchmarks.loadbench.pairs import FILM_SECONDS, ChatPair, Pair, RelayPair, SyncplayPair, TimecodePair
from dateflicks.server.auth.tokens import Signer

Kind = Literal["relay", "timecode", "timecode-signs", "typing", "messages", "acks", "syncplay", "syncplay-chat"]
DRAIN_SECONDS: Final = 20.0  # for changes that are under way at the end
AT_ONCE: Final = 8  # connections that are being made
MAKERS: Final = 4
ERRORS_SHOWN: Final = 3


class Order(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What to do.

    `invite` so many pairs, who have their sessions and tickets; have them `enter`; let each pair make one change after
    the other (`hurry`), so many changes a second in all (`stroll`), or one each `every` seconds beside what clients
    send by themselves (`live`); do nothing for a while (`rest`); let go of all pairs but those whose two are connected
    to different processes of `pids` (`split`); have all `leave`.
    """

    do: Literal["invite", "enter", "hurry", "stroll", "live", "rest", "split", "leave"]
    kind: Kind = "relay"
    port: int = 0
    key: str = ""
    first: int = 0
    pairs: int = 0
    seconds: float = 0.0
    rate: float = 0.0
    every: float = 30.0
    pids: list[int] = []


class Found(msgspec.Struct, kw_only=True):
    """What came of it: changes that were heard, the microseconds that each took, what was sent, and what went wrong."""

    changes: int = 0
    said: int = 0
    delays: list[int] = []
    errors: int = 0
    samples: list[str] = []
    seconds: float = 0.0


class Crowd:
    """The pairs of this process."""

    def __init__(self) -> None:
        self._pairs: list[Pair] = []
        self._waiting: list[Pair] = []
        self._port = 0

    async def carry_out(self, order: Order) -> Found:
        """Do it."""
        began, said = time.perf_counter(), self._said()
        found = await self._carried_out(order)
        found.seconds = time.perf_counter() - began
        found.said = self._said() - said
        errors = [error for pair in self._pairs for error in pair.errors]
        found.errors, found.samples = len(errors), errors[:ERRORS_SHOWN]
        for pair in self._pairs:
            pair.errors.clear()
        return found

    def _said(self) -> int:
        return sum(line.said for pair in self._pairs for line in pair.lines)

    async def _carried_out(self, order: Order) -> Found:
        match order.do:
            case "invite":
                self._waiting = await _invited(order)
                self._port = order.port
                gc.collect()
                gc.freeze()
                return Found(changes=len(self._waiting))
            case "enter":
                return await self._enter(order.pairs or len(self._waiting))
            case "hurry":
                return await self._hurry(order)
            case "stroll":
                return await self._stroll(order)
            case "live":
                return await self._live(order)
            case "rest":
                await asyncio.sleep(order.seconds)
                return Found()
            case "split":
                serving = _serving(order.port, order.pids)
                apart = [pair for pair in self._pairs if len({serving.get(one.own_port) for one in pair.lines}) > 1]
                for pair in self._pairs:
                    if pair not in apart:
                        pair.leave()
                self._pairs = apart
                return Found(changes=len(apart))
            case "leave":
                for pair in self._pairs:
                    pair.leave()
                self._pairs = []
                return Found()

    async def _enter(self, count: int) -> Found:
        waiting, self._waiting = self._waiting[:count], self._waiting[count:]
        queue = list(reversed(waiting))

        async def enter() -> None:
            while queue:
                await queue.pop().enter(self._port)

        await asyncio.gather(*(enter() for _ in range(AT_ONCE)))
        self._pairs += waiting
        return Found(changes=len(waiting))

    async def _hurry(self, order: Order) -> Found:
        found, until = Found(), time.perf_counter() + order.seconds
        pairs = self._pairs[: order.pairs or None]
        left = len(pairs)
        over = asyncio.Event()

        def go_on(pair: Pair, *, is_first: bool = False) -> None:
            nonlocal left
            if time.perf_counter() >= until and not is_first:
                left -= 1
                if not left:
                    over.set()
                return

            def done(seconds: float) -> None:
                _count(found, seconds)
                if seconds < 0:
                    asyncio.get_running_loop().call_later(0.01, go_on, pair)  # what is newer is under way
                else:
                    go_on(pair)

            pair.change(done)

        for pair in pairs:
            go_on(pair, is_first=True)
        async with asyncio.timeout(order.seconds + DRAIN_SECONDS):
            await over.wait()
        return found

    async def _stroll(self, order: Order) -> Found:
        found, began = Found(), time.perf_counter()
        due, at = began, 0
        pairs = self._pairs[: order.pairs or None]
        while due < began + order.seconds:
            due += random.expovariate(order.rate)
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            for _ in range(len(pairs)):
                at = (at + 1) % len(pairs)
                if not pairs[at].is_busy:
                    pairs[at].change(lambda seconds: _count(found, seconds))
                    break
        await _until_idle(pairs)
        return found

    async def _live(self, order: Order) -> Found:
        """The first part is not counted: they begin, and what they send is spread."""
        found = Found()
        loop = asyncio.get_running_loop()
        timers: dict[int, asyncio.TimerHandle] = {}

        def change(number: int, pair: Pair) -> None:
            timers[number] = loop.call_later(order.every * random.uniform(0.7, 1.3), change, number, pair)
            if pair.is_busy:  # as when something else was told just before it, which makes it out of date
                pair.failed("a change was not heard of until the next one was due")
            pair.change(lambda seconds: _count(found, seconds))

        for number, pair in enumerate(self._pairs):
            if isinstance(pair, TimecodePair):
                pair.moves = False
            pair.live()
            timers[number] = loop.call_later(random.uniform(0, order.every), change, number, pair)
        await asyncio.sleep(order.seconds)
        for timer in timers.values():
            timer.cancel()
        with contextlib.suppress(TimeoutError):
            await _until_idle(self._pairs)
        for pair in self._pairs:
            if pair.is_busy:
                pair.failed("a change was not heard of until the end")
        return found


def _count(found: Found, seconds: float) -> None:
    if seconds >= 0:
        found.changes += 1
        found.delays.append(round(seconds * 1e6))


async def _until_idle(pairs: list[Pair]) -> None:
    async with asyncio.timeout(DRAIN_SECONDS):
        while any(pair.is_busy for pair in pairs):  # noqa: ASYNC110 - a line tells only whoever began
            await asyncio.sleep(0.01)


async def _invited(order: Order) -> list[Pair]:
    numbers = range(order.first, order.first + order.pairs)
    match order.kind:
        case "relay":
            return [RelayPair(number) for number in numbers]
        case "syncplay" | "syncplay-chat":
            return [SyncplayPair(number, chats=order.kind == "syncplay-chat") for number in numbers]
    signer = Signer(order.key.encode())
    if order.kind not in ("timecode", "timecode-signs"):
        return [ChatPair(signer, says=order.kind != "typing", times_own=order.kind == "acks") for _ in numbers]
    pairs = [TimecodePair(signer, reports=order.kind == "timecode") for _ in numbers]
    queue = list(pairs)

    async def make() -> None:
        async with connected(order.port) as calls:
            while queue:
                one = queue.pop()
                body = {"timecode": {"sessionId": one.id, "length": FILM_SECONDS}}
                await calls.post("/timecodes", body, one.tickets[0])

    await asyncio.gather(*(make() for _ in range(MAKERS)))
    return list(pairs)


def _serving(port: int, pids: Sequence[int]) -> dict[int, int]:
    """Which process has the other end of each of our connections to a port, by our own port."""
    owners: dict[str, int] = {}
    for pid in pids:
        for handle in Path(f"/proc/{pid}/fd").iterdir():
            with contextlib.suppress(OSError):
                owners[str(handle.readlink()).removeprefix("socket:[").removesuffix("]")] = pid
    found: dict[int, int] = {}
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        here, there, inode = fields[1], fields[2], fields[9]
        if int(here.partition(":")[2], 16) == port and inode in owners:
            found[int(there.partition(":")[2], 16)] = owners[inode]
    return found


async def _main() -> None:
    reader = asyncio.StreamReader(limit=2**24)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    crowd = Crowd()
    while line := await reader.readline():
        found = await crowd.carry_out(msgspec.json.decode(line, type=Order))
        sys.stdout.buffer.write(msgspec.json.encode(found) + b"\n")
        sys.stdout.flush()


if __name__ == "__main__":
    uvloop.run(_main())
