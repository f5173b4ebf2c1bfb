"""What each attack of one client costs: how much the server's memory grows, and how long a pair beside it waits.

The server is a process of its own with its limits as they are, and the real pump behind a room of two. The pair is
another: they say something often and wait to hear it, without an attack just before each (quiet), and while it lasts.
The bars: memory grows by 16 MB at most, and the pair's p99 is at most twice that of the quiet. On two cores the
attacker takes one of them, which no server can help. Printed with a fixed loop of Python that is timed before and
after, so that figures of two machines can be compared. Loopback only.
"""

import argparse
import asyncio
import contextlib
import json
import logging
import statistics
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import asdict, dataclass
from typing import Final

from dateflicks.server.websocket.frames import Opcode
from tests.server.websocket.peer import Peer, connected, handshake, joined, say
from tests.server.websocket.program import Program, program
from tests.server.websocket.sending import frame
from tests.server.websocket.serving import Wish

GROWTH_MAX_MB: Final = 16.0
WAIT_MAX: Final = 2.0
PAUSE_SECONDS: Final = 0.07  # two of their words each time: below the limit of frames
MEGABYTES: Final = 200.0
TALK_PIECES: Final = 65_536

Attack = Callable[[Program, float], Awaitable[None]]


@dataclass(frozen=True)
class Figures:
    """What one attack has cost."""

    attack: str
    grew_mb: float
    left_mb: float  # some seconds after it
    p50_ms: float
    p99_ms: float
    times_quiet: float
    exchanges: int

    @property
    def is_met(self) -> bool:
        """Whether it is within both bars."""
        return self.grew_mb <= GROWTH_MAX_MB and self.times_quiet <= WAIT_MAX


async def _pour(peer: Peer, piece: bytes, seconds: float) -> None:
    """As fast as the server takes it, until it hangs up or the time is over."""
    piece *= max(1, TALK_PIECES // len(piece))
    deadline, sent = time.monotonic() + seconds, 0
    with contextlib.suppress(ConnectionError, TimeoutError):
        while time.monotonic() < deadline and sent < MEGABYTES * 1e6:
            peer.writer.write(piece)
            sent += len(piece)
            async with asyncio.timeout(max(0.01, deadline - time.monotonic())):
                await peer.writer.drain()


def _again(piece: bytes, *, reads: bool = True, before: bytes = b"") -> Attack:
    """Join, send this until one is thrown out, and join again, for as long as it lasts."""

    async def attack(served: Program, seconds: float) -> None:
        deadline, number = time.monotonic() + seconds, 0
        while time.monotonic() < deadline:
            number += 1
            async with joined(
                served.port, "attacked", f"bad{number}", receive_buffer=None if reads else 4096, source="127.0.0.66"
            ) as peer:
                if not reads:
                    peer.writer.transport.pause_reading()  # type: ignore[attr-defined]
                await peer.send(before)
                await _pour(peer, piece, deadline - time.monotonic())
            await asyncio.sleep(0.01)

    return attack


async def _slow_reader(served: Program, seconds: float) -> None:
    """Somebody's partner reads nothing of what they say."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        async with (
            joined(served.port, "slow", "ada", source="127.0.0.66"),
            joined(served.port, "slow", "bob", receive_buffer=4096, source="127.0.0.66") as bob,
        ):
            bob.writer.transport.pause_reading()  # type: ignore[attr-defined]
            async with joined(served.port, "slow", "cia", source="127.0.0.66") as cia:
                await _pour(cia, say("x" * 4_000), min(1.0, max(0.01, deadline - time.monotonic())))


def _held(piece: bytes, count: int, *, drips: bool) -> Attack:
    """Many connections that say nothing, or a byte now and then; each that is ended comes back."""

    async def one(served: Program, deadline: float) -> None:
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError, TimeoutError):
                async with connected(served.port, source="127.0.0.66") as peer:
                    for byte in piece:
                        if time.monotonic() >= deadline:
                            return
                        if drips:
                            await peer.send(bytes([byte]))
                        await asyncio.sleep(0.1)

    async def attack(served: Program, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        await asyncio.gather(*(one(served, deadline) for _ in range(count)))

    return attack


async def _comes_and_goes(served: Program, seconds: float) -> None:
    """Handshakes without end."""
    deadline, number = time.monotonic() + seconds, 0
    while time.monotonic() < deadline:
        number += 1
        async with joined(served.port, f"r{number}", f"p{number}", source="127.0.0.66") as peer:
            peer.reset()


async def _foreign_origins(served: Program, seconds: float) -> None:
    """A page elsewhere that tries again and again."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        async with connected(served.port, source="127.0.0.66") as peer:
            await peer.send(handshake(token="page", headers={"Origin": "https://evil.example"}))
            assert (await peer.answer())[0] == 403


async def _nothing(_: Program, seconds: float) -> None:
    await asyncio.sleep(seconds)


ATTACKS: Final[dict[str, Attack]] = {
    "4 kB messages": _again(say("x" * 4_000)),
    "150 B messages": _again(say("x" * 120)),
    "slow reader": _slow_reader,
    "ping flood, never reads": _again(frame(b"x" * 125, Opcode.PING), reads=False),
    "endless empty fragments": _again(
        frame(opcode=Opcode.CONTINUATION, final=False), before=frame(opcode=Opcode.TEXT, final=False)
    ),
    "invalid UTF-8": _again(frame(b'{"type":"say","text":"\xff"}')),
    "20 kB messages": _again(frame(b"x" * 20_000)),
    "JSON nested 8,000 deep": _again(frame(b"[" * 8_000)),
    "unmasked frames": _again(frame(b"x", masked=False)),
    "100 dripped headers": _held(handshake("drip"), 100, drips=True),
    "100 silent connections": _held(b"x" * 1_000, 100, drips=False),
    "foreign origins": _foreign_origins,
    "coming and going": _comes_and_goes,
}


async def talk(port: int) -> None:
    """The pair, in a process of its own, until its stdin ends; how long each has waited is its stdout."""
    waits: list[float] = []
    async with joined(port, "quiet", "eve") as eve, joined(port, "quiet", "joe") as joe:
        over = asyncio.create_task(asyncio.to_thread(sys.stdin.readline))
        print("talking", flush=True)
        while not over.done():
            for speaker, listener in ((eve, joe), (joe, eve)):
                began = time.monotonic()
                await speaker.send(say(text := str(len(waits))))
                while (await listener.heard())["text"] != text:
                    pass
                waits.append(time.monotonic() - began)
            await asyncio.sleep(PAUSE_SECONDS)
    print(json.dumps(waits), flush=True)


@contextlib.asynccontextmanager
async def pair(port: int) -> AsyncIterator[list[float]]:
    """What the pair has waited while the block ran; filled at its end."""
    waits: list[float] = []
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "benchmarks.attacks", "--pair", str(port),
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, limit=1 << 24,
    )  # fmt: skip
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        assert await process.stdout.readline() == b"talking\n"
        yield waits
        process.stdin.write(b"\n")
        waits += json.loads(await process.stdout.readline())
    finally:
        process.stdin.close()
        await process.wait()


