"""Connections by TLS: whom a client trusts, for calls and for feeds."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from dateflicks.client import errors
from dateflicks.client.feed import Feed, Lost, Opened
from dateflicks.client.http import ServiceClient
from dateflicks.server.runner import Server, running
from dateflicks.server.web.tls import Certificate
from tests.authorities import Pair, make_pair
from tests.server.websocket.relay import Relay


@pytest.fixture
def pair(tmp_path: Path) -> Pair:
    return make_pair(tmp_path)


@contextlib.asynccontextmanager
async def serving(pair: Pair) -> AsyncIterator[Server]:
    async with running([Relay()], certificate=Certificate(pair.certificate, pair.key)) as server:
        yield server


async def bearer() -> str:
    return "ada"


async def test_a_server_whose_certificate_is_in_the_file_is_trusted(pair: Pair) -> None:
    async with serving(pair) as server, ServiceClient(server.url, ca_file=str(pair.certificate)) as client:
        assert await client.services() == {"relay": server.url}
        feed = Feed(f"wss://127.0.0.1:{server.port}/rooms/1/events", bearer, trust=lambda: client.trust)
        async with contextlib.aclosing(feed.events()) as events:
            assert isinstance(await anext(events), Opened)
        assert client.trust is client.trust  # it costs 50 ms


async def test_one_that_nobody_vouches_for_is_not(pair: Pair) -> None:
    async with serving(pair) as server, ServiceClient(server.url) as client:
        with pytest.raises(errors.Untrusted, match="its certificate is not trusted: self-signed"):
            await client.services()
        feed = Feed(f"wss://127.0.0.1:{server.port}/rooms/1/events", bearer, trust=lambda: client.trust)
        async with contextlib.aclosing(feed.events()) as events:
            assert isinstance(await anext(events), Lost)


async def test_a_server_that_speaks_no_tls_is_said_to_be_one() -> None:
    async def plainly(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(plainly, "127.0.0.1", 0) as server:
        address = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with ServiceClient(address) as client:
            with pytest.raises(errors.Unreachable, match="it does not speak TLS"):
                await client.services()


@pytest.mark.parametrize(("text", "said"), [(None, "No such file"), ("nonsense", "it holds no certificate in PEM")])
def test_a_file_that_cannot_be_used_is_said(tmp_path: Path, text: str | None, said: str) -> None:
    path = tmp_path / "ca.pem"
    if text is not None:
        path.write_text(text)
    with pytest.raises(errors.DoesNotFit, match=rf"`ca_file` .*ca\.pem cannot be used: {said}"):
        _ = ServiceClient("https://films.example.org", ca_file=str(path)).trust
