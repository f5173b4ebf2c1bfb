"""One kept-alive connection of plain HTTP, for what a client library costs is not measured; and what a process has of
memory and processors.
"""

import asyncio
import contextlib
import json
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final, cast

Json = dict[str, Any]
ANSWER_SECONDS: Final = 30.0


class CallFailed(Exception):
    """A call was answered with something else than success."""


class Calls:
    """Calls one after the other."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def get(self, path: str, token: str | None = None) -> bytes:
        """The body of the answer. Raises CallFailed, OSError, EOFError, TimeoutError."""
        return await self._call("GET", path, token)

    async def post(self, path: str, body: Json, token: str | None = None) -> bytes:
        """The same, with something to be made."""
        return await self._call("POST", path, token, json.dumps(body).encode())

    async def _call(self, method: str, path: str, token: str | None, content: bytes = b"") -> bytes:
        lines = [f"{method} {path} HTTP/1.1", "Host: bench"]
        lines += [f"Authorization: Bearer {token}"] if token else []
        lines += ["Content-Type: application/json", f"Content-Length: {len(content)}"] if content else []
        self._writer.write("\r\n".join([*lines, "", ""]).encode() + content)
        async with asyncio.timeout(ANSWER_SECONDS):
            head = (await self._reader.readuntil(b"\r\n\r\n")).lower()
            length = int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0])
            body = await self._reader.readexactly(length)
        if not head.startswith(b"http/1.1 20"):
            raise CallFailed(f"{path}: {head[9:12].decode()} {body[:200].decode(errors='replace')}")
        return body

    async def json(self, path: str, token: str | None = None) -> Json:
        """The answer as JSON."""
        return cast(Json, json.loads(await self.get(path, token)))


@contextlib.asynccontextmanager
async def connected(port: int) -> AsyncIterator[Calls]:
    """A connection for as long as the block runs."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield Calls(reader, writer)
    finally:
        writer.transport.abort()


def memory_mib(pid: int, *, peak: bool = False) -> float:
    """What a process has in memory now, or had at most; 0 where nobody tells."""
    name = "VmHWM:" if peak else "VmRSS:"
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
            if line.startswith(name):
                return int(line.split()[1]) / 1_024
    return 0.0


def processor_seconds(pid: int) -> float:
    """What a process has had of processors, in steps of a hundredth; 0 where nobody tells."""
    with contextlib.suppress(OSError):
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return 0.0


def children_of(pid: int) -> list[int]:
    """The processes that this one has started."""
    with contextlib.suppress(OSError):
        return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()]
    return []