async def measured(served: Program, name: str, attack: Attack, seconds: float, quiet_p99: float | None) -> Figures:
    """One attack, with a pair beside it."""
    async with pair(served.port) as waits, served.watched() as memory:
        await attack(served, seconds)
    await asyncio.sleep(1.0)
    p99 = statistics.quantiles(waits, n=100)[98] * 1000
    return Figures(
        name,
        memory.growth / 2**20,
        (served.resident() - memory.before) / 2**20,
        statistics.median(waits) * 1000,
        p99,
        p99 / quiet_p99 if quiet_p99 else 1.0,
        len(waits),
    )


def calibrated() -> float:
    """How long a fixed loop takes here, in milliseconds: the best of five."""

    def loop() -> float:
        began, found = time.perf_counter(), 0
        for number in range(1_000_000):
            found += number & 7
        return time.perf_counter() - began

    return min(loop() for _ in range(5)) * 1000


async def run(names: list[str], seconds: float) -> list[Figures]:
    """These attacks, one after the other, each told as soon as it is measured."""
    found = []
    with program(Wish()) as served:
        for name in names:
            # The quiet of the same moment: how busy the machine is changes while it lasts.
            quiet = await measured(served, "quiet", _nothing, seconds, None)
            figures = await measured(served, name, ATTACKS[name], seconds, quiet.p99_ms)
            found.append(figures)
            print(_line(figures, quiet), flush=True)
    return found


def _line(one: Figures, quiet: Figures) -> str:
    return (
        f"{one.attack:26} memory +{one.grew_mb:5.1f} MB (+{one.left_mb:5.1f} after)   pair p50 {one.p50_ms:6.2f} ms"
        f"  p99 {one.p99_ms:7.2f} ms, quiet {quiet.p99_ms:6.2f}  ×{one.times_quiet:5.2f}"
        f"{'' if one.is_met else '  NOT MET'}"
    )


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="make bench-attacks", description=__doc__)
    parser.add_argument("--seconds", type=float, default=5.0, help="for each attack (5)")
    parser.add_argument("--json", action="store_true", help="the figures once more, for programs")
    parser.add_argument("--pair", type=int, help=argparse.SUPPRESS)
    parser.add_argument("attacks", nargs="*", help=f"those alone: {', '.join(ATTACKS)}")
    wished = parser.parse_args()
    if wished.pair is not None:
        asyncio.run(talk(wished.pair))
        return
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)  # being thrown out is the point
    before = calibrated()
    found = asyncio.run(run(wished.attacks or list(ATTACKS), wished.seconds))
    print(f"a fixed loop: {before:.1f} ms before, {calibrated():.1f} ms after")
    print(
        f"met: {sum(one.is_met for one in found)} of {len(found)} (memory ≤ +{GROWTH_MAX_MB:g} MB, p99 ≤ {WAIT_MAX:g}×)"
    )
    if wished.json:
        print(json.dumps([asdict(one) for one in found]))


if __name__ == "__main__":
    main()
