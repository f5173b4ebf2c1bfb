"""Sanic's connection with three things added: a bound to how many there are, a deadline for each request to arrive, and
the way out to a feed.

Private ways of Sanic's `HttpProtocol` and `Http` that this depends on: `_http.stage`, `_http.request_body`,
`_http.exception` with a cancelled `_task` (its own way of answering a time-out), `recv_buffer`, `_can_write`,
`_callback_check_timeouts`, that `connections` has all of the server's, that all answers go through `send`, and that
`close` is called when a handler has returned; `HTTP_CLASS`, and that an `Http` keeps a method of its own in
`response_func`, and is the `stream` of its `request` and `response`.
"""

import asyncio
import time
from typing import Any, Final

from sanic.exceptions import RequestCancelled, RequestTimeout
from sanic.http import Http
from sanic.http.constants import Stage
from sanic.server.protocols.http_protocol import HttpProtocol

from dateflicks.core import limits
from dateflicks.server.web.problems import RETRY_SECONDS, problem_bytes
from dateflicks.server.websocket.connection import AnyConnection
from dateflicks.server.websocket.frames import WENT_WRONG, Code

LINGER_SECONDS: Final = 2.0
LINGER_MAX_BYTES: Final = 64 * 1024 * 1024
SPARE: Final = 200  # connections beyond the bound that are told so; what comes beyond these is hung up on
READ_SECONDS: Final = 10.0  # for a peer to read on, when it has left too much of our answers unread
_WAITING: Final = (Stage.IDLE, Stage.REQUEST)
_FULL: Final = problem_bytes(503, "full", "There are too many connections here. Try again in a moment.", RETRY_SECONDS)


class PassingHttp(Http):
    """The part of a connection that speaks HTTP; what is left of it afterwards does not refer to itself.

    Sanic's own is kept, with its request, until somebody looks for garbage: 10 kB for each feed that is open, and for
    each connection that has ended in the middle of a head.
    """

    __slots__ = ()

    async def http1(self) -> None:
        """Serve requests for as long as there are any."""
        try:
            await super().http1()  # type: ignore[no-untyped-call]  # Sanic's own are untyped
        finally:
            self.response_func = None  # type: ignore[assignment]  # as Sanic's own does when it has answered
            for one in (self.request, self.response):  # which it lets go, too, unless there is nobody to answer
                if one is not None:
                    one.stream = None


