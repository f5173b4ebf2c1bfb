"""Sessions on the command line: what is asked of the service, what is shown of its answer."""

import json
import threading

import pytest
from websockets.sync.server import ServerConnection, serve

from tests.cli.conftest import Cli
from tests.scripted_server import Answer, ScriptedServer, session_json

A = "ses_" + "a" * 26
AB = "ses_ab" + "a" * 24
B = "ses_" + "b" * 26


@pytest.fixture(autouse=True)
def three_sessions(cli: Cli, server: ScriptedServer) -> None:
    cli.sign_in()
    sessions = [session_json(id=A), session_json(id=AB, state="accepted"), session_json(id=B, hostName="bea")]
    server.on("GET", "/sessions", {"items": sessions, "next": None})
    for session in sessions:
        server.on("GET", f"/sessions/{session['id']}", {"session": session})


def test_a_list_into_a_pipe_is_tab_separated_with_the_id_first(cli: Cli) -> None:
    result = cli("session", "list")
    rows = [line.split("\t") for line in result.stdout.splitlines()]
    assert [row[0] for row in rows] == [A, AB, B]
    assert rows[0][1:5] == ["pending", "ana", "bea", "A film"]


def test_list_is_what_session_does_without_a_verb(cli: Cli) -> None:
    assert cli("session").stdout == cli("session", "list").stdout


def test_json_has_snake_case_names_and_only_what_was_sent(cli: Cli) -> None:
    found = cli.json("session", "list")
    assert found[0]["host_user_id"].startswith("usr_")
    assert found[0]["video"]["title"] == "A film"
    assert "ticket" not in found[0]


def test_json_lines_are_one_record_each(cli: Cli) -> None:
    lines = cli("session", "list", "-o", "jsonl").stdout.splitlines()
    assert [json.loads(line)["id"] for line in lines] == [A, AB, B]


def test_fields_choose_and_order_in_every_format(cli: Cli) -> None:
    fields = ("--fields", "state,video.title")
    assert cli("session", "list", *fields).stdout.splitlines()[0] == "pending\tA film"
    assert cli.json("session", "list", *fields)[0] == {"state": "pending", "video.title": "A film"}
    assert "A film" in cli("session", "list", *fields, "-o", "table").stdout


def test_a_table_has_a_header(cli: Cli) -> None:
    lines = cli("session", "list", "-o", "table").stdout.splitlines()
    assert lines[0].split()[:2] == ["id", "state"]
    assert A in lines[1]


def test_an_unknown_field_is_exit_code_2_with_the_nearest_one(cli: Cli) -> None:
    result = cli("session", "list", "--fields", "stat")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "Did you mean 'state'?" in result.stderr


def test_states_and_limit_are_asked_of_the_service(cli: Cli, server: ScriptedServer) -> None:
    assert cli("session", "list", "--state", "pending, accepted", "--limit", "7").exit_code == 0
    assert server.last.query == {"state": "pending,accepted", "limit": "7"}


def test_an_empty_list_says_so_on_stderr_only(cli: Cli, server: ScriptedServer) -> None:
    server.on("GET", "/sessions", {"items": [], "next": None})
    result = cli("session", "list")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "No sessions" in result.stderr
    assert cli.json("session", "list") == []


@pytest.mark.parametrize("typed", [B, "ses_b", "bb"])
def test_the_beginning_of_an_id_is_enough(typed: str, cli: Cli) -> None:
    assert cli.json("session", "show", typed)["id"] == B


def test_a_whole_id_is_not_looked_up(cli: Cli, server: ScriptedServer) -> None:
    cli("session", "show", A)
    assert "/sessions" not in [asked.path for asked in server.asked]


def test_a_beginning_of_several_is_exit_code_2_and_names_them(cli: Cli) -> None:
    result = cli("session", "show", "a")
    assert (result.exit_code, result.stdout) == (2, "")
    assert A in result.stderr
    assert AB in result.stderr


def test_a_beginning_of_none_is_exit_code_3(cli: Cli) -> None:
    assert cli("session", "show", "zz").exit_code == 3


def test_a_guest_is_asked_by_name_and_a_file_travels_without_its_folder(cli: Cli, server: ScriptedServer) -> None:
    server.on("POST", "/sessions", {"session": session_json()}, 201)
    made = cli.json("session", "create", "/home/ana/films/The_General.mkv", "--guest", "bea", "--note", "Tonight?")
    assert server.last.body["session"] == {
        "guestName": "bea",
        "video": {"url": "The_General.mkv", "title": "The General", "length": 0.0},
        "details": {"note": "Tonight?"},
    }
    assert made["is_accepted"] is None


def test_a_film_can_be_named_by_id_or_address(cli: Cli, server: ScriptedServer) -> None:
    server.on("POST", "/sessions", {"session": session_json()}, 201)
    video = "vid_" + "a" * 26
    cli("session", "create", video, "--guest", "bea")
    assert server.last.body["session"] == {"guestName": "bea", "videoId": video}
    cli("session", "create", "https://films.example.org/general.mp4", "--guest", "bea", "--title", "The General")
    assert server.last.body["session"]["video"]["url"] == "https://films.example.org/general.mp4"


