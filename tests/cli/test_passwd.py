"""`dateflicks passwd`: passwords come from the terminal or stdin, and are shown nowhere."""

import pytest

from tests.cli.conftest import Cli
from tests.scripted_server import Answer, ScriptedServer


@pytest.fixture(autouse=True)
def signed_in(cli: Cli, server: ScriptedServer) -> None:
    cli.sign_in()
    server.on("PUT", "/users/me/password", None, 204)
    is_me(server)


def is_me(server: ScriptedServer, *, has_password: bool = True) -> None:
    user = {"id": "usr_a", "name": "ana"}
    server.on("GET", "/users/me", {**user, "user": user, "hasPassword": has_password})


def test_both_are_asked_for_and_the_new_one_twice(cli: Cli, server: ScriptedServer) -> None:
    result = cli("passwd", keys="the old one\nthe new one\nthe new one\n", is_interactive=True)
    assert result.exit_code == 0, result.stderr
    assert server.last.body == {"old": "the old one", "new": "the new one"}
    assert "The password of ana is changed." in result.stderr
    assert "the old" not in result.output
    assert "the new" not in result.output


def test_both_come_from_two_lines_of_stdin(cli: Cli, server: ScriptedServer) -> None:
    assert cli("passwd", "--password-stdin", keys="the old one\nthe new one\n").exit_code == 0
    assert server.last.body == {"old": "the old one", "new": "the new one"}
    for keys in ("", "only one line\n", "\n\n"):
        result = cli("passwd", "--password-stdin", keys=keys)
        assert (result.exit_code, "Two lines are needed" in result.stderr) == (2, True)
    nobody = cli("passwd")
    assert (nobody.exit_code, "--password-stdin" in nobody.stderr) == (2, True)
    assert cli("passwd", "the old one").exit_code == 2


def test_an_account_without_a_password_is_asked_for_no_old_one(cli: Cli, server: ScriptedServer) -> None:
    is_me(server, has_password=False)
    assert cli("passwd", keys="the new one\nthe new one\n", is_interactive=True).exit_code == 0
    assert server.last.body == {"new": "the new one"}
    assert cli("passwd", "--password-stdin", keys="the newest\n").exit_code == 0
    assert server.last.body == {"new": "the newest"}


def test_a_wrong_old_password_is_exit_code_4_and_a_new_one_that_does_not_fit_2(
    cli: Cli, server: ScriptedServer
) -> None:
    server.on("PUT", "/users/me/password", Answer.problem(403, "The old password is wrong. Nothing was changed."))
    wrong = cli("passwd", "--password-stdin", keys="a\nthe new one\n")
    assert (wrong.exit_code, wrong.stderr) == (4, "Error: The old password is wrong. Nothing was changed.\n")
    short = [{"field": "new", "message": "must have 8 characters"}]
    server.on("PUT", "/users/me/password", Answer.problem(422, "The body does not fit.", errors=short))
    result = cli("passwd", "--password-stdin", keys="a\nb\n")
    assert (result.exit_code, "the new password: must have 8 characters" in result.stderr) == (2, True)


def test_who_signs_in_with_a_password_for_one_time_is_told_to_choose_their_own(
    cli: Cli, server: ScriptedServer
) -> None:
    answer = {"user": {"id": "usr_a", "name": "ana"}, "token": "t0ken", "expiresAt": "2026-12-24T01:43:00.123Z"}
    server.on("POST", "/tokens", {**answer, "needsPassword": True}, 201)
    assert "dateflicks passwd" in cli("login", "ana", "--password-stdin", keys="once only\n").stderr
    server.on("POST", "/tokens", answer, 201)
    assert "dateflicks passwd" not in cli("login", "ana", "--password-stdin", keys="for good\n").stderr
