"""Hosts and ports by how they are written."""

import pytest

from dateflicks.protocol.hosts import authority, is_loopback_host, near


def test_an_ipv6_address_is_written_in_brackets() -> None:
    assert authority("::1", 80) == "[::1]:80"
    assert authority("127.0.0.1", 80) == "127.0.0.1:80"


@pytest.mark.parametrize(
    ("host", "is_loopback"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("a.example", False),
    ],
)
def test_what_names_this_machine_alone_is_known_by_how_it_is_written(host: str, is_loopback: bool) -> None:
    assert is_loopback_host(host) is is_loopback


@pytest.mark.parametrize(
    ("host", "nearby"), [("0.0.0.0", "127.0.0.1"), ("::", "::1"), ("films.example", "films.example")]
)
def test_what_listens_everywhere_is_reached_on_this_machine(host: str, nearby: str) -> None:
    assert near(host) == nearby