def test_a_link_shows_its_code(cli: Cli, server: ScriptedServer) -> None:
    server.on("POST", "/sessions", {"session": session_json(guestUserId=None, guestName=None, invitation="c0de")}, 201)
    result = cli("session", "create", "film.mkv", "--link")
    assert server.last.body["session"]["link"] is True
    assert "c0de" in result.stderr
    assert "c0de" in result.stdout


@pytest.mark.parametrize("who", [(), ("--guest", "bea", "--link")])
def test_a_session_needs_a_guest_or_a_link_and_not_both(who: tuple[str, ...], cli: Cli) -> None:
    assert cli("session", "create", "film.mkv", *who).exit_code == 2


@pytest.mark.parametrize("verb", ["accept", "reject", "cancel", "end"])
def test_each_verb_does_it_and_shows_the_session(verb: str, cli: Cli, server: ScriptedServer) -> None:
    server.on("POST", f"/sessions/{B}/{verb}", {"session": session_json(id=B, state="ended")})
    assert cli.json("session", verb, "b")["state"] == "ended"
    assert (server.last.method, server.last.path) == ("POST", f"/sessions/{B}/{verb}")


def test_the_ticket_of_an_accepted_session_is_remembered(cli: Cli, server: ScriptedServer) -> None:
    server.on("POST", f"/sessions/{B}/accept", {"session": session_json(id=B, state="accepted", ticket="t1cket")})
    assert cli("session", "accept", "b").exit_code == 0
    assert cli.store.ticket(server.url, B) == "t1cket"


@pytest.mark.parametrize(("status", "code"), [(403, 4), (404, 3), (409, 5), (429, 1), (500, 1), (503, 6)])
def test_each_refusal_has_its_exit_code(status: int, code: int, cli: Cli, server: ScriptedServer) -> None:
    server.on("POST", f"/sessions/{B}/accept", Answer.problem(status, "Because of this."))
    result = cli("session", "accept", B)
    assert (result.exit_code, result.stdout) == (code, "")
    assert result.stderr.startswith("Error: Because of this.\n")


def test_history_tells_what_with_whom_and_how_far(cli: Cli, server: ScriptedServer) -> None:
    entry = {
        "sessionId": A, "videoId": None, "video": {"url": "film.mkv", "title": "A film", "length": 0.0},
        "withUserId": "usr_b", "withName": "bea", "startedAt": "2026-11-24T01:43:00.123Z", "endedAt": None,
        "position": 61.5, "length": None,
    }  # fmt: skip
    server.on("GET", "/history", {"items": [entry], "next": None})
    assert cli("session", "history").stdout == f"{A}\tA film\tbea\t2026-11-24T01:43:00.123Z\t\t61.5\t\n"


def test_following_prints_a_line_of_json_for_each_state_until_the_end(cli: Cli, server: ScriptedServer) -> None:
    frame = {
        "type": "timecode", "sessionId": B, "length": 60.0, "currentPosition": 1.5, "status": "play",
        "lastStatusChange": "2026-11-24T01:43:00.123Z", "at": 1.0, "rate": 1.0, "revision": 7, "clockId": "clk_x",
        "reason": "end", "by": None, "waitingFor": [], "participants": {},
        "pending": {"kind": "seek", "by": "usr_a", "from": 1.5, "to": 30.0, "deadline": 2.0},
    }  # fmt: skip

    def tell(socket: ServerConnection) -> None:
        socket.send(json.dumps({**frame, "reason": "play", "revision": 6}))
        socket.send(json.dumps(frame))
        for _ in socket:
            pass

    with serve(tell, "127.0.0.1", 0) as feed:
        thread = threading.Thread(target=feed.serve_forever)
        thread.start()
        timecode = f"http://127.0.0.1:{feed.socket.getsockname()[1]}"
        server.on("GET", "/services", {"services": {"session": server.url, "timecode": timecode}})
        server.on("GET", f"/sessions/{B}", {"session": session_json(id=B, state="accepted", ticket="t1cket")})
        result = cli("session", "follow", "bb", "--json")
        feed.shutdown()
        thread.join()
    assert result.exit_code == 0, result.stderr
    states = [json.loads(line) for line in result.stdout.splitlines()]
    assert [state["revision"] for state in states] == [6, 7]
    assert states[0]["current_position"] == 1.5
    assert states[0]["pending"] == {"kind": "seek", "by": "usr_a", "from": 1.5, "to": 30.0, "deadline": 2.0}


def test_there_is_nothing_to_follow_before_the_answer(cli: Cli) -> None:
    result = cli("session", "follow", "bb")
    assert (result.exit_code, result.stdout) == (5, "")
    assert "dateflicks session accept ses_bbbbbbbb" in result.stderr


def test_hostile_titles_reach_neither_terminal_nor_pipe(cli: Cli, server: ScriptedServer) -> None:
    title = "\x1b[2J\x1b]0;gotcha\x07[bold]a\tb\r\n\x9b31m\u202egnp.exe"
    server.on("GET", f"/sessions/{A}", {"session": session_json(video={"url": "x", "title": title, "length": 0.0})})
    for form in ("table", "plain", "json", "jsonl"):
        shown = cli("session", "show", A, "-o", form).stdout
        assert not any(character in shown for character in "\x1b\x07\r\x9b\u202e")
        assert "[bold]a" in shown
    assert cli.json("session", "show", A)["video"]["title"] == title
