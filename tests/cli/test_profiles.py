"""Profiles: several homes of one person, each with its settings and its sign-ins, and none by mistake."""

import json
import tomllib
from pathlib import Path

import pytest

from dateflicks.cli.environment import CliEnvironment
from dateflicks.cli.exits import Exit
from tests.cli.conftest import Cli
from tests.cli.test_completion import offered
from tests.scripted_server import Answer, ScriptedServer, scripted_server

SIGNED_IN = {
    "user": {"id": "usr_b", "name": "bea"}, "token": "w0rk", "expiresAt": "2026-12-24T01:43:00.123Z",
}  # fmt: skip


@pytest.fixture
def folder(cli: Cli, tmp_path: Path) -> Path:
    """The folder of the settings, with one of the usual home and one of the profile `work`."""
    folder = tmp_path / "settings"
    (folder / "profiles" / "work").mkdir(parents=True)
    (folder / "client.toml").write_text("gentle = true\ntimeout_seconds = 3.0\n", encoding="utf-8")
    (folder / "profiles" / "work" / "client.toml").write_text("timeout_seconds = 7.0\n", encoding="utf-8")
    cli.variables["DATEFLICKS_SETTINGS"] = str(folder)
    return folder


def origins(cli: Cli, *args: str, profile: str = "", timeout: str = "") -> dict[str, tuple[object, str]]:
    chosen = {"DATEFLICKS_PROFILE": profile, "DATEFLICKS_CLIENT_TIMEOUT_SECONDS": timeout}
    cli.variables |= {name: value for name, value in chosen.items() if value}
    shown = cli(*args, "config", "show", "client", "--origin", "--json")
    for name in chosen:
        cli.variables.pop(name, None)
    assert shown.exit_code == 0, shown.stderr
    return {row["key"]: (row["value"], row["origin"]) for row in json.loads(shown.stdout)}


# --- settings -------------------------------------------------------------------------------------------------------


def test_the_files_of_a_profile_win_over_those_of_everybody_and_need_only_say_what_differs(
    cli: Cli, folder: Path
) -> None:
    own = str(folder / "profiles" / "work" / "client.toml")
    found = origins(cli, "--profile", "work")
    assert found["client.timeout_seconds"] == (7.0, own)
    assert found["client.gentle"] == (True, str(folder / "client.toml"))
    assert found == origins(cli, profile="work")
    assert origins(cli)["client.timeout_seconds"] == (3.0, str(folder / "client.toml"))
    told = cli("--profile", "work", "config", "show", "--origin").stderr
    assert "Profile work" in told


def test_a_variable_wins_over_a_profile_and_a_flag_chooses_another_one_or_none(cli: Cli, folder: Path) -> None:
    (folder / "profiles" / "home").mkdir()
    assert origins(cli, "--profile", "work", timeout="9")["client.timeout_seconds"][0] == 9.0
    for other in ("home", ""):
        assert origins(cli, "--profile", other, profile="work")["client.timeout_seconds"][0] == 3.0


def test_what_is_changed_under_a_profile_is_changed_for_it_alone(cli: Cli, folder: Path) -> None:
    before = (folder / "client.toml").read_text(encoding="utf-8")
    own = folder / "profiles" / "work"
    done = cli.json("--profile", "work", "config", "set", "client.gentle", "false")
    assert done["file"] == str(own / "client.toml")
    assert cli.json("--profile", "work", "config", "set", "timecode.confirm_seconds", "7")["file"] == str(
        own / "timecode.toml"
    )
    assert cli("--profile", "work", "config", "unset", "client.gentle").exit_code == 0
    assert "No settings file" in cli("--profile", "work", "config", "unset", "client.gentle").stderr
    assert (folder / "client.toml").read_text(encoding="utf-8") == before
    assert tomllib.loads((own / "client.toml").read_text(encoding="utf-8")) == {"timeout_seconds": 7.0}


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("worx", ("no profile 'worx'", "Did you mean 'work'?", "dateflicks --profile worx init")),
        ("elsewhere", ("There are: work.",)),
        ("../work", ("is no name of a profile",)),
        ("a b", ("is no name of a profile",)),
    ],
)
def test_a_profile_that_is_not_there_is_told_with_those_that_are(
    name: str, words: tuple[str, ...], cli: Cli, folder: Path
) -> None:
    for args, variable in ((("--profile", name), ""), ((), name)):
        result = cli(*args, "session", "list", DATEFLICKS_PROFILE=variable)
        assert (result.exit_code, result.stdout) == (Exit.USAGE, "")
        assert all(one in result.stderr for one in words)
    assert cli("help", "environment", DATEFLICKS_PROFILE=name).exit_code == 0
    assert not (cli.home / "profiles").exists()
    assert folder.is_dir()


