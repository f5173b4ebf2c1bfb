"""The way out for sources: where it leads, how patient it is, what it refuses, and what it never tells."""

import asyncio
import gzip
import socket
from collections.abc import Iterator
from email.utils import formatdate
from time import time
from typing import Any

import msgspec
import pytest

from dateflicks.server.providers.fetching import (
    BreakerOpen,
    FetchedAnswer,
    Interrupted,
    NoNetwork,
    SourceClient,
    Validators,
)
from dateflicks.server.providers.hosts import Hosts, addresses_of
from dateflicks.server.providers.pacing import FetchLimits
from dateflicks.server.providers.redaction import Redactor
from dateflicks.server.providers.source import (
    AuthError,
    NotOffered,
    QuotaError,
    SchemaError,
    SourceError,
    TransientError,
)
from tests.providers import server as provider
from tests.providers.server import RecordedServer, Reply

TITLES = {"results": [{"title": "Charade"}]}


@pytest.fixture
def recorded() -> Iterator[RecordedServer]:
    with RecordedServer() as server:
        yield server.route("/titles", TITLES)


class Naps:
    """Sleeps that take no time, and are remembered."""

    def __init__(self) -> None:
        self.taken: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.taken.append(seconds)
        await asyncio.sleep(0)


def client(server: RecordedServer, naps: Naps | None = None, **rest: Any) -> SourceClient:
    rest = {"requests_per_second": 1e6, "sleep": naps or Naps(), **rest}
    return SourceClient(Hosts([], [server.url]), **rest)


async def test_an_answer_has_its_status_headers_and_json(recorded: RecordedServer) -> None:
    async with client(recorded, contact="films@example.org") as http:
        answer = await http.get(f"{recorded.url}/titles", params={"page": 2}, headers={"X-Which": "this"})
    assert (answer.status, answer.json()) == (200, TITLES)
    assert answer.headers["content-type"] == provider.JSON_TYPE
    (asked,) = recorded.asked
    assert (asked.params, asked.headers["x-which"]) == ({"page": "2"}, "this")
    assert asked.headers["user-agent"].startswith("dateflicks/")
    assert asked.headers["user-agent"].endswith("(films@example.org)")


@pytest.mark.parametrize("fault", [provider.too_many(), provider.failing(500), provider.failing(503), provider.cut_off])
async def test_what_will_pass_is_tried_again(recorded: RecordedServer, fault: provider.Fault) -> None:
    naps = Naps()
    recorded.misbehave(fault, fault, fault, fault)
    async with client(recorded, naps) as http:
        assert (await http.get(f"{recorded.url}/titles")).json() == TITLES
        assert http.requests == 5
    waits = [nap for nap in naps.taken if nap > 0.001]
    assert all(nap <= 30 for nap in waits)


async def test_after_five_tries_it_is_over(recorded: RecordedServer) -> None:
    recorded.misbehave(provider.failing(502), always=True)
    async with client(recorded) as http:
        with pytest.raises(TransientError, match=r"/titles failed \(502\)\."):
            await http.get(f"{recorded.url}/titles")
    assert len(recorded.asked) == 5


async def test_silence_has_a_deadline_and_is_tried_again(recorded: RecordedServer) -> None:
    recorded.misbehave(provider.silent)
    async with client(recorded, limits=FetchLimits(try_seconds=1.0)) as http:
        assert (await http.get(f"{recorded.url}/titles")).json() == TITLES
    assert len(recorded.asked) == 2


async def test_no_new_try_is_made_after_the_time_for_all_tries(recorded: RecordedServer) -> None:
    recorded.misbehave(provider.too_many(50), always=True)
    async with client(recorded, limits=FetchLimits(total_seconds=20)) as http:
        with pytest.raises(QuotaError):
            await http.get(f"{recorded.url}/titles")
    assert len(recorded.asked) == 1


@pytest.mark.parametrize(
    ("status", "error"),
    [(401, AuthError), (403, AuthError), (404, NotOffered), (410, NotOffered), (400, SchemaError), (422, SchemaError)],
)
async def test_what_will_not_pass_is_not_tried_again(
    recorded: RecordedServer, status: int, error: type[SourceError]
) -> None:
    recorded.misbehave(provider.failing(status))
    async with client(recorded) as http:
        with pytest.raises(error):
            await http.get(f"{recorded.url}/titles")
    assert len(recorded.asked) == 1


