"""A WebSocket to a session's talk on two plain streams: just enough of the protocol, and none of the project's code."""

import asyncio
import base64
import contextlib
import json
import os
import struct
from collections.abc import AsyncIterator
from typing import Any, Final

OPEN_SECONDS: Final = 5.0
TEXT, CLOSE, PING, PONG = 1, 8, 9, 10

Json = dict[str, Any]


class PlainSocket:
    """After the handshake."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @property
    def is_open(self) -> bool:
        """Whether anything can be sent."""
        return not self._writer.is_closing()

    def send(self, frame: Json) -> None:
        """Send a frame."""
        self._send(TEXT, json.dumps(frame).encode())

    def abort(self) -> None:
        """End it at once."""
        self._writer.transport.abort()

    async def receive(self) -> Json:
        """The next frame. Raises EOFError, OSError at the end."""
        frame: Json = json.loads(await self.receive_text())
        return frame

    async def receive_text(self) -> bytes:
        """The next frame as it came. Raises EOFError, OSError at the end."""
        while True:
            first, second = await self._reader.readexactly(2)
            length = second & 0x7F
            if length == 126:
                (length,) = struct.unpack("!H", await self._reader.readexactly(2))
            elif length == 127:
                (length,) = struct.unpack("!Q", await self._reader.readexactly(8))
            payload = await self._reader.readexactly(length)
            code = first & 0x0F
            if code == TEXT:
                return payload
            if code == PING:
                self._send(PONG, payload)
            elif code == CLOSE:
                raise EOFError

    def _send(self, code: int, payload: bytes) -> None:
        size = len(payload)
        length = bytes([0x80 | size]) if size < 126 else b"\xfe" + struct.pack("!H", size)
        mask = os.urandom(4)
        repeated = (mask * (size // 4 + 1))[:size]
        hidden = (int.from_bytes(payload) ^ int.from_bytes(repeated)).to_bytes(size)
        self._writer.write(bytes([0x80 | code]) + length + mask + hidden)


@contextlib.asynccontextmanager
async def opened(port: int, session_id: str, ticket: str, feed: str = "messages") -> AsyncIterator[PlainSocket]:
    """A connection to the talk, or to another feed of a session. Raises OSError, EOFError, TimeoutError."""
    async with asyncio.timeout(OPEN_SECONDS):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        key = base64.b64encode(os.urandom(16)).decode()
        lines = (
            f"GET /{feed}/{session_id}/events HTTP/1.1", f"Host: 127.0.0.1:{port}", "Connection: Upgrade",
            "Upgrade: websocket", "Sec-WebSocket-Version: 13", f"Sec-WebSocket-Key: {key}",
            f"Authorization: Bearer {ticket}",
        )  # fmt: skip
        writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
        async with asyncio.timeout(OPEN_SECONDS):
            head = await reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 101 "):
            raise ConnectionError(head.partition(b"\r\n")[0].decode())
        yield PlainSocket(reader, writer)
    finally:
        writer.transport.abort()
