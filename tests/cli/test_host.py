"""`host` up to the invitation: on a named server, and on one that is started for the evening."""

import asyncio
import os
import shutil
import signal
from pathlib import Path
from types import SimpleNamespace

import pytest

from dateflicks.cli.commands import host
from dateflicks.client import news, own_server
from dateflicks.client.account_names import account_name
from dateflicks.client.credentials import CredentialStore
from dateflicks.client.errors import ServerFailed
from dateflicks.client.hosting import own_account
from dateflicks.client.http import ServiceClient
from tests.cli.conftest import Cli
from tests.cli.engine import engine_beside
from tests.cli.process import Program, is_running
from tests.scripted_server import Answer, ScriptedServer, session_json
from tests.server.services.session.deployment import deployed

SIMULATED = ("--player", "simulated")


@pytest.fixture
def film(tmp_path: Path) -> Path:
    path = tmp_path / "The_General.mkv"
    path.write_bytes(b"film")
    return path


def test_with_a_named_server_and_nobody_signed_in_it_is_exit_code_4_with_what_to_type(
    cli: Cli, server: ScriptedServer, film: Path
) -> None:
    result = cli("host", str(film), *SIMULATED)
    assert (result.exit_code, result.stdout) == (4, "")
    assert server.url in result.stderr
    assert "dateflicks login" in result.stderr
    assert f"needs neither: dateflicks host {film} --listen 127.0.0.1" in result.stderr
    assert "needs neither" not in cli("host", str(film), "--server", server.url, *SIMULATED).stderr


def test_on_a_named_server_the_signed_in_account_invites_and_the_guest_s_line_is_the_first(
    cli: Cli, server: ScriptedServer, film: Path
) -> None:
    cli.sign_in()
    server.on("GET", "/users/me", {"id": "usr_a", "name": "ana"})
    made = session_json(guestUserId=None, guestName=None, invitation="k3v9x-tzq41")
    server.on("POST", "/sessions", {"session": made}, 201)
    result = cli("host", str(film), *SIMULATED)  # the scripted server has no feed to wait on
    asked = next(asked for asked in server.asked if asked.path == "/sessions")
    details = asked.body["session"].pop("details")
    assert (details["file"]["name"], details["file"]["size"]) == ("The_General.mkv", film.stat().st_size)
    assert asked.body["session"] == {
        "link": True,
        "video": {"url": "The_General.mkv", "title": "The General", "length": 5400.0},
    }
    assert result.stdout.splitlines()[0] == f"dateflicks join k3v9x-tzq41@{server.url.removeprefix('http://')}"


def test_a_guest_by_name_gets_the_id_to_type(cli: Cli, server: ScriptedServer, film: Path) -> None:
    cli.sign_in()
    server.on("GET", "/users/me", {"id": "usr_a", "name": "ana"})
    server.on("POST", "/sessions", {"session": session_json()}, 201)
    result = cli("host", str(film), "--guest", "bea", "--title", "General", *SIMULATED)
    asked = next(asked for asked in server.asked if asked.path == "/sessions")
    assert asked.body["session"]["guestName"] == "bea"
    assert asked.body["session"]["video"]["title"] == "General"
    assert result.stdout.splitlines()[0] == f"dateflicks join {'ses_' + 'a' * 26}@{server.url.removeprefix('http://')}"


def test_nobody_of_that_name_is_exit_code_3(cli: Cli, server: ScriptedServer, film: Path) -> None:
    cli.sign_in()
    server.on("GET", "/users/me", {"id": "usr_a", "name": "ana"})
    server.on("POST", "/sessions", Answer.problem(404, "There is nobody of this name or id."))
    result = cli("host", str(film), "--guest", "nobody", *SIMULATED)
    assert (result.exit_code, result.stdout) == (3, "")


def test_a_film_that_is_not_there_is_exit_code_3(cli: Cli) -> None:
    result = cli("host", "nothing.mkv")
    assert (result.exit_code, result.stdout) == (3, "")


def test_a_named_server_and_an_address_to_start_one_at_contradict_each_other(cli: Cli, film: Path) -> None:
    assert cli("host", str(film), "--server", "http://x", "--listen", "0.0.0.0", *SIMULATED).exit_code == 2


@pytest.mark.parametrize(("length", "code"), [((), 2), (("--length", "soon"), 2)])
def test_a_film_that_is_steered_by_hand_needs_its_length(length: tuple[str, ...], code: int, cli: Cli) -> None:
    result = cli("host", "general", "--player", "manual", *length)
    assert (result.exit_code, result.stdout) == (code, "")
    assert "1:32:10" in result.stderr