@pytest.mark.parametrize("body", [b"[" * 5_000, b'{"message": "\xff"}'])
async def test_a_refusal_that_cannot_be_read_is_a_refusal(recorded: RecordedServer, body: bytes) -> None:
    recorded.misbehave(lambda _: Reply(body, 403, {"Content-Type": "application/json"}))
    async with client(recorded) as http:
        with pytest.raises(AuthError):
            await http.get(f"{recorded.url}/titles")


@pytest.mark.parametrize("charset", ["nonsense", "idna", "punycode", "hex", "utf-16"])
async def test_what_is_declared_as_text_that_it_is_not_is_read_as_far_as_it_can_be(
    recorded: RecordedServer, charset: str
) -> None:
    recorded.misbehave(lambda _: Reply(b"No\xff-", 200, {"Content-Type": f"text/plain; charset={charset}"}))
    async with client(recorded) as http:
        assert (await http.get(f"{recorded.url}/titles")).text()


async def test_a_rest_that_is_asked_for_is_kept(recorded: RecordedServer) -> None:
    naps = Naps()
    recorded.misbehave(provider.too_many(41), provider.failing(503, {"Retry-After": formatdate(time() + 50)}))
    async with client(recorded, naps) as http:
        await http.get(f"{recorded.url}/titles")
    assert any(nap >= 41 for nap in naps.taken)
    assert any(42 < nap <= 50 for nap in naps.taken)


async def test_a_rest_beyond_reason_ends_the_asking_and_says_until_when(recorded: RecordedServer) -> None:
    recorded.misbehave(provider.too_many(7_200), always=True)
    async with client(recorded) as http:
        with pytest.raises(QuotaError) as caught:
            await http.get(f"{recorded.url}/titles")
    assert caught.value.reset_seconds == 7_200
    assert len(recorded.asked) == 1


async def test_requests_keep_their_rate(recorded: RecordedServer) -> None:
    naps = Naps()
    async with client(recorded, naps, requests_per_second=0.5, clock=lambda: 100.0) as http:
        await asyncio.gather(*(http.get(f"{recorded.url}/titles") for _ in range(4)))
    assert sorted(naps.taken) == [2.0, 4.0, 6.0]


@pytest.mark.parametrize(
    "url",
    [
        "https://elsewhere.example/",
        "http://api.example.org/",
        "https://api.example.org:8443/",
        "https://user:pass@api.example.org/",
        "https://api.example.org.evil.example/",
        "https://example.net/",
        "file:///etc/passwd",
        "http://127.0.0.1:1/",
        "https://[::1",
    ],
)
async def test_only_declared_hosts_are_asked(url: str) -> None:
    async with SourceClient(Hosts(["api.example.org", "*.example.net"])) as http:
        with pytest.raises(SourceError, match=r"declares|no address"):
            await http.get(url)
        assert http.requests == 0


def test_a_declared_host_may_stand_for_those_below_it() -> None:
    hosts = Hosts(["api.example.org", "*.example.net"])
    assert hosts.may_reach("https://API.example.org/a?b=c")
    assert hosts.may_reach("https://ia80.us.example.net/file")
    assert not hosts.may_reach("https://badexample.net/file")


def test_an_address_of_the_settings_that_is_none_opens_nothing() -> None:
    hosts = Hosts([], ["http://[films", "https://films.example:99999/"])
    assert not hosts.may_reach("https://elsewhere.example:99999/")
    assert not hosts.may_reach("http://[elsewhere")


async def test_a_redirection_is_followed_within_the_hosts(recorded: RecordedServer) -> None:
    recorded.misbehave(provider.redirected("/titles?page=2"))
    async with client(recorded) as http:
        assert (await http.get(f"{recorded.url}/old", headers={"X-Api-Key": "abcdef"})).json() == TITLES
    assert [asked.headers.get("x-api-key") for asked in recorded.asked] == ["abcdef", "abcdef"]


async def test_a_redirection_to_a_foreign_host_is_refused_and_the_key_stays(recorded: RecordedServer) -> None:
    with RecordedServer() as foreign:
        foreign.route("/titles", TITLES)
        recorded.misbehave(provider.redirected(f"{foreign.url}/titles?key=abc"))
        async with client(recorded) as http:
            with pytest.raises(SchemaError, match="does not declare"):
                await http.get(f"{recorded.url}/titles", headers={"X-Api-Key": "abcdef"})
        assert foreign.asked == []
        recorded.misbehave(provider.redirected(f"{foreign.url}/titles"))
        async with SourceClient(Hosts([], [recorded.url, foreign.url]), requests_per_second=1e6) as http:
            await http.get(f"{recorded.url}/titles", headers={"X-Api-Key": "abcdef"})
        assert "x-api-key" not in foreign.asked[0].headers


