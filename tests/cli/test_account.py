"""Accounts on the command line: passwords stay out of arguments and output, sign-ins are kept and dropped."""

from pathlib import Path

import pytest

from tests.cli.conftest import Cli
from tests.scripted_server import Answer, ScriptedServer

SIGNED_IN = {"user": {"id": "usr_a", "name": "ana"}, "token": "t0ken", "expiresAt": "2026-12-24T01:43:00.123Z"}


@pytest.mark.parametrize(("command", "path"), [("register", "/users"), ("login", "/tokens")])
def test_a_password_from_stdin_signs_in_and_the_sign_in_is_kept(
    command: str, path: str, cli: Cli, server: ScriptedServer
) -> None:
    server.on("POST", path, SIGNED_IN, 201)
    result = cli(command, "ana", "--password-stdin", keys="correct horse\n")
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr == f"Signed in as ana at {server.url}.\n"
    assert server.last.body == {"name": "ana", "password": "correct horse"}
    kept = cli.store.get(server.url)
    assert kept is not None
    assert kept.token == "t0ken"


def test_a_person_is_asked_for_name_and_password_and_neither_password_is_shown(
    cli: Cli, server: ScriptedServer
) -> None:
    server.on("POST", "/users", SIGNED_IN, 201)
    result = cli("register", keys="ana\ncorrect horse\ncorrect horse\n", is_interactive=True)
    assert result.exit_code == 0, result.stderr
    assert server.last.body == {"name": "ana", "password": "correct horse"}
    assert "correct horse" not in result.output
    assert "Password (8 characters or more): " in result.output


@pytest.mark.parametrize("flags", [("--no-input",), ()])
def test_where_nobody_can_be_asked_the_way_out_is_told(flags: tuple[str, ...], cli: Cli) -> None:
    result = cli(*flags, "login", "ana", is_interactive=bool(flags))
    assert (result.exit_code, result.stdout) == (2, "")
    assert "--password-stdin" in result.stderr


def test_a_password_cannot_be_an_argument(cli: Cli) -> None:
    assert cli("login", "ana", "correct horse").exit_code == 2
    assert cli("login", "ana", "--password", "correct horse").exit_code == 2


def test_a_wrong_password_is_exit_code_4(cli: Cli, server: ScriptedServer) -> None:
    server.on("POST", "/tokens", Answer.problem(401, "Name or password is wrong."))
    result = cli("login", "ana", "--password-stdin", keys="wrong\n")
    assert (result.exit_code, result.stdout) == (4, "")
    assert result.stderr.startswith("Error: Name or password is wrong.\n")
    assert cli.store.get(server.url) is None


def test_a_name_that_is_taken_is_exit_code_5(cli: Cli, server: ScriptedServer) -> None:
    server.on("POST", "/users", Answer.problem(409, "The name ana is taken."))
    assert cli("register", "ana", "--password-stdin", keys="correct horse\n").exit_code == 5


def test_what_does_not_fit_is_exit_code_2_and_names_the_field(cli: Cli, server: ScriptedServer) -> None:
    problem = Answer.problem(422, "It does not fit.", errors=[{"field": "password", "message": "is too short"}])
    server.on("POST", "/users", problem)
    result = cli("register", "ana", "--password-stdin", keys="short\n")
    assert (result.exit_code, result.stderr) == (2, "Error: password: is too short\n")


@pytest.mark.parametrize("command", ["register", "login"])
def test_where_the_sign_in_could_not_be_kept_nothing_is_asked_of_the_server(
    command: str, cli: Cli, server: ScriptedServer, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    home = tmp_path / "file" / "home"
    result = cli(command, "ana", "--password-stdin", keys="correct horse\n", DATEFLICKS_HOME=str(home))
    assert (result.exit_code, result.stdout, server.asked) == (1, "", [])
    assert result.stderr == (
        f"Error: {home}/credentials.json cannot be written: Not a directory. "
        f"Make {home} writable, or name another folder in DATEFLICKS_HOME.\n"
    )


def test_who_and_where_and_until_when(cli: Cli, server: ScriptedServer) -> None:
    cli.sign_in()
    server.on("GET", "/users/me", {"id": "usr_a", "name": "ana"})
    assert cli.json("whoami") == {
        "user_id": "usr_a", "name": "ana", "server": server.url, "expires_at": "2026-12-24T01:43:00.123Z",
        "profile": None,
    }  # fmt: skip


def test_a_token_from_the_environment_needs_no_sign_in(cli: Cli, server: ScriptedServer) -> None:
    server.on("GET", "/users/me", {"id": "usr_a", "name": "ana"})
    result = cli("whoami", "--fields", "name", DATEFLICKS_CLIENT_TOKEN="from outside")
    assert (result.exit_code, result.stdout) == (0, "ana\n")
    assert server.last.headers["Authorization"] == "Bearer from outside"


def test_nobody_signed_in_is_exit_code_4_and_says_what_to_type(cli: Cli) -> None:
    result = cli("whoami")
    assert (result.exit_code, result.stdout) == (4, "")
    assert "dateflicks login" in result.stderr


def test_signing_out_tells_the_server_and_forgets(cli: Cli, server: ScriptedServer) -> None:
    cli.sign_in()
    server.on("DELETE", "/tokens/current", Answer(204))
    assert cli("logout").exit_code == 0
    assert server.last.method == "DELETE"
    assert cli.store.get(server.url) is None
    assert cli("logout").exit_code == 0


def test_signing_out_ends_the_sign_in_that_is_kept_and_not_a_token_of_the_settings(
    cli: Cli, server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    cli.sign_in()
    kept = cli.store.get(server.url)
    assert kept is not None
    monkeypatch.setenv("DATEFLICKS_CLIENT_TOKEN", "another")
    server.on("DELETE", "/tokens/current", Answer(204))
    assert cli("logout").exit_code == 0
    assert server.last.headers["Authorization"] == f"Bearer {kept.token}"


def test_signing_out_works_when_the_server_has_forgotten_already(cli: Cli, server: ScriptedServer) -> None:
    cli.sign_in()
    server.on("DELETE", "/tokens/current", Answer.problem(401, "This token is no good."))
    assert cli("logout").exit_code == 0
    assert cli.store.get(server.url) is None


def test_a_sign_in_is_not_dropped_while_the_server_cannot_be_told(cli: Cli, server: ScriptedServer) -> None:
    cli.sign_in()
    server.on("DELETE", "/tokens/current", Answer.problem(503, "The database is out of reach."))
    assert cli("logout").exit_code == 6
    assert cli.store.get(server.url) is not None
