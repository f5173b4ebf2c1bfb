"""One kept-alive connection of plain HTTP: what a client library costs is not measured."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
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
