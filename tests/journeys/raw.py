"""A WebSocket client that can do everything wrong: bytes on a socket, and just enough protocol to see the answer."""

import asyncio
import base64
import json
import os
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

from tests.journeys.deployment import Deployment
from tests.journeys.wire import INTERNALS, WITHIN, Json, strict_json

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
MASK = b"\x1f\x2e\x3d\x4c"
PROBE = 424_242.5  # the t0 by which the answer to our own ping is known
PATIENCE = 0.15  # how long a service may take to close before it is asked whether it still talks


def frame(
    payload: bytes | str,
    *,
    opcode: int = TEXT,
    final: bool = True,
    reserved: int = 0,
    masked: bool = True,
    length: bytes | None = None,
) -> bytes:
    """One frame; `length` replaces the seven bits and what follows them."""
    data = payload.encode() if isinstance(payload, str) else payload
    if length is None:
        if len(data) < 126:
            length = bytes([len(data)])
        elif len(data) < 65_536:
            length = b"\x7e" + struct.pack("!H", len(data))
        else:
            length = b"\x7f" + struct.pack("!Q", len(data))
    first = bytes([(0x80 if final else 0) | reserved << 4 | opcode])
    if not masked:
        return first + length + data
    hidden = bytes(byte ^ MASK[number % 4] for number, byte in enumerate(data))
    return first + bytes([length[0] | 0x80]) + length[1:] + MASK + hidden


def ping_text(t0: float = PROBE, **more: object) -> str:
    return json.dumps({"type": "ping", "t0": t0} | more)


def close_frame(code: int, reason: bytes = b"") -> bytes:
    return frame(struct.pack("!H", code) + reason, opcode=CLOSE)


Headers = list[tuple[str, str]]


def upgrade_headers(deployment: Deployment, token: str | None) -> Headers:
    """The headers of a good handshake, in a list that tests change."""
    headers = [
        ("Host", f"{deployment.host}:{deployment.port}"),
        ("Connection", "Upgrade"),
        ("Upgrade", "websocket"),
        ("Sec-WebSocket-Version", "13"),
        ("Sec-WebSocket-Key", base64.b64encode(os.urandom(16)).decode()),
    ]
    return headers if token is None else [*headers, ("Authorization", f"Bearer {token}")]


def request(path: str, headers: Headers, *, method: str = "GET", version: str = "HTTP/1.1") -> bytes:
    lines = [f"{method} {path} {version}", *(f"{name}: {value}" for name, value in headers)]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("utf-8", "surrogateescape")


