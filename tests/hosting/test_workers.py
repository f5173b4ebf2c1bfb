"""Several processes behind one port with TLS: renewal by SIGHUP, metrics of all from any, a stop that loses nobody."""

import asyncio
import os
import signal
import ssl
from pathlib import Path

import httpx2
import pytest
from websockets.asyncio.client import connect

from dateflicks.client.http import ServiceClient
from tests.authorities import Pair, make_pair
from tests.cli.process import Program
from tests.redis_server import redis_server

pytestmark = [pytest.mark.long, pytest.mark.timeout(180)]


async def shown(port: int) -> bytes:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
    found: bytes = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    writer.transport.abort()
    return found


def der(pair: Pair) -> bytes:
    return ssl.PEM_cert_to_DER_cert(pair.certificate.read_text())


async def test_three_workers_speak_tls_renew_it_answer_for_each_other_and_stop(tmp_path: Path) -> None:
    pair = make_pair(tmp_path)
    async with redis_server(tmp_path) as redis:
        command = (
            "serve", "all", "--port", "0", "--workers", "3", "--data", str(tmp_path / "data"),
            "--tls-cert", str(pair.certificate), "--tls-key", str(pair.key),
        )  # fmt: skip
        with Program(tmp_path / "home", *command, DATEFLICKS_ALL_BUS_URI=redis.uri) as program:
            await asyncio.to_thread(program.until_said, "Serving ")
            url = next(line for line in program.err if "Serving " in line).split(" at ")[1].split()[0]
            assert url.startswith("https://")
            port = int(url.rsplit(":", 1)[1])
            async with ServiceClient(url, ca_file=str(pair.certificate)) as client:
                answer = await client.register("ana", "correct horse battery")
                trust = client.trust
                feeds = [
                    await connect(
                        f"wss://127.0.0.1:{port}/sessions/events", ssl=trust, proxy=None, compression=None,
                        additional_headers={"Authorization": f"Bearer {answer.token}"},
                    )
                    for _ in range(3)
                ]  # fmt: skip
            async with httpx2.AsyncClient(verify=trust, trust_env=False) as plain:
                text = (await plain.get(f"{url}/metrics")).text
                for number in range(3):
                    assert f'dateflicks_worker_up{{worker="{number}"}} 1.0' in text
                sockets = [line for line in text.splitlines() if line.startswith("dateflicks_sockets{")]
                assert sum(float(line.split()[-1]) for line in sockets if 'service="session"' in line) == 3
            pair.replace_by(make_pair(tmp_path, "next"))
            os.kill(program.process.pid, signal.SIGHUP)
            async with asyncio.timeout(60):
                while any([await shown(port) != der(pair) for _ in range(12)]):  # noqa: ASYNC110 - none tells when
                    await asyncio.sleep(0.1)
            program.process.terminate()
            for feed in feeds:
                await asyncio.wait_for(feed.wait_closed(), 60)
                assert feed.close_code == 1012
            assert await asyncio.to_thread(program.process.wait, 60) == 0
