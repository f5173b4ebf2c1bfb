"""A live feed: one WebSocket that comes back. Frames in and out are bytes; what they mean is the caller's business.

The first retry is immediate, later ones grow to five seconds with full jitter, so that many clients of one service do
not come back together. Where coming back is useless (not a member, no such session, replaced) the feed ends and says
why. A line that has been silent for longer than the service ever is, is taken for dead and opened again.
"""

import asyncio
import contextlib
import random
import ssl
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus
from websockets.typing import Subprotocol

FINAL_CODES: Final = {
    4400: "the service could not understand this client",
    4403: "you do not take part in this session",
    4404: "there is no such session",
    4409: "you are watching from too many places: a newer connection has taken this one's place",
}
RESTART_CODE: Final = 1012
TOKEN_CODE: Final = 4401
RETRY_MAX_SECONDS: Final = 5.0
OPEN_SECONDS: Final = 5.0
SPREAD_SECONDS: Final = {RESTART_CODE: 1.0, 1013: 1.0, 4429: 3.0}  # not all at once; 60 frames are allowed again in 3 s
QUEUE_FRAMES: Final = 256  # more than this unsent means that the line is dead: it is opened again
FRAME_MAX_BYTES: Final = 256 * 1024
_RANDOM: Final = random.SystemRandom()
SUBPROTOCOL: Final = "dateflicks.v1"


