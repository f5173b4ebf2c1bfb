"""The gate: who is upgraded, who is refused and how, and that nothing is kept of either."""

import asyncio
import contextlib
import gc
import logging
import weakref
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from dateflicks.server.observe.metrics import Metrics
from dateflicks.server.runner import Server, running
from dateflicks.server.web.wire import CheckedRequest
from dateflicks.server.websocket.protocol import FeedProtocol
from dateflicks.settings.services import LimitSettings
from tests.server.websocket.peer import Peer, connected, do, handshake, joined, say
from tests.server.websocket.relay import Relay
from tests.server.websocket.sending import frame
from tests.waiting import until


def url_of(server: Server, room: str = "one") -> str:
    return f"ws://{server.host}:{server.port}/rooms/{room}/events"


async def refusal(server: Server, request: bytes, *, source: str = "127.0.0.1") -> tuple[int, dict[str, Any]]:
    """The status of an answer that is none of a WebSocket's, and its problem."""
    async with connected(server.port, source=source) as peer:
        await peer.send(request)
        status, headers, body = await peer.answer()
        assert headers["content-type"] == "application/problem+json"
        return status, msgspec.json.decode(body) | {"headers": headers}


# --- in ---------------------------------------------------------------------------------------------------------------


async def test_a_token_in_the_header_lets_a_program_in(server: Server, relay: Relay) -> None:
    async with connect(url_of(server), additional_headers={"Authorization": "Bearer ada"}, proxy=None) as socket:
        assert socket.subprotocol is None
        assert "X-Request-Id" in socket.response.headers  # type: ignore[union-attr]  # it was answered
        await socket.send('{"type":"do","what":"answer"}')
        assert "yes" in str(await socket.recv())
        assert [seat.person for seat in relay.seats] == ["ada"]


async def test_a_token_in_the_subprotocol_pair_lets_a_page_in(server: Server, relay: Relay) -> None:
    offered: Any = ["dateflicks.v1", "bearer.ada"]
    async with connect(url_of(server), subprotocols=offered, proxy=None) as socket:
        assert socket.subprotocol == "dateflicks.v1"
        await socket.send('{"type":"do","what":"answer"}')
        assert "yes" in str(await socket.recv())
        assert [seat.person for seat in relay.seats] == ["ada"]


async def test_compression_is_not_agreed_to(server: Server) -> None:
    offer = {"Sec-WebSocket-Extensions": "permessage-deflate; client_max_window_bits"}
    async with connected(server.port) as peer:
        await peer.send(handshake(headers=offer))
        status, headers, _ = await peer.answer()
        assert status == 101
        assert "sec-websocket-extensions" not in headers


# --- out --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("token", [None, "nobody"])
async def test_who_has_no_good_token_gets_401_and_no_websocket(server: Server, relay: Relay, token: str | None) -> None:
    status, problem = await refusal(server, handshake(token=token))
    assert status == 401
    assert problem["type"] == "urn:dateflicks:problem:unauthenticated"
    assert problem["headers"]["www-authenticate"] == "Bearer"
    assert not relay.seats


async def test_a_page_that_is_refused_sees_why_in_the_close_code(server: Server, relay: Relay) -> None:
    """A browser shows its page no status of a handshake that failed, so it could not keep to the contract."""
    for protocols in (["dateflicks.v1", "bearer.nobody"], ["dateflicks.v1"]):
        offered: Any = protocols
        async with connect(url_of(server), subprotocols=offered, proxy=None) as socket:
            assert socket.subprotocol == "dateflicks.v1"
            assert msgspec.json.decode(await socket.recv())["code"] == "unauthenticated"
            with pytest.raises(ConnectionClosed):
                await socket.recv()
            assert socket.close_code == 4401
    await until(lambda: len(relay.gate) == 0)
    assert not relay.seats


async def test_who_can_set_headers_is_refused_in_http_whatever_subprotocol_they_offer(server: Server) -> None:
    status, _ = await refusal(server, handshake(token="nobody", headers={"Sec-WebSocket-Protocol": "dateflicks.v1"}))
    assert status == 401


