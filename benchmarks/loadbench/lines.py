"""Connections as cheap as they can be on the side that loads: a WebSocket, and the lines of JSON that Syncplay speaks.

What comes is handed on as it is, to be looked at with `find`: the less the crowd costs, the more of the machine is the
server's. Frames are masked, as they have to be, with a mask of zeros.
"""

import asyncio
import struct
from collections.abc import Callable
from typing import Any, Final

TEXT, CLOSE, PING, PONG = 1, 8, 9, 10
_KEY: Final = "dGhlIHNhbXBsZSBub25jZQ=="
_MASK: Final = b"\0\0\0\0"
Heard = Callable[[bytes], None]


def masked(opcode: int, text: bytes) -> bytes:
    """A client's frame."""
    size = len(text)
    head = bytes((0x80 | opcode, 0x80 | size)) if size < 126 else struct.pack("!BBH", 0x80 | opcode, 0xFE, size)
    return head + _MASK + text


class Line(asyncio.Protocol):
    """One connection; `opened` is done when it can be used, and `heard` is called with each text that comes."""

    def __init__(self) -> None:
        self.opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.heard: Heard = _ignore
        self.lost: Callable[[], None] | None = None
        self.said = 0  # texts, so far
        self._rest = b""
        self._transport: asyncio.Transport

    @property
    def own_port(self) -> int:
        """Our end of it."""
        return int(self._transport.get_extra_info("sockname")[1])

    def connection_made(self, transport: Any) -> None:
        """It is there."""
        self._transport = transport

    def connection_lost(self, exc: BaseException | None) -> None:  # noqa: ARG002 - asyncio's
        """It is gone."""
        if not self.opened.done():
            self.opened.set_exception(ConnectionError(f"refused: {self._rest[:200]!r}"))
        elif self.lost is not None:
            self.lost()

    def abort(self) -> None:
        """End it at once."""
        self.lost = None
        self._transport.abort()


class WebSocketLine(Line):
    """A WebSocket to `path`, with a token where one is needed."""

    def __init__(self, path: str, token: str = "") -> None:
        super().__init__()
        self._path = path
        self._token = token

    def connection_made(self, transport: Any) -> None:
        """It is there: shake hands."""
        super().connection_made(transport)
        said = [
            f"GET {self._path} HTTP/1.1", "Host: 127.0.0.1", "Connection: Upgrade", "Upgrade: websocket",
            "Sec-WebSocket-Version: 13", f"Sec-WebSocket-Key: {_KEY}",
            *([f"Authorization: Bearer {self._token}"] if self._token else []),
        ]  # fmt: skip
        transport.write("\r\n".join([*said, "", ""]).encode())

    def say(self, text: bytes) -> None:
        """Send a text frame."""
        self.said += 1
        self._transport.write(masked(TEXT, text))

    def data_received(self, data: bytes) -> None:
        """Bytes of the server."""
        data = self._rest + data if self._rest else data
        if not self.opened.done():
            end = data.find(b"\r\n\r\n")
            if end < 0 or not data.startswith(b"HTTP/1.1 101"):
                self._rest = data
                if end >= 0:
                    self._transport.abort()
                return
            data = data[end + 4 :]
            self.opened.set_result(None)
        at, all_ = 0, len(data)
        while all_ - at >= 2:
            start, size = at + 2, data[at + 1]
            if size == 126:
                if all_ - at < 4:
                    break
                start, size = at + 4, data[at + 2] << 8 | data[at + 3]
            if all_ - start < size:
                break
            text = data[start : start + size]
            opcode = data[at] & 0x0F
            at = start + size
            if opcode == TEXT:
                self.heard(text)
            elif opcode == PING:
                self._transport.write(masked(PONG, text))
        self._rest = data[at:]


class JsonLine(Line):
    """Lines of JSON on a plain connection; open at once."""

    def connection_made(self, transport: Any) -> None:
        """It is there."""
        super().connection_made(transport)
        self.opened.set_result(None)

    def say(self, text: bytes) -> None:
        """Send a line."""
        self.said += 1
        self._transport.write(text + b"\r\n")

    def data_received(self, data: bytes) -> None:
        """Bytes of the server."""
        *whole, self._rest = (self._rest + data).split(b"\r\n")
        for text in whole:
            self.heard(text)


def _ignore(_: bytes) -> None:
    pass
