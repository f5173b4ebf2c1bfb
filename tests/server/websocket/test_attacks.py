"""What one client can do to the others: each attack for a second or two on a server in a process of its own.

The server's memory grows by 16 MB at most, a pair beside it goes on talking, and whoever attacks is ended with the code
that says why. `generous` has no limit of frames to speak of, so that the pump itself is what is tried.
"""

import asyncio
import contextlib
import signal
import time
from collections.abc import Iterator

import pytest

from dateflicks.core.limits import FRAMES_BURST
from dateflicks.server.websocket.frames import Opcode
from tests.server.websocket.peer import Peer, connected, do, handshake, joined, say
from tests.server.websocket.program import Program, attack, pour, program
from tests.server.websocket.sending import frame
from tests.server.websocket.serving import Wish

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def strict() -> Iterator[Program]:
    """With the limits as they are."""
    with program(Wish()) as served:
        yield served


@pytest.fixture(scope="module", params=["uvloop", "asyncio"])
def generous(request: pytest.FixtureRequest) -> Iterator[Program]:
    """Without a limit of frames."""
    with program(Wish(is_generous=True, loop=request.param)) as served:
        yield served


async def read_on(peer: Peer) -> int:
    """Read as fast as one can, until the end; how many bytes."""
    count = 0
    with contextlib.suppress(ConnectionError):
        while data := await peer.reader.read(1 << 20):
            count += len(data)
    return count


async def answers(peer: Peer) -> bool:
    await peer.send(do("answer"))
    return bool((await peer.heard())["text"] == "yes")


@pytest.mark.parametrize("size", [150, 4000])
async def test_messages_as_fast_as_possible_to_a_partner_that_reads(generous: Program, size: int) -> None:
    async with (
        joined(generous.port, f"flood-{size}") as ada,
        joined(generous.port, f"flood-{size}", "bob") as bob,
        attack(generous, f"{size} B messages"),
    ):
        reading = asyncio.create_task(read_on(bob))
        sent = await pour(ada, say("x" * (size - 30)), megabytes=80)
        assert sent > 1_000_000
        assert await answers(ada), "the sender is held up"
        bob.writer.transport.abort()
        assert await reading > 500_000


@pytest.mark.parametrize("size", [150, 4000])
async def test_messages_as_fast_as_possible_are_ended_with_4429_after_the_burst(strict: Program, size: int) -> None:
    before = await strict.closes(4429)
    async with (
        joined(strict.port, "burst") as ada,
        joined(strict.port, "burst", "bob") as bob,
        attack(strict, f"{size} B messages, limited"),
    ):
        ending = asyncio.create_task(ada.ending())
        await pour(ada, say("x" * (size - 30)), megabytes=20)
        assert await ending in {4429, None}  # the reset that follows may overtake it
        assert [(await bob.heard())["by"] for _ in range(FRAMES_BURST)] == ["ada"] * FRAMES_BURST
        await strict.wait_closes(4429, before + 1)


async def test_a_partner_that_stops_reading_is_ended_and_the_sender_is_not_held_up(generous: Program) -> None:
    before = await generous.closes(1013)
    async with (
        joined(generous.port, "slow") as ada,
        joined(generous.port, "slow", "bob", receive_buffer=4096) as bob,
        attack(generous, "slow consumer"),
    ):
        bob.writer.transport.pause_reading()  # type: ignore[attr-defined]  # a stream's transport is a whole one
        assert await pour(ada, say("x" * 4000), megabytes=40) > 1_000_000
        assert await answers(ada)
        await generous.wait_closes(1013, before + 1)
        assert await answers(ada)


async def test_a_flood_of_pings_that_reads_no_pong_is_ended(generous: Program) -> None:
    before = await generous.closes(1013)
    async with joined(generous.port, "pings", receive_buffer=4096) as ada, attack(generous, "PING flood"):
        ada.writer.transport.pause_reading()  # type: ignore[attr-defined]
        await pour(ada, frame(b"x" * 125, Opcode.PING), megabytes=40)
        await generous.wait_closes(1013, before + 1)


