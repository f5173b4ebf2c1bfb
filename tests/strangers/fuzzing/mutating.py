"""Inputs made of good ones, without a look at what they reach: cut, joined, repeated, with words that hurt put in."""

import random
from collections.abc import Callable, Sequence
from typing import Final

SIZE_MAX: Final = 40_000
WORDS: Final[tuple[bytes, ...]] = (
    b"\x00", b"\xff", b"\x7f", b"\x80", b"\n", b"\r\n", b"\x1b[2J", b"\xc2\x9b31m", b"\xe2\x80\xae", b"\xed\xa0\x80",
    b"\xef\xbb\xbf", b"\xf4\x90\x80\x80", b"\xc0\xaf", b'"', b"\\", b"{", b"}", b"[", b"]", b":", b",", b"null",
    b"true", b"NaN", b"Infinity", b"-0", b"1e999", b"1e-400", b"9" * 400, b"-1", b"172800.5", b"\\u0000", b"\\ud800",
    b'"type"', b"__proto__", b'{"$gt":""}', b"$where", b"a.b", b"[" * 200, b'{"a":' * 100, b"x" * 5_000, b"%s%n",
    b"${path}", b"../", b"file://", b"--script=", b"memory://", b"\xf0\x9f\x91\xa8\xe2\x80\x8d" * 30,
    b"\xcc\x81" * 50, b"0x", b"_FILE", b"=", b"://", b"@",
)  # fmt: skip


def mutated(choose: random.Random, seeds: Sequence[bytes]) -> bytes:
    """One input, never far from a good one."""
    data = bytearray(choose.choice(seeds))
    for _ in range(choose.choice((0, 1, 1, 2, 3, 5, 8))):
        choose.choice(_WAYS)(choose, data, seeds)
    return bytes(data[:SIZE_MAX])


def _place(choose: random.Random, data: bytearray) -> int:
    return choose.randrange(len(data) + 1)


def _flip(choose: random.Random, data: bytearray, _: Sequence[bytes]) -> None:
    if data:
        data[choose.randrange(len(data))] ^= 1 << choose.randrange(8)


def _set(choose: random.Random, data: bytearray, _: Sequence[bytes]) -> None:
    if data:
        data[choose.randrange(len(data))] = choose.choice((0, 1, 0x7E, 0x7F, 0x80, 0xFE, 0xFF, choose.randrange(256)))


def _put(choose: random.Random, data: bytearray, _: Sequence[bytes]) -> None:
    at = _place(choose, data)
    data[at:at] = choose.choice(WORDS)


def _replace(choose: random.Random, data: bytearray, _: Sequence[bytes]) -> None:
    at = _place(choose, data)
    data[at : at + choose.randrange(1, 12)] = choose.choice(WORDS)


def _cut(choose: random.Random, data: bytearray, _: Sequence[bytes]) -> None:
    at = _place(choose, data)
    del data[at : at + choose.choice((1, 2, 8, 64, len(data)))]


def _repeat(choose: random.Random, data: bytearray, _: Sequence[bytes]) -> None:
    at = _place(choose, data)
    data[at:at] = data[at : at + choose.randrange(1, 40)] * choose.choice((1, 2, 20))


def _join(choose: random.Random, data: bytearray, seeds: Sequence[bytes]) -> None:
    other = choose.choice(seeds)
    at = _place(choose, data)
    data[at:] = other[choose.randrange(len(other) + 1) :]


def _noise(choose: random.Random, data: bytearray, _: Sequence[bytes]) -> None:
    at = _place(choose, data)
    data[at:at] = choose.randbytes(choose.randrange(1, 20))


_WAYS: Final[tuple[Callable[[random.Random, bytearray, Sequence[bytes]], None], ...]] = (
    _flip, _set, _put, _put, _replace, _cut, _repeat, _join, _noise,
)  # fmt: skip