async def test_a_ring_of_redirections_has_an_end(recorded: RecordedServer) -> None:
    recorded.misbehave(provider.redirected("/titles"), always=True)
    async with client(recorded) as http:
        with pytest.raises(SchemaError, match="circles"):
            await http.get(f"{recorded.url}/titles")
    assert len(recorded.asked) == 6


async def test_a_body_has_a_limit(recorded: RecordedServer) -> None:
    recorded.misbehave(provider.endless)
    async with client(recorded, limits=FetchLimits(body_bytes=64 * 1024)) as http:
        with pytest.raises(SchemaError, match="more than 64 KiB"):
            await http.get(f"{recorded.url}/titles")


async def test_a_body_that_grows_when_unpacked_has_the_same_limit(recorded: RecordedServer) -> None:
    recorded.route("/bomb", Reply(gzip.compress(b" " * 50_000_000), headers={"Content-Encoding": "gzip"}))
    async with client(recorded, limits=FetchLimits(body_bytes=64 * 1024)) as http:
        with pytest.raises(SchemaError, match="more than 64 KiB"):
            await http.get(f"{recorded.url}/bomb")


@pytest.mark.parametrize("body", [b"", b"{", b"<html>", b"NaN", b'{"a": Infinity}', b"\xff\xfe{", b"[" * 200_000])
async def test_what_is_no_json_is_said_to_be_none(recorded: RecordedServer, body: bytes) -> None:
    recorded.route("/odd", Reply(body))
    async with client(recorded) as http:
        answer = await http.get(f"{recorded.url}/odd")
    with pytest.raises(SchemaError, match=r"/odd did not answer with JSON"):
        answer.json()


async def test_json_that_is_nested_too_deep_is_refused() -> None:
    def answer(depth: int) -> FetchedAnswer:
        return FetchedAnswer(200, {}, b"[" * depth + b"]" * depth, "there", 64)

    assert answer(64).json()
    with pytest.raises(SchemaError, match="nested too deep"):
        answer(66).json()


async def test_text_is_decoded_as_declared(recorded: RecordedServer) -> None:
    recorded.route("/latin", Reply("Amélie".encode("latin-1"), headers={"Content-Type": "text/plain; charset=latin-1"}))
    recorded.route("/odd", Reply("Amélie".encode(), headers={"Content-Type": "text/plain; charset=klingon"}))
    async with client(recorded) as http:
        assert (await http.get(f"{recorded.url}/latin")).text() == "Amélie"
        assert (await http.get(f"{recorded.url}/odd")).text() == "Amélie"


async def test_a_conditional_request_says_what_is_known_once_that_was_kept(recorded: RecordedServer) -> None:
    validators = Validators()
    async with client(recorded, validators=validators) as http:
        assert (await http.get(f"{recorded.url}/titles", conditional=True)).status == 200
        assert (await http.get(f"{recorded.url}/titles", conditional=True)).status == 200, "not yet written"
    async with client(recorded, validators=Validators(validators.kept())) as http:
        assert (await http.get(f"{recorded.url}/titles", conditional=True)).status == 304
        assert (await http.get(f"{recorded.url}/titles")).status == 200


def test_what_is_known_of_versions_is_bounded() -> None:
    validators = Validators()
    for number in range(5_000):
        validators.heard(f"http://x/{number}", {"etag": f'"{number}"'})
    validators.heard("http://x/long", {"etag": "x" * 10_000})
    kept = Validators(validators.kept())
    assert len(validators.kept()) == 2_000
    assert kept.headers("http://x/4999") == {"If-None-Match": '"4999"'}
    assert kept.headers("http://x/1") == kept.headers("http://x/long") == {}


async def test_five_failures_in_a_row_open_the_breaker(recorded: RecordedServer) -> None:
    recorded.misbehave(provider.failing(500), path="/bad", always=True)
    async with client(recorded) as http:
        for _ in range(4):
            with pytest.raises(TransientError):
                await http.get(f"{recorded.url}/bad")
        await http.get(f"{recorded.url}/titles")
        for _ in range(5):
            with pytest.raises(TransientError):
                await http.get(f"{recorded.url}/bad")
        asked = len(recorded.asked)
        with pytest.raises(BreakerOpen):
            await http.get(f"{recorded.url}/titles")
    assert len(recorded.asked) == asked


