"""`dateflicks doctor`: each check in its good and its bad state, by real parts; none of them breaks another."""

import asyncio
import contextlib
import gc
import json
import os
import pty
import shutil
import socket
import sqlite3
import sys
import termios
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from websockets.sync.server import ServerConnection, serve

from dateflicks import __version__
from dateflicks.cli.commands.doctor import _names
from dateflicks.cli.doctor import examining, installation, storage
from dateflicks.cli.doctor.examining import CHECKS, Check, examine
from dateflicks.cli.doctor.finding import Finding, fine, wrong
from dateflicks.cli.doctor.installation import fits, read
from dateflicks.cli.doctor.server import _unreached
from dateflicks.cli.doctor.terminal import RESET, reset_terminal, terminal
from dateflicks.cli.environment import CliEnvironment
from dateflicks.cli.exits import Exit
from dateflicks.client.credentials import SignIn
from dateflicks.server.storage.folder import EngineFolder
from tests.authorities import make_pair
from tests.cli.conftest import Cli
from tests.conftest import require
from tests.redis_server import running_redis
from tests.scripted_server import Answer, ScriptedServer, session_json
from tests.server.upkeep.kept import deployment, furnish

Rows = list[dict[str, Any]]


@pytest.fixture
def doctor(cli: Cli, tmp_path: Path) -> Cli:
    """The program where no settings file is and no port is anybody's."""
    (tmp_path / "empty").mkdir()
    cli.variables["DATEFLICKS_SETTINGS"] = str(tmp_path / "empty")
    cli.variables["PATH"] = os.environ["PATH"]
    for service in ("ALL", "SESSION", "TIMECODE", "MESSAGES", "PREDICTION", "VIDEOS", "RECOMMENDATION"):
        cli.variables[f"DATEFLICKS_{service}_PORT"] = "0"
    return cli


def look(cli: Cli, *names: str, **variables: str) -> Rows:
    """What these checks find; the exit code says whether something is wrong."""
    one_run = replace(cli, variables={**cli.variables, **variables})
    result = one_run("doctor", "--only", ",".join(names), "--json")
    rows: Rows = json.loads(result.stdout)
    is_wrong = any(row["state"] == "wrong" for row in rows)
    assert result.exit_code == (Exit.PROBLEMS if is_wrong else Exit.OK), result.output
    assert all(row["fix"] for row in rows if row["state"] == "wrong")
    return rows


def one(rows: Rows, state: str) -> str:
    """The only finding in this state, with its fix."""
    (found,) = [f"{row['found']} | {row['fix']}" for row in rows if row["state"] == state]
    return found


# --- as a whole -----------------------------------------------------------------------------------------------------


def test_it_runs_without_server_player_and_settings_and_changes_nothing(doctor: Cli, tmp_path: Path) -> None:
    result = doctor("doctor", "--json", PATH=str(tmp_path), DATEFLICKS_CLIENT_SERVER="http://127.0.0.1:1")
    found = {row["name"] for row in json.loads(result.stdout)}
    assert found == {check.name for check in CHECKS}
    assert not doctor.home.exists()
    assert list((tmp_path / "empty").iterdir()) == []


def test_it_is_written_for_people_for_pipes_and_for_programs(doctor: Cli) -> None:
    lines = doctor("doctor", "--only", "bus,ports", "-o", "table").stdout.splitlines()
    assert [line.split()[:2] for line in lines] == [["ok", "ports"], ["ok", "ports"], ["ok", "bus"]]
    plain = doctor("doctor", "--only", "bus").stdout
    assert plain.split("\t")[:2] == ["bus", "ok"]
    assert doctor("doctor", "--only", "bus", "--fields", "state", "-o", "table").stdout.split() == ["state", "ok"]
    assert doctor("doctor", "--only", "bus", "-q").stderr == ""
    assert "Nothing is wrong." in doctor("doctor", "--only", "bus").stderr


def test_checks_are_named_and_slips_are_told(doctor: Cli) -> None:
    refused = doctor("doctor", "--only", "plaier")
    assert (refused.exit_code, "Did you mean 'player'?" in refused.stderr) == (Exit.USAGE, True)
    shown = " ".join(doctor("doctor", "--help").stdout.replace("│", " ").split())
    assert ", ".join(_names()) in shown


