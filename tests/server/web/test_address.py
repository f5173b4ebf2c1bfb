"""Where a request came from, and where we are: only a configured proxy is believed."""

from collections.abc import Mapping

import httpx2
import pytest

from dateflicks.server.runner import running
from dateflicks.server.web.state import WebSettings
from tests.server.web.example import ExampleService

FORWARDED = {"X-Forwarded-For": "198.51.100.7", "X-Forwarded-Proto": "https", "X-Forwarded-Host": "films.example"}


async def ask(
    path: str, headers: Mapping[str, str] | list[tuple[str, str]], *proxies: str, public_url: str = ""
) -> object:
    settings = WebSettings(proxies=proxies, public_url=public_url)
    async with (
        running([ExampleService()], settings=settings) as server,
        httpx2.AsyncClient(base_url=server.url, verify=False, trust_env=False) as client,
    ):
        answer = (await client.get(path, headers=headers)).json()
        here = str(answer.get("word") or answer["services"]["example"])
        return here.replace(server.url, "HERE")


async def test_without_a_proxy_nobody_is_believed() -> None:
    assert await ask("/address", FORWARDED) == "127.0.0.1"
    assert await ask("/address", FORWARDED, "10.0.0.0/8") == "127.0.0.1"
    assert await ask("/services", FORWARDED) == "HERE"


@pytest.mark.parametrize("proxy", ["127.0.0.1", "127.0.0.0/8"])
async def test_a_proxy_is_believed(proxy: str) -> None:
    assert await ask("/address", FORWARDED, proxy) == "198.51.100.7"
    assert await ask("/services", FORWARDED, proxy) == "https://films.example"


@pytest.mark.parametrize(
    ("said", "address"),
    [
        ("203.0.113.9, 198.51.100.7", "198.51.100.7"),
        ("203.0.113.9, 198.51.100.7, 10.0.0.2", "198.51.100.7"),
        ("203.0.113.9, nonsense", "127.0.0.1"),
        ("", "127.0.0.1"),
        ("2001:db8::1", "2001:db8::1"),
        ("::ffff:198.51.100.7", "198.51.100.7"),
        ("10.0.0.3, 10.0.0.2", "10.0.0.3"),
    ],
)
async def test_of_what_a_chain_of_proxies_says_the_nearest_stranger_counts(said: str, address: str) -> None:
    assert await ask("/address", {"X-Forwarded-For": said}, "127.0.0.1", "10.0.0.0/8") == address


async def test_what_a_client_wrote_before_the_proxy_does_not_count() -> None:
    headers = [("X-Forwarded-For", "203.0.113.9"), ("X-Forwarded-For", "198.51.100.7")]
    assert await ask("/address", headers, "127.0.0.1") == "198.51.100.7"


@pytest.mark.parametrize("host", ['evil"<script>', "a b", "-x", "a/b", "a@b", "x" * 300, "a:b", "[::1"])
async def test_a_host_that_is_no_host_is_not_repeated(host: str) -> None:
    assert await ask("/services", {"Host": host}) == "HERE"


@pytest.mark.parametrize("host", ["films.example", "films.example:8443", "[2001:db8::1]:8700"])
async def test_the_services_are_where_the_caller_found_us(host: str) -> None:
    assert await ask("/services", {"Host": host}) == f"http://{host}"


async def test_the_address_in_the_settings_wins() -> None:
    assert await ask("/services", {}, public_url="https://films.example/") == "https://films.example"
