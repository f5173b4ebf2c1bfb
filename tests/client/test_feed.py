"""A feed that comes back, against a real server on loopback that says what each test wants."""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from http import HTTPStatus
from typing import TypeVar

import pytest
from websockets.asyncio.client import ClientConnection
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from dateflicks.client.feed import QUEUE_FRAMES, Feed, FeedEnded, FeedEvent, Lost, Opened, Received
from tests.waiting import until

Handler = Callable[[ServerConnection], Awaitable[None]]
E = TypeVar("E", bound=FeedEvent)


class Service:
    """What is at the other end: how often it was called, and what it heard."""

    def __init__(self, handler: Handler) -> None:
        self.handler = handler
        self.refuses: list[HTTPStatus] = []
        self.bearers: list[str] = []
        self.heard: list[str | bytes] = []
        self.url = ""
        self._server: Server | None = None

    async def start(self, port: int = 0) -> None:
        self._server = await serve(
            self._handle, "127.0.0.1", port, process_request=self._process, subprotocols=["dateflicks.v1"]  # type: ignore[list-item]  # a NewType over str
        )  # fmt: skip
        self.url = f"ws://127.0.0.1:{next(iter(self._server.sockets)).getsockname()[1]}/"

    async def stop(self) -> None:
        assert self._server is not None
        self._server.close(code=1012)
        await self._server.wait_closed()

    async def _handle(self, socket: ServerConnection) -> None:
        await self.handler(socket)

    def _process(self, connection: ServerConnection, request: Request) -> Response | None:
        self.bearers.append(request.headers["Authorization"])
        return connection.respond(self.refuses.pop(0), "no") if self.refuses else None

    async def listen(self, socket: ServerConnection) -> None:
        """A handler that keeps what it hears, and answers each frame with its own."""
        await socket.send("hello")
        async for message in socket:
            self.heard.append(message)


@asynccontextmanager
async def service(handler: Handler | None = None) -> AsyncIterator[Service]:
    one = Service(stay)
    one.handler = one.listen if handler is None else handler
    await one.start()
    try:
        yield one
    finally:
        await one.stop()


async def stay(socket: ServerConnection) -> None:
    await socket.wait_closed()


def closes(*codes: int) -> Handler:
    """Says hello and closes with each of these in turn, then stays."""
    left = list(codes)

    async def handle(socket: ServerConnection) -> None:
        await socket.send("hello")
        if left:
            await socket.close(left.pop(0))
        await socket.wait_closed()

    return handle


async def token() -> str:
    return "t0ken"


@asynccontextmanager
async def events_of(feed: Feed) -> AsyncIterator[AsyncGenerator[FeedEvent]]:
    async with asyncio.timeout(10.0), aclosing(feed.events()) as events:
        yield events


async def the_next(kind: type[E], events: AsyncGenerator[FeedEvent]) -> E:
    async for event in events:
        if isinstance(event, kind):
            return event
    raise AssertionError("the feed has ended")


async def lost_times(count: int, feed: Feed, events: AsyncGenerator[FeedEvent]) -> list[Lost]:
    """The next times that the line is lost, without waiting for the next try."""
    lost = []
    for _ in range(count):
        lost.append(await the_next(Lost, events))
        feed.retry()
    return lost


# --- frames ---------------------------------------------------------------------------------------------------------


async def test_frames_go_both_ways_as_text_with_the_bearer_shown() -> None:
    async with service() as there:
        feed = Feed(there.url, token)
        assert (feed.is_open, feed.send(b"too early")) == (False, False)
        async with events_of(feed) as events:
            began = time.monotonic()
            opened = await the_next(Opened, events)
            received = await the_next(Received, events)
            assert (received.data, received.at >= opened.at >= began) == (b"hello", True)
            assert feed.send(b"one")
            assert feed.send(b"two")
            await until(lambda: len(there.heard) == 2)
        assert there.heard == ["one", "two"]
        assert there.bearers == ["Bearer t0ken"]
        await until(lambda: not feed.is_open)


async def test_a_cancellation_that_comes_while_a_lost_line_is_cleared_away_is_not_lost() -> None:
    is_clearing = asyncio.Event()

    class SlowToEnd(Feed):
        """Its writer takes a moment to end."""

        async def _write(self, connection: ClientConnection) -> None:
            try:
                await super()._write(connection)
            finally:
                is_clearing.set()
                await asyncio.sleep(0)

    async def listens(feed: Feed) -> None:
        async with aclosing(feed.events()) as events:
            async for _ in events:
                pass

    async with service(closes(1012)) as there:
        listening = asyncio.create_task(listens(SlowToEnd(there.url, token)))
        await is_clearing.wait()
        listening.cancel()
        done, _ = await asyncio.wait({listening}, timeout=5.0)
        assert done, "it goes on as if nobody had asked it to end"
        assert listening.cancelled()


