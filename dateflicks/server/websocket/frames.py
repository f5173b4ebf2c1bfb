"""WebSocket frames (RFC 6455, section 5), pure: bytes in, messages out, and bytes for what we send.

Only what the contract knows is let through: unfragmented text of at most 16 KiB, and control frames. Everything else is
a `Fault` with the close code that says why. Masks are taken off, UTF-8 is checked, nothing is kept but the part of a
frame that has not arrived whole.
"""

import struct
from collections.abc import Iterator
from enum import IntEnum
from typing import Final, NamedTuple

from dateflicks.core.limits import FRAME_MAX_BYTES

CONTROL_MAX_BYTES: Final = 125
_REASON_MAX_BYTES: Final = CONTROL_MAX_BYTES - 2
_TEXT_BYTE: Final = 0x81  # whole, and text
_SHORT_HEAD: Final = 6  # of a client's frame of less than 126 bytes, its mask included


class Opcode(IntEnum):
    """The kinds of frames that the protocol defines."""

    CONTINUATION = 0
    TEXT = 1
    BINARY = 2
    CLOSE = 8
    PING = 9
    PONG = 10


class Code(IntEnum):
    """Close codes: those of RFC 6455 that are used here, and the contract's own."""

    NORMAL = 1000
    PROTOCOL_ERROR = 1002
    NOT_TEXT = 1003
    NO_CODE = 1005  # never sent: what a close frame without a code means
    ABNORMAL = 1006  # never sent: the connection ended without a close frame
    NOT_UTF8 = 1007
    SILENT = 1008  # "policy": a peer that gives no sign of life for longer than the contract lets it
    TOO_LARGE = 1009
    OUR_FAULT = 1011
    RESTART = 1012
    TOO_SLOW = 1013
    BAD_FRAME = 4400
    TOKEN = 4401
    NOT_A_MEMBER = 4403
    NO_SESSION = 4404
    REPLACED = 4409
    TOO_MANY_FRAMES = 4429


WENT_WRONG: Final = "something went wrong here"  # the reason beside OUR_FAULT: what it was is in the log


