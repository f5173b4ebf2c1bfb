"""How a log line looks, and what must never be in one."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from dateflicks.server.observe.logs import SECRET, configure_logs
from dateflicks.server.observe.requests import bind_request

NASTY = "a\x1b[2J\x9b31m\u202eb\nc\r\x00\x7f\u2028d"


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    """Logs of the whole process, caught; everything as it was afterwards."""
    names = [
        None,
        "sanic.root",
        "sanic.error",
        "sanic.access",
        "sanic.server",
        "sanic.websockets",
        "pymongo",
        "asyncio",
    ]
    loggers = [logging.getLogger(name) for name in names]
    before = [(logger, logger.handlers[:], logger.level, logger.propagate, logger.filters[:]) for logger in loggers]
    caught = io.StringIO()
    configure_logs("debug", caught)
    yield caught
    for logger, handlers, level, propagate, filters in before:
        logger.handlers[:], logger.filters[:] = handlers, filters
        logger.setLevel(level)
        logger.propagate = propagate


def line(stream: io.StringIO) -> dict[str, Any]:
    (text,) = stream.getvalue().splitlines()
    found: dict[str, Any] = json.loads(text)
    return found


log = logging.getLogger("dateflicks.test")


def test_a_line_is_json_with_time_level_logger_and_what_was_said(stream: io.StringIO) -> None:
    log.warning("%d feeds closed", 3, extra={"service": "session", "ms": 1.5})
    entry = line(stream)
    assert entry["event"] == "3 feeds closed"
    assert (entry["level"], entry["logger"]) == ("warning", "dateflicks.test")
    assert (entry["service"], entry["ms"]) == ("session", 1.5)
    assert entry["time"].endswith("Z")


def test_a_line_carries_the_id_of_the_request(stream: io.StringIO) -> None:
    bind_request("req-1")
    log.info("done")
    assert line(stream)["request"] == "req-1"


def test_what_other_people_wrote_cannot_break_out_of_its_line(stream: io.StringIO) -> None:
    log.info(NASTY, extra={"name_of_it": NASTY, "deep": {"x": [NASTY]}})
    text = stream.getvalue()
    assert text.count("\n") == 1
    assert all(character == "\n" or " " <= character <= "~" for character in text)
    entry = json.loads(text)
    assert entry["event"] == entry["name_of_it"] == NASTY


@pytest.mark.parametrize(
    ("message", "canary"),
    [
        ("Authorization: Bearer canary.abc-1", "canary"),
        ("subprotocol bearer.canary", "canary"),
        ("token eyJhbGciOiJIUzI1NiJ9.canary.sig is bad", "canary"),
        ("cannot reach mongodb://me:canary@db.example/x", "canary"),
        ("cannot reach mongodb+srv://me:canary@db.example/x", "canary"),
        ("cannot reach redis://:canary@bus.example:6379/0", "canary"),
        ("cannot reach https://me:canary@films.example.org/x", "canary"),
        ("GET /things?token=canary&x=1", "canary"),
    ],
)
def test_secrets_in_a_message_or_an_exception_are_not_shown(stream: io.StringIO, message: str, canary: str) -> None:
    log.info(message)
    try:
        raise ValueError(message)
    except ValueError:
        log.exception("failed", extra={"address": message, "nested": [{"x": message}]})
    assert canary not in stream.getvalue()
    assert SECRET in stream.getvalue()


def test_fields_that_are_secret_by_name_are_not_shown(stream: io.StringIO) -> None:
    secrets = dict.fromkeys(("token", "password", "Authorization", "ticket", "body", "query"), "canary")
    log.info("signed in", extra={**secrets, "more": {"password": "canary"}})
    assert "canary" not in stream.getvalue()
    assert line(stream)["token"] == SECRET


def test_a_traceback_is_part_of_its_line(stream: io.StringIO) -> None:
    try:
        raise RuntimeError("broken")
    except RuntimeError:
        log.exception("failed")
    entry = line(stream)
    assert "RuntimeError: broken" in entry["exception"]


def test_things_that_json_does_not_know_are_shown_all_the_same(stream: io.StringIO) -> None:
    log.info("odd", extra={"thing": object(), "bytes_of_it": b"\x1b", "endless": [[[[[[["deep"]]]]]]]})
    assert line(stream)["thing"].startswith("<object")


def test_levels_below_the_chosen_one_are_not_shown(stream: io.StringIO) -> None:
    configure_logs("warning", stream)
    log.info("quiet")
    assert stream.getvalue() == ""


def test_news_of_the_framework_are_not_ours_but_its_errors_are(stream: io.StringIO) -> None:
    logging.getLogger("sanic.root").info("Goin' Fast")
    logging.getLogger("sanic.error").warning("Sanic is running in PRODUCTION mode.")
    assert stream.getvalue() == ""
    logging.getLogger("sanic.error").error("broken")
    assert line(stream)["event"] == "broken"


def test_on_a_console_lines_are_for_people_and_still_safe(stream: io.StringIO) -> None:
    configure_logs("info", stream, console=True)
    log.info("hello", extra={"name_of_it": NASTY})
    text = stream.getvalue()
    assert "hello" in text
    assert not text.startswith("{")
    assert all(character == "\n" or " " <= character <= "~" for character in text)
    assert text.count("\n") == 1
