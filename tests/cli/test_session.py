"""Sessions on the command line: what is asked of the service, what is shown of its answer."""

import csv
import json
import re
import threading
from pathlib import Path
from typing import Any

import pytest
from websockets.sync.server import ServerConnection, serve

from tests.cli.conftest import Cli
from tests.client.videos import NIGHT, netflix_json, offer_json, video_json
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


def test_a_table_has_times_to_the_minute_and_no_column_that_is_empty_unless_it_is_asked_for(cli: Cli) -> None:
    times = [line.rstrip()[-17:] for line in cli("session", "list", "-o", "table").stdout.splitlines()]
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\dZ", times[1])
    assert "start time" not in cli("session", "list", "-o", "table").stdout
    assert "start time" in cli("session", "list", "--fields", "id,start_time", "-o", "table").stdout


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


def test_a_file_that_is_not_here_is_said_and_asked_with_all_the_same(
    cli: Cli, server: ScriptedServer, tmp_path: Path
) -> None:
    server.on("POST", "/sessions", {"session": session_json()}, 201)
    (tmp_path / "films").mkdir()
    (tmp_path / "films" / "here.mkv").touch()
    cli.variables["DATEFLICKS_CLIENT_FILMS"] = str(tmp_path / "films")
    for film, is_said in (("gone.mkv", True), ("here.mkv", False), ("films/here.mkv", False), ("~/gone.mkv", True)):
        result = cli("session", "create", film, "--guest", "bea")
        assert (result.exit_code, f"There is no file {film} here." in result.stderr) == (0, is_said)


def test_a_film_can_be_named_by_id_or_address(cli: Cli, server: ScriptedServer) -> None:
    server.on("POST", "/sessions", {"session": session_json()}, 201)
    video = "vid_" + "a" * 26
    cli("session", "create", video, "--guest", "bea")
    assert server.last.body["session"] == {"guestName": "bea", "videoId": video}
    cli("session", "create", "https://films.example.org/general.mp4", "--guest", "bea", "--title", "The General")
    assert server.last.body["session"]["video"]["url"] == "https://films.example.org/general.mp4"


def test_a_film_of_the_collection_is_asked_with_by_its_title_and_where_it_is(cli: Cli, server: ScriptedServer) -> None:
    server.on("POST", "/sessions", {"session": session_json()}, 201)
    server.on("GET", "/services", {"services": {"session": server.url, "videos": server.url}})
    film = video_json(
        offers=[netflix_json(), offer_json(url="jellyfin://k/1"), offer_json(url="https://a.example/n.mp4")]
    )
    server.on("GET", f"/videos/{NIGHT}", {"video": film})
    for more, title in (((), "Night of the Living Dead"), (("--title", "Night"), "Night")):
        cli("session", "create", NIGHT, "--guest", "bea", *more)
        assert server.last.body["session"] == {
            "guestName": "bea",
            "videoId": NIGHT,
            "video": {"url": "jellyfin://k/1", "title": title, "length": 5760.0},
        }


def test_a_link_shows_its_code(cli: Cli, server: ScriptedServer) -> None:
    server.on("POST", "/sessions", {"session": session_json(guestUserId=None, guestName=None, invitation="c0de")}, 201)
    result = cli("session", "create", "film.mkv", "--link")
    assert server.last.body["session"]["link"] is True
    assert "c0de" in result.stderr
    assert "c0de" in result.stdout


def test_when_and_how_long_are_typed_as_people_write_them(cli: Cli, server: ScriptedServer) -> None:
    server.on("POST", "/sessions", {"session": session_json()}, 201)
    words = ("session", "create", "film.mkv", "--guest", "bea", "--length", "1:30:00")
    assert cli(*words, "--at", "2026-12-01T20:00:00+01:00").exit_code == 0
    asked = server.last.body["session"]
    assert (asked["startTime"], asked["video"]["length"]) == ("2026-12-01T19:00:00.000Z", 5400.0)
    assert "--at: 'tomorrow' is no time." in cli(*words, "--at", "tomorrow").stderr


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


@pytest.mark.parametrize("words", [("accept", B), ("show", B)])
def test_a_ticket_for_a_token_of_the_settings_is_not_kept_with_another_s_sign_in(
    words: tuple[str, ...], cli: Cli, server: ScriptedServer
) -> None:
    session = {"session": session_json(id=B, state="accepted", ticket="not ana's")}
    server.on("POST", f"/sessions/{B}/accept", session)
    server.on("GET", f"/sessions/{B}", session)
    assert cli("session", *words, DATEFLICKS_CLIENT_TOKEN="an0ther").exit_code == 0
    assert cli.store.ticket(server.url, B) is None


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