async def test_whoever_leaves_ends_the_line_in_order_and_not_as_by_an_error() -> None:
    codes: list[int | None] = []

    async def notes_the_end(socket: ServerConnection) -> None:
        await socket.wait_closed()
        codes.append(socket.close_code)

    async def listens(feed: Feed, opened: asyncio.Event) -> None:
        async for event in feed.events():
            if isinstance(event, Opened):
                opened.set()

    async with service(notes_the_end) as there:
        async with events_of(Feed(there.url, token)) as events:
            await the_next(Opened, events)
        await until(lambda: codes == [1000])
        opened = asyncio.Event()
        task = asyncio.create_task(listens(Feed(there.url, token), opened))
        await opened.wait()
        task.cancel()
        await asyncio.wait([task])
        await until(lambda: codes == [1000, 1000])


async def test_the_subprotocol_is_asked_for() -> None:
    spoken: list[str | None] = []

    async def handle(socket: ServerConnection) -> None:
        spoken.append(socket.subprotocol)
        await socket.wait_closed()

    async with service(handle) as there, events_of(Feed(there.url, token)) as events:
        await the_next(Opened, events)
        await until(lambda: spoken == ["dateflicks.v1"])


async def test_what_was_meant_for_a_line_that_is_gone_is_not_said_on_the_next() -> None:
    """A position of a minute ago says nothing, and an act of then is no longer meant."""
    sockets: list[ServerConnection] = []
    heard: list[str | bytes] = []

    async def handle(socket: ServerConnection) -> None:
        sockets.append(socket)
        await socket.send("hello")
        try:
            async for message in socket:
                heard.append(message)
        except ConnectionClosed:
            pass

    async with service(handle) as there:
        feed = Feed(there.url, token)
        async with events_of(feed) as events:
            await the_next(Received, events)
            sockets[0].transport.abort()
            for number in range(10):
                feed.send(f"stale {number}".encode())
            await the_next(Lost, events)
            assert not feed.send(b"nobody is there")
            await the_next(Opened, events)
            await the_next(Received, events)
            feed.send(b"fresh")
            await until(lambda: b"fresh" in heard or "fresh" in heard)
    assert heard == ["fresh"]


async def test_a_line_that_takes_nothing_any_more_is_given_up() -> None:
    async with service() as there:
        feed = Feed(there.url, token)
        async with events_of(feed) as events:
            await the_next(Received, events)
            taken = [feed.send(b"x" * 1_000) for _ in range(QUEUE_FRAMES + 1)]
            assert taken == [True] * QUEUE_FRAMES + [False]
            assert (await the_next(Lost, events)).why == "the line is gone"
            await the_next(Opened, events)
            assert feed.send(b"again")
            await until(lambda: "again" in there.heard)


# --- coming back ----------------------------------------------------------------------------------------------------


async def test_the_first_try_is_immediate_and_later_ones_wait_longer_and_longer() -> None:
    async with service() as there:
        url = there.url
    feed = Feed(url, token)
    async with events_of(feed) as events:
        lost = await lost_times(9, feed, events)
    assert [one.tries for one in lost] == list(range(1, 10))
    assert {one.why for one in lost} == {"the service can not be reached"}
    waits = [one.retry_in for one in lost]
    assert waits[0] == 0.0
    for wait, longest in zip(waits[1:], [0.25, 0.5, 1.0, 2.0, 4.0, 5.0, 5.0, 5.0], strict=True):
        assert longest / 5 <= wait <= longest


async def test_a_line_that_worked_is_tried_again_at_once() -> None:
    async with service(closes(1011, 1001, 1000)) as there, events_of(Feed(there.url, token)) as events:
        lost = [await the_next(Lost, events) for _ in range(3)]
        await the_next(Received, events)
        assert len(there.bearers) == 4
    assert [(one.retry_in, one.tries) for one in lost] == [(0.0, 1)] * 3


async def test_a_line_that_opens_and_says_nothing_has_not_worked() -> None:
    async def shuts(socket: ServerConnection) -> None:
        await socket.close(1011)

    async with service(shuts) as there:
        feed = Feed(there.url, token)
        async with events_of(feed) as events:
            assert [one.tries for one in await lost_times(4, feed, events)] == [1, 2, 3, 4]


async def test_who_waits_may_be_told_to_try_now() -> None:
    async with service() as there:
        url = there.url
    feed = Feed(url, token)
    async with events_of(feed) as events:
        await lost_times(11, feed, events)
        retries = asyncio.get_running_loop().call_soon(feed.retry)
        assert (await the_next(Lost, events)).tries == 12
        retries.cancel()


@pytest.mark.parametrize(
    ("code", "why", "longest"),
    [(1012, "the service restarts", 1.0), (1013, "this line is too slow", 1.0), (4429, "too many frames", 3.0)],
)
async def test_many_do_not_come_back_together(code: int, why: str, longest: float) -> None:
    async with service(closes(*[code] * 12)) as there:
        feed = Feed(there.url, token)
        async with events_of(feed) as events:
            lost = await lost_times(12, feed, events)
    waits = [one.retry_in for one in lost]
    assert {one.why for one in lost} == {why}
    assert max(waits) <= longest
    assert max(waits) - min(waits) > longest / 5
    assert len(set(waits)) == 12


