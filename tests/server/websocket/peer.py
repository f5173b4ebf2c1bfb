"""A client on which the test decides about every byte, and just enough protocol to see what the server answers."""

import asyncio
import base64
import contextlib
import os
import socket
from collections.abc import AsyncIterator, Mapping
from typing import Any, Final

import msgspec

from dateflicks.server.websocket.frames import Opcode
from tests.server.websocket.sending import close_frame, frame

WITHIN: Final = 10.0  # seconds for anything that has to happen; a busy machine is slow
Headers = Mapping[str, str | None]


def handshake(room: str = "one", token: str | None = "ada", headers: Headers | None = None) -> bytes:
    """A good one, but for the headers given; None leaves one out."""
    lines: dict[str, str | None] = {
        "Host": "x",
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": base64.b64encode(os.urandom(16)).decode(),
        "Authorization": None if token is None else f"Bearer {token}",
    }
    lines |= headers or {}
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items() if value is not None)
    return f"GET /rooms/{room}/events HTTP/1.1\r\n{head}\r\n".encode()


def say(text: str, **more: object) -> bytes:
    return frame(msgspec.json.encode({"type": "say", "text": text} | more))


def do(what: str) -> bytes:
    return frame(msgspec.json.encode({"type": "do", "what": what}))


class Peer:
    """One TCP connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self.answers_pings = True

    async def send(self, data: bytes) -> None:
        """Send what the server still takes; where it has hung up, reading tells."""
        with contextlib.suppress(ConnectionError):
            self.writer.write(data)
            await self.writer.drain()

    async def answer(self) -> tuple[int, dict[str, str], bytes]:
        """An HTTP answer; status 0 where the server hung up instead."""
        try:
            async with asyncio.timeout(WITHIN):
                head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1").rstrip().split("\r\n")
                headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])}
                body = await self.reader.readexactly(int(headers.get("content-length", "0")))
        except (asyncio.IncompleteReadError, ConnectionError):
            return 0, {}, b""
        return int(head[0].split()[1]), headers, body

    async def frame(self) -> tuple[int, bytes] | None:
        """The next frame of the server's, pings answered; None where the connection ends."""
        try:
            async with asyncio.timeout(WITHIN):
                first, size = await self.reader.readexactly(2)
                assert first & 0xF0 == 0x80, "the server sends whole frames, without compression"
                assert size < 128, "the server does not mask"
                if size > 125:
                    size = int.from_bytes(await self.reader.readexactly(2 if size == 126 else 8), "big")
                payload = await self.reader.readexactly(size)
        except (asyncio.IncompleteReadError, ConnectionError):
            return None
        opcode = first & 0x0F
        if opcode == Opcode.PING and self.answers_pings:
            await self.send(frame(payload, Opcode.PONG))
        return opcode, payload

    async def heard(self) -> dict[str, Any]:
        """The next text of the server's."""
        while (found := await self.frame()) is not None:
            opcode, payload = found
            assert opcode != Opcode.CLOSE, f"closed with {payload!r}"
            if opcode == Opcode.TEXT:
                told: dict[str, Any] = msgspec.json.decode(payload)
                return told
        raise AssertionError("the connection ended")

    async def ending(self, *, answers: bool = True) -> int | None:
        """Read on until the server closes: its code, or None for the end of the connection without one."""
        while (found := await self.frame()) is not None:
            opcode, payload = found
            if opcode == Opcode.CLOSE:
                code = int.from_bytes(payload[:2], "big") if payload else 1005
                if answers:
                    await self.send(close_frame(code) if payload else frame(opcode=Opcode.CLOSE))
                return code
        return None

    async def gone(self) -> bool:
        """Read on until the connection itself ends."""
        with contextlib.suppress(ConnectionError):
            async with asyncio.timeout(WITHIN):
                while await self.reader.read(65_536):
                    pass
        return True

    def reset(self) -> None:
        """End it as a machine does that has crashed."""
        own = self.writer.get_extra_info("socket")
        own.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.writer.transport.abort()


@contextlib.asynccontextmanager
async def connected(port: int, *, source: str = "127.0.0.1", receive_buffer: int | None = None) -> AsyncIterator[Peer]:
    """A connection to the server, from an address of the test's choice."""
    own = socket.socket()
    own.setblocking(False)
    if receive_buffer is not None:
        own.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    own.bind((source, 0))
    async with asyncio.timeout(WITHIN):
        await asyncio.get_running_loop().sock_connect(own, ("127.0.0.1", port))
        reader, writer = await asyncio.open_connection(sock=own)
    try:
        yield Peer(reader, writer)
    finally:
        writer.transport.abort()


@contextlib.asynccontextmanager
async def joined(
    port: int,
    room: str = "one",
    token: str | None = "ada",
    headers: Headers | None = None,
    *,
    source: str = "127.0.0.1",
    receive_buffer: int | None = None,
) -> AsyncIterator[Peer]:
    """After a good handshake."""
    async with connected(port, source=source, receive_buffer=receive_buffer) as peer:
        await peer.send(handshake(room, token, headers))
        status, _, body = await peer.answer()
        assert status == 101, (status, body)
        yield peer
