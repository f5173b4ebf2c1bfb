"""Steering from the shell: what is typed, what is said of what came of it, and with which exit code."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from websockets.sync.server import ServerConnection, serve

from dateflicks.cli.exits import Exit
from dateflicks.client import steering
from tests.cli.conftest import Cli
from tests.scripted_server import ScriptedServer, session_json

A = "ses_" + "a" * 26
ANA, BEA = "usr_a", "usr_b"


def state(revision: int, **changes: Any) -> dict[str, Any]:
    def one(role: str, name: str) -> dict[str, Any]:
        about = {"connected": True, "buffering": False, "status": "pause", "position": 60.0, "drift": 0.0}
        return {"role": role, "name": name, **about}

    return {
        "type": "timecode", "sessionId": A, "length": 600.0, "currentPosition": 60.0, "status": "pause",
        "lastStatusChange": "2026-11-24T01:43:00.123Z", "at": 1_000.0, "rate": 0.0, "revision": revision,
        "clockId": "clk_x", "reason": "pause", "by": BEA, "waitingFor": [], "pending": None,
        "participants": {ANA: one("host", "ana"), BEA: one("guest", "b\x1b[2Jea")}, **changes,
    }  # fmt: skip


def asked(to: object) -> dict[str, Any]:
    kind = "status" if isinstance(to, str) else "seek"
    return {"kind": kind, "by": ANA, "from": "pause", "to": to, "deadline": 61_000.0}


class Feed:
    """A timecode service that answers the first act with `answers`; `heard` is what came."""

    def __init__(self) -> None:
        self.heard: list[dict[str, Any]] = []
        self.answers: Callable[[dict[str, Any]], list[dict[str, Any]]] = lambda _: []

    def __call__(self, socket: ServerConnection) -> None:
        assert socket.request is not None
        assert socket.request.path.endswith("?looksOn=true")
        socket.send(json.dumps(state(3)))
        for text in socket:
            self.heard.append(json.loads(text))
            for frame in self.answers(self.heard[-1]):
                socket.send(json.dumps(frame))


@contextmanager
def listening(handler: Callable[[ServerConnection], None]) -> Iterator[str]:
    with serve(handler, "127.0.0.1", 0) as served:
        thread = threading.Thread(target=served.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{served.socket.getsockname()[1]}"
        finally:
            served.shutdown()
            thread.join()


@pytest.fixture
def feed(cli: Cli, server: ScriptedServer) -> Iterator[Feed]:
    cli.sign_in()
    found = Feed()
    with listening(found) as timecode:
        session = session_json(id=A, hostUserId=ANA, guestUserId=BEA, state="accepted", ticket="t1cket")
        server.on("GET", "/services", {"services": {"session": server.url, "timecode": timecode}})
        server.on("GET", f"/sessions/{A}", {"session": session})
        server.on("GET", "/users/me", {"id": ANA, "name": "ana"})
        yield found


def test_it_is_asked_in_ones_own_name_and_said_who_can_agree(cli: Cli, feed: Feed) -> None:
    feed.answers = lambda _: [state(4, reason="play", by=ANA, pending=asked("play"))]
    result = cli("remote", "play", A)
    assert result.exit_code == 0, result.stderr
    assert result.stdout == f"{A}\tplay\tasked\tpause\t60\tana\n"
    assert result.stderr == "Asked to play: b[2Jea can agree within 60 s. With --wait you see what comes of it.\n"
    (act,) = feed.heard
    assert (act["status"], act["cause"], act["revision"], act["isHost"]) == ("play", "user", 3, True)


@pytest.mark.parametrize(
    ("last", "code", "said"),
    [
        ({"status": "play", "rate": 1.0, "reason": "play", "by": BEA}, 0, "Agreed: playing at 1:00."),
        ({"reason": "refused", "by": BEA}, 5, "said no: paused at 1:00."),
        ({"reason": "restored", "by": None}, 7, "Nobody answered: paused at 1:00."),
        ({"status": "stop", "reason": "stop", "by": BEA}, 5, "Something else came between: stopped at 1:00."),
    ],
)
def test_waiting_ends_with_what_came_of_it(last: dict[str, Any], code: int, said: str, cli: Cli, feed: Feed) -> None:
    feed.answers = lambda _: [state(4, reason="play", by=ANA, pending=asked("play")), state(5, **last)]
    result = cli("remote", "play", A, "--wait", "--json")
    assert (result.exit_code, result.stdout.count("\n")) == (code, 10)
    assert said in result.stderr
    assert json.loads(result.stdout)["revision"] == 5


@pytest.mark.parametrize(
    ("words", "to"),
    [
        (("41:12",), 600.0),
        (("1:30",), 90.0),
        (("+30",), 90.0),
        (("-10",), 50.0),
        (("--", "-10"), 50.0),
        (("50%",), 300),
    ],
)
def test_positions_are_typed_as_people_say_them(words: tuple[str, ...], to: float, cli: Cli, feed: Feed) -> None:
    feed.answers = lambda act: [state(4, reason="seek", by=ANA, pending=asked(act["to"]))]
    result = cli("remote", "seek", A, *words)
    assert result.exit_code == 0, result.stderr
    assert feed.heard == [{"type": "seek", "to": to}]


def test_resync_asks_for_where_the_film_is(cli: Cli, feed: Feed) -> None:
    feed.answers = lambda act: [state(4, reason="seek", by=ANA, currentPosition=act["to"])]
    result = cli("remote", "resync", A)
    assert result.exit_code == 0, result.stderr
    assert feed.heard == [{"type": "seek", "to": 60.0}]
    assert "Agreed: paused at 1:00." in result.stderr


def test_what_is_so_already_is_said_and_nothing_is_sent(cli: Cli, feed: Feed) -> None:
    result = cli("remote", "pause", A)
    assert (result.exit_code, feed.heard) == (0, [])
    assert "Nothing to ask: paused at 1:00." in result.stderr


@pytest.mark.parametrize("typed", ["x", "101%", "+", "1:75", ""])
def test_what_is_no_position_is_exit_code_2_before_anybody_is_asked(typed: str, cli: Cli, feed: Feed) -> None:
    result = cli("remote", "seek", A, typed)
    assert (result.exit_code, result.stdout, feed.heard) == (2, "", [])
    assert "Write 41:12" in result.stderr


def test_what_the_service_refuses_is_exit_code_5_with_its_reason(cli: Cli, feed: Feed) -> None:
    detail = "A change to play waits for its answer: answer that first."
    feed.answers = lambda _: [{"type": "error", "code": "pending", "detail": detail, "replyTo": "seek"}]
    result = cli("remote", "seek", A, "10")
    assert (result.exit_code, result.stdout) == (5, "")
    assert detail in result.stderr


def test_a_film_that_nobody_has_opened_is_exit_code_3(cli: Cli, server: ScriptedServer, feed: Feed) -> None:
    with listening(lambda socket: socket.close(4404)) as timecode:
        server.on("GET", "/services", {"services": {"session": server.url, "timecode": timecode}})
        result = cli("remote", "play", A)
    assert (result.exit_code, feed.heard) == (3, [])
    assert f"dateflicks watch {A[:12]}" in result.stderr


def test_a_service_that_says_nothing_is_not_waited_for_without_end(
    cli: Cli, server: ScriptedServer, feed: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    def hear(socket: ServerConnection) -> None:
        feed.heard += [json.loads(text) for text in socket]

    monkeypatch.setattr(steering, "HEARD_SECONDS", 0.2)
    with listening(hear) as timecode:
        server.on("GET", "/services", {"services": {"session": server.url, "timecode": timecode}})
        result = cli("remote", "play", A)
    assert (result.exit_code, feed.heard) == (Exit.UNREACHABLE, [])
    assert "has not said where the film is" in result.stderr


def test_a_session_that_is_not_accepted_can_not_be_steered(cli: Cli, server: ScriptedServer) -> None:
    cli.sign_in()
    server.on("GET", f"/sessions/{A}", {"session": session_json(id=A)})
    assert cli("remote", "play", A).exit_code == 5