class FeedProtocol(HttpProtocol):
    """One connection: HTTP until a feed takes it over."""

    HTTP_CLASS = PassingHttp

    __slots__ = ("_deadline", "_due_from", "_is_early", "_to_drop", "feed")

    request_seconds: float = limits.REQUEST_DEADLINE_SECONDS

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.feed: AnyConnection | None = None
        self._to_drop: int | None = None  # bytes that may still come in behind an answer that ended the connection
        self._deadline: asyncio.TimerHandle | None = None
        self._due_from: float | None = None
        self._is_early = False  # the last answer was sent before its request had come whole

    def take_over(self, feed: AnyConnection) -> None:
        """From here on this connection is a feed's; what came behind the handshake is its first data."""
        self.feed = feed
        self._cancel_deadline()
        timeouts: asyncio.TimerHandle | None = self._callback_check_timeouts
        if timeouts is not None:
            timeouts.cancel()
        behind = bytes(self.recv_buffer)
        self.recv_buffer.clear()
        if self.transport is not None:
            self.transport.resume_reading()
        if behind:
            self.loop.call_soon(feed.data_received, behind)

    # --- what the transport calls -------------------------------------------------------------------------------

    def connection_made(self, transport: Any) -> None:
        """A new connection: its first request has to come whole within the deadline."""
        super().connection_made(transport)  # type: ignore[no-untyped-call]  # Sanic's own are untyped
        beyond = len(self.connections) - self.app.ctx.state.settings.connections
        if beyond > SPARE:
            transport.abort()
        elif beyond > 0:
            transport.write(_FULL)
            self._linger(transport)
        else:
            self._expect_request()

    def data_received(self, data: bytes) -> None:
        """To the feed, or to HTTP."""
        if self.feed is not None:
            self.feed.data_received(data)
            return
        if self._to_drop is not None:
            self._drop(data)
            return
        if self._due_from is None and self._is_reading():
            self._expect_request()
        super().data_received(data)

    def resume_writing(self) -> None:
        """The peer has read most of what was sent."""
        super().resume_writing()  # type: ignore[no-untyped-call]
        if self.feed is not None:
            self.feed.resume_writing()

    def eof_received(self) -> bool | None:
        """The peer sends nothing more."""
        if self.feed is not None:
            self.feed.eof_received()
        return False

    def connection_lost(self, exc: BaseException | None) -> None:
        """The connection is gone."""
        self._cancel_deadline()
        super().connection_lost(exc)  # type: ignore[no-untyped-call]
        if self.feed is not None:
            self.feed.connection_lost()

    # --- what Sanic calls ---------------------------------------------------------------------------------------

    def close(self, timeout: float | None = None) -> None:
        """The handler has returned: a feed stays, everything else ends."""
        if self.feed is not None or self._to_drop is not None:
            return
        is_unread = bool(self.recv_buffer) or self._is_early
        if is_unread and self.transport is not None and not self.transport.is_closing():
            self._linger(self.transport)
        else:
            super().close(timeout)

    def abort(self) -> None:
        """End it at once. Unlike Sanic's own this keeps the transport, without which its task fails with a traceback
        in its log when the head of a request is not whole."""
        if self.transport is not None:
            self.transport.abort()

    async def send(self, data: bytes) -> None:
        """A part of an answer leaves. On a feed's connection none can: its handler has failed after the upgrade."""
        if self.feed is not None:
            self.feed.close(Code.OUR_FAULT, WENT_WRONG)
            return
        self._is_early = self._is_reading()
        if not self._is_early:
            self._due_from = None
        if not self._can_write.is_set():
            await self._until_read()
        await super().send(data)  # type: ignore[no-untyped-call]

    def close_if_idle(self) -> bool:
        """The server stops."""
        if self.feed is not None:
            self.feed.close(Code.RESTART, "restart")
            return False
        closed: bool = super().close_if_idle()
        return closed

    # --- an answer before the end of the request ----------------------------------------------------------------

    def _linger(self, transport: asyncio.Transport) -> None:
        """End our side and let the rest of the request go by: a reset would take our answer from a peer that still
        sends (RFC 9112, section 9.6)."""
        self._to_drop = LINGER_MAX_BYTES
        self.recv_buffer.clear()
        if transport.can_write_eof():
            transport.write_eof()
        transport.resume_reading()
        self._cancel_deadline()
        self._deadline = self.loop.call_later(LINGER_SECONDS, transport.abort)

    def _drop(self, data: bytes) -> None:
        self._to_drop = (self._to_drop or 0) - len(data)
        if self._to_drop <= 0 and self.transport is not None:
            self.transport.abort()

    async def _until_read(self) -> None:
        """Sanic waits for ever for a peer that asks and asks and reads no answer."""
        try:
            async with asyncio.timeout(READ_SECONDS):
                await self._can_write.wait()
        except TimeoutError:
            self.abort()
            raise RequestCancelled from None

    # --- the deadline -------------------------------------------------------------------------------------------

    def _expect_request(self) -> None:
        self._due_from = time.monotonic()
        if self._deadline is None:
            self._deadline = self.loop.call_later(self.request_seconds, self._look)

    def _look(self) -> None:
        """The time that a request had is over: a part of one is answered with 408, silence with nothing."""
        self._deadline = None
        if self._due_from is None or self.feed is not None:
            return
        left = self._due_from + self.request_seconds - time.monotonic()
        if not self._is_reading():
            self._due_from = None
        elif left > 0.001:
            self._deadline = self.loop.call_later(left, self._look)
        elif self._stage() is Stage.IDLE or self._task is None:
            self.abort()
        else:
            self._http.exception = RequestTimeout("Request Timeout")
            self._task.cancel()
            # Sanic now waits for the rest of a body whose request it has answered: not for long.
            self._deadline = self.loop.call_later(LINGER_SECONDS, self.abort)

    def _is_reading(self) -> bool:
        """Whether a request, or its body, has still to come."""
        return self._stage() in _WAITING or self._http.request_body is not None

    def _stage(self) -> Stage:
        return self._http.stage if self.http is not None else Stage.IDLE

    def _cancel_deadline(self) -> None:
        self._due_from = None
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