@pytest.mark.parametrize(
    "status", [HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.BAD_GATEWAY, HTTPStatus.TOO_MANY_REQUESTS]
)
async def test_a_service_that_can_not_answer_now_is_asked_again(status: HTTPStatus) -> None:
    async with service() as there:
        there.refuses = [status]
        feed = Feed(there.url, token)
        async with events_of(feed) as events:
            assert (await lost_times(1, feed, events))[0].why == f"the service answered {status.value}"
            await the_next(Opened, events)


async def test_a_silent_line_is_taken_for_dead() -> None:
    async with service(stay) as there, events_of(Feed(there.url, token, silence_seconds=0.05)) as events:
        await the_next(Opened, events)
        assert (await the_next(Lost, events)).why == "the service does not answer"
        await the_next(Opened, events)


async def test_a_silent_line_is_left_in_order() -> None:
    codes = list[int | None]()

    async def noting(socket: ServerConnection) -> None:
        await socket.wait_closed()
        codes.append(socket.close_code)

    async with service(noting) as there, events_of(Feed(there.url, token, silence_seconds=0.05)) as events:
        await the_next(Lost, events)
        await the_next(Opened, events)
    assert codes[0] == 1000


async def test_a_service_that_restarts_is_found_again() -> None:
    one = Service(stay)
    one.handler = one.listen
    await one.start()
    feed = Feed(one.url, token)
    async with events_of(feed) as events:
        await the_next(Received, events)
        await one.stop()
        assert (await the_next(Lost, events)).why == "the service restarts"
        await one.start(int(one.url.rstrip("/").rsplit(":", 1)[1]))
        feed.retry()
        await the_next(Received, events)
    await one.stop()


# --- the end --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", [4400, 4403, 4404, 4409])
async def test_some_close_codes_are_not_argued_with(code: int) -> None:
    async with service(closes(code)) as there, events_of(Feed(there.url, token)) as events:
        with pytest.raises(FeedEnded) as ended:
            await the_next(Lost, events)
        assert ended.value.code == code
        assert len(there.bearers) == 1


@pytest.mark.parametrize(("status", "code"), [(HTTPStatus.FORBIDDEN, 4403), (HTTPStatus.NOT_FOUND, 4404)])
async def test_a_refused_handshake_ends_it(status: HTTPStatus, code: int) -> None:
    async with service() as there:
        there.refuses = [status]
        async with events_of(Feed(there.url, token)) as events:
            with pytest.raises(FeedEnded) as ended:
                await the_next(Opened, events)
    assert ended.value.code == code


async def test_a_refused_token_is_tried_once_more_with_a_fresh_one() -> None:
    shown: list[str] = []

    async def fresh() -> str:
        shown.append(f"t{len(shown)}")
        return shown[-1]

    async with service() as there:
        there.refuses = [HTTPStatus.UNAUTHORIZED]
        async with events_of(Feed(there.url, fresh)) as events:
            assert (await the_next(Lost, events)).why == "the service wants a new ticket"
            await the_next(Opened, events)
        assert there.bearers == ["Bearer t0", "Bearer t1"]


async def test_a_token_that_is_refused_twice_ends_it() -> None:
    async with service() as there:
        there.refuses = [HTTPStatus.UNAUTHORIZED] * 5
        async with events_of(Feed(there.url, token)) as events:
            await the_next(Lost, events)
            with pytest.raises(FeedEnded) as ended:
                await the_next(Lost, events)
        assert ended.value.code == 4401
        assert len(there.bearers) == 2


async def test_a_token_that_is_refused_after_opening_ends_it_too() -> None:
    async def refuses(socket: ServerConnection) -> None:
        await socket.close(4401)

    async with service(refuses) as there, events_of(Feed(there.url, token)) as events:
        await the_next(Lost, events)
        with pytest.raises(FeedEnded) as ended:
            await the_next(Lost, events)
        assert ended.value.code == 4401
        assert len(there.bearers) == 2


async def test_a_token_that_runs_out_now_and_then_is_renewed_each_time() -> None:
    async with service(closes(4401, 4401, 4401)) as there, events_of(Feed(there.url, token)) as events:
        for _ in range(3):
            await the_next(Received, events)
            await the_next(Lost, events)
        await the_next(Received, events)


async def test_whoever_gives_the_bearer_may_end_it() -> None:
    async def over() -> str:
        raise FeedEnded(4409, "the session is over")

    async with service() as there, events_of(Feed(there.url, over)) as events:
        with pytest.raises(FeedEnded, match="over"):
            await the_next(Opened, events)
        assert there.bearers == []