class RawSocket:
    """A TCP connection on which the test decides about every byte."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self.answers_pings = True
        self.opcodes: list[int] = []
        self.frames: list[Json] = []
        self._unread = b""

    @classmethod
    @asynccontextmanager
    async def connected(cls, deployment: Deployment) -> AsyncIterator["RawSocket"]:
        address = deployment.fresh_address()
        place = None if address is None else (address, 0)
        async with asyncio.timeout(WITHIN):
            reader, writer = await asyncio.open_connection(deployment.host, deployment.port, local_addr=place)
        try:
            yield cls(reader, writer)
        finally:
            if writer.transport.get_write_buffer_size():
                writer.transport.abort()
            writer.close()
            with suppress(OSError, TimeoutError):
                async with asyncio.timeout(WITHIN):
                    await writer.wait_closed()

    @classmethod
    @asynccontextmanager
    async def upgraded(cls, deployment: Deployment, path: str, token: str) -> AsyncIterator["RawSocket"]:
        """After a good handshake."""
        async with cls.connected(deployment) as raw:
            await raw.send(request(path, upgrade_headers(deployment, token)))
            status, _, body = await raw.answer()
            assert status == 101, (status, body)
            yield raw

    async def send(self, *pieces: bytes) -> None:
        """Send what the service still takes; where it has hung up, the answer tells."""
        with suppress(ConnectionError, TimeoutError):
            for piece in pieces:
                self.writer.write(piece)
                async with asyncio.timeout(WITHIN):
                    await self.writer.drain()

    async def answer(self, *, within: float = WITHIN) -> tuple[int, dict[str, str], str]:
        """Status, headers and body of an HTTP answer; status 0 where the service hung up instead of answering."""
        try:
            async with asyncio.timeout(within):
                head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        except (asyncio.IncompleteReadError, ConnectionError):
            return 0, {}, ""
        status = int(head[0].split()[1])
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)}
        body = b""
        if status != 101:
            with suppress(asyncio.IncompleteReadError, ConnectionError):
                async with asyncio.timeout(within):
                    body = await self.reader.readexactly(int(headers.get("content-length", 0)))
        return status, headers, body.decode("utf-8", "replace")

    async def _next(self) -> tuple[int, bytes] | None:
        """The next frame of the service, or nothing where the connection ended."""
        while (found := self._take_frame()) is None:
            try:
                chunk = await self.reader.read(65_536)
            except ConnectionError:
                return None
            if not chunk:
                return None
            self._unread += chunk
        first, payload = found
        assert first & 0xF0 == 0x80, "the service sends whole frames, without compression"
        opcode = first & 0x0F
        self.opcodes.append(opcode)
        if opcode == PING and self.answers_pings:
            await self.send(frame(payload, opcode=PONG))
        if opcode == TEXT:
            assert len(payload) <= 16_384
            assert not INTERNALS.search(payload.decode()), payload
            self.frames.append(strict_json(payload.decode()))
        return opcode, payload

    def _take_frame(self) -> tuple[int, bytes] | None:
        """A whole frame from what was read, if there is one: giving up waiting must not lose half of one."""
        data = self._unread
        if len(data) < 2:
            return None
        assert not data[1] & 0x80, "the service does not mask"
        size, start = data[1] & 0x7F, 2
        if size >= 126:
            start = 4 if size == 126 else 10
            if len(data) < start:
                return None
            size = int.from_bytes(data[2:start], "big")
        if len(data) < start + size:
            return None
        self._unread = data[start + size :]
        return data[0], data[start : start + size]

    async def until(self, stop: Callable[[Json], bool], within: float) -> int | str | None:
        """Read until `stop` is true of a JSON frame ("told"), or a close code, or None for a hang-up without one."""
        async with asyncio.timeout(within):
            while True:
                received = await self._next()
                if received is None:
                    return None
                opcode, payload = received
                if opcode == CLOSE:
                    return struct.unpack("!H", payload[:2])[0] if len(payload) >= 2 else 1005
                if opcode == TEXT and stop(self.frames[-1]):
                    return "told"

    async def expect(self, kind: str, *, within: float = WITHIN) -> Json:
        """The next frame of a type."""
        outcome = await self.until(lambda heard: heard["type"] == kind, within)
        assert outcome == "told", f"closed ({outcome}) before {kind}; heard {self.frames[-4:]}"
        return self.frames[-1]

    async def ending(self, *, within: float = WITHIN) -> int | None:
        """The code with which the service closes, or None where it hangs up. To stay open is a failure."""
        try:
            outcome = await self.until(lambda _: False, within)
        except TimeoutError:
            raise AssertionError(f"still open after {within} s; heard {self.frames[-4:]}") from None
        assert not isinstance(outcome, str)
        if outcome == 4400:
            assert self.errors, "4400 comes after an error frame"
        return outcome

    async def probe(self) -> int | str | None:
        """Ask whether the service still talks: "pong", or the code with which it closed, or None for a hang-up."""
        await self.send(frame(ping_text()))
        ended = await self.until(lambda heard: heard["type"] == "pong" and heard["t0"] == PROBE, WITHIN)
        return "pong" if ended == "told" else ended

    async def outcome(self) -> int | str | None:
        """The same, for what the service may close on: it is given a moment to do so."""
        try:
            ended = await self.until(lambda _: False, PATIENCE)
        except TimeoutError:
            ended = await self.probe()
        if ended == 4400:
            assert self.errors, "4400 comes after an error frame"
        return ended

    @property
    def errors(self) -> list[Json]:
        return [heard for heard in self.frames if heard["type"] == "error"]