def test_there_is_nothing_to_follow_before_the_film_is_opened(cli: Cli, server: ScriptedServer) -> None:
    with serve(lambda socket: socket.close(4404), "127.0.0.1", 0) as feed:
        thread = threading.Thread(target=feed.serve_forever)
        thread.start()
        timecode = f"http://127.0.0.1:{feed.socket.getsockname()[1]}"
        server.on("GET", "/services", {"services": {"session": server.url, "timecode": timecode}})
        server.on("GET", f"/sessions/{B}", {"session": session_json(id=B, state="accepted", ticket="t1cket")})
        result = cli("session", "follow", "bb")
        feed.shutdown()
        thread.join()
    assert (result.exit_code, result.stdout) == (3, "")
    assert "Nobody has opened the film" in result.stderr
    assert "dateflicks watch ses_bbbbbbbb" in result.stderr


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


# --- which of them, and what they hold --------------------------------------------------------------------------------


def timecode_json(status: str, position: float = 61.5) -> dict[str, Any]:
    about = {"sessionId": B, "length": 600.0, "currentPosition": position, "status": status, "revision": 3}
    return {"timecode": {**about, "lastStatusChange": "2026-11-24T01:43:00.123Z"}}


def test_only_those_with_somebody(cli: Cli) -> None:
    assert [one["id"] for one in cli.json("session", "list", "--with", "ANA")] == [A, AB]
    assert cli.json("session", "list", "--with", "eve") == []


def test_whether_the_film_runs_is_asked_of_those_that_are_accepted(cli: Cli, server: ScriptedServer) -> None:
    pending = session_json(id=A)
    live, paused = (session_json(id=id_, state="accepted", ticket="t1cket") for id_ in (AB, B))
    server.on("GET", "/sessions", {"items": [pending, live, paused], "next": None})
    server.on("GET", f"/timecodes/{AB}", timecode_json("play"))
    assert [one["id"] for one in cli.json("session", "list", "--status", "live")] == [AB]
    asked = next(one for one in server.asked if one.path == "/sessions")
    assert asked.query["state"] == "accepted"
    assert [one["id"] for one in cli.json("session", "list", "--status", "paused,pending")] == [A, B]


def test_an_unknown_status_is_exit_code_2_with_the_nearest_one(cli: Cli) -> None:
    result = cli("session", "list", "--status", "pendign")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "Did you mean 'pending'?" in result.stderr


def test_a_session_is_shown_with_what_it_holds_as_far_as_that_can_be_had(cli: Cli, server: ScriptedServer) -> None:
    server.on("GET", f"/sessions/{B}", {"session": session_json(id=B, state="accepted", ticket="t1cket")})
    server.on("GET", f"/timecodes/{B}", timecode_json("pause"))
    services = dict.fromkeys(("session", "timecode", "messages"), server.url)
    server.on("GET", "/services", {"services": services})
    shown = cli.json("session", "show", B)
    assert shown["film"] == {"status": "pause", "position": 61.5, "changed_at": "2026-11-24T01:43:00.123Z"}
    assert "messages" not in shown  # that service says that there is no such thing
    assert "pause" in cli("session", "show", B, "-o", "table").stdout


# --- inviting again ---------------------------------------------------------------------------------------------------


def hosted(**changes: Any) -> dict[str, Any]:
    return session_json(**{"id": A, "hostUserId": "usr_a", **changes})


@pytest.fixture
def me(server: ScriptedServer) -> None:
    server.on("GET", "/users/me", {"id": "usr_a", "name": "ana"})
    server.on("GET", f"/sessions/{A}", {"session": hosted()})


@pytest.mark.usefixtures("me")
def test_the_line_for_a_guest_who_was_asked_by_name_is_printed_again(cli: Cli, server: ScriptedServer) -> None:
    result = cli("session", "invite", A)
    host = server.url.removeprefix("http://")
    assert result.stdout == f"{A}\tdateflicks join {A}@{host}\tbea\n"
    assert "bea is asked" in result.stderr
    assert "Only this machine reaches that address" in result.stderr


@pytest.mark.usefixtures("me")
def test_a_qr_code_stands_below_for_people_and_beside_what_is_read_by_programs(cli: Cli) -> None:
    shown = cli("session", "invite", A, "--qr", "-o", "table")
    assert "▄" in shown.stdout
    piped = cli("session", "invite", A, "--qr", "--json")
    assert json.loads(piped.stdout)["id"] == A
    assert "▄" in piped.stderr


@pytest.mark.usefixtures("me")
def test_the_code_of_a_link_can_not_be_shown_again_and_another_takes_its_place(
    cli: Cli, server: ScriptedServer
) -> None:
    server.on("GET", f"/sessions/{A}", {"session": hosted(guestUserId=None, guestName=None)})
    result = cli("session", "invite", A)
    assert (result.exit_code, result.stdout) == (5, "")
    assert f"session invite {A[:12]} --link" in result.stderr
    made = hosted(id=B, guestUserId=None, guestName=None, invitation="c0de")
    server.on("POST", "/sessions", {"session": made}, 201)
    server.on("POST", f"/sessions/{A}/cancel", {"session": hosted(state="cancelled")})
    found = cli.json("session", "invite", A, "--link")
    assert (found["id"], found["replaces"]) == (B, A)
    assert found["line"].startswith("dateflicks join c0de@127.0.0.1:")


