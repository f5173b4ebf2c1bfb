"""Carrying services: starting, what keeps them from it, and a stop that loses nothing."""

import asyncio
import contextlib
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest
from sanic import Sanic

from dateflicks.core.errors import Unavailable
from dateflicks.server.runner import StartFailed, running, web_settings
from dateflicks.server.web.app import state_of
from dateflicks.settings.services import ServerSettings
from tests.server.web.example import ExampleService

ROOT = Path(__file__).parents[2]


def client_of(url: str) -> httpx2.AsyncClient:
    return httpx2.AsyncClient(base_url=url, verify=False, trust_env=False, timeout=10)


async def test_a_free_port_is_taken_and_told() -> None:
    async with running([ExampleService()]) as server, client_of(server.url) as client:
        assert server.port > 0
        assert server.url == f"http://127.0.0.1:{server.port}"
        assert (await client.get("/health")).status_code == 200


async def test_nothing_is_left_when_it_has_ended() -> None:
    before = asyncio.all_tasks()
    service = ExampleService()
    async with running([service]) as server, client_of(server.url) as client:
        await client.get("/health")
    assert service.was == ["started", "feeds closed 1012", "stopped"]
    assert asyncio.all_tasks() == before
    assert server.app.name not in Sanic._app_registry
    with pytest.raises(OSError, match="Connect call failed"):
        await asyncio.open_connection(server.host, server.port)


async def test_it_runs_on_ipv6_too() -> None:
    if not socket.has_ipv6:
        pytest.skip("no IPv6 here")
    try:
        async with running([ExampleService()], "::1") as server, client_of(server.url) as client:
            assert server.url.startswith("http://[::1]:")
            assert (await client.get("/address")).json() == {"word": "::1"}
    except StartFailed:
        pytest.skip("no IPv6 loopback here")


async def test_a_port_that_is_taken_is_said_with_what_to_do() -> None:
    service = ExampleService()
    async with running([ExampleService()]) as first:
        with pytest.raises(StartFailed, match=rf"Port {first.port} of 127.0.0.1 is taken[^\n]*\n.*--port"):
            async with running([service], port=first.port):
                pytest.fail("two servers on one port")
    assert service.was == []


@pytest.mark.parametrize("host", ["nonsense.invalid", "300.1.1.1", "x" * 300, "192.0.2.1"])
async def test_an_address_that_cannot_be_listened_on_is_said(host: str) -> None:
    with pytest.raises(StartFailed, match=r"is no address (to listen on|of this machine)\.\nTry 127\.0\.0\.1"):
        async with running([ExampleService()], host):
            pytest.fail("listening nowhere")


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (
            Unavailable("The database does not answer."),
            "The second service did not start: The database does not answer.",
        ),
        (OSError(28, "No space left on device"), "The second service did not start: .*No space left on device"),
        (TimeoutError(), "The second service did not start: TimeoutError"),
        (RuntimeError("secret detail"), r"The second service did not start: an error of the program \(RuntimeError\)"),
    ],
)
async def test_a_service_that_does_not_start_is_named_and_the_others_are_stopped(error: Exception, said: str) -> None:
    first, second, third = ExampleService("first"), ExampleService("second", "/b"), ExampleService("third", "/c")
    second.start_error = error
    with pytest.raises(StartFailed, match=said) as caught:
        async with running([first, second, third]):
            pytest.fail("running without one of them")
    assert "secret" not in str(caught.value)
    assert first.was == ["started", "stopped"]
    assert third.was == []


async def test_a_service_that_hangs_when_starting_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    class Hanging(ExampleService):
        async def start(self) -> None:
            await asyncio.Event().wait()

    monkeypatch.setattr("dateflicks.server.runner.START_SECONDS", 0.05)
    with pytest.raises(StartFailed, match=r"The example service did not start within 0\.05 s"):
        async with running([Hanging()]):
            pytest.fail("running without having started")


async def test_services_stop_in_the_reverse_of_their_order() -> None:
    order: list[str] = []

    class Noted(ExampleService):
        async def start(self) -> None:
            order.append(f"{self.name} started")

        async def stop(self) -> None:
            order.append(f"{self.name} stopped")

    async with running([Noted("one"), Noted("two", "/b")]):
        pass
    assert order == ["one started", "two started", "two stopped", "one stopped"]


async def test_a_request_that_runs_is_finished_before_anything_is_stopped() -> None:
    service = ExampleService()
    async with contextlib.AsyncExitStack() as stack:
        server = await stack.enter_async_context(running([service]))
        async with client_of(server.url) as client, client_of(server.url) as other:
            slow = asyncio.create_task(client.get("/slow"))
            await service.entered.wait()
            stopping = asyncio.create_task(stack.aclose())
            while not state_of(server.app).is_stopping:  # noqa: ASYNC110 - there is no event for it
                await asyncio.sleep(0)
            health = await other.get("/health")
            assert (health.status_code, health.json()["status"]) == (503, "stopping")
            assert (await other.get("/address")).status_code == 503
            assert "stopped" not in service.was
            service.release.set()
            assert (await slow).json() == {"word": "done"}
            await stopping
    assert service.was[-1] == "stopped"