async def test_more_than_a_fifth_of_fifty_opens_the_breaker(recorded: RecordedServer) -> None:
    recorded.misbehave(provider.failing(500), path="/bad", always=True)
    async with client(recorded, limits=FetchLimits(tries=1)) as http:
        for number in range(44):
            if number % 4 == 3:
                with pytest.raises(TransientError):
                    await http.get(f"{recorded.url}/bad")
            else:
                await http.get(f"{recorded.url}/titles")
        assert http.breaker.is_open


async def test_what_is_missing_or_denied_does_not_open_the_breaker(recorded: RecordedServer) -> None:
    async with client(recorded) as http:
        for _ in range(20):
            with pytest.raises(NotOffered):
                await http.get(f"{recorded.url}/nowhere")
        assert not http.breaker.is_open


async def test_a_stop_ends_the_waiting(recorded: RecordedServer) -> None:
    stopping, waiting = asyncio.Event(), asyncio.Event()

    async def long(_: float) -> None:
        waiting.set()
        await asyncio.Event().wait()

    recorded.misbehave(provider.too_many(50), always=True)
    http = SourceClient(Hosts([], [recorded.url]), sleep=long, stopping=stopping)
    async with http, asyncio.timeout(30):
        asking = asyncio.create_task(http.get(f"{recorded.url}/titles"))
        await waiting.wait()
        stopping.set()
        with pytest.raises(Interrupted):
            await asking
        with pytest.raises(Interrupted):
            await http.get(f"{recorded.url}/titles")
        assert not http.breaker.is_open


async def test_a_place_where_nobody_listens_is_told_in_words() -> None:
    with RecordedServer() as server:
        url = server.url
    async with SourceClient(Hosts([], [url]), limits=FetchLimits(tries=1)) as http:
        with pytest.raises(TransientError, match=r"/titles cannot be reached: connection refused\.$"):
            await http.get(f"{url}/titles")


async def test_a_name_that_nobody_knows_is_no_fault_of_the_provider(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    for variable in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(variable, raising=False)
    async with SourceClient(Hosts(["films.invalid"]), limits=FetchLimits(tries=1)) as http:
        with pytest.raises(NoNetwork, match=r"films\.invalid/titles cannot be reached: .+"):
            await http.get("https://films.invalid/titles")


@pytest.mark.parametrize("status", [401, 404, 422, 429, 500])
async def test_no_secret_is_in_an_error(recorded: RecordedServer, status: int) -> None:
    told = Reply(b'{"message": "the key s3cr3t+value of hidden-token is wrong", "api_key": "s3cr3t%2Bvalue"}', status)
    recorded.route("/secret", told)
    url = f"{recorded.url}/secret"
    async with client(recorded, redactor=Redactor("hidden-token")) as http:
        with pytest.raises(SourceError) as caught:
            await http.get(url, params={"api_key": "s3cr3t+value", "q": "x"}, headers={"Authorization": "Bearer hid"})
    assert "s3cr3t" not in str(caught.value)
    assert "hidden-token" not in str(caught.value)
    assert "the key" in str(caught.value)


async def test_cookies_are_not_kept(recorded: RecordedServer) -> None:
    recorded.route("/cookie", Reply(b"{}", headers={"Set-Cookie": "who=you; Path=/"}))
    async with client(recorded) as http:
        await http.get(f"{recorded.url}/cookie")
        await http.get(f"{recorded.url}/cookie")
    assert "cookie" not in recorded.asked[1].headers


def test_addresses_in_the_settings_are_those_whose_keys_say_so() -> None:
    class Server(msgspec.Struct):
        url: str = "http://10.0.0.2:8096"

    class Config(msgspec.Struct):
        base_url: str = "https://api.example.org"
        empty_url: str = ""
        list_urls: list[str] = msgspec.field(default_factory=lambda: ["https://a.example/list.json"])
        curl: int = 3
        name: str = "http://not.this"
        server: Server = msgspec.field(default_factory=Server)

    assert addresses_of(Config()) == ["https://api.example.org", "https://a.example/list.json", "http://10.0.0.2:8096"]
