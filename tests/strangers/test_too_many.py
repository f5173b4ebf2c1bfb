"""How much one address, and all of them together, may take of a process before they are told to wait."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest

from dateflicks.server.runner import running
from dateflicks.server.web.state import WebSettings
from dateflicks.server.websocket import protocol
from dateflicks.settings.services import SessionSettings
from tests.server.services.session.deployment import PASSWORD, deployed
from tests.server.web.example import ExampleService

FULL = 4


async def test_an_address_makes_so_many_accounts_and_is_then_told_when_to_come_back(tmp_path: Path) -> None:
    async with deployed(tmp_path, SessionSettings(accounts_per_address=3)) as deployment:
        await deployment.person("ana")
        for name, status in (("ANA", 409), ("bea", 201), ("cia", 429), ("ana", 429)):
            response = await deployment.client.post("/users", json={"name": name, "password": PASSWORD})
            assert response.status_code == status
        assert int(response.headers["Retry-After"]) >= 1
        assert response.headers["Content-Type"] == "application/problem+json"

        response = await deployment.client.post("/tokens", json={"name": "ana", "password": PASSWORD})
        assert response.status_code == 201


async def test_accounts_that_come_with_an_invitation_count_and_the_code_stays_good(tmp_path: Path) -> None:
    async with deployed(tmp_path, SessionSettings(accounts_per_address=2)) as deployment:
        host = await deployment.person()
        codes = [(await host.link())["invitation"] for _ in range(2)]
        statuses = [
            (await deployment.client.post(f"/invitations/{code}/redeem", json={})).status_code for code in codes
        ]
        assert statuses == [200, 429]
        response = await host.call("POST", f"/invitations/{codes[1]}/redeem", {})
        assert response.status_code == 403, "the code is known, and the host is no guest of theirs"


@contextlib.asynccontextmanager
async def small() -> AsyncIterator[tuple[str, int]]:
    async with running([ExampleService()], settings=WebSettings(connections=FULL)) as server:
        yield server.host, server.port


async def test_one_connection_more_than_there_may_be_is_told_so_before_it_says_anything() -> None:
    async with small() as (host, port), contextlib.AsyncExitStack() as stack:

        async def connect() -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
            reader, writer = await asyncio.open_connection(host, port)
            stack.callback(writer.transport.abort)
            return reader, writer

        first = [await connect() for _ in range(FULL)]
        reader, _ = await connect()
        async with asyncio.timeout(10):
            answer = (await reader.read()).decode()
        assert answer.startswith("HTTP/1.1 503 ")
        assert "application/problem+json" in answer
        assert "Retry-After: " in answer

        # Those who were there notice nothing, and whoever goes makes room.
        reader, writer = first[0]
        writer.write(b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        async with asyncio.timeout(10):
            assert (await reader.read()).startswith(b"HTTP/1.1 200 ")
        async with asyncio.timeout(10), httpx2.AsyncClient(trust_env=False) as client:
            while (await client.get(f"http://{host}:{port}/health")).status_code == 503:  # noqa: ASYNC110
                await asyncio.sleep(0.05)  # until what was turned away has gone, too


async def test_far_too_many_connections_are_hung_up_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "SPARE", 0)
    async with small() as (host, port), contextlib.AsyncExitStack() as stack:
        for _ in range(FULL + 1):
            reader, writer = await asyncio.open_connection(host, port)
            stack.callback(writer.close)
        async with asyncio.timeout(10):
            with contextlib.suppress(ConnectionError):
                assert await reader.read() == b""
