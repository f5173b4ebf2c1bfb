"""Behind nginx or Caddy, set up as `docs/hosting.md` shows it: who calls is known, feeds live and are told to come
back, and nothing else gets through."""

import asyncio
import contextlib
import os
import re
import socket
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import httpx2
import pytest
from websockets.asyncio.client import connect

from dateflicks.client.trust import trust
from dateflicks.server.runner import running
from dateflicks.server.web.state import WebSettings
from tests.authorities import Pair, make_pair
from tests.conftest import require
from tests.server.web.example import ExampleService
from tests.server.websocket.relay import Relay

pytestmark = pytest.mark.long

DOCS = Path(__file__).parents[2] / "docs" / "hosting.md"
START_SECONDS = 30.0
FRAME = """
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log stderr;
events {{ }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
{sample}
}}
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


CADDY_FRAME = """{{
    admin off
    auto_https disable_redirects
    http_port {unused}
}}
{sample}
"""


def sample_of(language: str, changes: dict[str, str]) -> str:
    """What the page shows, with what is other here."""
    found = re.search(rf"```{language}\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None
    sample = found[1]
    for old, new in changes.items():
        assert old in sample
        sample = sample.replace(old, new)
    return sample


def nginx(folder: Path, pair: Pair, port: int, behind: int) -> list[str]:
    changes = {
        "127.0.0.1:8700": f"127.0.0.1:{behind}",
        "listen 443 ssl": f"listen 127.0.0.1:{port} ssl",
        "/etc/ssl/films/fullchain.pem": str(pair.certificate),
        "/etc/ssl/films/privkey.pem": str(pair.key),
    }
    file = folder / "nginx.conf"
    file.write_text(FRAME.format(folder=folder, sample=sample_of("nginx", changes)))
    return ["nginx", "-p", os.fspath(folder), "-c", os.fspath(file)]


def caddy(folder: Path, pair: Pair, port: int, behind: int) -> list[str]:
    changes = {
        "films.example.org {": f"https://127.0.0.1:{port} {{\n    tls {pair.certificate} {pair.key}",
        "127.0.0.1:8700": f"127.0.0.1:{behind}",
    }
    file = folder / "Caddyfile"
    file.write_text(CADDY_FRAME.format(unused=free_port(), sample=sample_of("caddy", changes)))
    return ["caddy", "run", "--config", os.fspath(file), "--adapter", "caddyfile"]


@contextlib.asynccontextmanager
async def running_proxy(folder: Path, port: int, command: list[str]) -> AsyncIterator[str]:
    environ = {**os.environ, "HOME": os.fspath(folder), "XDG_DATA_HOME": os.fspath(folder)}
    process = await asyncio.create_subprocess_exec(*command, env=environ | {"XDG_CONFIG_HOME": os.fspath(folder)})
    try:
        async with asyncio.timeout(START_SECONDS):
            while True:
                assert process.returncode is None, f"{command[0]} did not start"
                with contextlib.suppress(OSError):
                    _, writer = await asyncio.open_connection("127.0.0.1", port)
                    writer.close()
                    break
                await asyncio.sleep(0.05)
        yield f"https://127.0.0.1:{port}"
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        await process.wait()


@pytest.mark.parametrize("proxy", [nginx, caddy])
async def test_what_the_page_on_hosting_shows_works(
    tmp_path: Path, proxy: Callable[[Path, Pair, int, int], list[str]]
) -> None:
    require(proxy.__name__)
    pair = make_pair(tmp_path)
    context = trust(str(pair.certificate))
    settings = WebSettings(proxies=("127.0.0.1",))
    port = free_port()
    async with contextlib.AsyncExitStack() as stack:
        services = contextlib.AsyncExitStack()
        server = await services.enter_async_context(running([ExampleService(), Relay()], settings=settings))
        stack.push_async_exit(services)
        url = await stack.enter_async_context(running_proxy(tmp_path, port, proxy(tmp_path, pair, port, server.port)))
        client = await stack.enter_async_context(httpx2.AsyncClient(base_url=url, verify=context, trust_env=False))
        assert (await client.get("/services")).json()["services"]["relay"] == url
        assert (await client.get("/health")).headers["strict-transport-security"]
        assert (await client.get("/metrics")).status_code == 403
        lied = await client.get("/address", headers={"X-Forwarded-For": "9.9.9.9"})
        assert lied.json() == {"word": "127.0.0.1"}
        if proxy is nginx:
            ours = await client.get("/health", headers={"X-Request-Id": "chosen-by-the-caller"})
            assert ours.headers["x-request-id"] != "chosen-by-the-caller"  # the proxy's own
        assert (await client.post("/things", content=b"x" * 70_000)).status_code == 413
        headers = {"Authorization": "Bearer ada"}
        feed_url = f"wss://{url.removeprefix('https://')}/rooms/1/events"
        async with connect(feed_url, ssl=context, additional_headers=headers, compression=None, proxy=None) as feed:
            await feed.send('{"type":"do","what":"answer"}')
            assert "yes" in str(await asyncio.wait_for(feed.recv(), 30))
            await feed.send('{"type":"do","what":"close"}')
            await asyncio.wait_for(feed.wait_closed(), 30)
            assert feed.close_code == 4404
        feed = await connect(feed_url, ssl=context, additional_headers=headers, compression=None, proxy=None)
        await services.aclose()
        await asyncio.wait_for(feed.wait_closed(), 30)
        assert feed.close_code == 1012
