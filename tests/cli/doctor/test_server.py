"""The server, the clock and who is signed in, by a server that answers as told."""

import asyncio
import json
import threading
import time
from datetime import UTC, datetime, timedelta

import pytest
from websockets.sync.server import ServerConnection, serve

from dateflicks import __version__
from dateflicks.cli.doctor import server as server_checks
from dateflicks.cli.doctor.examining import CHECKS
from dateflicks.cli.doctor.server import _unreached
from dateflicks.cli.environment import CliEnvironment
from dateflicks.client.credentials import SignIn
from tests.cli.conftest import Cli
from tests.cli.doctor.looking import look, one
from tests.scripted_server import Answer, ScriptedServer, session_json


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


async def test_a_process_out_of_reach_is_told_and_not_hidden_by_the_time_that_a_check_has(
    doctor: Cli, well: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    (check,) = (one for one in CHECKS if one.name == "server")
    assert check.seconds > 2 * server_checks.LOOK_SECONDS
    both = asyncio.Barrier(2)

    async def look(*_: object) -> tuple[None, str]:
        async with asyncio.timeout(20), both:  # at the same time as the other
            return None, ""

    async def protocols(*_: object) -> set[str]:
        async with asyncio.timeout(20), both:
            return set()

    monkeypatch.setattr(server_checks, "_look", look)
    monkeypatch.setattr(server_checks, "_protocols", protocols)
    environment = CliEnvironment(environ={"DATEFLICKS_HOME": str(doctor.home), "DATEFLICKS_CLIENT_SERVER": well.url})
    found = await server_checks.server(environment)
    assert "session is out of reach" in found[0].found


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
