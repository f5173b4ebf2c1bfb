"""The metrics of all workers of one parent, asked of any of them.

A scrape reaches whichever worker is free, and has to hear of all. So each worker listens on a Unix socket of its own in
the data folder, as `metrics-<number>.sock`, and says there what it has counted; whoever is scraped asks the others, and
puts what they say together with the label `worker`. One that does not answer is told as `dateflicks_worker_up` 0. The
bus is not needed for it, and nothing is done while nobody asks.
"""

import asyncio
import contextlib
import logging
import os
import re
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Final

log = logging.getLogger(__name__)

ANSWER_SECONDS: Final = 1.0
ANSWER_MAX_BYTES: Final = 8 * 1024 * 1024
SOCKET_PATH_BYTES: Final = 100
_SAMPLE: Final = re.compile(rb"^([A-Za-z_:][\w:]*)(\{)?", re.MULTILINE)
_FAMILY: Final = b"# HELP "
_END: Final = b"# EOF\n"  # of what a worker says


class Colleagues:
    """One worker among `count`, by its number; `own` is what it has counted itself."""

    def __init__(self, folder: Path, number: int, count: int, own: Callable[[], bytes]) -> None:
        self._folder = folder
        self._number = number
        self._count = count
        self._own = own

    @contextlib.asynccontextmanager
    async def open(self) -> AsyncIterator["Colleagues"]:
        """Answer the others for as long as the block runs. Without a socket they are told that we are not there."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        async with contextlib.AsyncExitStack() as stack:
            try:
                server = await asyncio.start_unix_server(self._answer, stack.enter_context(self._at(self._number)))
                self._path(self._number).chmod(0o600)
            except OSError as error:
                log.warning("the metrics of this worker cannot be had from the others: %s", error)
            else:
                stack.callback(self._path(self._number).unlink, missing_ok=True)
                stack.callback(server.close)
            yield self

    async def exposition(self) -> bytes:
        """What all workers have counted, each under its number."""
        others = [number for number in range(self._count) if number != self._number]
        answers = await asyncio.gather(*(self._ask(number) for number in others))
        found = {self._number: self._own(), **dict(zip(others, answers, strict=True))}
        return together({number: found[number] for number in sorted(found)})

    async def _answer(self, _: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(ANSWER_SECONDS):
                try:
                    writer.write(self._own() + _END)
                    await writer.drain()
                finally:
                    writer.close()
                await writer.wait_closed()

    async def _ask(self, number: int) -> bytes | None:
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                with self._at(number) as path:
                    reader, writer = await asyncio.open_unix_connection(path, limit=ANSWER_MAX_BYTES)
                try:
                    await reader.readexactly(ANSWER_MAX_BYTES)
                    return None  # nobody has counted so much
                except asyncio.IncompleteReadError as ended:
                    # One that dies while it speaks has said nothing: half a line would spoil what the others say.
                    return ended.partial.removesuffix(_END) if ended.partial.endswith(_END) else None
                finally:
                    writer.close()
        except (OSError, TimeoutError):
            return None

    def _path(self, number: int) -> Path:
        return self._folder / f"metrics-{number}.sock"

    @contextlib.contextmanager
    def _at(self, number: int) -> Iterator[str]:
        """The path as the kernel takes it: one that is too long for it goes by its folder, where that can be."""
        path = self._path(number)
        if len(os.fsencode(path)) <= SOCKET_PATH_BYTES:
            yield os.fspath(path)
            return
        handle = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            yield f"/proc/self/fd/{handle}/{path.name}"
        finally:
            os.close(handle)


def together(expositions: Mapping[int, bytes | None]) -> bytes:
    """Several expositions as one: each sample with the number of its worker, each family named once."""
    families: dict[bytes, list[bytes]] = {}
    for number, exposition in expositions.items():
        for family in (exposition or b"").split(_FAMILY)[1:]:
            head, samples = _parted(family)
            known = families.setdefault(head, [])
            known.append(_SAMPLE.sub(partial(_labelled, rb'worker="%d"' % number), samples))
    states = [b'dateflicks_worker_up{worker="%d"} %d.0\n' % (n, text is not None) for n, text in expositions.items()]
    families[b"dateflicks_worker_up 1 when this worker answers.\n# TYPE dateflicks_worker_up gauge\n"] = states
    return b"".join(_FAMILY + head + b"".join(samples) for head, samples in families.items())


def _parted(family: bytes) -> tuple[bytes, bytes]:
    """What is said of a family (two lines), and its samples."""
    end = family.index(b"\n", family.index(b"\n# TYPE ") + 1) + 1
    return family[:end], family[end:]


def _labelled(label: bytes, found: "re.Match[bytes]") -> bytes:
    return found[1] + b"{" + label + (b"," if found[2] else b"}")