class Fault(Exception):
    """The peer broke the protocol; `code` is what to close with, the text is for its programmer."""

    def __init__(self, code: Code, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class Message(NamedTuple):
    """One whole frame of a peer; the payload of text is valid UTF-8."""

    opcode: Opcode
    payload: bytes

    @property
    def close_code(self) -> int:
        """The code in a close frame."""
        return int.from_bytes(self.payload[:2], "big") if self.payload else Code.NO_CODE


class FrameReader:
    """What one peer sends, in whatever pieces it comes; holds at most one unfinished frame."""

    def __init__(self) -> None:
        self._rest = b""

    def text_of(self, data: bytes) -> bytes | None:
        """The text, when these bytes are one whole frame of it, as nearly all are; None leaves them to `feed`.

        Raises Fault.
        """
        size = len(data) - _SHORT_HEAD
        if size < 0 or data[0] != _TEXT_BYTE or self._rest:
            return None
        if data[1] != 0x80 + size or size >= 126:
            size -= 2
            if size < 126 or data[1] != 0x80 + 126 or data[2] << 8 | data[3] != size or size > FRAME_MAX_BYTES:
                return None
        start = len(data) - size
        payload = _unmasked(data[start:], data[start - 4 : start])
        if not payload.isascii():
            _check_text(payload)
        return payload

    def feed(self, data: bytes) -> Iterator[Message]:
        """The frames that are whole with these bytes. Raises Fault; nothing may be fed after that."""
        buffer = self._rest + data if self._rest else data
        at, end = 0, len(buffer)
        self._rest = b""
        try:
            while end - at >= 2:
                head = _head(buffer, at, end)
                if head is None or end - head.start < head.size:
                    break
                stop = head.start + head.size
                payload = _unmasked(buffer[head.start : stop], buffer[head.start - 4 : head.start])
                at = stop
                yield _checked(head.opcode, payload)
        except Fault:
            at = end  # what follows a fault has no meaning
            raise
        finally:
            self._rest = buffer[at:]


class _Head(NamedTuple):
    opcode: Opcode
    start: int
    size: int


def _head(buffer: bytes, at: int, end: int) -> _Head | None:
    """The head of the frame at `at`, checked before its payload has come; None when more bytes are needed."""
    first, second = buffer[at], buffer[at + 1]
    if first & 0x70:
        raise Fault(Code.PROTOCOL_ERROR, "reserved bits are set")
    try:
        opcode = Opcode(first & 0x0F)
    except ValueError:
        raise Fault(Code.PROTOCOL_ERROR, "unknown opcode") from None
    if not second & 0x80:
        raise Fault(Code.PROTOCOL_ERROR, "frames of clients are masked")
    size, start = second & 0x7F, at + 2
    if opcode >= Opcode.CLOSE:
        if size > CONTROL_MAX_BYTES or not first & 0x80:
            raise Fault(Code.PROTOCOL_ERROR, "control frames are whole and have at most 125 bytes")
    elif opcode is Opcode.BINARY:
        raise Fault(Code.NOT_TEXT, "frames are text")
    elif opcode is Opcode.CONTINUATION or not first & 0x80:
        raise Fault(Code.NOT_TEXT, "frames are not fragmented")
    if size >= 126:
        width = 2 if size == 126 else 8
        if end - start < width:
            return None
        size = int.from_bytes(buffer[start : start + width], "big")
        start += width
        if size >> 63 or size < (126 if width == 2 else 65_536):
            raise Fault(Code.PROTOCOL_ERROR, "the length is not written as it has to be")
        if size > FRAME_MAX_BYTES:
            raise Fault(Code.TOO_LARGE, f"frames have at most {FRAME_MAX_BYTES} bytes")
    return _Head(opcode, start + 4, size) if end - start >= 4 else None


def _unmasked(payload: bytes, mask: bytes) -> bytes:
    size = len(payload)
    if not size:
        return b""
    pad = (mask * (size // 4 + 1))[:size]
    return (int.from_bytes(payload, "little") ^ int.from_bytes(pad, "little")).to_bytes(size, "little")


def _checked(opcode: Opcode, payload: bytes) -> Message:
    if opcode is Opcode.TEXT:
        _check_text(payload)
    elif opcode is Opcode.CLOSE:
        if len(payload) == 1:
            raise Fault(Code.PROTOCOL_ERROR, "a close code has two bytes")
        if payload:
            code = int.from_bytes(payload[:2], "big")
            if not (3000 <= code <= 4999 or (1000 <= code <= 1014 and code not in (1004, 1005, 1006))):
                raise Fault(Code.PROTOCOL_ERROR, "no such close code")
            _check_text(payload[2:])
    return Message(opcode, payload)


def _check_text(payload: bytes) -> None:
    try:
        payload.decode()
    except UnicodeDecodeError:
        raise Fault(Code.NOT_UTF8, "text is UTF-8") from None


# --- what we send: whole, never masked --------------------------------------------------------------------------

_FIRST_BYTES: Final = {opcode: 0x80 | opcode for opcode in Opcode}
_MEDIUM_HEAD: Final = struct.Struct("!BBH")
_LONG_HEAD: Final = struct.Struct("!BBQ")


def encoded(opcode: Opcode, payload: bytes) -> bytes:
    """A frame of ours."""
    size = len(payload)
    first = _FIRST_BYTES[opcode]
    if size < 126:
        return bytes((first, size)) + payload
    if size < 65_536:
        return _MEDIUM_HEAD.pack(first, 126, size) + payload
    return _LONG_HEAD.pack(first, 127, size) + payload


def encoded_close(code: int, reason: str = "") -> bytes:
    """A close frame; a reason that is too long is cut at a whole character."""
    if code == Code.NO_CODE:
        return encoded(Opcode.CLOSE, b"")
    cut = reason.encode()[:_REASON_MAX_BYTES].decode(errors="ignore")
    return encoded(Opcode.CLOSE, code.to_bytes(2, "big") + cut.encode())
