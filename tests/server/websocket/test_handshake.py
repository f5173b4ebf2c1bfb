"""The opening handshake: what is let through, from where, and how it is answered."""

from typing import Any

import pytest
from sanic.compat import Header

from dateflicks.core.errors import Forbidden, Malformed, RuleError
from dateflicks.server.web.problems import UpgradeRequired
from dateflicks.server.websocket.handshake import accepted, allowed_origins, check_origin, check_request

KEY = "dGhlIHNhbXBsZSBub25jZQ=="  # of RFC 6455, section 1.3, as is what it is answered with
ACCEPT = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
GOOD = {
    "host": "films.example.org",
    "upgrade": "websocket",
    "connection": "Upgrade",
    "sec-websocket-version": "13",
    "sec-websocket-key": KEY,
}


class Asked:
    """As much of a request as a handshake is made of."""

    def __init__(self, headers: list[tuple[str, str]], method: str = "GET", version: str = "1.1") -> None:
        self.headers = Header(headers)
        self.method = method
        self.version = version


def asked(*more: tuple[str, str], method: str = "GET", version: str = "1.1", **changes: str | None) -> Any:
    given = GOOD | {name.replace("_", "-"): value for name, value in changes.items()}
    return Asked([*((name, value) for name, value in given.items() if value is not None), *more], method, version)


def test_a_handshake_that_is_right_is_let_through_and_answered() -> None:
    check_request(asked())
    assert accepted(asked(), "dateflicks.v1", {"X-Request-Id": "r1"}).decode().split("\r\n") == [
        "HTTP/1.1 101 Switching Protocols",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Accept: {ACCEPT}",
        "Sec-WebSocket-Protocol: dateflicks.v1",
        "X-Request-Id: r1",
        "",
        "",
    ]


def test_no_subprotocol_is_answered_where_none_was_agreed_and_never_an_extension() -> None:
    answer = accepted(asked(("sec-websocket-extensions", "permessage-deflate")), None, {})
    assert b"Protocol:" not in answer
    assert b"Extensions" not in answer


@pytest.mark.parametrize(
    "request_",
    [
        asked(upgrade="WebSocket"),
        asked(connection="keep-alive, Upgrade"),
        asked(connection="upgrade,keep-alive"),
        asked(("connection", "Upgrade"), connection="keep-alive"),
        asked(upgrade="websocket ", connection=" upgrade ", sec_websocket_version="13 ", sec_websocket_key=f"{KEY} "),
    ],
)
def test_what_means_the_same_is_let_through_too(request_: Any) -> None:
    check_request(request_)
    assert ACCEPT.encode() in accepted(request_, None, {})


@pytest.mark.parametrize(
    ("request_", "error"),
    [
        (asked(method="POST"), Malformed),
        (asked(version="1.0"), Malformed),
        (asked(upgrade=None), UpgradeRequired),
        (asked(upgrade="h2c"), UpgradeRequired),
        (asked(connection=None), Malformed),
        (asked(connection="keep-alive"), Malformed),
        (asked(connection="not-upgrade"), Malformed),
        (asked(sec_websocket_version=None), UpgradeRequired),
        (asked(sec_websocket_version="8"), UpgradeRequired),
        (asked(sec_websocket_version="13, 8"), UpgradeRequired),
        (asked(("content-length", "0")), Malformed),
        (asked(("transfer-encoding", "chunked")), Malformed),
        (asked(sec_websocket_key=None), Malformed),
        (asked(sec_websocket_key=""), Malformed),
        (asked(sec_websocket_key="AAAA"), Malformed),
        (asked(sec_websocket_key="AAAAAAAAAAAAAAAAAAAA"), Malformed),
        (asked(sec_websocket_key="dGhlIHNhbXBsZSBub25jZQ"), Malformed),
        (asked(sec_websocket_key="dGhlIHNh\u00e9XBsZSBub25jZQ=="), Malformed),
        (asked(sec_websocket_key="\udcff" * 24), Malformed),
        (asked(sec_websocket_key="dGhl IHNhbXBsZSBub25jZQ=="), Malformed),
    ],
)
def test_what_is_no_handshake_is_refused(request_: Any, error: type[RuleError]) -> None:
    with pytest.raises(error):
        check_request(request_)


