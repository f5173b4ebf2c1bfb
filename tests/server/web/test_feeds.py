"""A feed on a real connection: upgraded through its declaration, and told to go when the server stops."""

import asyncio
from typing import Any

import pytest
from sanic import HTTPResponse
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from dateflicks.protocol.frames import Frame
from dateflicks.server.runner import running
from dateflicks.server.web.service import FeedCall
from dateflicks.server.websocket.decoding import FrameDecoder
from dateflicks.server.websocket.gate import Gate
from tests.server.web.example import TOKEN, ExampleService


class Knock(Frame, tag="knock", frozen=True):
    """What its clients say."""


class Greeted(Frame, tag="greeted", frozen=True):
    """What they are told."""

    by: str


class Receiver:
    """Takes everything and does nothing."""

    def received(self, frame: Knock, at: float) -> None:
        """A frame."""

    def measured(self, round_trip: float) -> None:
        """A round trip."""

    def closed(self) -> None:
        """The end."""


class Listening(ExampleService):
    """Its feed greets by thing, token and address, and stays until it is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = Gate(self.name)
        self.decoder: FrameDecoder[Knock] = FrameDecoder(Knock)

    async def listen(self, call: FeedCall) -> HTTPResponse | None:
        if call.path["id"] == "unknown":
            return await super().listen(call)
        token = self.gate.check(call)
        connection = self.gate.upgrade(call, "ada", self.decoder)
        connection.attach(Receiver())
        connection.send_struct(Greeted(f"{call.path['id']} {token} {call.address}"))
        return None

    def close_feeds(self, code: int, reason: str) -> None:
        self.gate.close_all(code, reason)


@pytest.mark.parametrize(
    ("way", "subprotocol"),
    [
        ({"subprotocols": ["dateflicks.v1", f"bearer.{TOKEN}"]}, "dateflicks.v1"),
        ({"additional_headers": {"Authorization": f"Bearer {TOKEN}"}}, None),
    ],
    ids=["subprotocol", "header"],
)
async def test_a_feed_is_upgraded_and_told_1012_when_the_server_stops(
    way: dict[str, Any], subprotocol: str | None
) -> None:
    async with running([Listening()]) as server:
        address = server.url.replace("http", "ws") + "/things/one%20more/events"
        socket = await connect(address, **way, proxy=None)
        assert socket.subprotocol == subprotocol
        assert await socket.recv() == f'{{"type":"greeted","by":"one more {TOKEN} 127.0.0.1"}}'
        listening = asyncio.create_task(socket.recv())
    with pytest.raises(ConnectionClosed) as caught:
        await listening
    assert caught.value.rcvd is not None
    assert caught.value.rcvd.code == 1012


@pytest.mark.parametrize(("thing", "status"), [("unknown", 404), ("one", 401)])
async def test_a_feed_that_is_refused_is_never_upgraded(thing: str, status: int) -> None:
    service = Listening()
    async with running([service]) as server:
        with pytest.raises(InvalidStatus) as caught:
            await connect(server.url.replace("http", "ws") + f"/things/{thing}/events", proxy=None)
        assert len(service.gate) == 0
    assert caught.value.response.status_code == status
