"""The server of an evening: as long as the evening lasts it is there, whatever ends it."""

import asyncio
import os
import signal
from pathlib import Path

from dateflicks.client.errors import ClientError
from dateflicks.client.http import ServiceClient
from dateflicks.client.own_server import own_server
from tests.server.processes import children_of
from tests.waiting import DEADLINE_SECONDS


async def test_a_server_that_is_killed_is_back_where_it_was_with_what_it_had(tmp_path: Path) -> None:
    before = set(children_of(os.getpid()))
    async with own_server(tmp_path / "data", tmp_path / "log", port=0) as server, ServiceClient(server.url) as client:
        client.token = (await client.register("ana", "correct horse")).token
        (pid,) = set(children_of(os.getpid())) - before
        os.kill(pid, signal.SIGKILL)
        async with asyncio.timeout(DEADLINE_SECONDS):
            while not await knows(client, "ana"):  # noqa: ASYNC110 - nobody tells of another process's start
                await asyncio.sleep(0.05)
    assert set(children_of(os.getpid())) <= before


async def knows(client: ServiceClient, name: str) -> bool:
    try:
        return (await client.me()).name == name
    except ClientError:
        return False