@pytest.mark.parametrize("one", [frame(opcode=Opcode.PING), frame(b"x", Opcode.PONG)], ids=["pings", "pongs"])
async def test_a_flood_of_control_frames_is_ended_with_4429(strict: Program, one: bytes) -> None:
    before = await strict.closes(4429)
    async with joined(strict.port, "pings", receive_buffer=4096) as ada, attack(strict, "control frames, limited"):
        ada.writer.transport.pause_reading()  # type: ignore[attr-defined]
        await pour(ada, one, megabytes=20)
        await strict.wait_closes(4429, before + 1)


async def test_endless_empty_fragments_are_ended_with_4400(generous: Program) -> None:
    for first in (Opcode.TEXT, Opcode.CONTINUATION):
        before = await generous.closes(4400)
        async with joined(generous.port, "fragments") as ada, attack(generous, "empty fragments"):
            await ada.send(frame(opcode=first, final=False))
            await pour(ada, frame(opcode=Opcode.CONTINUATION, final=False), megabytes=20)
            await generous.wait_closes(4400, before + 1)


WRONG: dict[str, tuple[bytes, int]] = {
    "invalid UTF-8": (frame(b'{"type":"say","text":"\xff"}'), 1007),
    "20 kB": (frame(b"x" * 20_000), 4400),
    "fragments of 9 kB": (
        frame(b"x" * 9_000, final=False) + frame(b"x" * 9_000, Opcode.CONTINUATION),
        4400,
    ),
    "unmasked": (frame(b"x", masked=False), 1002),
}


async def test_wrong_frames_end_their_own_connections_each_with_its_code(strict: Program) -> None:
    async with joined(strict.port, "wrong", "bob") as bob, attack(strict, "wrong frames"):
        for wrong, code in WRONG.values():
            for number in range(25):
                async with joined(strict.port, "wrong", f"p{number}") as ada:
                    await ada.send(wrong + say("never heard"))
                    assert await ada.ending() == code
        assert await answers(bob), "nobody has heard what came behind a wrong frame"


async def test_heads_in_drops_and_silent_connections_have_their_time_and_no_more(strict: Program) -> None:
    async with contextlib.AsyncExitStack() as stack, attack(strict, "header drip and silence"):
        drips = [await stack.enter_async_context(connected(strict.port)) for _ in range(50)]
        silent = [await stack.enter_async_context(connected(strict.port)) for _ in range(50)]

        async def drip() -> None:
            for byte in handshake("drip")[:40]:
                for peer in drips:
                    await peer.send(bytes([byte]))
                await asyncio.sleep(0.1)

        dripping = asyncio.create_task(drip())
        stack.callback(dripping.cancel)
        assert {(await peer.answer())[0] for peer in drips} == {408}
        assert {(await peer.answer())[0] for peer in silent} == {0}


async def test_pages_of_foreign_origins_are_refused_before_the_upgrade(strict: Program) -> None:
    async with attack(strict, "foreign origins"):
        for number in range(100):
            async with connected(strict.port) as peer:
                await peer.send(handshake(token=f"p{number}", headers={"Origin": "https://evil.example"}))
                assert (await peer.answer())[0] == 403
        assert await strict.metric('dateflicks_sockets{service="relay"}') == 2


async def test_connections_that_come_and_go_leave_nothing(strict: Program) -> None:
    async with attack(strict, "coming and going"):
        for number in range(150):
            async with joined(strict.port, f"r{number}", f"p{number}") as peer:
                if number % 2:
                    peer.reset()
        async with asyncio.timeout(10):
            while await strict.metric('dateflicks_sockets{service="relay"}') > 2:  # noqa: ASYNC110 - another process tells nobody
                await asyncio.sleep(0.02)


@pytest.mark.parametrize("loop", ["uvloop", "asyncio"])
async def test_on_sigterm_all_of_two_hundred_sockets_see_1012_and_the_program_ends(loop: str) -> None:
    with program(Wish(loop=loop)) as served:
        async with contextlib.AsyncExitStack() as stack:
            peers = [
                await stack.enter_async_context(joined(served.port, f"r{number}", f"p{number}"))
                for number in range(200)
            ]
            endings = [asyncio.create_task(peer.ending()) for peer in peers]
            began = time.monotonic()
            served.process.send_signal(signal.SIGTERM)
            assert [await ending for ending in endings] == [1012] * 200
            assert await asyncio.to_thread(served.process.wait, 10) == 0
            print(f"SIGTERM with 200 sockets: {time.monotonic() - began:.2f} s")
            assert time.monotonic() - began < 5
