"""Lines typed or piped in, as they come, without blocking the loop and without changing the terminal's own mode."""

import asyncio
import io
import os
from collections.abc import AsyncIterator
from typing import Final, TextIO

LINE_MAX_BYTES: Final = 4096


async def typed_lines(
    stream: TextIO, max_bytes: int = LINE_MAX_BYTES, *, cuts_long_ones: bool = False
) -> AsyncIterator[str]:
    """Each line until the end of input; nothing where nobody can type.

    Whoever needs lines of `max_bytes` at most looks at each: one that is longer is dropped or, with `cuts_long_ones`,
    cut, but only as far as it did not come at once, and never to less than would show that it is too long.
    """
    try:
        descriptor = stream.fileno()
    except (io.UnsupportedOperation, ValueError):
        return  # closed, or not a file at all: there is nobody to type
    rest, is_too_long = b"", False
    while True:
        await _readable(descriptor)
        try:
            chunk = os.read(descriptor, LINE_MAX_BYTES)
        except OSError:
            return  # the terminal is gone
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            if not is_too_long or cuts_long_ones:
                yield line.decode("utf-8", "replace")
            is_too_long = False
        if len(rest) > max_bytes:
            rest, is_too_long = rest[: max_bytes + 1] if cuts_long_ones else b"", True
        if not chunk:
            break
    if rest and (not is_too_long or cuts_long_ones):
        yield rest.decode("utf-8", "replace")


async def _readable(descriptor: int) -> None:
    loop = asyncio.get_running_loop()
    ready: asyncio.Future[None] = loop.create_future()

    def can_read() -> None:
        if not ready.done():
            ready.set_result(None)

    try:
        loop.add_reader(descriptor, can_read)
    except PermissionError:
        return  # a plain file, which never makes anybody wait
    try:
        await ready
    finally:
        loop.remove_reader(descriptor)
