"""Waiting for a session to change, as by an answer: by the feed, by what was before it, through disconnections."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from itertools import groupby
from typing import Any

import msgspec
import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.http11 import Request, Response

from dateflicks.client import errors
from dateflicks.client.http import ServiceClient
from dateflicks.client.news import changed
from dateflicks.protocol.bodies import SessionBody
from tests.scripted_server import session_json

PENDING = session_json()
ACCEPTED = session_json(state="accepted", isAccepted=True, ticket="t1cket")
OTHER = session_json(id="ses_" + "b" * 26, state="rejected")


Handler = Callable[[ServerConnection], Awaitable[None]]


def frame(session: dict[str, Any]) -> str:
    return json.dumps({"type": "session", "session": session})


async def wait_on(
    handler: Handler, present: dict[str, Any] = PENDING, cut: Callable[[bool], None] = lambda _: None
) -> SessionBody:
    """The answer, from a service that says `present` when asked and does what the handler does on the feed."""

    def answered(connection: ServerConnection, request: Request) -> Response | None:
        if request.path == "/sessions/events":
            assert request.headers["Authorization"] == "Bearer t0ken"
            return None
        base = f"http://{request.headers['Host']}"
        body = {"services": {"session": base}} if request.path == "/services" else {"session": present}
        return connection.respond(HTTPStatus.OK, json.dumps(body))

    async with asyncio.timeout(20), serve(handler, "127.0.0.1", 0, process_request=answered) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        async with ServiceClient(f"http://127.0.0.1:{port}", token="t0ken") as client:
            return await changed(client, msgspec.convert(PENDING, SessionBody), cut=cut)


async def test_a_yes_on_the_feed_comes_with_the_ticket() -> None:
    async def tell(socket: ServerConnection) -> None:
        for text in (frame(PENDING), frame(OTHER), '{"type":"novelty"}', "nonsense", frame(ACCEPTED)):
            await socket.send(text)
        await socket.wait_closed()

    found = await wait_on(tell)
    assert (found.state, found.ticket) == ("accepted", "t1cket")


@pytest.mark.parametrize("state", ["accepted", "rejected", "cancelled"])
async def test_an_answer_from_before_the_feed_stood_is_found(state: str) -> None:
    async def tell(socket: ServerConnection) -> None:
        await socket.wait_closed()

    assert (await wait_on(tell, session_json(state=state))).state == state


async def test_a_lost_line_is_made_anew() -> None:
    visits = 0

    async def tell(socket: ServerConnection) -> None:
        nonlocal visits
        visits += 1
        if visits == 1:
            await socket.close(1012)
        else:
            await socket.send(frame(ACCEPTED))
            await socket.wait_closed()

    told: list[bool] = []
    assert (await wait_on(tell, cut=told.append)).state == "accepted"
    assert [one for one, _ in groupby(told)] == [False, True, False]


async def test_a_final_no_of_the_service_is_an_error() -> None:
    async def tell(socket: ServerConnection) -> None:
        await socket.close(4403)

    with pytest.raises(errors.NotAllowed):
        await wait_on(tell)
