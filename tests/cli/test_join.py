"""`join` up to the film: which server, as whom, and what a code that is not good says."""

from pathlib import Path
from typing import Any

import pytest

from dateflicks.client.credentials import CredentialStore, CredentialsUnreadable
from tests.cli.conftest import Cli
from tests.scripted_server import Answer, ScriptedServer, session_json

pytestmark = pytest.mark.usefixtures("silent_mpv")

CODE = "k3v9x-tzq41-09ajm-hd2we"
REDEEM = f"/invitations/{CODE}/redeem"
A = "ses_" + "a" * 26
NAMED = "general.mkv"


def session(**changes: Any) -> dict[str, Any]:
    video = {"url": NAMED, "title": "The General", "length": 0.0}
    return session_json(id=A, state="accepted", ticket="t1cket", guestName="bea", video=video, **changes)


def redeemed(server: ScriptedServer) -> None:
    answer = {
        "session": session(), "token": "new", "user": {"id": "usr_" + "b" * 26, "name": "bea"},
        "expiresAt": "2026-12-24T01:43:00.123Z",
    }  # fmt: skip
    server.on("POST", REDEEM, answer)


def test_a_code_that_is_not_good_is_exit_code_3_with_the_reason(cli: Cli, server: ScriptedServer) -> None:
    server.on("POST", REDEEM, Answer.problem(404, "This code is wrong, used or expired. Ask for a new one."))
    result = cli("join", CODE)
    assert (result.exit_code, result.stdout) == (3, "")
    assert result.stderr == "Error: This code is wrong, used or expired. Ask for a new one.\n"


@pytest.mark.parametrize(
    ("word", "hint"), [(CODE, "with an @ and an address"), (f"{CODE}@127.0.0.1:1", "whether the evening is still on")]
)
def test_a_server_that_is_not_there_is_a_thing_to_ask_the_host_about(word: str, hint: str, cli: Cli) -> None:
    result = cli("join", word, DATEFLICKS_CLIENT_SERVER="http://127.0.0.1:1")
    assert (result.exit_code, result.stdout) == (6, "")
    assert hint in result.stderr
    assert "serve all" not in result.stderr


@pytest.mark.parametrize("word", ["", "no code", "x@", "$(reboot)"])
def test_what_is_no_code_is_a_usage_error(word: str, cli: Cli, server: ScriptedServer) -> None:
    assert cli("join", word).exit_code == 2
    assert server.asked == []


def test_without_an_account_one_is_made_and_its_token_is_kept_for_that_server(cli: Cli, server: ScriptedServer) -> None:
    redeemed(server)
    word = f"{CODE}@{server.url.removeprefix('http://')}"
    result = cli("join", word, "--name", "bea", DATEFLICKS_CLIENT_SERVER="http://127.0.0.1:1")
    assert result.exit_code == 3  # the film is not here
    assert server.last.body == {"name": "bea"}
    assert "Authorization" not in server.last.headers
    assert f"You are bea at {server.url}." in result.stderr
    assert f"Name your copy: dateflicks watch {A[:12]} --server {server.url} --film FILE" in result.stderr
    kept = cli.store.get(server.url)
    assert kept is not None
    assert (kept.name, kept.token) == ("bea", "new")


def test_without_a_name_this_machine_s_is_used_and_another_when_it_is_taken(cli: Cli, server: ScriptedServer) -> None:
    server.on("POST", REDEEM, Answer.problem(409, "This name is taken."))
    assert cli("join", CODE, USER="Bea O'Hara").exit_code == 5
    names = [asked.body.get("name") for asked in server.asked if asked.path == REDEEM]
    assert names[0] == "Bea-O-Hara"
    assert names[1].startswith("Bea-O-Hara-")
    assert names[-1] is None  # the server makes one up


def test_a_name_that_was_typed_and_is_taken_is_exit_code_5(cli: Cli, server: ScriptedServer) -> None:
    server.on("POST", REDEEM, Answer.problem(409, "This name is taken."))
    assert cli("join", CODE, "--name", "bea").exit_code == 5
    assert len([asked for asked in server.asked if asked.path == REDEEM]) == 1


def test_whoever_is_signed_in_there_comes_as_that(cli: Cli, server: ScriptedServer) -> None:
    cli.sign_in()
    server.on("POST", REDEEM, {"session": session()})
    cli("join", CODE)
    assert server.last.headers["Authorization"] == "Bearer t0ken"
    kept = cli.store.get(server.url)
    assert kept is not None
    assert kept.name == "ana"


