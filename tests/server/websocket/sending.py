"""Frames as clients send them, right and wrong, byte by byte."""

import struct
from typing import Final

from dateflicks.server.websocket.frames import Opcode

MASK: Final = b"\x1f\x2e\x3d\x4c"


def frame(
    payload: bytes = b"",
    opcode: int = Opcode.TEXT,
    *,
    final: bool = True,
    reserved: int = 0,
    masked: bool = True,
    mask: bytes = MASK,
    length: bytes | None = None,
) -> bytes:
    """One frame; `length` replaces the seven bits and what follows them."""
    if length is None:
        length = least_length(len(payload))
    first = bytes([(0x80 if final else 0) | reserved << 4 | opcode])
    if not masked:
        return first + length + payload
    pad = (mask * (len(payload) // 4 + 1))[: len(payload)]
    hidden = (int.from_bytes(payload, "big") ^ int.from_bytes(pad, "big")).to_bytes(len(payload), "big")
    return first + bytes([length[0] | 0x80]) + length[1:] + mask + hidden


def least_length(size: int) -> bytes:
    """A length as it has to be written: in as few bytes as there can be."""
    if size < 126:
        return bytes([size])
    return b"\x7e" + struct.pack("!H", size) if size < 65_536 else b"\x7f" + struct.pack("!Q", size)


def close_frame(code: int, reason: bytes = b"") -> bytes:
    return frame(struct.pack("!H", code) + reason, Opcode.CLOSE)
