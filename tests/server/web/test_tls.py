"""TLS of a port: who is let in how, and certificates that are renewed while it serves."""

import asyncio
import contextlib
import logging
import os
import ssl
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest
from websockets.asyncio.client import connect

from dateflicks.server.runner import Server, running
from dateflicks.server.web.app import state_of
from dateflicks.server.web.listener import StartFailed
from dateflicks.server.web.tls import Certificate, certificate_of
from tests.authorities import Pair, make_pair
from tests.server.web.example import ExampleService
from tests.server.websocket.relay import Relay


@pytest.fixture
def pair(tmp_path: Path) -> Pair:
    return make_pair(tmp_path)


def trusting(pair: Pair) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=os.fspath(pair.certificate))


def client_of(server: Server, trust: ssl.SSLContext) -> httpx2.AsyncClient:
    return httpx2.AsyncClient(base_url=server.url, verify=trust, trust_env=False, timeout=30)


@contextlib.asynccontextmanager
async def serving(pair: Pair, *services: Any) -> AsyncIterator[tuple[Server, Certificate]]:
    certificate = Certificate(pair.certificate, pair.key)
    async with running(services or [ExampleService()], certificate=certificate) as server:
        yield server, certificate


async def shown(server: Server, context: ssl.SSLContext | None = None) -> tuple[bytes, ssl.SSLObject]:
    """The certificate that a new connection is shown, and the connection's facts."""
    context = context or ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    _, writer = await asyncio.open_connection("127.0.0.1", server.port, ssl=context)
    facts: ssl.SSLObject = writer.get_extra_info("ssl_object")
    found = facts.getpeercert(binary_form=True)
    writer.transport.abort()
    assert found is not None
    return found, facts


def der(pair: Pair) -> bytes:
    return ssl.PEM_cert_to_DER_cert(pair.certificate.read_text())


async def test_who_trusts_the_certificate_is_served_by_tls(pair: Pair) -> None:
    async with serving(pair) as (server, _), client_of(server, trusting(pair)) as client:
        assert server.url == f"https://127.0.0.1:{server.port}"
        answer = await client.get("/services")
        assert answer.json() == {"services": {"example": server.url}}
        assert answer.headers["strict-transport-security"] == "max-age=31536000"


async def test_without_tls_nothing_says_that_it_is_needed() -> None:
    async with (
        running([ExampleService()]) as server,
        httpx2.AsyncClient(base_url=server.url, trust_env=False) as client,
    ):
        assert "strict-transport-security" not in (await client.get("/health")).headers


async def test_who_does_not_trust_it_says_nothing(pair: Pair) -> None:
    async with serving(pair) as (server, _), client_of(server, ssl.create_default_context()) as client:
        with pytest.raises(httpx2.ConnectError, match="certificate verify failed"):
            await client.get("/health")


async def test_plain_words_are_not_answered_and_harm_nobody(pair: Pair) -> None:
    async with serving(pair) as (server, _), client_of(server, trusting(pair)) as client:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
        with contextlib.suppress(ConnectionError):
            assert b"HTTP" not in await asyncio.wait_for(reader.read(), 30)
        writer.close()
        assert (await client.get("/health")).status_code == 200


def uvloop_factory() -> asyncio.AbstractEventLoop:
    uvloop: Any = pytest.importorskip("uvloop")
    loop: asyncio.AbstractEventLoop = uvloop.new_event_loop()
    return loop


@pytest.mark.parametrize("loop_factory", [asyncio.new_event_loop, uvloop_factory])
def test_feeds_go_by_tls_too_and_are_told_1012(
    loop_factory: Callable[[], asyncio.AbstractEventLoop], pair: Pair
) -> None:
    async def talk() -> None:
        async with contextlib.AsyncExitStack() as stack:
            relay = Relay()
            server, _ = await stack.enter_async_context(serving(pair, relay))
            url = f"wss://127.0.0.1:{server.port}/rooms/1/events"
            one, other = [
                await stack.enter_async_context(
                    connect(
                        url, ssl=trusting(pair), additional_headers={"Authorization": f"Bearer {name}"},
                        compression=None, proxy=None,
                    )
                )
                for name in ("ada", "bea")
            ]  # fmt: skip
            await other.send('{"type":"say","text":"hello"}')
            async with asyncio.timeout(30):
                assert "hello" in str(await one.recv())
            ending = asyncio.create_task(one.wait_closed())
            relay.close_feeds(1012, "restart")
            await ending
            assert one.close_code == 1012

    with asyncio.Runner(loop_factory=loop_factory) as runner:
        runner.run(talk())


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_only_versions_and_ciphers_of_today_are_spoken(pair: Pair, version: ssl.TLSVersion) -> None:
    context = ssl.create_default_context()
    context.minimum_version = context.maximum_version = version
    async with serving(pair) as (server, _):
        _, facts = await shown(server, context)
        cipher = facts.cipher()
        assert cipher is not None
        assert "GCM" in cipher[0] or "CHACHA20" in cipher[0]
        if version is ssl.TLSVersion.TLSv1_2:
            assert cipher[0].startswith("ECDHE")
            assert facts.compression() is None


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1_1 is deprecated:DeprecationWarning")
async def test_an_old_version_is_refused(pair: Pair) -> None:
    context = ssl.create_default_context()
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")
    async with serving(pair) as (server, _):
        with pytest.raises((ssl.SSLError, ConnectionError)):
            await shown(server, context)


