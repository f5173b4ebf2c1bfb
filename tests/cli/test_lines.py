"""Lines typed or piped in: whole, in order, bounded; the descriptor's own mode is left alone."""

import asyncio
import io
import os
from pathlib import Path

import pytest

from dateflicks.cli.lines import LINE_MAX_BYTES, typed_lines


async def all_lines(descriptor: int) -> list[str]:
    with os.fdopen(descriptor) as stream:
        async with asyncio.timeout(10):
            return [line async for line in typed_lines(stream)]


async def read(*chunks: bytes) -> list[str]:
    """What comes out when these are written into a pipe, one after the other."""
    reading, writing = os.pipe()

    def write() -> None:
        with os.fdopen(writing, "wb", buffering=0) as pipe:
            for chunk in chunks:
                pipe.write(chunk)

    found, _ = await asyncio.gather(all_lines(reading), asyncio.to_thread(write))
    return found


@pytest.mark.parametrize(
    ("chunks", "lines"),
    [
        ([b"play\nse", b"ek 1:00\n"], ["play", "seek 1:00"]),
        ([b"play\nquit"], ["play", "quit"]),
        ([b"\xff\xfe\n"], ["\ufffd\ufffd"]),
        ([], []),
        ([b"x" * (3 * LINE_MAX_BYTES), b"\nplay\n"], ["play"]),
        ([b"x" * (3 * LINE_MAX_BYTES)], []),
    ],
)
async def test_lines_come_out_whole_and_too_long_ones_not_at_all(chunks: list[bytes], lines: list[str]) -> None:
    assert await read(*chunks) == lines


async def test_a_line_comes_before_the_input_ends() -> None:
    reading, writing = os.pipe()
    with os.fdopen(reading) as stream:
        lines = typed_lines(stream)
        os.write(writing, b"play\n")
        async with asyncio.timeout(10):
            assert await anext(lines) == "play"
        assert os.get_blocking(reading)
        os.close(writing)
        async with asyncio.timeout(10):
            assert [line async for line in lines] == []


async def test_a_plain_file_is_read_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "commands"
    path.write_text("play\nquit\n", encoding="utf-8")
    assert await all_lines(os.open(path, os.O_RDONLY)) == ["play", "quit"]


async def test_where_there_is_no_descriptor_nobody_types() -> None:
    assert [line async for line in typed_lines(io.StringIO("play\n"))] == []
