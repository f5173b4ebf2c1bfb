"""The connection below the feeds: a request has its time to arrive, and an early answer is really read."""

import asyncio
import contextlib
import gc
import logging
import time
from collections.abc import AsyncIterator

import pytest

from dateflicks.server.runner import Server
from dateflicks.server.websocket import protocol as module
from dateflicks.server.websocket.protocol import FeedProtocol
from tests.server.websocket.peer import Peer, connected, handshake, joined
from tests.server.websocket.relay import Relay
from tests.waiting import until

HEALTH = b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.fixture
def brief(monkeypatch: pytest.MonkeyPatch) -> None:
    """The deadline is short."""
    monkeypatch.setattr(FeedProtocol, "request_seconds", 0.3)
    monkeypatch.setattr(module, "LINGER_SECONDS", 0.3)


@contextlib.asynccontextmanager
async def dripping(peer: Peer, data: bytes, seconds: float = 0.02) -> AsyncIterator[None]:
    """Send a byte now and then meanwhile, as long as the server takes them."""

    async def drip() -> None:
        with contextlib.suppress(ConnectionError):
            for byte in data:
                peer.writer.write(bytes([byte]))
                await asyncio.sleep(seconds)

    task = asyncio.create_task(drip())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


@pytest.mark.usefixtures("brief")
async def test_a_silent_connection_is_ended(server: Server) -> None:
    async with connected(server.port) as peer:
        assert await peer.answer() == (0, {}, b"")


@pytest.mark.usefixtures("brief")
async def test_a_head_in_drops_is_answered_with_408(server: Server) -> None:
    async with connected(server.port) as peer, dripping(peer, b"GET /health HTTP/1.1\r\nX: " + b"x" * 1000):
        status, headers, body = await peer.answer()
        assert (status, headers["connection"]) == (408, "close")
        assert b"timeout" in body
        assert await peer.gone()


@pytest.mark.usefixtures("brief")
async def test_a_body_in_drops_is_answered_with_408(server: Server) -> None:
    head = b"POST /rooms HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n"
    async with connected(server.port) as peer:
        await peer.send(head)
        async with dripping(peer, b"x" * 1000):
            assert (await peer.answer())[0] in {404, 408}
            assert await peer.gone()


@pytest.mark.usefixtures("brief")
async def test_a_second_request_in_drops_is_answered_with_408(server: Server) -> None:
    async with connected(server.port) as peer:
        await peer.send(HEALTH)
        assert (await peer.answer())[0] == 200
        async with dripping(peer, b"GET /health HTTP/1.1\r\nX: " + b"x" * 1000):
            assert (await peer.answer())[0] == 408
            assert await peer.gone()


@pytest.mark.usefixtures("brief")
async def test_a_second_request_behind_the_first_in_drops_is_answered_with_408(server: Server) -> None:
    async with connected(server.port) as peer:
        await peer.send(HEALTH + b"GET /health HT")
        assert (await peer.answer())[0] == 200
        async with dripping(peer, b"TP/1.1\r\nX: " + b"x" * 1000):
            assert (await peer.answer())[0] == 408
            assert await peer.gone()


@pytest.mark.slow
@pytest.mark.usefixtures("brief")
async def test_a_connection_that_rests_between_requests_is_not_ended_by_the_deadline(server: Server) -> None:
    async with connected(server.port) as peer:
        began = time.monotonic()
        answered = 0
        while time.monotonic() - began < 0.9:  # three times the deadline
            await peer.send(HEALTH)
            assert (await peer.answer())[0] == 200
            answered += 1
            await asyncio.sleep(0.1 if answered % 2 else 0.4)
        assert answered >= 3


@pytest.mark.slow
async def test_every_request_has_the_whole_time(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FeedProtocol, "request_seconds", 1.0)
    async with connected(server.port) as peer:
        await peer.send(HEALTH)
        assert (await peer.answer())[0] == 200
        await asyncio.sleep(0.8)
        await peer.send(HEALTH[:10])  # would be cut off 0.2 s later if the first request's time went on
        await asyncio.sleep(0.4)
        await peer.send(HEALTH[10:])
        assert (await peer.answer())[0] == 200


@pytest.mark.usefixtures("brief")
async def test_a_request_that_is_being_answered_and_a_feed_have_no_deadline(server: Server, relay: Relay) -> None:
    async with joined(server.port) as feed, connected(server.port) as slow:
        await slow.send(handshake("waiting", "bob"))
        await until(lambda: relay.waiting == 1)
        await asyncio.sleep(0.5)
        relay.go_on.set()
        assert (await slow.answer())[0] == 101
        assert relay.seats[0].connection.is_open
        assert not feed.reader.at_eof()