@pytest.mark.parametrize("loop_factory", [asyncio.new_event_loop, uvloop_factory])
def test_a_renewed_certificate_is_shown_to_whoever_comes_next_and_nobody_is_cut_off(
    loop_factory: Callable[[], asyncio.AbstractEventLoop], pair: Pair, tmp_path: Path
) -> None:
    async def renew() -> None:
        old, trust = der(pair), trusting(pair)
        async with serving(pair) as (server, certificate), client_of(server, trust) as client:
            assert (await client.get("/health")).status_code == 200
            certificate.look()
            assert (await shown(server))[0] == old
            pair.replace_by(make_pair(tmp_path, "next"))
            assert (await shown(server))[0] == old
            certificate.look()
            for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
                context = ssl.create_default_context()
                context.maximum_version = version
                assert (await shown(server, context))[0] == der(pair) != old
            assert (await client.get("/health")).status_code == 200  # by the connection that stands

    with asyncio.Runner(loop_factory=loop_factory) as runner:
        runner.run(renew())


async def test_a_new_pair_that_is_no_good_is_told_of_and_the_old_one_stays(
    pair: Pair, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    old = der(pair)
    async with serving(pair) as (server, certificate), client_of(server, trusting(pair)) as client:
        pair.certificate.write_bytes(make_pair(tmp_path, "other").certificate.read_bytes())
        with caplog.at_level(logging.ERROR):
            certificate.look()
        assert "is not the key of" in caplog.text
        assert (await shown(server))[0] == old
        assert "dateflicks_certificate_is_old 1.0" in (await client.get("/metrics")).text
        pair.certificate.unlink()
        assert not certificate.reload()
        assert (await shown(server))[0] == old
        pair.replace_by(make_pair(tmp_path, "third"))
        certificate.look()
        assert (await shown(server))[0] == der(pair)
        assert not certificate.is_old


async def test_the_files_are_looked_at_by_themselves(pair: Pair, tmp_path: Path) -> None:
    certificate = Certificate(pair.certificate, pair.key)
    first = certificate.expires_at
    watch = asyncio.create_task(certificate.watch(seconds=0.01))
    pair.replace_by(make_pair(tmp_path, "longer", days=90))
    async with asyncio.timeout(30):
        while certificate.expires_at == first:  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0.01)
    watch.cancel()


async def test_how_long_it_is_valid_is_in_the_metrics(pair: Pair) -> None:
    async with serving(pair) as (server, _), client_of(server, trusting(pair)) as client:
        text = (await client.get("/metrics")).text
        line = next(line for line in text.splitlines() if line.startswith("dateflicks_certificate_valid_seconds"))
        assert float(line.split()[1]) == pytest.approx(30 * 86_400, abs=600)
        assert "dateflicks_certificate_is_old 0.0" in text


def test_one_file_alone_is_refused(pair: Pair) -> None:
    assert certificate_of("", "") is None
    for names in ((str(pair.certificate), ""), ("", str(pair.key))):
        with pytest.raises(StartFailed, match=r"only one of them is named\.\n.*--tls-cert and --tls-key"):
            certificate_of(*names)


def test_files_that_are_no_good_are_named_with_what_is_wrong(pair: Pair, tmp_path: Path) -> None:
    other = make_pair(tmp_path, "other")
    locked = make_pair(tmp_path, "locked", passphrase="secret")
    nonsense = tmp_path / "nonsense.pem"
    nonsense.write_text("nonsense")
    for certificate, key, said in (
        (pair.certificate, other.key, "other.key is not the key of .*server.pem"),
        (locked.certificate, locked.key, "locked.key has a passphrase"),
        (nonsense, pair.key, "are no certificate and key in PEM"),
        (tmp_path / "nowhere.pem", pair.key, "nowhere.pem cannot be read: No such file"),
        (tmp_path, pair.key, "cannot be read: Is a directory"),
    ):
        with pytest.raises(StartFailed, match=said):
            certificate_of(str(certificate), str(key))


async def test_a_peer_that_never_begins_is_let_go(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("dateflicks.server.runner", fromlist=["x"])._TLS_TIMES, "ssl_handshake_timeout", 0.2)
    async with serving(pair) as (server, _):
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        began = time.monotonic()
        with contextlib.suppress(ConnectionError):
            assert await asyncio.wait_for(reader.read(), 30) == b""
        assert time.monotonic() - began < 20
        writer.close()
        assert not state_of(server.app).is_stopping
