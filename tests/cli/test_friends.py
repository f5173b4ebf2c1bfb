"""`dateflicks friends`: one's own list on the command line."""

from typing import Any

import pytest

from dateflicks.cli.exits import Exit
from tests.cli.conftest import Cli
from tests.scripted_server import Answer, ScriptedServer

SINCE = "2026-11-24T01:43:00.123Z"


def friend(name: str, **changes: Any) -> dict[str, Any]:
    return {"userId": f"usr_{name}", "name": name, "since": SINCE, "evenings": 2, "lastEveningAt": SINCE, **changes}


@pytest.fixture(autouse=True)
def signed_in(cli: Cli, server: ScriptedServer) -> None:
    cli.sign_in()
    items = [friend("bea"), friend("cleo", evenings=0, lastEveningAt=None)]
    server.on("GET", "/users/me/friends", {"items": items, "next": None})


def test_the_list_says_how_often_and_when_last(cli: Cli) -> None:
    assert cli("friends").stdout == f"bea\t{SINCE}\t2\t{SINCE}\ncleo\t{SINCE}\t0\t\n"
    assert cli.json("friends", "list", "--fields", "name,evenings") == [
        {"name": "bea", "evenings": 2}, {"name": "cleo", "evenings": 0}
    ]  # fmt: skip
    assert cli("friends", "list", "-o", "jsonl").stdout.count("\n") == 2


def test_an_empty_list_says_how_to_fill_it(cli: Cli, server: ScriptedServer) -> None:
    server.on("GET", "/users/me/friends", {"items": [], "next": None})
    result = cli("friends")
    assert (result.exit_code, result.stdout, "friends add NAME" in result.stderr) == (0, "", True)


def test_somebody_is_added_and_a_name_that_nobody_has_is_not_found(cli: Cli, server: ScriptedServer) -> None:
    server.on("PUT", "/users/me/friends/dora", {"friend": friend("dora")})
    assert cli.json("friends", "add", "dora")["user_id"] == "usr_dora"
    assert "--guest dora" in cli("friends", "add", "dora").stderr
    unknown = cli("friends", "add", "nobody")
    assert (unknown.exit_code, "nobody of the name 'nobody'" in unknown.stderr) == (Exit.NOT_FOUND, True)
    server.on("PUT", "/users/me/friends/eva", Answer.problem(409, "Your list has 200 people."))
    assert cli("friends", "add", "eva").exit_code == Exit.REFUSED
    server.on("PUT", "/users/me/friends/eva", Answer.problem(429, "Wait a while.", retry_after=7))
    assert "in 7 s" in cli("friends", "add", "eva").stderr


def test_that_nobody_is_their_own_friend_is_said_once(cli: Cli, server: ScriptedServer) -> None:
    doubled = [{"field": "name", "message": "is yourself"}]
    server.on("PUT", "/users/me/friends/ana", Answer.problem(422, "You cannot be on your own list.", errors=doubled))
    assert cli("friends", "add", "ana").stderr == "Error: You cannot be on your own list.\n"


def test_somebody_is_removed_and_the_nearest_name_is_offered(cli: Cli, server: ScriptedServer) -> None:
    server.on("DELETE", "/users/me/friends/bea", None, 204)
    assert cli("friends", "remove", "bea").exit_code == 0
    result = cli("friends", "remove", "cleoo")
    assert (result.exit_code, "Did you mean 'cleo'?" in result.stderr) == (Exit.NOT_FOUND, True)


def test_a_name_from_elsewhere_does_nothing_to_the_terminal(cli: Cli, server: ScriptedServer) -> None:
    server.on("GET", "/users/me/friends", {"items": [friend("be\x1b[2Ja\u202e")], "next": None})
    assert "\x1b" not in cli("friends").stdout
    assert "\u202e" not in cli("friends", "--json").stdout


def test_the_nearest_friend_is_offered_where_a_guest_is_asked_whom_nobody_knows(
    cli: Cli, server: ScriptedServer
) -> None:
    server.on("POST", "/sessions", Answer.problem(404, "There is nobody of this name or id."))
    result = cli("session", "create", "film.mkv", "--guest", "bae")
    assert (result.exit_code, "Did you mean 'bea'?" in result.stderr) == (Exit.NOT_FOUND, True)
    server.on("GET", "/users/me/friends", Answer.problem(503, "Later."))
    assert "--link" in cli("session", "create", "film.mkv", "--guest", "bae").stderr


def test_who_is_on_the_list_is_offered_by_the_shell(cli: Cli) -> None:
    assert cli("friends").exit_code == 0
    assert '"bea"' in (cli.home / "completion.json").read_text(encoding="utf-8")
