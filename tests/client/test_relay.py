"""The relay between a person and the services: late, in order, counted, and as mortal as a line."""

import asyncio
import contextlib
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

import pytest

from dateflicks.client import relay
from dateflicks.client.relay import Delay, Line, Relay

T = TypeVar("T")
SLACK_SECONDS = 0.5  # a busy machine may be late, never early


@dataclass
class Ends:
    """Both ends of a line through a relay."""

    relay: Relay
    near: tuple[asyncio.StreamReader, asyncio.StreamWriter]
    far: tuple[asyncio.StreamReader, asyncio.StreamWriter]


@contextlib.asynccontextmanager
async def connected(line: Line, seed: int = 1) -> AsyncIterator[Ends]:
    accepted: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = asyncio.Queue()
    async with contextlib.AsyncExitStack() as stack:
        server = await asyncio.start_server(lambda reader, writer: accepted.put_nowait((reader, writer)), "127.0.0.1")
        stack.callback(server.close)
        between = await stack.enter_async_context(Relay(server.sockets[0].getsockname()[1], line, seed))
        near = await asyncio.open_connection("127.0.0.1", between.port)
        stack.callback(near[1].transport.abort)
        far = await asyncio.wait_for(accepted.get(), 5.0)
        stack.callback(far[1].transport.abort)
        yield Ends(between, near, far)


async def within(work: Awaitable[T]) -> T:
    return await asyncio.wait_for(work, 5.0)


def test_a_delay_is_within_its_bounds_and_never_negative() -> None:
    source = random.Random(3)
    drawn = [Delay(0.100, 0.040).draw(source) for _ in range(1_000)]

    assert min(drawn) >= 0.060
    assert max(drawn) <= 0.140
    assert max(drawn) - min(drawn) > 0.070
    assert min(Delay(0.010, 0.100).draw(source) for _ in range(1_000)) == 0.0


def test_the_same_seed_gives_the_same_delays() -> None:
    def drawn(seed: int) -> list[float]:
        source = random.Random(seed)
        return [Delay(0.1, 0.05).draw(source) for _ in range(20)]

    assert drawn(7) == drawn(7) != drawn(8)


async def test_pieces_arrive_late_and_in_order() -> None:
    async with connected(Line(Delay(0.030, 0.030), Delay())) as ends:
        sent = b""
        for number in range(40):
            piece = b"%d;" % number
            ends.near[1].write(piece)
            await ends.near[1].drain()
            await asyncio.sleep(0.001)  # pieces of their own, not one
            sent += piece

        assert await within(ends.far[0].readexactly(len(sent))) == sent


@pytest.mark.parametrize("is_there", [True, False])
async def test_each_direction_has_its_own_delay(is_there: bool) -> None:
    slow, quick = Delay(0.080, 0.010), Delay()
    async with connected(Line(slow, quick) if is_there else Line(quick, slow)) as ends:
        to, back = (ends.near[1], ends.far[0]) if is_there else (ends.far[1], ends.near[0])
        began = time.monotonic()
        to.write(b"x")
        await within(back.readexactly(1))

        assert 0.070 <= time.monotonic() - began <= 0.090 + SLACK_SECONDS


async def test_bytes_are_counted_each_way() -> None:
    async with connected(Line()) as ends:
        ends.near[1].write(b"12345")
        await within(ends.far[0].readexactly(5))
        ends.far[1].write(b"123")
        await within(ends.near[0].readexactly(3))

        assert (ends.relay.bytes_there, ends.relay.bytes_back) == (5, 3)


Close = Callable[[asyncio.StreamWriter], None]


@pytest.mark.parametrize("close", [lambda writer: writer.close(), lambda writer: writer.transport.abort()])
@pytest.mark.parametrize("is_far", [True, False])
async def test_the_end_of_one_side_reaches_the_other(close: Close, is_far: bool) -> None:
    async with connected(Line.same(0.010)) as ends:
        closing, reading = (ends.far[1], ends.near[0]) if is_far else (ends.near[1], ends.far[0])
        close(closing)

        with contextlib.suppress(ConnectionError):
            assert await within(reading.read()) == b""


async def test_a_line_that_would_have_to_hold_without_end_breaks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relay, "CHUNK_BYTES", 16)
    monkeypatch.setattr(relay, "HELD_MAX", 8)
    async with connected(Line(there=Delay(60.0))) as ends:
        ends.near[1].write(b"x" * 1_000)
        with contextlib.suppress(ConnectionError):
            assert await within(ends.near[0].read()) == b""


async def test_what_was_sent_before_the_end_arrives_before_it() -> None:
    async with connected(Line.same(0.030)) as ends:
        ends.near[1].write(b"last words")
        ends.near[1].close()

        assert await within(ends.far[0].read()) == b"last words"


async def test_where_nobody_listens_the_line_ends() -> None:
    server = await asyncio.start_server(lambda *_: None, "127.0.0.1")
    port = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    async with Relay(port, Line(), 1) as between:
        reader, writer = await asyncio.open_connection("127.0.0.1", between.port)
        with contextlib.suppress(ConnectionError):
            assert await within(reader.read()) == b""
        writer.transport.abort()


async def test_the_relay_lets_go_of_its_lines_when_it_ends() -> None:
    async with connected(Line.same(10.0)) as ends:
        ends.near[1].write(b"never to arrive")
        await ends.near[1].drain()
        began = time.monotonic()
        await ends.relay.__aexit__()

        assert time.monotonic() - began < 5.0
        with contextlib.suppress(ConnectionError):
            assert await within(ends.far[0].read()) == b""


async def test_what_is_broken_off_is_no_failure_that_asyncio_prints(caplog: pytest.LogCaptureFixture) -> None:
    async with connected(Line.same(10.0)) as ends:
        ends.near[1].write(b"never to arrive")
        ends.relay.cut(0.0)
        with contextlib.suppress(ConnectionError):
            assert await within(ends.near[0].read()) == b""
    assert caplog.text == ""
