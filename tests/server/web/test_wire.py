"""Requests that no decent client sends, byte by byte: each gets its own answer, and the server goes on."""

import logging

import pytest

from dateflicks.server.runner import Server
from tests.server.web.example import TOKEN
from tests.server.web.raw import exchange, exchange_all

HOST = b"Host: films.example\r\n"


def get(path: bytes, *headers: bytes, host: bytes = HOST, version: bytes = b"1.1") -> bytes:
    lines = b"".join(header + b"\r\n" for header in headers)
    return b"GET " + path + b" HTTP/" + version + b"\r\n" + host + lines + b"\r\n"


def post(body: bytes, *headers: bytes) -> bytes:
    return b"POST /notes HTTP/1.1\r\n" + HOST + b"".join(header + b"\r\n" for header in headers) + b"\r\n" + body


BEARER = b"Authorization: Bearer " + TOKEN.encode()
MALFORMED = {
    "no Host": get(b"/address", host=b""),
    "two Hosts": get(b"/address", b"Host: other.example"),
    "two tokens": get(b"/me", BEARER, BEARER),
    "two origins": get(b"/address", b"Origin: https://a.example", b"Origin: https://b.example"),
    "two WebSocket keys": get(b"/things/1/events", b"Sec-WebSocket-Key: a", b"Sec-WebSocket-Key: b"),
    "a path outside ASCII": get("/thíngs".encode()),
    "a path with NUL": get(b"/things/a\0b"),
    "a path with a space": get(b"/things/a b"),
    "an authority for a path": get(b"films.example:80"),
    "an escape sequence for a method": b"G\x1b[2JET /address HTTP/1.1\r\n" + HOST + b"\r\n",
    "a bare line feed": get(b"/address", b"X: a\nY: b"),
    "a bare carriage return": get(b"/address", b"X: a\rY: b"),
    "a space before a colon": get(b"/address", b"X : a"),
    "a folded line": get(b"/address", b"X: a", b" b"),
    "a line without a colon": get(b"/address", b"X"),
    "a control character in a header": get(b"/address", b"X-Request-Id: \x1b[2J"),
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "HTTP/0.9": b"GET /address\r\n\r\n",
    "a TLS hello": b"\x16\x03\x01\x02\x00\x01\r\n\r\n",
    "CONNECT": b"CONNECT films.example:80 HTTP/1.1\r\n" + HOST + b"\r\n",
    "a length and chunks": post(b"0\r\n\r\n", b"Content-Length: 5", b"Transfer-Encoding: chunked"),
    "two lengths": post(b"{}", b"Content-Length: 2", b"Content-Length: 2"),
    "a transfer coding we do not have": post(b"0\r\n\r\n", b"Transfer-Encoding: xchunked"),
    "a negative length": post(b"", b"Content-Length: -5"),
    "a length with a sign": post(b"hello", b"Content-Length: +5"),
    "a length that is no number": post(b"hello", b"Content-Length: 0x5"),
    "a chunk without a size": post(b"zz\r\n{}\r\n0\r\n\r\n", b"Transfer-Encoding: chunked"),
    "a chunk of negative size": post(b"-2\r\n{}\r\n0\r\n\r\n", b"Transfer-Encoding: chunked"),
    "a trailer": post(b"2\r\n{}\r\n0\r\nX: y\r\n\r\n", b"Transfer-Encoding: chunked"),
}


@pytest.mark.parametrize("request_bytes", MALFORMED.values(), ids=MALFORMED.keys())
async def test_a_malformed_request_is_a_400_and_ends_its_connection(
    server: Server, request_bytes: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        answer = await exchange(server, request_bytes)
    assert answer.status == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["connection"] == "close"
    assert answer.json()["type"] == "urn:dateflicks:problem:malformed"
    assert not caplog.records  # somebody else's mistake is no news


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (get(b"/address", b"X: " + b"a" * 9_000), 413),
        (get(b"/" + b"a" * 9_000), 413),
        (post(b"", b"Content-Length: 65537"), 413),
        (post(b"", b"Content-Length: 99999999999999999999"), 413),
        (post(b"10001\r\n", b"Transfer-Encoding: chunked"), 413),
        (post(b"{}", b"Content-Length: 2", b"Expect: miracles"), 417),
        (get(b"*"), 404),
        (get(b"//address"), 404),
        (get(b"/things/../address"), 404),
        (get(b"/things/a%00b"), 404),
        (get(b"/things/a%0Ab"), 404),
        (get(b"/things/%C2%9B2J"), 404),
        (get(b"/things/%E2%80%AEx"), 404),
        (get(b"/things/%ff"), 404),
        (get(b"/things/" + b"a" * 129), 404),
        (b"get /address HTTP/1.1\r\n" + HOST + b"\r\n", 405),
        (get(b"/me", b"Authorization: Bearer \xff\xfe"), 401),
    ],
)
async def test_what_is_not_to_be_had_says_so(server: Server, request_bytes: bytes, status: int) -> None:
    answer = await exchange(server, request_bytes)
    assert answer.status == status
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("request_bytes", "word"),
    [
        (get(b"/address", version=b"1.0", host=b""), "127.0.0.1"),
        (get(b"http://films.example/address"), "127.0.0.1"),
        (get(b"/address", *(b"X%d: 1" % number for number in range(500))), "127.0.0.1"),
        (get(b"/address", b"Upgrade: websocket", b"Connection: Upgrade"), "127.0.0.1"),
        (get(b"/address", b"Content-Length: 5") + b"hello", "127.0.0.1"),
        (get(b"/things/%61%C3%A9"), "aé"),
        (get(b"/things/a%2Fb"), "a/b"),
        (get(b"/things/a%20b"), "a b"),
        (
            post(b'2\r\n{"\r\n6\r\nword":\r\n4\r\n"hi"\r\n1\r\n}\r\n0\r\n\r\n', b"Transfer-Encoding: chunked"),
            "None: hi",
        ),
    ],
)
async def test_what_is_unusual_and_right_is_answered(server: Server, request_bytes: bytes, word: str) -> None:
    answer = await exchange(server, request_bytes)
    assert (answer.status, answer.json()) == (200, {"word": word})


async def test_pipelined_requests_are_answered_in_order(server: Server) -> None:
    answers = await exchange_all(server, b"".join(get(b"/things/%d" % number) for number in range(5)), answers=5)
    assert [answer.json()["word"] for answer in answers] == ["0", "1", "2", "3", "4"]


async def test_a_body_of_get_is_not_taken_for_the_next_request(server: Server) -> None:
    smuggled = get(b"/things/smuggled")
    first = get(b"/address", b"Content-Length: %d" % len(smuggled)) + smuggled
    answers = await exchange_all(server, first + get(b"/things/next"), answers=2)
    assert [answer.json()["word"] for answer in answers] == ["127.0.0.1", "next"]


async def test_the_server_goes_on_after_all_of_it(server: Server) -> None:
    for request_bytes in MALFORMED.values():
        await exchange(server, request_bytes)
    assert (await exchange(server, get(b"/health"))).status == 200
