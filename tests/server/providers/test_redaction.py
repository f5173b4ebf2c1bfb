"""What is taken out of everything that is told: known secrets in each form in which they travel, and what looks so."""

import logging
from typing import Annotated

import msgspec
import pytest

from dateflicks.server.providers.redaction import HIDDEN, RedactedLog, Redactor, is_secret_name, place, secrets_of


@pytest.mark.parametrize(
    "text",
    [
        "the key s3cr3t/+ is wrong",
        "https://a.example/?q=s3cr3t%2F%2B&x=1",
        "https://a.example/s3cr3t/%2B",
        "Basic czNjcjN0Lys=",
    ],
)
def test_a_known_secret_is_hidden_in_each_form_in_which_it_travels(text: str) -> None:
    redactor = Redactor("s3cr3t/+")
    assert redactor.holds_secret(text)
    assert "s3cr3t" not in redactor(text)
    assert "czNj" not in redactor(text)


@pytest.mark.parametrize(
    "text",
    [
        "https://a.example/?page=1&api_key=abcdef",
        "https://a.example/?X-Plex-Token=abcdef&x=1",
        "Authorization: Bearer abcdef",
        'MediaBrowser Client="films", Token="abcdef"',
        "https://user:abcdef@a.example/",
        "no entry for eyJabcdefgh.abcdef.abcdef",
    ],
)
def test_what_looks_like_a_secret_is_hidden_too(text: str) -> None:
    assert "abcdef" not in Redactor()(text)
    assert HIDDEN in Redactor()(text)


@pytest.mark.parametrize(
    "text", ["The Author of Beltraffio, 1976", "https://a.example/?page=2&sort=year", "token ring"]
)
def test_what_is_none_stays(text: str) -> None:
    assert Redactor("unseen-secret")(text) == text


def test_what_is_sent_is_learnt_by_its_name_and_other_parts_of_a_header_are_not() -> None:
    redactor = Redactor()
    redactor.learn_sent("Authorization", 'MediaBrowser Client="dateflicks-server", Token="0123456789abcdef"')
    redactor.learn_sent("X-Api-Key", "fedcba9876543210")
    redactor.learn_sent("page", "a-page-by-name")
    redactor.learn_sent("sort_key", "year")
    assert redactor.holds_secret("x 0123456789abcdef x")
    assert redactor.holds_secret("x fedcba9876543210 x")
    assert not redactor.holds_secret("dateflicks-server, a-page-by-name, year")


@pytest.mark.parametrize(("name", "is_secret"), [("api_key", True), ("Authorization", True), ("X-Plex-Token", True)])
def test_names_of_secrets_are_known(name: str, is_secret: bool) -> None:
    assert is_secret_name(name) is is_secret


@pytest.mark.parametrize("name", ["author", "page", "language", "keyboard", "region"])
def test_names_of_other_things_are_none(name: str) -> None:
    assert not is_secret_name(name)


def test_secrets_of_settings_are_those_that_are_declared_or_named_so() -> None:
    class Inner(msgspec.Struct):
        password: str = "inner-one"

    class Config(msgspec.Struct):
        pin: Annotated[str, msgspec.Meta(extra={"secret": True})] = "declared-one"
        api_keys: list[str] = msgspec.field(default_factory=lambda: ["listed-one"])
        token: str = "named-one"
        base_url: str = "https://a.example"
        inner: Inner = msgspec.field(default_factory=Inner)

    assert {*secrets_of(Config())} == {"declared-one", "listed-one", "named-one", "inner-one"}


def test_an_address_is_told_without_its_query_and_user() -> None:
    assert place("https://user:pass@a.example:8443/films?key=1#top") == "https://a.example:8443/films"


def test_a_line_is_one_line_that_can_be_printed_and_has_an_end() -> None:
    assert Redactor("secret-one").line("a\nsecret-one\x1b[2J " + "x" * 9_000) == f"a {HIDDEN} " + "x" * (498 - 12)


def test_a_log_tells_none_in_arguments_extras_and_tracebacks(caplog: pytest.LogCaptureFixture) -> None:
    log = RedactedLog(logging.getLogger("test"), Redactor("secret-one"))
    with caplog.at_level(logging.INFO):
        log.debug("never shown")
        log.info("one %s and %d", "secret-one", 2, extra={"where": "secret-one"})
        try:
            raise ValueError("secret-one")
        except ValueError:
            log.exception("It failed")
    assert caplog.records[0].getMessage() == f"one {HIDDEN} and 2"
    assert getattr(caplog.records[0], "where", None) == HIDDEN
    assert "ValueError" in caplog.records[1].getMessage()
    assert "secret-one" not in caplog.text