async def test_a_page_of_a_foreign_origin_gets_403_before_its_token_is_looked_at(server: Server, relay: Relay) -> None:
    for token in ("ada", None, "nobody"):
        status, problem = await refusal(server, handshake(token=token, headers={"Origin": "https://evil.example"}))
        assert (status, problem["type"]) == (403, "urn:dateflicks:problem:origin")
    assert not relay.seats


async def test_a_page_that_the_settings_name_is_let_in_and_its_look_alikes_are_not() -> None:
    relay = Relay(origins=["https://films.example.org"])
    async with running([relay]) as server:
        async with joined(server.port, headers={"Origin": "https://films.example.org"}):
            assert len(relay.gate) == 1
        for origin in ("https://films.example.org.evil.example", "http://films.example.org", "null", ""):
            assert (await refusal(server, handshake(headers={"Origin": origin})))[0] == 403


async def test_a_request_without_a_handshake_is_told_what_this_is(server: Server) -> None:
    status, problem = await refusal(server, b"GET /rooms/one/events HTTP/1.1\r\nHost: x\r\n\r\n")
    assert status == 426
    assert problem["headers"]["upgrade"] == "websocket"


async def test_a_refused_handshake_leaves_the_connection_for_the_next_request(server: Server) -> None:
    async with connected(server.port) as peer:
        # `Connection: keep-alive, Upgrade` makes Sanic close after its answer; the answer still has to come whole.
        await peer.send(handshake(token=None) + b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
        assert (await peer.answer())[0] == 401
        assert (await peer.answer())[0] in {200, 0}


async def test_a_feed_that_fails_after_the_upgrade_is_closed_with_1011_and_no_http_is_said(
    server: Server, relay: Relay, caplog: pytest.LogCaptureFixture
) -> None:
    async with joined(server.port, "broken") as peer:
        assert await peer.ending() == 1011
    await until(lambda: len(relay.gate) == 0)
    assert "request failed" in [record.getMessage() for record in caplog.records]


# --- places -----------------------------------------------------------------------------------------------------------


async def test_the_fifth_socket_of_a_person_replaces_the_first(server: Server, relay: Relay) -> None:
    async with contextlib.AsyncExitStack() as stack:
        first, *others = [await stack.enter_async_context(joined(server.port)) for _ in range(4)]
        await stack.enter_async_context(joined(server.port, token="bob"))
        assert all(seat.connection.is_open for seat in relay.seats)
        fifth = await stack.enter_async_context(joined(server.port))
        assert await first.ending() == 4409
        for peer in (*others, fifth):
            await peer.send(do("answer"))
            assert (await peer.heard())["text"] == "yes"


async def test_an_address_may_have_fifty_sockets_and_more_when_some_have_gone(server: Server, relay: Relay) -> None:
    async with contextlib.AsyncExitStack() as stack:
        peers = [await stack.enter_async_context(joined(server.port, token=f"p{number}")) for number in range(50)]
        status, problem = await refusal(server, handshake(token="late"))
        assert status == 429
        assert int(problem["headers"]["retry-after"]) >= 1
        async with joined(server.port, token="elsewhere", source="127.0.0.2"):
            assert len(relay.gate) == 51
        peers[7].reset()
        await until(lambda: len(relay.gate) == 49)
        await stack.enter_async_context(joined(server.port, token="late"))
    await until(lambda: len(relay.gate) == 0)


async def test_handshakes_that_wait_together_do_not_get_past_the_limit_of_their_address() -> None:
    relay = Relay(LimitSettings(sockets_per_address=3))
    async with running([relay]) as server, contextlib.AsyncExitStack() as stack:
        peers = [await stack.enter_async_context(connected(server.port)) for _ in range(8)]
        for number, peer in enumerate(peers):
            await peer.send(handshake("waiting", f"p{number}"))
        await until(lambda: relay.waiting == 8)
        relay.go_on.set()
        statuses = sorted([(await peer.answer())[0] for peer in peers])
        assert statuses == [101] * 3 + [429] * 5
        assert len(relay.gate) == 3


async def test_peers_that_go_during_the_handshake_take_no_place(server: Server, relay: Relay) -> None:
    for number in range(6):
        async with connected(server.port) as peer:
            await peer.send(handshake("waiting", f"p{number}"))
            await until(lambda count=number: relay.waiting == count + 1)  # type: ignore[misc]
            if number % 2:
                peer.reset()
            else:
                peer.writer.write_eof()
    relay.go_on.set()
    async with joined(server.port):  # a round trip later
        await until(lambda: len(relay.gate) == 1)
    await until(lambda: not relay.gate._places._addresses)
    assert not relay.gate._places._people


# --- nothing is left --------------------------------------------------------------------------------------------------


@contextlib.asynccontextmanager
async def ended_somehow(server: Server, number: int) -> AsyncIterator[Peer]:
    """A connection that ends in one of many ways."""
    headers = {"Origin": "https://evil.example"} if number % 8 == 7 else None
    async with connected(server.port) as peer:
        await peer.send(handshake(token=f"p{number}~3600", headers=headers))
        await peer.answer()
        match number % 8:
            case 0:
                await peer.send(say("x") + frame(b"x", masked=False))
            case 1:
                await peer.send(do("close"))
            case 2:
                await peer.send(do("fail"))
            case 3:
                peer.reset()
            case 4:
                peer.writer.write_eof()
            case 5:
                await peer.send(do("abort"))
            case 6:
                await peer.send(frame(b"\x03\xe8", 8))
        if number % 8 not in (3, 4):
            await peer.ending()
        yield peer


async def test_nothing_is_left_of_connections_that_have_ended(
    server: Server, relay: Relay, metrics: Metrics, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL)  # records hold tracebacks, which hold everything
    loop: Any = asyncio.get_running_loop()
    tasks = len(asyncio.all_tasks())
    async with contextlib.AsyncExitStack() as stack:
        for number in range(32):
            await stack.enter_async_context(ended_somehow(server, number))
    await until(lambda: len(relay.gate) == 0 and len(asyncio.all_tasks()) <= tasks, "connections or tasks are left")
    remains = [weakref.ref(seat.connection) for seat in relay.seats]
    assert len(remains) == 28
    assert {seat.ends for seat in relay.seats} == {1}
    relay.seats.clear()
    relay.rooms.clear()
    caplog.clear()
    gc.collect()
    assert [ref() for ref in remains if ref() is not None] == []
    assert not [found for found in gc.get_objects() if type(found) is FeedProtocol and found.feed is not None]
    live = [handle for handle in loop._scheduled if not handle.cancelled()]
    assert not [handle for handle in live if "websocket" in repr(handle)]
    assert not relay.gate._places._people
    assert not relay.gate._places._addresses
    assert metrics.registry.get_sample_value("dateflicks_sockets", {"service": "relay"}) == 0


async def test_a_connection_does_not_keep_its_request(server: Server, relay: Relay) -> None:
    async with joined(server.port, headers={"X-Canary": "canary-of-this-request"}) as peer:
        await peer.send(do("answer"))
        await peer.heard()
        gc.collect()
        kept = [found for found in gc.get_objects() if type(found) is CheckedRequest]
        assert not [request for request in kept if "x-canary" in request.headers]


async def test_what_a_person_asks_is_not_refused_because_others_are_stuck(server: Server, relay: Relay) -> None:
    async with connected(server.port) as stuck, joined(server.port, token="bob") as bob:
        await stuck.send(handshake("waiting"))
        await until(lambda: relay.waiting == 1)
        await bob.send(do("answer"))
        assert (await bob.heard())["text"] == "yes"


async def test_a_client_library_is_refused_as_http_says(server: Server) -> None:
    with pytest.raises(InvalidStatus) as caught:
        await connect(url_of(server), proxy=None)
    assert caught.value.response.status_code == 401