def test_where_there_are_no_profiles_it_is_said_how_one_is_made_and_so_it_is(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    cli.variables["DATEFLICKS_SETTINGS"] = str(tmp_path / "empty")
    refused = cli("whoami", "--profile", "work")
    assert (refused.exit_code, "nor any other" in refused.stderr) == (Exit.USAGE, True)
    made = cli("--profile", "work", "init", "--no-input", "--server", "https://films.example.org", "--player", "none")
    assert made.exit_code == 0, made.stderr
    assert "dateflicks --profile work register NAME" in made.stderr
    own = tmp_path / "empty" / "profiles" / "work" / "client.toml"
    assert tomllib.loads(own.read_text(encoding="utf-8"))["server"] == "https://films.example.org"
    cli.variables["DATEFLICKS_CLIENT_TIMEOUT_SECONDS"] = "1"
    assert cli("--profile", "work", "config", "path").stdout.startswith(str(own))


# --- sign-ins -------------------------------------------------------------------------------------------------------


def test_a_profile_has_a_sign_in_of_its_own_at_the_same_server(cli: Cli, server: ScriptedServer, folder: Path) -> None:
    cli.sign_in()
    signed_out = cli("--profile", "work", "whoami")
    assert (signed_out.exit_code, folder.is_dir()) == (Exit.SIGN_IN, True)
    assert f"{server.url} (profile work)" in signed_out.stderr
    assert "'dateflicks --profile work login'" in signed_out.stderr
    server.on("POST", "/tokens", SIGNED_IN)
    done = cli("--profile", "work", "login", "bea", "--password-stdin", keys="correct horse\n")
    assert (done.exit_code, "(profile work)" in done.stderr) == (0, True)
    server.on("GET", "/users/me", {"id": "usr_b", "name": "bea"})
    who = cli.json("--profile", "work", "whoami")
    assert (who["name"], who["profile"]) == ("bea", "work")
    assert server.last.headers["Authorization"] == "Bearer w0rk"
    assert cli.json("whoami")["profile"] is None
    assert server.last.headers["Authorization"] == "Bearer t0ken"
    server.on("DELETE", "/tokens/current", Answer(204))
    assert cli("--profile", "work", "logout").exit_code == 0
    assert cli.store.get(server.url) is not None


def test_a_token_from_the_file_of_everybody_is_not_sent_to_the_server_of_a_profile(cli: Cli, folder: Path) -> None:
    (folder / "client.toml").write_text('token = "f0rhome"\n', encoding="utf-8")
    own = folder / "profiles" / "work" / "client.toml"
    with scripted_server() as other:
        other.on("GET", "/users/me", {"id": "usr_b", "name": "bea"})
        own.write_text(f'server = "{other.url}"\n', encoding="utf-8")
        environ = {"DATEFLICKS_SETTINGS": str(folder), "DATEFLICKS_HOME": str(cli.home)}
        work = CliEnvironment(environ=environ, profile="work")
        assert (work.client.server, work.client.token) == (other.url, "")
        assert CliEnvironment(environ=environ).client.token == "f0rhome"
        own.write_text(f'server = "{other.url}"\ntoken = "w0rk"\n', encoding="utf-8")
        assert CliEnvironment(environ=environ, profile="work").client.token == "w0rk"


# --- telling, completing, handing on --------------------------------------------------------------------------------


def test_the_doctor_tells_the_profile_and_its_advice_is_for_it(cli: Cli, folder: Path) -> None:
    rows = json.loads(cli("--profile", "work", "doctor", "--only", "settings,sign-in", "--json").stdout)
    assert rows[0]["found"] == f"profile work, in {folder / 'profiles' / 'work'}"
    assert any(row["name"] == "sign-in" and "dateflicks --profile work login" in row["fix"] for row in rows)
    (folder / "client.toml").write_text("gentel = true\n", encoding="utf-8")
    rows = json.loads(cli("--profile", "work", "doctor", "--only", "settings", "--json").stdout)
    assert [row["fix"] for row in rows if row["state"] == "wrong"] == [
        f"mend {folder / 'client.toml'}, which all profiles read"
    ]


def test_the_names_of_profiles_are_offered(cli: Cli, folder: Path, tmp_path: Path) -> None:
    (folder / "profiles" / "home").mkdir()
    (folder / "profiles" / "$(touch gotcha)").mkdir()
    settings = {"DATEFLICKS_SETTINGS": str(folder)}
    assert offered(cli, "dateflicks --profile ", **settings) == ["home", "work"]
    assert offered(cli, "dateflicks session list --profile w", **settings) == ["work"]
    assert offered(cli, "dateflicks --profile ", DATEFLICKS_SETTINGS=str(tmp_path / "nowhere")) == []


def test_what_is_started_works_with_the_same_profile(cli: Cli, folder: Path) -> None:
    environ = {"DATEFLICKS_HOME": str(cli.home), "DATEFLICKS_PROFILE": "home"}
    parent = CliEnvironment(environ=environ, profile="work", settings_folder=folder)
    child = CliEnvironment(environ=parent.for_children())
    assert (child.home, child.settings_folders) == (parent.home, parent.settings_folders)
    assert CliEnvironment(environ=CliEnvironment(environ=environ, profile="").for_children()).home == cli.home