def test_a_sign_in_that_is_no_longer_good_does_not_stand_in_the_way(cli: Cli, server: ScriptedServer) -> None:
    cli.sign_in()

    def then_redeem() -> None:
        redeemed(server)

    server.on(
        "POST", REDEEM, Answer(401, {"title": "no", "status": 401, "type": "", "detail": "No."}, before=then_redeem)
    )
    assert "You are bea" in cli("join", CODE).stderr
    assert "Authorization" not in server.last.headers


def test_no_account_is_made_in_place_of_another_where_it_could_not_be_kept(
    cli: Cli, server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    cli.sign_in()
    server.on("POST", REDEEM, Answer.problem(401, "No."))

    def check(_: CredentialStore) -> None:
        raise CredentialsUnreadable("It cannot be kept here.")

    monkeypatch.setattr(CredentialStore, "check", check)
    result = cli("join", CODE)
    assert (result.exit_code, "cannot be kept" in result.stderr) == (1, True)
    assert len([asked for asked in server.asked if asked.path == REDEEM]) == 1


def test_a_token_of_the_environment_goes_to_its_own_server_only(cli: Cli, server: ScriptedServer) -> None:
    redeemed(server)
    word = f"{CODE}@{server.url.removeprefix('http://')}"
    cli("join", word, DATEFLICKS_CLIENT_TOKEN="secret", DATEFLICKS_CLIENT_SERVER="http://127.0.0.1:1")
    assert all("Authorization" not in asked.headers for asked in server.asked)


def test_an_invitation_by_name_is_accepted_by_the_account_that_it_is_for(cli: Cli, server: ScriptedServer) -> None:
    cli.sign_in()
    server.on("GET", f"/sessions/{A}", {"session": session_json(id=A)})
    server.on("POST", f"/sessions/{A}/accept", {"session": session()})
    assert cli("join", A).exit_code == 3
    assert (server.last.method, server.last.path) == ("POST", f"/sessions/{A}/accept")


def test_an_invitation_by_name_needs_a_sign_in(cli: Cli) -> None:
    assert cli("join", A).exit_code == 4


def test_a_code_is_not_used_up_where_there_is_no_player_or_no_such_copy(
    cli: Cli, server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    redeemed(server)
    assert cli("join", CODE, "--film", "nothing.mkv").exit_code == 3
    monkeypatch.setenv("PATH", "/nowhere")
    assert cli("join", CODE).exit_code == 1
    assert server.asked == []


def test_nobody_there_is_exit_code_6(cli: Cli, tmp_path: Path) -> None:
    assert cli("join", f"{CODE}@127.0.0.1:1").exit_code == 6


ELSEWHERE = "/somebody-elses/film.mkv"


def names_an_address(server: ScriptedServer) -> str:
    address = f"{server.url}{ELSEWHERE}"
    video = {"url": address, "title": "The General", "length": 60.0}
    server.on("POST", REDEEM, {"session": {**session(), "hostName": "ana\x1b[2J", "video": video}})
    return address


@pytest.mark.parametrize(("keys", "is_interactive", "exit_code"), [("n\n", True, 5), ("\n", True, 5), (None, False, 2)])
def test_an_address_that_somebody_else_names_is_shown_and_not_opened_without_a_yes(
    cli: Cli, server: ScriptedServer, keys: str | None, is_interactive: bool, exit_code: int
) -> None:
    cli.sign_in()
    address = names_an_address(server)
    result = cli("join", CODE, "--plain", keys=keys, is_interactive=is_interactive)
    assert result.exit_code == exit_code, result.stderr
    assert address in result.stderr
    assert "\x1b" not in result.stderr
    assert ELSEWHERE not in [asked.path for asked in server.asked]
    if not is_interactive:
        assert "--yes" in result.stderr


@pytest.mark.parametrize(("flags", "keys", "is_interactive"), [((), "y\n", True), (("--yes",), None, False)])
def test_with_a_yes_it_is_opened(
    cli: Cli, server: ScriptedServer, flags: tuple[str, ...], keys: str | None, is_interactive: bool
) -> None:
    cli.sign_in()
    names_an_address(server)
    cli(*flags, "join", CODE, "--plain", keys=keys, is_interactive=is_interactive)
    assert ELSEWHERE in [asked.path for asked in server.asked]