class FeedEnded(Exception):
    """The feed will not come back by itself; the text says why."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code


@dataclass(frozen=True, slots=True)
class Opened:
    """The line stands."""

    at: float


@dataclass(frozen=True, slots=True)
class Received:
    """A frame, and when it arrived (monotonic seconds)."""

    data: bytes
    at: float


@dataclass(frozen=True, slots=True)
class Lost:
    """The line is gone; the next try comes in `retry_in` seconds."""

    at: float
    why: str
    retry_in: float
    tries: int


FeedEvent = Opened | Received | Lost


class Feed:
    """One feed; `events` runs it, `send` speaks into it while it is open.

    `pings` asks the other end for signs of life; needless where what is sent is answered all the time. Where it may be
    quiet for long (`is_quiet`), answered pings are all the life that there is to see.
    """

    def __init__(
        self,
        url: str,
        bearer: Callable[[], Awaitable[str]],
        *,
        silence_seconds: float = 10.0,
        pings: bool = True,
        is_quiet: bool = False,
        now: Callable[[], float] = time.monotonic,
        trust: Callable[[], ssl.SSLContext] | None = None,
        through: tuple[str, int] | None = None,
    ) -> None:
        """`trust` is asked for when the address is one of TLS; `through` is where to connect to in its place."""
        self._url = url
        self._bearer = bearer
        self._silence = silence_seconds
        self._pings = pings
        self._is_quiet = is_quiet
        self._now = now
        self._trust = trust
        self._through = through
        self._queue: asyncio.Queue[bytes] = asyncio.Queue(QUEUE_FRAMES)
        self._connection: ClientConnection | None = None
        self._tries = 0
        self._retry_now = asyncio.Event()

    @property
    def is_open(self) -> bool:
        """Whether frames can be sent now."""
        return self._connection is not None

    def send(self, data: bytes) -> bool:
        """Hand a frame to the line; False when it is not open. A line that takes nothing any more is given up."""
        if self._connection is None:
            return False
        try:
            self._queue.put_nowait(data)
        except asyncio.QueueFull:
            self._connection.transport.abort()
            return False
        return True

    def retry(self) -> None:
        """Do not wait any longer for the next try."""
        self._retry_now.set()

    async def events(self) -> AsyncGenerator[FeedEvent]:
        """Everything that happens, until the caller stops iterating. Raises FeedEnded."""
        refused_token = False
        while True:
            why, spread = "the line is gone", 0.0
            try:
                async with contextlib.aclosing(self._once()) as once:
                    async for event in once:
                        refused_token = refused_token and not isinstance(event, Received)
                        yield event
            except InvalidStatus as error:
                why, spread = self._refused(error, refused_token)
                refused_token = error.response.status_code == 401
            except ConnectionClosed as closed:
                code = closed.rcvd.code if closed.rcvd is not None else 1006
                if code in FINAL_CODES:
                    raise FeedEnded(code, FINAL_CODES[code]) from None
                if code == TOKEN_CODE and refused_token:
                    raise FeedEnded(code, "the sign-in is no longer valid") from None
                refused_token = code == TOKEN_CODE
                why, spread = _reason(code), SPREAD_SECONDS.get(code, 0.0)
            except (TimeoutError, InvalidHandshake):
                why = "the service does not answer"
            except OSError:
                why = "the service can not be reached"
            delay = max(self._delay(), _RANDOM.uniform(0, spread))
            self._retry_now.clear()  # before it is told: whoever is told may want to try at once
            yield Lost(self._now(), why, delay, self._tries)
            with contextlib.suppress(TimeoutError):  # wait_for would lose a cancellation that comes with a retry
                async with asyncio.timeout(delay):
                    await self._retry_now.wait()

    async def _once(self) -> AsyncGenerator[FeedEvent]:
        headers: Mapping[str, str] = {"Authorization": f"Bearer {await self._bearer()}"}
        more: dict[str, Any] = {}
        if self._trust is not None and self._url.startswith("wss:"):
            more["ssl"] = self._trust()
        if self._through is not None:
            more["host"], more["port"] = self._through
        async with connect(
            self._url,
            additional_headers=headers,
            subprotocols=[Subprotocol(SUBPROTOCOL)],
            compression=None,
            open_timeout=OPEN_SECONDS,
            close_timeout=1.0,
            max_size=FRAME_MAX_BYTES,
            ping_interval=self._silence / 2 if self._pings else None,
            ping_timeout=self._silence / 2,
            proxy=None,
            **more,
        ) as connection:
            writer = asyncio.create_task(self._write(connection))
            try:
                while not self._queue.empty():  # what was meant for the line that is gone is stale
                    self._queue.get_nowait()
                self._connection = connection
                yield Opened(self._now())
                while True:
                    async with asyncio.timeout(None if self._is_quiet else self._silence):
                        message = await connection.recv(decode=False)
                    self._tries = 0
                    yield Received(message, self._now())
            except (asyncio.CancelledError, GeneratorExit, TimeoutError):
                await connection.close()  # whoever leaves ends in order; the library would tell of an error by its code
                raise
            finally:
                self._connection = None
                writer.cancel()
                await asyncio.wait({writer})  # awaiting it would take a cancellation of ours for its own

    async def _write(self, connection: ClientConnection) -> None:
        while True:
            data = await self._queue.get()
            try:
                await connection.send(data, text=True)
            except ConnectionClosed:
                return

    def _refused(self, error: InvalidStatus, refused_token: bool) -> tuple[str, float]:
        status = error.response.status_code
        if status == 401 and refused_token:
            raise FeedEnded(TOKEN_CODE, "the sign-in is no longer valid") from None
        if status in (403, 404):
            raise FeedEnded(4000 + status, FINAL_CODES[4000 + status]) from None
        if status == 401:
            return "the service wants a new ticket", 0.0
        spread = 5.0 if status == 429 else 1.0
        return f"the service answered {status}", spread

    def _delay(self) -> float:
        """Nothing at first, then up to 0.25, 0.5, 1, 2, 4, 5 s, each drawn between a fifth of it and all of it."""
        self._tries += 1
        if self._tries == 1:
            return 0.0
        longest = min(0.25 * 2.0 ** (self._tries - 2), RETRY_MAX_SECONDS)
        return _RANDOM.uniform(longest / 5, longest)


def _reason(code: int) -> str:
    return {RESTART_CODE: "the service restarts", 1013: "this line is too slow", 4429: "too many frames"}.get(
        code, "the line is gone"
    )