def test_a_check_that_fails_or_hangs_is_a_finding_and_stops_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    is_over = threading.Event()

    async def never(_: CliEnvironment) -> list[Finding]:
        await asyncio.Event().wait()
        return []

    def raises(_: CliEnvironment) -> list[Finding]:
        raise ZeroDivisionError("of mongodb://ana:s3cret@db")

    def hangs(_: CliEnvironment) -> list[Finding]:
        is_over.wait(30.0)
        return []

    def works(_: CliEnvironment) -> list[Finding]:
        return [fine("works", "well")]

    for function in (never, raises, hangs, works):
        monkeypatch.setattr(installation, function.__name__, function, raising=False)
    checks = [Check(name, "installation", 0.2) for name in ("never", "raises", "hangs", "works")]
    began = time.monotonic()
    found = asyncio.run(examine(CliEnvironment(environ={}), checks))
    is_over.set()
    assert [(each.name, each.state.value) for each in found] == [
        ("never", "wrong"), ("raises", "wrong"), ("hangs", "wrong"), ("works", "ok")
    ]  # fmt: skip
    assert "ZeroDivisionError: of mongodb://********@db" in found[1].found
    assert time.monotonic() - began < 20


def test_secrets_and_what_others_wrote_are_not_passed_on(doctor: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        installation, "python", lambda _: [wrong("python", "the t0psecret \x1b[31mone\n two", "use t0psecret")]
    )
    row = look(doctor, "python", DATEFLICKS_CLIENT_TOKEN="t0psecret")[0]
    assert row["found"] == "the ******** [31mone two"
    assert row["fix"] == "use ********"


# --- what it runs on ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("own", "wanted", "is_so"),
    [
        ("1.2.3", ">=1.2,<2", True),
        ("2.0", ">=1.2,<2", False),
        ("25.12.1", "~=25.12", True),
        ("26.1", "~=25.12", False),
        ("0.8.1", "==0.8.1", True),
        ("0.8", "==0.8.0", True),
        ("0.8.2", "!=0.8.2", False),
        ("1.5rc1", ">=1.4", True),
        ("1.9.4", "==1.9.*", True),
        ("1.10", "==1.9.*", False),
        ("3.11.7", ">=3.11", True),
        ("1.0", "", True),
    ],
)
def test_versions_are_compared_as_their_requirements_mean(own: str, wanted: str, is_so: bool) -> None:
    assert fits(own, wanted) is is_so


def test_requirements_are_read_as_metadata_has_them() -> None:
    assert read("sanic~=25.12") == ("sanic", "~=25.12", "")
    assert read("typer<0.30,>=0.29") == ("typer", "<0.30,>=0.29", "")
    assert read("redis>=6.4; extra == 'redis'") == ("redis", ">=6.4", "redis")
    assert read("nx-27017 (==0.8.1)") == ("nx-27017", "==0.8.1", "")


def test_python_and_packages_are_as_required_here(doctor: Cli) -> None:
    rows = look(doctor, "python", "packages")
    assert [row["state"] for row in rows] == ["ok", "ok"]
    assert __version__ in rows[0]["found"]


def test_an_old_package_is_named_with_what_to_install(
    doctor: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    about = tmp_path / "old" / "msgspec-0.1.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: msgspec\nVersion: 0.1\n", encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path / "old"))
    told = one(look(doctor, "packages"), "wrong")
    assert "msgspec is 0.1" in told
    assert "-m pip install 'msgspec<0.23,>=0.22'" in told


@pytest.mark.parametrize(
    ("locale", "state"),
    [
        ({"LANG": "de_DE.UTF-8"}, "ok"),
        ({"LANG": "x.utf8", "LC_ALL": "C"}, "note"),
        ({"LC_CTYPE": "de_DE.ISO-8859-1"}, "wrong"),
    ],
)
def test_the_locale_says_whether_text_is_utf_8(locale: dict[str, str], state: str, doctor: Cli) -> None:
    assert look(doctor, "locale", **locale)[0]["state"] == state


