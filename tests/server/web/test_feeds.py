"""A feed on a real connection: upgraded through its declaration, and told to go when the server stops."""

import asyncio
from typing import Any

import pytest
from sanic import HTTPResponse
from sanic.server.protocols.websocket_protocol import WebSocketProtocol
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from dateflicks.server.runner import running
from dateflicks.server.web.service import FeedCall
from tests.server.web.example import TOKEN, ExampleService


class Listening(ExampleService):
    """Its feed greets by token and address, and stays until it is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.sockets: list[Any] = []
        self.closing: list[asyncio.Task[None]] = []

    async def listen(self, call: FeedCall) -> HTTPResponse | None:
        if call.path["id"] == "unknown":
            return await super().listen(call)
        protocol: Any = call.request.transport.get_protocol()
        socket = await protocol.websocket_handshake(call.request, ["dateflicks.v1"])
        self.sockets.append(socket)
        await socket.send(f"{call.path['id']} {call.token} {call.address}")
        await socket.wait_for_connection_lost()
        return None

    def close_feeds(self, code: int, reason: str) -> None:
        self.closing = [asyncio.ensure_future(socket.close(code, reason)) for socket in self.sockets]


async def test_a_feed_is_upgraded_and_told_1012_when_the_server_stops() -> None:
    service = Listening()
    async with running([service], protocol=WebSocketProtocol) as server:
        address = server.url.replace("http", "ws") + "/things/one/events"
        socket = await connect(address, subprotocols=["dateflicks.v1", f"bearer.{TOKEN}"], proxy=None)  # type: ignore[list-item]
        assert socket.subprotocol == "dateflicks.v1"
        assert await socket.recv() == f"one {TOKEN} 127.0.0.1"
        listening = asyncio.create_task(socket.recv())
    with pytest.raises(ConnectionClosed) as caught:
        await listening
    assert caught.value.rcvd is not None
    assert caught.value.rcvd.code == 1012


async def test_a_feed_that_is_refused_is_never_upgraded() -> None:
    async with running([Listening()], protocol=WebSocketProtocol) as server:
        with pytest.raises(InvalidStatus) as caught:
            await connect(server.url.replace("http", "ws") + "/things/unknown/events", proxy=None)
    assert caught.value.response.status_code == 404