@pytest.mark.usefixtures("me")
def test_nobody_else_is_asked_when_the_guest_has_answered_just_now(cli: Cli, server: ScriptedServer) -> None:
    server.on("POST", "/sessions", {"session": hosted(id=B, guestName="eve")}, 201)
    server.on("POST", f"/sessions/{A}/cancel", Answer.problem(409, "It is answered."))
    server.on("POST", f"/sessions/{B}/cancel", {"session": hosted(id=B, state="cancelled")})
    result = cli("session", "invite", A, "--guest", "eve")
    assert (result.exit_code, result.stdout) == (5, "")
    assert server.last.path == f"/sessions/{B}/cancel"


@pytest.mark.usefixtures("me")
@pytest.mark.parametrize(("changes", "code"), [({"state": "accepted"}, 5), ({"hostUserId": "usr_b"}, 4)])
def test_who_can_not_invite_is_told(changes: dict[str, Any], code: int, cli: Cli, server: ScriptedServer) -> None:
    server.on("GET", f"/sessions/{A}", {"session": hosted(**changes)})
    assert cli("session", "invite", A).exit_code == code


def test_waiting_for_an_answer_that_does_not_come_is_exit_code_7_and_the_invitation_stands(
    cli: Cli, server: ScriptedServer
) -> None:
    server.on("POST", "/sessions", {"session": session_json()}, 201)
    result = cli("session", "create", "film.mkv", "--guest", "bea", "--wait", "0")
    assert result.exit_code == 7
    assert "bea has not answered." in result.stderr
    assert "The invitation stands" in result.stderr


def test_waiting_for_somebody_who_says_no_is_told_so(cli: Cli, server: ScriptedServer) -> None:
    server.on("POST", "/sessions", {"session": session_json(state="rejected")}, 201)
    result = cli("session", "create", "film.mkv", "--guest", "bea", "--wait", "0")
    assert result.exit_code == 5
    assert "The session is rejected." in result.stderr


# --- history as a file ------------------------------------------------------------------------------------------------


@pytest.fixture
def watched(server: ScriptedServer) -> None:
    def entry(name: str, title: str, started: str) -> dict[str, Any]:
        return {
            "sessionId": A, "videoId": None, "video": {"url": "film.mkv", "title": title, "length": 0.0},
            "withUserId": "usr_b", "withName": name, "startedAt": started, "endedAt": None,
            "position": 61.5, "length": None,
        }  # fmt: skip

    items = [
        entry("bea", '=HYPERLINK("x"), "quoted"', "2099-11-24T01:43:00.123Z"),
        entry("eve", "Another", "2001-11-24T01:43:00.123Z"),
    ]
    server.on("GET", "/history", {"items": items, "next": None})


@pytest.mark.usefixtures("watched")
def test_history_with_somebody_and_since(cli: Cli) -> None:
    assert [one["with_name"] for one in cli.json("session", "history", "--with", "EVE")] == ["eve"]
    assert [one["with_name"] for one in cli.json("session", "history", "--since", "30d")] == ["bea"]
    assert cli("session", "history", "--since", "soon").exit_code == 2


@pytest.mark.usefixtures("watched")
def test_history_as_a_file_is_what_its_name_says_and_runs_nothing(cli: Cli, tmp_path: Path) -> None:
    result = cli("session", "history", "--export", "all.csv")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "2 films are in all.csv." in result.stderr
    rows = list(csv.DictReader((tmp_path / "all.csv").read_text(encoding="utf-8").splitlines()))
    assert [row["with_name"] for row in rows] == ["bea", "eve"]
    assert rows[0]["video.title"] == '\'=HYPERLINK("x"), "quoted"'
    assert rows[0]["position"] == "61.5"
    assert cli("session", "history", "--export", "all.jsonl").exit_code == 0
    lines = (tmp_path / "all.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["with_name"] for line in lines] == ["bea", "eve"]


@pytest.mark.usefixtures("watched")
def test_a_file_of_another_kind_is_exit_code_2(cli: Cli, tmp_path: Path) -> None:
    result = cli("session", "history", "--export", "all.xlsx")
    assert result.exit_code == 2
    assert not (tmp_path / "all.xlsx").exists()


def test_what_begins_like_an_id_of_a_film_and_is_none_makes_no_session(cli: Cli, server: ScriptedServer) -> None:
    result = cli("session", "create", "vid_abc", "--guest", "bea")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "'vid_abc' is no id of a film." in result.stderr


def test_what_was_answered_already_says_where_to_see_it(cli: Cli, server: ScriptedServer) -> None:
    server.on("POST", f"/sessions/{B}/accept", Answer.problem(409, "The session has ended."))
    result = cli("session", "accept", B)
    assert result.exit_code == 5
    assert result.stderr.splitlines()[-1] == "See how it is with 'dateflicks session show ses_bbbbbbbb'."


def test_that_nothing_fits_is_not_told_as_if_there_were_nothing(cli: Cli, server: ScriptedServer) -> None:
    server.on("GET", "/history", {"items": [], "next": None})
    assert "No session of yours fits." in cli("session", "list", "--with", "carl").stderr
    assert "Nothing that you watched fits." in cli("session", "history", "--since", "1h").stderr
