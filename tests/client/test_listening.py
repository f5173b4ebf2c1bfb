"""Listening to a playback: every state once, through disconnections, until the end or a final refusal."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from http import HTTPStatus

import msgspec
import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.http11 import Request, Response

from dateflicks.client import errors
from dateflicks.client.listening import playback
from dateflicks.protocol.frames import Pong, Reason, TimecodeFrame

Handler = Callable[[ServerConnection], Awaitable[None]]


def state(revision: int, reason: Reason = "play") -> str:
    frame = TimecodeFrame(
        session_id="ses_x", length=60.0, current_position=1.0, status="play", last_status_change="", at=0.0, rate=1.0,
        revision=revision, clock_id="clk_x", reason=reason, by=None, waiting_for=[], pending=None, participants={},
    )  # fmt: skip
    return msgspec.json.encode(frame).decode()


@asynccontextmanager
async def service(handler: Handler, refuse: HTTPStatus | None = None) -> AsyncIterator[str]:
    def process(connection: ServerConnection, request: Request) -> Response | None:
        assert request.path == "/timecodes/ses_x/events?looksOn=true"
        assert request.headers["Authorization"] == "Bearer t1cket"
        return connection.respond(refuse, "no") if refuse else None

    async with serve(handler, "127.0.0.1", 0, process_request=process) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        yield f"http://127.0.0.1:{port}"


async def ticket() -> str:
    return "t1cket"


async def revisions(base: str) -> list[int]:
    return [frame.revision async for frame in playback(base, "ses_x", ticket)]


async def test_states_come_in_order_and_older_or_foreign_frames_are_passed_over() -> None:
    async def tell(socket: ServerConnection) -> None:
        pong = msgspec.json.encode(Pong(t0=0.0, t1=0.0, t2=0.0, clock_id="clk_x")).decode()
        deep = f'{{"type":"timecode","novelty":{"[" * 20_000}{"]" * 20_000}}}'
        for text in (state(1), pong, '{"type":"novelty"}', "nonsense", deep, state(0), state(2), state(3, "end")):
            await socket.send(text)
        await socket.wait_closed()

    async with service(tell) as base:
        assert await revisions(base) == [1, 2, 3]


@pytest.mark.parametrize("code", [1000, 1001, 1011, 1012, 1013, 4429])
async def test_a_lost_connection_is_made_anew(code: int) -> None:
    visits = 0

    async def tell(socket: ServerConnection) -> None:
        nonlocal visits
        visits += 1
        if visits == 1:
            await socket.send(state(1))
            await socket.close(code)
        else:
            await socket.send(state(2, "end"))
            await socket.wait_closed()

    async with service(tell) as base:
        assert await revisions(base) == [1, 2]


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (4400, errors.ServiceFailed), (4403, errors.NotAllowed),
        (4404, errors.NotThere), (4409, errors.AtOdds),
    ],
)  # fmt: skip
async def test_a_final_close_code_is_not_argued_with(code: int, kind: type[errors.ClientError]) -> None:
    async def tell(socket: ServerConnection) -> None:
        await socket.close(code)

    async with service(tell) as base:
        with pytest.raises(kind):
            await revisions(base)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (HTTPStatus.UNAUTHORIZED, errors.NotSignedIn),
        (HTTPStatus.FORBIDDEN, errors.NotAllowed),
        (HTTPStatus.NOT_FOUND, errors.NotThere),
    ],
)
async def test_a_refused_handshake_is_told(status: HTTPStatus, kind: type[errors.ClientError]) -> None:
    async def tell(socket: ServerConnection) -> None:
        await socket.wait_closed()

    async with service(tell, refuse=status) as base:
        with pytest.raises(kind):
            await revisions(base)


async def test_nobody_there_at_the_first_try_is_unreachable() -> None:
    async def tell(socket: ServerConnection) -> None:
        await socket.wait_closed()

    async with service(tell) as base:
        pass
    with pytest.raises(errors.Unreachable):
        await revisions(base)
