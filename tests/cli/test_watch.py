"""`watch` up to the film: which session, which film, which player, and what is said when one of them is not there."""

from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Cli
from tests.scripted_server import ScriptedServer, session_json

pytestmark = pytest.mark.usefixtures("silent_mpv")

A = "ses_" + "a" * 26


def accepted(server: ScriptedServer, **changes: Any) -> None:
    server.on("GET", f"/sessions/{A}", {"session": session_json(id=A, state="accepted", ticket="t1cket", **changes)})


def test_nobody_signed_in_is_exit_code_4(cli: Cli) -> None:
    result = cli("watch", A)
    assert (result.exit_code, result.stdout) == (4, "")
    assert "dateflicks login" in result.stderr


@pytest.mark.parametrize(("state", "hint"), [("pending", "dateflicks session accept ses_aaaa"), ("ended", "")])
def test_only_an_accepted_session_can_be_watched(state: str, hint: str, cli: Cli, server: ScriptedServer) -> None:
    cli.sign_in()
    server.on("GET", f"/sessions/{A}", {"session": session_json(id=A, state=state)})
    result = cli("watch", A, "--player", "simulated")
    assert (result.exit_code, result.stdout) == (5, "")
    assert f"the session is {state}" in result.stderr
    assert hint in result.stderr


def test_a_film_that_is_not_here_is_exit_code_3_and_says_where_it_was_looked_for_and_how_to_name_it(
    cli: Cli, server: ScriptedServer, tmp_path: Path
) -> None:
    cli.sign_in()
    accepted(server, video={"url": "general.mkv", "title": "The General", "length": 0.0})
    result = cli("watch", A, DATEFLICKS_CLIENT_FILMS="/srv/films,~/films")
    assert (result.exit_code, result.stdout) == (3, "")
    lines = result.stderr.splitlines()
    assert lines[0] == "Error: There is no file 'general.mkv' here."
    assert lines[1] == f"Looked in /srv/films and {Path.home() / 'films'} and {tmp_path}."
    assert lines[2] == f"Name your copy: dateflicks watch {A[:12]} --film FILE"


def test_the_way_out_names_the_server_that_was_typed(cli: Cli, server: ScriptedServer) -> None:
    cli.sign_in()
    accepted(server)
    assert f"--server {server.url} --film FILE" in cli("watch", A, "--server", server.url).stderr


def test_an_own_copy_that_is_not_there_is_told_before_anything_else(cli: Cli, server: ScriptedServer) -> None:
    cli.sign_in()
    result = cli("watch", A, "--film", "nothing.mkv")
    assert (result.exit_code, result.stdout) == (3, "")
    assert "There is no file nothing.mkv" in result.stderr
    assert server.asked == []


@pytest.mark.parametrize("film", ["edl://x", "memory://x", "file:///etc/passwd"])
def test_only_files_and_the_web_are_opened(film: str, cli: Cli) -> None:
    cli.sign_in()
    assert cli("watch", A, "--film", film).exit_code == 2


def test_without_mpv_the_other_players_are_named(
    cli: Cli, server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    cli.sign_in()
    accepted(server)
    monkeypatch.setenv("PATH", "/nowhere")
    result = cli("watch", A)
    assert (result.exit_code, result.stdout) == (1, "")
    assert "Install mpv" in result.stderr
    assert "--player manual" in result.stderr
    assert "--player simulated" in result.stderr
    assert len(result.stderr.splitlines()) <= 3


def test_an_unknown_player_is_a_usage_error(cli: Cli) -> None:
    assert cli("watch", A, "--player", "vlc").exit_code == 2


def test_hostile_film_names_reach_no_terminal(cli: Cli, server: ScriptedServer) -> None:
    cli.sign_in()
    accepted(server, video={"url": "\x1b[2Jevil\u202e.mkv", "title": "\x1b]0;x\x07", "length": 0.0})
    result = cli("watch", A)
    assert result.exit_code == 3
    assert not any(character in result.stderr for character in "\x1b\x07\u202e")