@pytest.mark.parametrize(
    ("login", "name"), [("ana", "ana"), ("Ana O'Hara", "Ana-O-Hara"), ("", "host"), ("ä", "host"), ("x" * 99, "x" * 28)]
)
def test_an_account_is_named_as_much_like_its_person_as_can_be(login: str, name: str) -> None:
    assert account_name(login) == name


def test_a_guest_whose_machine_has_no_name_for_them_is_not_called_host() -> None:
    assert account_name("", "guest") == "guest"


@pytest.mark.parametrize("typed", [b"play\n/quit\n", b"\x04"])
def test_who_waits_at_a_terminal_may_type_quit_or_the_end_of_input_which_takes_the_invitation_back(
    typed: bytes, cli: Cli, server: ScriptedServer, film: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cli.sign_in()
    server.on("GET", "/users/me", {"id": "usr_a", "name": "ana"})
    server.on("POST", "/sessions", {"session": session_json()}, 201)
    server.on("POST", f"/sessions/{'ses_' + 'a' * 26}/cancel", {"session": session_json(state="cancelled")})

    async def never(*_: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(news, "changed", never)
    ours, theirs = os.openpty()
    with os.fdopen(theirs, encoding="utf-8") as stdin:
        monkeypatch.setattr(host, "sys", SimpleNamespace(stdin=stdin))
        os.write(ours, typed)
        result = cli("host", str(film), "--guest", "bea", "--plain", *SIMULATED)
    os.close(ours)
    assert (result.exit_code, result.stdout.count("\n")) == (0, 1)
    assert "quit or Ctrl-C takes the invitation back." in result.stderr
    assert ("Bea is not here yet." in result.stderr) == typed.startswith(b"play")
    assert "The invitation is taken back." in result.stderr


# --- a server of one's own ---------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_server_of_one_s_own_says_who_can_reach_it_waits_and_takes_the_invitation_back(
    tmp_path: Path, film: Path
) -> None:
    with Program(tmp_path / "ana", "host", str(film), "--port", "0", *SIMULATED) as host:
        line = host.until("dateflicks join ")
        assert line.startswith("dateflicks join ")
        assert host.out[0] == line
        host.until_said("Only this machine can join; --listen 0.0.0.0")
        host.until_said("Ctrl-C takes the invitation back")
        child = host.child("serve")
        host.process.send_signal(signal.SIGINT)
        assert host.ends() == 130
        host.until_said("The invitation is taken back.")
        assert not is_running(child)


@pytest.mark.slow
def test_a_data_folder_in_use_is_said(tmp_path: Path, film: Path) -> None:
    with (
        engine_beside(tmp_path / "ana" / "evening", "service"),
        Program(tmp_path / "ana", "host", str(film), "--port", "0", *SIMULATED) as second,
    ):
        assert second.ends() == 1
        second.until_said("is in use by process")
        second.until_said("--profile, or DATEFLICKS_HOME, to keep you apart")
        assert second.out == []


@pytest.mark.slow
@pytest.mark.parametrize(
    "number",
    [
        pytest.param(signal.SIGTERM, marks=pytest.mark.long),
        pytest.param(signal.SIGHUP, marks=pytest.mark.long),
        signal.SIGKILL,
    ],
)
def test_however_the_host_ends_its_server_does_too(number: signal.Signals, tmp_path: Path, film: Path) -> None:
    with Program(tmp_path / "ana", "host", str(film), "--port", "0", *SIMULATED) as host:
        host.until("dateflicks join ")
        child = host.child("serve")
        host.process.send_signal(number)
        assert host.ends() == (-signal.SIGKILL if number is signal.SIGKILL else 130)
        host.wait_until(lambda: not is_running(child))


async def test_the_account_of_last_evening_is_used_again_and_a_new_one_made_when_its_server_was_emptied(
    tmp_path: Path,
) -> None:
    store = CredentialStore(tmp_path / "credentials.json", keep_in="file")
    data = tmp_path / "data"
    async with deployed(data) as server, ServiceClient(server.url) as client:
        first = await own_account(client, store, "own", "ana")
        assert (first.name, len(first.password) > 20) == ("ana", True)
    async with deployed(data) as server, ServiceClient(server.url) as client:
        assert await own_account(client, store, "own", "ana") == first
        await client.sign_out()
        again = await own_account(client, store, "own", "ana")
        assert (again.user_id, again.token != first.token) == (first.user_id, True)
    shutil.rmtree(data)
    async with deployed(data) as server, ServiceClient(server.url) as client:
        assert (await own_account(client, store, "own", "ana")).user_id != first.user_id
    assert store.get("own") != first


async def test_a_server_that_does_not_start_says_why(tmp_path: Path) -> None:
    with pytest.raises(ServerFailed) as caught:
        async with own_server.own_server(tmp_path / "data", tmp_path / "log", host="192.0.2.1", port=0):
            pass
    assert "192.0.2.1" in caught.value.why