ALLOWED = allowed_origins(
    ["https://films.example.org", "http://localhost:3000", "https://Bücher.example/", "https://other.example:443"]
)


@pytest.mark.parametrize(
    "origin",
    [
        "https://films.example.org",
        "http://localhost:3000",
        "https://xn--bcher-kva.example",
        "https://other.example",
    ],
)
def test_pages_that_the_settings_name_may_connect(origin: str) -> None:
    check_origin(asked(("origin", origin)), ALLOWED)


@pytest.mark.parametrize("origin", ["http://127.0.0.1:8700", "https://127.0.0.1:8700"])
def test_what_comes_from_this_very_server_may_connect(origin: str) -> None:
    """Some clients that are no browsers name the server itself as their origin, whether anybody asks or not."""
    check_origin(asked(("origin", origin), host="127.0.0.1:8700"), allowed_origins([]))
    for host in ("127.0.0.1", "127.0.0.1:8701", "127.0.0.1:87000", "evil.example", ""):
        with pytest.raises(Forbidden):
            check_origin(asked(("origin", origin), host=host), allowed_origins([]))


def test_programs_which_send_no_origin_may_connect() -> None:
    check_origin(asked(), ALLOWED)
    check_origin(asked(), allowed_origins([]))


@pytest.mark.parametrize(
    "origin",
    [
        "",
        "null",
        "file://",
        "*",
        "http://films.example.org",  # another scheme
        "wss://films.example.org",
        "https://films.example.org.evil.example",  # look-alikes
        "https://evil-films.example.org",
        "https://evilfilms.example.org",
        "https://films.example.orgx",
        "https://sub.films.example.org",
        "https://example.org",
        "https://films.example.org@evil.example",
        "https://evil.example/https://films.example.org",
        "https://evil.example#https://films.example.org",
        "https://films.example.org:8443",  # another port
        "https://films.example.org:443",  # browsers leave it out
        "https://films.example.org/",  # they write no path
        "https://films.example.org/x",
        "https://FILMS.example.org",  # and in lower case
        "https://films.example.org.",
        "https://films.example.org https://evil.example",
        "https://films.example.org, https://evil.example",
        "https://f\u0456lms.example.org",  # a Cyrillic letter
        "https://\u212bfilms.example.org",
        "https://xn--flms-2qc.example.org",
        "https://bücher.example",
        "http://localhost",
        "http://localhost:3001",
        "http://127.0.0.1:3000",
        "https://localhost:3000",
        "chrome-extension://films.example.org",
    ],
)
def test_all_other_pages_are_refused(origin: str) -> None:
    with pytest.raises(Forbidden) as caught:
        check_origin(asked(("origin", origin), host="server.example"), ALLOWED)
    assert caught.value.code == "origin"
    with pytest.raises(Forbidden):
        check_origin(asked(("origin", origin), host="server.example"), allowed_origins([]))


def test_what_is_no_origin_in_the_settings_allows_nobody() -> None:
    wrong = [
        "",
        "/",
        "null",
        "*",
        "https://*",
        "https://",
        "films.example.org",
        "https://a b",
        "https://x/y",
        "ftp://x",
    ]
    found = allowed_origins(wrong)
    for origin in ("", "null", "https://films.example.org", "https://x", "file://"):
        with pytest.raises(Forbidden):
            check_origin(asked(("origin", origin), host="server.example"), found)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("HTTPS://Films.Example.ORG/", "https://films.example.org"),
        (" http://localhost:80 ", "http://localhost"),
        ("http://[::1]:8700", "http://[::1]:8700"),
    ],
)
def test_origins_in_the_settings_are_read_as_browsers_write_them(written: str, meant: str) -> None:
    assert allowed_origins([written]) == {meant}


def test_a_name_that_browsers_and_we_would_spell_differently_allows_nobody() -> None:
    assert allowed_origins(["https://straße.example"]) == frozenset()
