"""`--server evening`: the server of an evening hosted from this home, for commands of a second terminal, and later."""

import os

import pytest

from dateflicks.cli.own_evening import kept_as
from dateflicks.client.credentials import SignIn
from tests.cli.conftest import Cli
from tests.scripted_server import ScriptedServer, session_json

A = "ses_" + "a" * 26
HOST = SignIn(name="ana", user_id="usr_a", expires_at="2099-12-24T01:43:00.123Z", token="h0st", password="m4de")
NOBODY_LISTENS = "http://127.0.0.1:9"


@pytest.fixture
def elsewhere(cli: Cli) -> Cli:
    """The settings name another server, with a token for it."""
    cli.variables |= {"DATEFLICKS_CLIENT_SERVER": NOBODY_LISTENS, "DATEFLICKS_CLIENT_TOKEN": "other"}
    cli.store.put(kept_as(cli.home), HOST)
    return cli


def _goes_on(cli: Cli, url: str, pid: int) -> None:
    cli.home.mkdir(exist_ok=True)
    (cli.home / "evening.at").write_text(f"{pid} {url}\n", encoding="utf-8")


def test_the_evening_that_goes_on_is_asked_as_its_host_and_nobody_is_signed_in_at_its_address(
    elsewhere: Cli, server: ScriptedServer
) -> None:
    _goes_on(elsewhere, server.url, os.getpid())
    server.on("GET", f"/sessions/{A}", {"session": session_json(id=A, state="accepted", ticket="t1cket")})
    result = elsewhere("session", "show", A, "--json", "--server", "evening")
    assert (result.exit_code, A in result.stdout) == (0, True), result.stderr
    asked = next(one for one in server.asked if one.path == f"/sessions/{A}")
    assert asked.headers["Authorization"] == "Bearer h0st"
    assert elsewhere.store.get(server.url) is None
    assert elsewhere.store.ticket(kept_as(elsewhere.home), A) == "t1cket"


def test_where_no_evening_was_hosted_it_says_how_to_host_one(cli: Cli) -> None:
    result = cli("chat", "tail", "7fk2", "--server", "evening")
    assert (result.exit_code, result.stdout) == (3, "")
    assert "dateflicks host FILM" in result.stderr


@pytest.mark.parametrize("words", [("host", "film.mkv"), ("join", "k3v9x"), ("login", "ana"), ("lobby",), ("logout",)])
def test_what_signs_in_by_itself_or_starts_a_server_says_that_it_is_none_of_theirs(
    words: tuple[str, ...], elsewhere: Cli
) -> None:
    result = elsewhere("--server", "evening", *words)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "dateflicks watch --resume" in result.stderr
    assert elsewhere.store.get(kept_as(elsewhere.home)) == HOST