async def test_a_request_that_never_ends_is_cut_off() -> None:
    service = ExampleService()
    began = time.monotonic()
    async with client_of("http://127.0.0.1") as client:
        async with running([service], shutdown_seconds=0.5) as server:
            slow = asyncio.create_task(client.get(f"{server.url}/slow"))
            await service.entered.wait()
        assert time.monotonic() - began < 5
        with pytest.raises(httpx2.TransportError):
            await slow
    assert service.was[-1] == "stopped"


async def test_a_service_that_hangs_or_fails_when_stopping_keeps_no_other_from_it() -> None:
    class Hanging(ExampleService):
        async def stop(self) -> None:
            await asyncio.Event().wait()

    class Failing(ExampleService):
        async def stop(self) -> None:
            raise RuntimeError("broken")

        def close_feeds(self, code: int, reason: str) -> None:
            raise RuntimeError("broken")

    good = ExampleService("good", "/c")
    async with running([good, Hanging("hanging"), Failing("failing", "/b")], shutdown_seconds=0.2):
        pass
    assert good.was == ["started", "feeds closed 1012", "stopped"]


async def test_a_connection_that_says_nothing_does_not_hold_up_the_end() -> None:
    began = time.monotonic()
    async with running([ExampleService()]) as server:
        connections = [await asyncio.open_connection(server.host, server.port) for _ in range(5)]
        connections[0][1].write(b"GET /health HT")
    assert time.monotonic() - began < 3
    for reader, writer in connections:
        with contextlib.suppress(ConnectionError):
            assert await reader.read() == b""
        writer.close()


def test_proxies_that_are_no_addresses_are_refused() -> None:
    with pytest.raises(StartFailed, match=r"proxies.*my-proxy"):
        web_settings(ServerSettings(proxies=["my-proxy"]))
    assert web_settings(ServerSettings(proxies=["10.0.0.0/8"])).proxies == ("10.0.0.0/8",)


class Program:
    """The example as a process of its own."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process

    async def line(self) -> str:
        assert self.process.stdout is not None
        return (await self.process.stdout.readline()).decode().strip()

    async def end(self) -> tuple[int, list[str], str]:
        """Its exit code, what it still said, and its log."""
        out, err = await self.process.communicate()
        assert self.process.returncode is not None
        return self.process.returncode, out.decode().splitlines(), err.decode()


@contextlib.asynccontextmanager
async def program(what: str) -> AsyncIterator[Program]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-W", "error", "-m", "tests.server.web.serving", what,
        cwd=ROOT, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        async with asyncio.timeout(30):
            yield Program(process)
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_stops_everything_in_order_with_exit_code_zero(number: signal.Signals) -> None:
    async with program("plain") as served:
        url = await served.line()
        async with client_of(url) as client:
            assert (await client.get("/health")).status_code == 200
            began = time.monotonic()
            served.process.send_signal(number)
            code, said, log = await served.end()
        assert time.monotonic() - began < 5
        assert code == 0
        assert said == ["feeds 1012", "stopped", "database closed", "end"]
        assert "Traceback" not in log
        assert '"event": "stopping"' in log


async def test_a_signal_lets_a_request_that_runs_finish() -> None:
    async with program("release") as served, client_of(await served.line()) as client:
        slow = asyncio.create_task(client.get("/slow"))
        while "dateflicks_requests_in_flight 1.0" not in (await client.get("/metrics")).text:
            pass
        served.process.send_signal(signal.SIGTERM)
        assert (await slow).json() == {"word": "done"}
        assert (await served.end())[0] == 0


async def test_a_second_signal_ends_the_process_at_once() -> None:
    async with program("hang-at-stop") as served:
        await served.line()
        served.process.send_signal(signal.SIGTERM)
        assert await served.line() == "feeds 1012"
        served.process.send_signal(signal.SIGTERM)
        code, said, _ = await served.end()
        assert code == 128 + signal.SIGTERM
        assert said == []


async def test_a_service_that_hangs_at_the_end_does_not_keep_the_process() -> None:
    async with program("hang-at-stop") as served:
        await served.line()
        began = time.monotonic()
        served.process.send_signal(signal.SIGTERM)
        code, said, log = await served.end()
        assert time.monotonic() - began < 5
        assert (code, said[-2:]) == (0, ["database closed", "end"])
        assert "did not stop in time" in log


async def test_whatever_hangs_at_the_end_the_process_ends() -> None:
    async with program("hang-at-close") as served:
        await served.line()
        began = time.monotonic()
        served.process.send_signal(signal.SIGTERM)
        code, said, log = await served.end()
        assert time.monotonic() - began < 5
        assert (code, said[-1]) == (70, "stopped")
        assert "cut off" in log


async def test_a_signal_while_it_starts_ends_it_too() -> None:
    async with program("hang-at-start") as served:
        assert await served.line() == "starting"
        served.process.send_signal(signal.SIGTERM)
        code, said, log = await served.end()
        assert (code, said) == (0, ["end"])
        assert "Traceback" not in log