async def flood(peer: Peer, piece: bytes, count: int) -> int:
    """Send all of it without reading, as simple clients do; how many pieces the server took."""
    for number in range(count):
        try:
            peer.writer.write(piece)
            await peer.writer.drain()
        except ConnectionError:
            return number
    return count


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"POST /rooms HTTP/1.1\r\nHost: x\r\nContent-Length: 8000000\r\n\r\n", {404, 413}),
        (b"POST /rooms HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n7A1200\r\n", {404, 413}),
        (b"GET /health HTTP/1.1\r\nHost: x\r\nX-Long: ", {413}),
        (b"nonsense\r\n\r\n", {400}),
    ],
    ids=["a length", "a chunk", "a head", "nonsense"],
)
async def test_an_early_answer_is_read_by_a_client_that_still_sends(
    server: Server, head: bytes, status: set[int]
) -> None:
    async with connected(server.port) as peer:
        await peer.send(head)
        assert await flood(peer, b"x" * 80_000, 100) == 100, "the connection was reset while the client was sending"
        assert (await peer.answer())[0] in status


async def test_a_client_that_begins_to_send_its_body_after_an_early_answer_is_not_reset(server: Server) -> None:
    async with connected(server.port) as peer:
        await peer.send(b"POST /rooms HTTP/1.1\r\nHost: x\r\nContent-Length: 8000000\r\n\r\n")
        assert (await peer.answer())[0] in {404, 413}
        assert await peer.gone()  # the server has ended its side
        assert await flood(peer, b"x" * 80_000, 100) == 100


async def test_what_follows_an_early_answer_is_bounded_in_time(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LINGER_SECONDS", 0.2)
    async with connected(server.port) as peer:
        await peer.send(b"nonsense\r\n\r\n")
        async with dripping(peer, b"x" * 10_000, 0.01):
            assert (await peer.answer())[0] == 400
            await until(lambda: peer.reader.exception() is not None, "the server takes bytes for ever")


async def test_what_follows_an_early_answer_is_bounded_in_bytes(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LINGER_MAX_BYTES", 100_000)
    monkeypatch.setattr(module, "LINGER_SECONDS", 60.0)
    async with connected(server.port) as peer:
        await peer.send(b"nonsense\r\n\r\n")
        assert await flood(peer, b"x" * 80_000, 1000) < 1000


async def test_a_client_that_asks_and_reads_no_answer_is_cut_off(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "READ_SECONDS", 0.3)
    before = asyncio.all_tasks()
    async with connected(server.port, receive_buffer=4096) as peer:
        peer.writer.transport.pause_reading()  # type: ignore[attr-defined]
        ask = b"GET /docs/openapi.json HTTP/1.1\r\nHost: x\r\n\r\n"
        async with asyncio.timeout(20):
            while not peer.writer.transport.is_closing():
                peer.writer.write(ask * 20)
                await asyncio.sleep(0.005)
        await until(lambda: len(asyncio.all_tasks()) <= len(before) + 1, "the connection's task is left")


async def test_clients_that_go_are_not_logged_as_faults_of_ours(
    server: Server, relay: Relay, caplog: pytest.LogCaptureFixture
) -> None:
    logging.getLogger("sanic.error").addHandler(caplog.handler)
    try:
        for piece in (
            b"",
            b"GET /heal",
            HEALTH[:-2],
            handshake("waiting"),
            b"POST /x HTTP/1.1\r\nContent-Length: 9\r\n",
        ):
            for ends_hard in (False, True):
                async with connected(server.port) as peer:
                    await peer.send(piece)
                    if ends_hard:
                        peer.reset()
        await until(lambda: len(asyncio.all_tasks()) <= 3)
    finally:
        logging.getLogger("sanic.error").removeHandler(caplog.handler)
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


@pytest.mark.parametrize("ends_hard", [False, True])
async def test_half_a_head_leaves_nothing_to_the_garbage_collector(server: Server, *, ends_hard: bool) -> None:
    gc.collect()
    gc.disable()
    try:
        for piece in (b"GET /heal", HEALTH[:-2]):
            async with connected(server.port) as peer:
                await peer.send(piece)
                await until(
                    lambda: [one for one in gc.get_objects() if isinstance(one, FeedProtocol) and one.recv_buffer]
                )
                if ends_hard:
                    peer.reset()
            await until(lambda: not [one for one in gc.get_objects() if isinstance(one, FeedProtocol)])
    finally:
        gc.enable()


async def test_a_feed_that_has_ended_leaves_nothing_to_the_garbage_collector(server: Server, relay: Relay) -> None:
    gc.collect()
    gc.disable()
    try:
        for _ in range(3):
            async with joined(server.port):
                pass
        await until(lambda: not len(relay.gate))
        await until(lambda: not [one for one in gc.get_objects() if isinstance(one, FeedProtocol)])
    finally:
        gc.enable()