# --- the terminal ---------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def a_terminal(monkeypatch: pytest.MonkeyPatch, columns: int, rows: int) -> Iterator[tuple[int, Any]]:
    """A real one of this size, in the place of stdin and stdout; its other end, and the stream."""
    other, own = pty.openpty()
    termios.tcsetwinsize(own, (rows, columns))
    with os.fdopen(own, "r+b", buffering=0) as raw, open(own, "w", closefd=False, encoding="utf-8") as stream:
        assert raw.isatty()
        monkeypatch.setattr(sys, "stdin", stream)
        monkeypatch.setattr(sys, "stdout", stream)
        yield other, stream
        monkeypatch.undo()
    os.close(other)


@pytest.mark.parametrize(
    ("size", "name", "state"),
    [
        ((120, 40), "xterm-256color", "ok"),
        ((60, 18), "xterm", "note"),
        ((30, 8), "xterm", "wrong"),
        ((120, 40), "dumb", "wrong"),
    ],
)
def test_the_terminal_is_looked_at(
    size: tuple[int, int], name: str, state: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with a_terminal(monkeypatch, *size):
        (found,) = terminal(CliEnvironment(environ={"TERM": name}))
    assert found.state == state
    assert ("256 colours" in found.found) is (state == "ok")


def test_a_broken_terminal_is_as_usual_again(monkeypatch: pytest.MonkeyPatch) -> None:
    with a_terminal(monkeypatch, 80, 24) as (other, stream):
        found = termios.tcgetattr(stream.fileno())
        found[1] &= ~termios.OPOST
        found[3] &= ~(termios.ECHO | termios.ICANON | termios.ISIG)
        termios.tcsetattr(stream.fileno(), termios.TCSANOW, found)
        reset_terminal(CliEnvironment(environ={}))
        assert RESET.encode() in os.read(other, 4096)
        modes = termios.tcgetattr(stream.fileno())
        assert modes[1] & termios.OPOST
        assert modes[3] & (termios.ECHO | termios.ICANON | termios.ISIG)


def test_without_a_terminal_there_is_none_to_look_at(doctor: Cli) -> None:
    assert look(doctor, "terminal")[0]["state"] == "note"
    assert doctor("doctor", "--reset-terminal").exit_code == Exit.USAGE


# --- the player -----------------------------------------------------------------------------------------------------


def stand_in(folder: Path, version: str) -> str:
    """A PATH with an mpv that says its version, and ends at once when it is to play."""
    folder.mkdir()
    (folder / "mpv").write_text(
        f'#!/bin/sh\n[ "$2" = --version ] && echo "mpv {version} Copyright" && exit 0\nexit 3\n'
    )
    (folder / "mpv").chmod(0o755)
    return str(folder)


@pytest.mark.mpv
def test_a_player_that_answers_is_told_with_its_version(doctor: Cli) -> None:
    require("mpv")
    rows = look(doctor, "player")
    assert [row["state"] for row in rows] == ["ok", "ok"]
    assert "answers, in" in rows[1]["found"]


def test_a_player_that_is_missing_broken_or_old_is_told(doctor: Cli, tmp_path: Path) -> None:
    assert "mpv is not found" in one(look(doctor, "player", PATH=str(tmp_path)), "wrong")
    assert "older than" in one(look(doctor, "player", PATH=stand_in(tmp_path / "old", "0.29.1")), "wrong")
    broken = look(doctor, "player", PATH=stand_in(tmp_path / "broken", "v0.38.0"))
    assert "version 0.38.0" in one(broken, "ok")
    assert "it ended with 3" in one(broken, "wrong")
    told = look(doctor, "player", PATH=str(tmp_path / "broken"), DATEFLICKS_CLIENT_MPV_ARGUMENTS="--nonsense")
    assert "config unset client.mpv_arguments" in one(told, "wrong")
    assert look(doctor, "player", PATH=str(tmp_path), DATEFLICKS_CLIENT_PLAYER="manual")[0]["state"] == "ok"


# --- settings and what is kept --------------------------------------------------------------------------------------


def test_each_settings_file_is_told_and_each_mistake(doctor: Cli, tmp_path: Path) -> None:
    folder = tmp_path / "empty"
    assert "the defaults hold" in one(look(doctor, "settings"), "ok")
    (folder / "client.toml").write_text("gentle = true\n", encoding="utf-8")
    (folder / "timecode.toml").write_text("confirm_secs = 3\nband_seconds = \n", encoding="utf-8")
    (folder / "all.toml").write_text('[mongo]\nuri = "mongodb://a:s3cret@b/"\n', encoding="utf-8")
    (folder / "all.toml").chmod(0o644)
    rows = look(doctor, "settings")
    assert "client.toml: 1 value" in one(rows, "ok")
    assert "timecode.toml:2: is not TOML" in one(rows, "wrong")
    assert "chmod 600" in one(rows, "note")
    assert "s3cret" not in json.dumps(rows)


def test_with_settings_that_cannot_be_read_the_other_checks_say_that_alone(doctor: Cli, tmp_path: Path) -> None:
    (tmp_path / "empty" / "all.toml").write_text("nothing = 1\n", encoding="utf-8")
    rows = look(doctor, "settings", "storage", "database", "bus", "python")
    states = {row["name"]: (row["state"], row["fix"]) for row in rows}
    assert states["settings"] == ("wrong", "dateflicks config edit all")
    assert states["database"] == states["bus"] == ("note", "dateflicks config validate")
    assert states["python"][0] == "ok"


def test_the_folder_can_be_written_to_and_has_room(doctor: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = look(doctor, "storage")
    assert all("made at the first start" in row["found"] for row in rows)
    monkeypatch.setattr(storage, "TOO_LITTLE_BYTES", 1 << 62)
    assert look(doctor, "storage")[0]["state"] == "wrong"
    monkeypatch.setattr(storage, "TOO_LITTLE_BYTES", 0)
    monkeypatch.setattr(storage, "LITTLE_BYTES", 1 << 62)
    assert look(doctor, "storage")[0]["state"] == "note"
    doctor.home.write_text("a file", encoding="utf-8")
    assert "is a file" in look(doctor, "storage")[0]["found"]


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write everywhere")
def test_a_folder_that_cannot_be_written_to_is_told(doctor: Cli) -> None:
    doctor.home.mkdir(mode=0o500)
    assert "cannot be written" in look(doctor, "storage")[0]["found"]


def test_the_key_is_looked_at_and_none_is_made(doctor: Cli) -> None:
    assert "made at the first start" in one(look(doctor, "key"), "ok")
    path = doctor.home / "server" / "auth.key"
    assert not path.exists()
    path.parent.mkdir(parents=True)
    path.write_text("k" * 64, encoding="utf-8")
    path.chmod(0o600)
    assert look(doctor, "key")[0]["state"] == "ok"
    path.chmod(0o644)
    assert "Others on this machine can read" in one(look(doctor, "key"), "wrong")
    assert "config unset all.auth.key" in one(look(doctor, "key", DATEFLICKS_ALL_AUTH_KEY="short"), "wrong")


@pytest.mark.slow
def test_the_database_is_looked_at_with_its_indexes_and_migrations(doctor: Cli) -> None:
    assert "nothing kept yet" in one(look(doctor, "database"), "ok")
    assert not doctor.home.exists()

    async def furnished() -> None:
        async with deployment(doctor.home / "server") as (_, client):
            await furnish(client, 1)

    asyncio.run(furnished())
    rows = look(doctor, "database")
    assert [row["state"] for row in rows] == ["ok", "wrong"]
    assert "dateflicks db migrate" in one(rows, "wrong")
    with contextlib.closing(
        sqlite3.connect(doctor.home / "server" / "mongo" / "databases" / "SessionDb.db")
    ) as database:
        database.execute("DROP INDEX idx_users_nameKey")
        database.commit()
    told = look(doctor, "database")[1]
    assert (told["found"], told["fix"]) == ("indexes are missing: SessionDb.users", "dateflicks db indexes --apply")


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # the driver forgets a refused socket
def test_a_database_that_is_away_wrong_or_spoilt_is_told_without_its_password(
    doctor: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storage, "PATIENCE_SECONDS", 0.1)
    for uri, words in (
        ("mongodb://ana:s3cret@127.0.0.1:1/", "Connect call failed"),
        ("postgres://ana:s3cret@x/", "neither"),
    ):
        rows = look(doctor, "database", DATEFLICKS_ALL_MONGO_URI=uri)
        assert words in one(rows, "wrong")
        assert "s3cret" not in json.dumps(rows)
    gc.collect()
    file = doctor.home / "server" / "mongo" / "databases" / "SessionDb.db"
    file.parent.mkdir(parents=True)
    file.write_bytes(b"no database at all" * 500)
    assert "db restore" in one(look(doctor, "database"), "wrong")


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # the driver forgets a silent socket
def test_an_engine_that_hangs_is_told(doctor: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storage, "PATIENCE_SECONDS", 0.2)
    folder = EngineFolder(doctor.home / "server")
    lock = asyncio.run(folder.claim())
    listener, path = folder.listen()
    folder.write_pid(os.getpid())
    told = one(look(doctor, "database"), "wrong")
    gc.collect()
    listener.close()
    folder.tidy(path)
    os.close(lock)
    assert f"does not answer (process {os.getpid()})" in told
    assert "nothing kept yet" in one(look(doctor, "database"), "ok")


# --- the network ----------------------------------------------------------------------------------------------------


def test_a_port_is_free_ours_or_somebody_elses(doctor: Cli, server: ScriptedServer) -> None:
    rows = look(doctor, "ports")
    assert [row["state"] for row in rows] == ["ok", "ok"]
    port = server.url.rpartition(":")[2]
    taken = look(doctor, "ports", DATEFLICKS_ALL_PORT=port)
    assert f"{port}, for 'dateflicks serve all': taken by another program" in one(taken, "wrong")
    assert "config set all.server.port" in one(taken, "wrong")
    elsewhere = {"DATEFLICKS_CLIENT_SERVER": "https://films.example.org"}
    assert look(doctor, "ports", DATEFLICKS_ALL_PORT=port, **elsewhere)[0]["state"] == "note"
    assert "timecode on" in one(look(doctor, "ports", DATEFLICKS_TIMECODE_PORT=port), "note")
    server.on("GET", "/health", {"status": "ok", "service": "all", "database": "ok"})
    assert "services of dateflicks" in look(doctor, "ports", DATEFLICKS_ALL_PORT=port)[0]["found"]
    for host in ("x..y", "192.0.2.1"):
        nowhere = look(doctor, "ports", DATEFLICKS_ALL_PORT="9999", DATEFLICKS_ALL_HOST=host)
        assert "no such address" in one(nowhere, "wrong")


def test_a_port_whose_owner_says_nothing_is_somebody_elses(doctor: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dateflicks.cli.doctor.network.ASK_SECONDS", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = str(silent.getsockname()[1])
        assert "another program" in look(doctor, "ports", DATEFLICKS_ALL_PORT=port)[0]["found"]


def test_the_certificate_is_there_fits_and_stays_valid(doctor: Cli, tmp_path: Path) -> None:
    assert "none is needed" in one(look(doctor, "tls"), "ok")
    good, soon = make_pair(tmp_path), make_pair(tmp_path, "soon", days=3)

    def named(certificate: Path, key: Path) -> Rows:
        files = {"DATEFLICKS_ALL_TLS_CERT": str(certificate), "DATEFLICKS_ALL_TLS_KEY": str(key)}
        return look(doctor, "tls", **files)

    assert "is valid until" in one(named(good.certificate, good.key), "ok")
    assert "which is soon" in one(named(soon.certificate, soon.key), "note")
    assert "is not the key of" in one(named(good.certificate, soon.key), "wrong")
    assert "cannot be read" in one(named(tmp_path / "x", soon.key), "wrong")
    assert "refuses to start" in one(look(doctor, "tls", DATEFLICKS_ALL_HOST="0.0.0.0"), "wrong")
    plain = {"DATEFLICKS_ALL_HOST": "0.0.0.0", "DATEFLICKS_ALL_ALLOW_PLAIN": "true"}
    assert "passwords are readable" in one(look(doctor, "tls", **plain), "note")
    assert "ca_file" in one(look(doctor, "tls", DATEFLICKS_CLIENT_CA_FILE=str(good.key)), "wrong")


def test_a_certificate_that_is_over_is_told(doctor: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pair = make_pair(tmp_path)

    class Later(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return datetime.now(tz) + timedelta(days=60)

    monkeypatch.setattr("dateflicks.server.web.tls.datetime", Later)
    files = {"DATEFLICKS_ALL_TLS_CERT": str(pair.certificate), "DATEFLICKS_ALL_TLS_KEY": str(pair.key)}
    assert "is not valid since" in one(look(doctor, "tls", **files), "wrong")


def test_the_bus_is_asked_where_one_is_named(doctor: Cli, tmp_path: Path) -> None:
    assert "one process needs none" in one(look(doctor, "bus"), "ok")
    assert "workers need" in one(look(doctor, "bus", DATEFLICKS_ALL_WORKERS="2"), "wrong")
    away = look(doctor, "bus", DATEFLICKS_ALL_BUS_URI="redis://ana:s3cret@127.0.0.1:1/0")
    assert "cannot be reached" in one(away, "wrong")
    assert "s3cret" not in json.dumps(away)
    assert "neither" in one(look(doctor, "bus", DATEFLICKS_ALL_BUS_URI="amqp://x"), "wrong")
    if shutil.which("redis-server"):
        with running_redis(tmp_path) as uri:
            assert "Redis " in one(look(doctor, "bus", DATEFLICKS_ALL_BUS_URI=uri), "ok")


# --- the server -----------------------------------------------------------------------------------------------------


@pytest.fixture
def well(server: ScriptedServer) -> ScriptedServer:
    """A server that is well and of our version."""
    server.on("GET", "/health", {"status": "ok", "service": "all", "database": "ok"})
    server.on("GET", "/metrics", Answer(200, f'dateflicks_build_info{{version="{__version__}"}} 1.0\n'.encode()))
    feed = {"subprotocols": ["dateflicks.v1", "bearer.TOKEN"]}
    server.on("GET", "/docs/openapi.json", {"openapi": "3.1.0", "x-websocket": [feed]})
    return server


def test_a_server_that_is_well_speaks_as_we_do(doctor: Cli, well: ScriptedServer) -> None:
    rows = look(doctor, "server")
    assert [row["state"] for row in rows] == ["ok", "ok"]
    assert "session, timecode are well" in rows[0]["found"]
    assert "dateflicks.v1" in rows[1]["found"]


def test_a_server_that_is_away_sick_or_of_another_kind_is_told(doctor: Cli, well: ScriptedServer) -> None:
    assert "cannot be reached" in one(look(doctor, "server", DATEFLICKS_CLIENT_SERVER="http://127.0.0.1:1"), "wrong")
    well.on("GET", "/metrics", Answer(200, b'dateflicks_build_info{version="9.9"} 1.0\n'))
    assert "dateflicks 9.9" in one(look(doctor, "server"), "note")
    well.on("GET", "/docs/openapi.json", {"x-websocket": [{"subprotocols": ["dateflicks.v7"]}]})
    assert "speaks dateflicks.v7" in one(look(doctor, "server"), "wrong")
    well.on("GET", "/docs/openapi.json", [1])
    services = {"timecode": {"status": "degraded", "database": "down"}}
    well.on("GET", "/health", {"status": "degraded", "service": "all", "database": "down", "services": services}, 503)
    assert "timecode is degraded" in one(look(doctor, "server"), "wrong")
    well.on("GET", "/services", Answer.problem(500, "out of order"))
    assert "out of order" in one(look(doctor, "server"), "wrong")


def test_that_no_server_runs_is_a_note_as_long_as_nobody_named_one(doctor: Cli) -> None:
    environment = CliEnvironment(environ={"DATEFLICKS_HOME": str(doctor.home)})
    found = _unreached(environment, "http://127.0.0.1:8700", "it is away")
    assert (found.state, found.fix) == ("note", "dateflicks serve all")
    environment = CliEnvironment(server="http://127.0.0.1:8700", environ={"DATEFLICKS_HOME": str(doctor.home)})
    assert _unreached(environment, "http://127.0.0.1:8700", "it is away").state == "wrong"


def sign_in(cli: Cli, expires: timedelta) -> None:
    at = (datetime.now(UTC) + expires).isoformat().replace("+00:00", "Z")
    cli.store.put(cli.server.url, SignIn(name="ana", user_id="usr_a", expires_at=at, token="t0ken"))


def test_a_sign_in_is_looked_at_and_asked_about(doctor: Cli, server: ScriptedServer) -> None:
    assert "Nobody is signed in" in one(look(doctor, "sign-in"), "note")
    me = {"id": "usr_a", "name": "ana", "createdAt": "2026-11-24T01:43:00.123Z"}
    server.on("GET", "/users/me", me)
    sign_in(doctor, timedelta(days=10))
    assert "the server knows ana" in one(look(doctor, "sign-in"), "ok")
    sign_in(doctor, timedelta(hours=1))
    assert "soon" in one(look(doctor, "sign-in"), "note")
    server.on("GET", "/users/me", Answer.problem(401, "no longer"))
    refused = look(doctor, "sign-in")
    assert "does not take it any more" in one(refused, "wrong")
    assert "t0ken" not in json.dumps(refused)
    sign_in(doctor, timedelta(days=-1))
    asked = len(server.asked)
    assert "dateflicks login" in one(look(doctor, "sign-in"), "wrong")
    assert len(server.asked) == asked  # what is over need not be asked about
    (doctor.home / "credentials.json").chmod(0o644)
    assert "chmod 600" in json.dumps(look(doctor, "sign-in"))
    (doctor.home / "credentials.json").write_text("{", encoding="utf-8")
    assert "makes no sense" in json.dumps(look(doctor, "sign-in"))


@pytest.mark.parametrize(("ahead", "state"), [(0.0, "ok"), (5.0, "note"), (-120.0, "wrong")])
def test_the_clock_is_measured_in_a_session(ahead: float, state: str, doctor: Cli, server: ScriptedServer) -> None:
    def answer(socket: ServerConnection) -> None:
        assert socket.request is not None
        assert socket.request.path.endswith("/events?looksOn=true")
        socket.send(json.dumps({"type": "unknown"}))
        for text in socket:
            at = (time.time() + ahead) * 1000
            pong = {"type": "pong", "t0": json.loads(text)["t0"], "t1": at, "t2": at, "clockId": "clk_x"}
            socket.send(json.dumps(pong))

    session = session_json(state="accepted", ticket="t1cket")
    sign_in(doctor, timedelta(days=10))
    with serve(answer, "127.0.0.1", 0, subprotocols=["dateflicks.v1"]) as feed:  # type: ignore[list-item]  # a NewType
        thread = threading.Thread(target=feed.serve_forever)
        thread.start()
        timecode = f"http://127.0.0.1:{feed.socket.getsockname()[1]}"
        server.on("GET", "/services", {"services": {"session": server.url, "timecode": timecode}})
        server.on("GET", "/sessions", {"items": [session], "next": None})
        server.on("GET", f"/sessions/{session['id']}", {"session": session})
        rows = look(doctor, "clock")
        feed.shutdown()
        thread.join()
    assert rows[0]["state"] == state, rows
    assert f"the server's is {abs(ahead):.0f}." in rows[0]["found"] or ahead == 0 or "s behind" in rows[0]["found"]


def test_without_a_session_there_is_nothing_to_measure_in(doctor: Cli, server: ScriptedServer) -> None:
    assert "nobody is signed in" in one(look(doctor, "clock"), "note")
    sign_in(doctor, timedelta(days=10))
    server.on("GET", "/sessions", {"items": [], "next": None})
    assert "there is none" in one(look(doctor, "clock"), "note")
    assert "could not be measured" in one(look(doctor, "clock", DATEFLICKS_CLIENT_TOKEN="x",
                                               DATEFLICKS_CLIENT_SERVER="http://127.0.0.1:1"), "note")  # fmt: skip


def test_a_keyring_is_told_and_missed_only_where_one_is_wanted(doctor: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dateflicks.cli.doctor.server._backend", lambda: "")
    assert "no keyring works" in one(look(doctor, "keyring"), "ok")
    assert "config set client.credentials file" in one(
        look(doctor, "keyring", DATEFLICKS_CLIENT_CREDENTIALS="keyring"), "wrong"
    )
    monkeypatch.setattr("dateflicks.cli.doctor.server._backend", lambda: "SecretService Keyring")
    assert "SecretService" in one(look(doctor, "keyring"), "ok")
    assert "by the settings" in one(look(doctor, "keyring", DATEFLICKS_CLIENT_CREDENTIALS="file"), "ok")


def test_every_check_has_a_function_of_its_name() -> None:
    assert len({check.name for check in CHECKS}) == len(CHECKS)
    assert all(callable(examining._function(check)) for check in CHECKS)
