"""mpv's JSON IPC, the little of it that is needed: one connection, requests with ids, events as they come.

Every request has a deadline and is stamped on the monotonic clock when it leaves and when its answer is read. Events
are handed on in the same turn of the loop to one synchronous receiver: there is no queue that could grow here, and
whoever keeps events decides what a full queue means. A line longer than `LINE_MAX_BYTES`, or one that is no JSON
object, ends the connection: such a peer is not mpv.
"""

import asyncio
import json
import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

LINE_MAX_BYTES: Final = 1 << 20  # the longest real answer (a track list) is some ten KiB
PENDING_MAX: Final = 64  # requests without an answer; one more is refused rather than kept
REQUEST_SECONDS: Final = 2.0
WRITE_BUFFER_MAX_BYTES: Final = 64 << 10  # a peer that does not read for this long will not read the rest either


class IpcError(Exception):
    """Root of what can go wrong between mpv and us."""


class IpcClosed(IpcError):
    """The connection is gone, by mpv or by us; the text says which."""


class IpcTimeout(IpcError):
    """mpv did not answer in time; it may still do what was asked."""


class IpcRefused(IpcError):
    """mpv answered that it will not; `reason` is its word for it (`property unavailable`)."""

    def __init__(self, command: object, reason: str) -> None:
        super().__init__(f"mpv refused {command}: {reason}")
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer, with the instants at which the question left and the answer was read."""

    data: Any
    sent_at: float
    received_at: float

    @property
    def at(self) -> float:
        """The middle of the request: the best guess for when mpv looked."""
        return (self.sent_at + self.received_at) / 2

    @property
    def took(self) -> float:
        """How long the answer took, in seconds."""
        return self.received_at - self.sent_at


@dataclass(frozen=True, slots=True)
class IpcEvent:
    """Something mpv told by itself, and when it was read."""

    name: str
    at: float
    fields: Mapping[str, Any]


class MpvIpc(asyncio.Protocol):
    """One connection to one mpv; made by `connect_path` or `connect_socket`."""

    def __init__(self, on_event: Callable[[IpcEvent], None], on_lost: Callable[[str], None]) -> None:
        self._on_event = on_event
        self._on_lost = on_lost
        self._transport: asyncio.Transport | None = None
        self._partial = bytearray()
        self._next_id = 1
        self._waiting: dict[int, tuple[asyncio.Future[Reply], tuple[Any, ...], float]] = {}
        self._ended: str | None = None

    @property
    def lost(self) -> str | None:
        """Why the connection is gone, or None while it stands."""
        return self._ended

    def send(self, *command: Any) -> asyncio.Future[Reply]:
        """Send one command now; the future gets its answer. Without a deadline: for callers that keep their own."""
        if self._ended is not None or self._transport is None:
            raise IpcClosed(self._ended or "mpv is not connected")
        if len(self._waiting) >= PENDING_MAX:
            raise IpcTimeout(f"mpv has left {PENDING_MAX} requests unanswered")
        number = self._next_id
        self._next_id += 1
        line = json.dumps({"command": list(command), "request_id": number, "async": False}).encode() + b"\n"
        future: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        sent_at = time.monotonic()
        self._waiting[number] = (future, command, sent_at)
        future.add_done_callback(lambda _: self._waiting.pop(number, None))
        self._transport.write(line)
        return future

    async def command(self, *command: Any, timeout: float = REQUEST_SECONDS) -> Reply:
        """Send one command and wait for its answer. Raises IpcRefused, IpcTimeout or IpcClosed."""
        try:
            async with asyncio.timeout(timeout):
                return await self.send(*command)
        except TimeoutError:
            raise IpcTimeout(f"mpv did not answer {command[0]} within {timeout:g} s") from None

    async def get(self, name: str) -> Any:
        """The value of a property."""
        return (await self.command("get_property", name)).data

    async def set(self, name: str, value: Any) -> Reply:
        """Set a property."""
        return await self.command("set_property", name, value)

    def close(self) -> None:
        """Let go of the connection."""
        self._end("closed from our side")

    # --- the transport's side ---------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        transport.set_write_buffer_limits(high=WRITE_BUFFER_MAX_BYTES)
        self._transport = transport

    def pause_writing(self) -> None:
        self._end("mpv stopped reading what it is told")

    def data_received(self, data: bytes) -> None:
        now = time.monotonic()
        self._partial += data
        while (end := self._partial.find(b"\n")) >= 0 and self._ended is None:
            line = bytes(self._partial[:end])
            del self._partial[: end + 1]
            if len(line) > LINE_MAX_BYTES or not self._take(line, now):
                self._end("what answers there does not speak mpv's protocol")
        if len(self._partial) > LINE_MAX_BYTES:
            self._end("what answers there does not speak mpv's protocol (a line without end)")

    def connection_lost(self, exc: Exception | None) -> None:
        self._end(f"mpv closed the connection{f' ({exc})' if exc else ''}")

    def _take(self, line: bytes, now: float) -> bool:
        try:
            message = json.loads(line.decode(errors="replace"))
        except (ValueError, RecursionError):
            return False
        if not isinstance(message, dict):
            return False
        if isinstance(name := message.get("event"), str):
            self._on_event(IpcEvent(name, now, message))
            return True
        number = message.get("request_id")
        entry = self._waiting.get(number) if isinstance(number, int) else None
        if entry is not None and not entry[0].done():
            future, command, sent_at = entry
            error = message.get("error")
            if error == "success":
                future.set_result(Reply(message.get("data"), sent_at, now))
            else:
                future.set_exception(IpcRefused(command[0], str(error)))
        return True

    def _end(self, why: str) -> None:
        if self._ended is not None:
            return
        self._ended = why
        self._partial.clear()
        for future, _, _ in list(self._waiting.values()):
            if not future.done():
                future.set_exception(IpcClosed(why))
        if self._transport is not None:
            self._transport.abort()
        self._on_lost(why)


async def connect_path(
    path: Path, on_event: Callable[[IpcEvent], None], on_lost: Callable[[str], None], *, timeout: float = 5.0
) -> MpvIpc:
    """Connect to the socket of a running mpv. Raises IpcClosed when nothing answers there."""
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(timeout):
            _, ipc = await loop.create_unix_connection(lambda: MpvIpc(on_event, on_lost), str(path))
    except (OSError, TimeoutError) as error:
        raise IpcClosed(f"no mpv listens at {path}: {error}") from None
    return ipc


async def connect_socket(
    ours: socket.socket, on_event: Callable[[IpcEvent], None], on_lost: Callable[[str], None]
) -> MpvIpc:
    """Speak over a connected socket whose other end mpv has inherited."""
    _, ipc = await asyncio.get_running_loop().create_unix_connection(lambda: MpvIpc(on_event, on_lost), sock=ours)
    return ipc
