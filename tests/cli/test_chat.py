"""Talk on the command line: what is asked of the service, what is shown of its answer, what the shell is told."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from dateflicks.cli.chatting import duration_of
from dateflicks.cli.commands.chat import _place_of_last
from dateflicks.cli.failures import CliError
from dateflicks.client import chat_history
from dateflicks.protocol.chat import Message
from tests.cli.conftest import Cli
from tests.client.talking import message
from tests.scripted_server import Answer, ScriptedServer, session_json

A = "ses_" + "a" * 26
ENDED = "ses_" + "e" * 26
PATH = f"/messages/{A}"
TIME = "2026-11-24T01:43:0{}.000Z"


def plain(seq: int, **changes: Any) -> Any:
    return msgspec.json.decode(msgspec.json.encode(message(seq, session_id=A, **changes)))


@pytest.fixture(autouse=True)
def service(cli: Cli, server: ScriptedServer) -> None:
    """One session with three messages, and one that is over."""
    cli.sign_in()
    server.on("GET", "/services", {"services": dict.fromkeys(("session", "timecode", "messages"), server.url)})
    session = session_json(id=A, state="accepted", ticket="t1cket")
    over = session_json(id=ENDED, state="ended")
    server.on("GET", "/sessions", {"items": [session, over], "next": None})
    server.on("GET", f"/sessions/{A}", {"session": session})
    server.on("GET", f"/sessions/{ENDED}", {"session": over})
    has(server, plain(1, content="hello"), plain(2, position=61.5), plain(3, type="reaction", content="🎉"))
    server.on("POST", PATH, {"message": plain(4, content="kept")}, 201)


def has(server: ScriptedServer, *messages: Any, path: str = PATH) -> None:
    server.on("GET", path, {"items": list(messages), "next": None})


def said(server: ScriptedServer) -> list[Any]:
    return [asked.body["message"] for asked in server.asked if (asked.method, asked.path) == ("POST", PATH)]


# --- saying -----------------------------------------------------------------------------------------------------


def test_what_is_said_travels_with_a_name_of_its_own_and_the_kept_message_is_shown(
    cli: Cli, server: ScriptedServer
) -> None:
    result = cli("chat", "send", "a", "Did you see that?", "--at", "41:12")
    assert result.exit_code == 0, result.stderr
    (request,) = said(server)
    assert len(request.pop("clientId")) == 32
    assert request == {"content": "Did you see that?", "position": 2472.0}
    assert server.last.headers["Authorization"] == "Bearer t1cket"
    assert result.stdout.split("\t")[:7] == ["msg_4", "4", TIME.format(4), "", "Bea", "text", "kept"]
    assert cli.json("chat", "send", A, "again")["client_id"] is None
    assert cli.store.ticket(server.url, A) == "t1cket"


def test_on_a_terminal_it_is_only_said_that_it_was_sent(cli: Cli) -> None:
    result = cli("chat", "send", "a", "hello", "-o", "table")
    assert (result.stdout, result.stderr) == ("", "Sent.\n")


@pytest.mark.parametrize(
    ("typed", "kind", "content"),
    [("/me laughs", "action", "laughs"), ("/mean", "text", "/mean"), ("\ud800", "text", "?")],
)
def test_me_is_an_action(typed: str, kind: str, content: str, cli: Cli, server: ScriptedServer) -> None:
    assert cli("chat", "send", "a", typed).exit_code == 0
    assert (said(server)[0].get("kind", "text"), said(server)[0]["content"]) == (kind, content)


def test_a_reaction_is_one_and_answers_a_message_by_its_number_or_its_id(cli: Cli, server: ScriptedServer) -> None:
    has(server, plain(12))
    assert cli("chat", "react", "a", "🎉", "--reply-to", "12").exit_code == 0
    assert cli("chat", "react", "a", "heart", "--reply-to", "msg_x").exit_code == 0
    assert [(one["kind"], one["content"], one["replyTo"]) for one in said(server)] == [
        ("reaction", "🎉", "msg_12"), ("reaction", "heart", "msg_x"),
    ]  # fmt: skip
    result = cli("chat", "react", "a", "heart", "--reply-to", "13")
    assert (result.exit_code, len(said(server))) == (3, 2)


@pytest.mark.parametrize(("status", "code"), [(401, 4), (403, 4), (404, 3), (409, 5), (422, 2), (500, 1)])
def test_each_refusal_has_its_exit_code(status: int, code: int, cli: Cli, server: ScriptedServer) -> None:
    server.on("POST", PATH, Answer.problem(status, "Because of this."))
    result = cli("chat", "send", "a", "hello")
    assert (result.exit_code, result.stdout) == (code, "")
    assert result.stderr.startswith("Error: Because of this.\n")
    assert len(result.stderr.splitlines()) <= 3


def test_a_limit_is_waited_out_under_the_same_name(cli: Cli, server: ScriptedServer) -> None:
    def then() -> None:
        server.on("POST", PATH, {"message": plain(4)}, 201)

    refusal = Answer.problem(429, "Too much.", retry_after=0)
    server.on("POST", PATH, Answer(refusal.status, refusal.body, refusal.headers, then))
    assert cli("chat", "send", "a", "hello").exit_code == 0
    assert len({one["clientId"] for one in said(server)}) == 1
    assert len(said(server)) == 2


def test_a_service_that_is_away_is_tried_again_and_then_given_up(
    cli: Cli, server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chat_history, "PAUSES_SECONDS", (0.01, 60.0))
    server.on("POST", PATH, Answer.problem(503, "The database is away."))
    result = cli("chat", "send", "a", "hello")
    assert (result.exit_code, len(said(server))) == (6, 2)
    assert "database is away" in result.stderr


@pytest.mark.parametrize(
    "words", [("send", "a", "x", "--at", "noon"), ("tail", "a", "--since", "soon"), ("tail", "a", "-n", "-1")]
)
def test_what_was_typed_wrong_is_exit_code_2(words: tuple[str, ...], cli: Cli, server: ScriptedServer) -> None:
    result = cli("chat", *words)
    assert (result.exit_code, result.stdout, said(server)) == (2, "", [])


def test_a_session_that_is_none_is_exit_code_3(cli: Cli) -> None:
    assert cli("chat", "send", "zz", "x").exit_code == 3


# --- listening --------------------------------------------------------------------------------------------------


def test_a_tail_into_a_pipe_is_tab_separated_with_the_id_first(cli: Cli) -> None:
    rows = [line.split("\t") for line in cli("chat", "tail", "a").stdout.splitlines()]
    assert [row[0] for row in rows] == ["msg_1", "msg_2", "msg_3"]
    assert rows[1][1:7] == ["2", TIME.format(2), "61.5", "Bea", "text", "line 2"]


def test_for_people_each_line_has_its_film_time(cli: Cli) -> None:
    assert cli("chat", "tail", "a", "-o", "table").stdout.splitlines() == [
        "         Bea: hello",
        "   1:01  Bea: line 2",
        "         Bea reacts: 🎉",
    ]


def test_for_programs_each_message_is_a_line_of_json(cli: Cli) -> None:
    lines = [json.loads(line) for line in cli("chat", "tail", "a", "--json").stdout.splitlines()]
    assert [(line["seq"], line["author_name"], line["position"]) for line in lines][1] == (2, "Bea", 61.5)
    assert cli("chat", "tail", "a", "--fields", "seq,content").stdout.splitlines()[0] == "1\thello"


def test_only_one_persons_words(cli: Cli, server: ScriptedServer) -> None:
    has(server, plain(1), plain(2, author_name="Ana"))
    assert cli("chat", "tail", "a", "--author", "ana", "--fields", "seq").stdout == "2\n"


def test_that_somebody_said_nothing_is_told(cli: Cli, server: ScriptedServer) -> None:
    has(server, plain(1))
    told = cli("chat", "tail", "a", "--author", "carl")
    assert (told.exit_code, told.stdout) == (0, "")
    assert told.stderr == "Nothing was said by carl.\n"


def test_a_tail_asks_for_no_more_than_it_shows(cli: Cli, server: ScriptedServer) -> None:
    has(server, plain(500))
    cli("chat", "tail", "a", "-n", "7")
    assert server.last.query == {"after": "493", "limit": "200"}
    cli("chat", "tail", "a")
    assert server.last.query["after"] == "480"


def test_the_last_words_of_one_person_are_looked_for_beyond_those_of_others(cli: Cli, server: ScriptedServer) -> None:
    has(server, *(plain(number, author_name="Ana" if number in (3, 4) else "Bea") for number in range(1, 10)))
    cli("chat", "tail", "a", "-n", "1", "--author", "ana")
    assert server.last.query["after"] == "3"
    cli("chat", "tail", "a", "-n", "2", "--author", "ana")
    assert server.last.query["after"] == "2"
    cli("chat", "tail", "a", "-n", "0", "--author", "ana")
    assert server.last.query["after"] == "9"


async def test_somebody_who_has_said_less_is_looked_for_page_by_page_to_the_beginning() -> None:
    asked: list[int] = []

    class Talk:
        async def newest(self) -> list[Message]:
            return [message(number, author_name="Bea") for number in range(7, 10)]

        async def before(self, seq: int) -> list[Message]:
            asked.append(seq)
            return [message(number, author_name="Bea") for number in range(max(1, seq - 3), seq)]

    talk: Any = Talk()
    assert await _place_of_last(talk, 1, "ana", 0) == 0
    assert asked == [7, 4, 1]
    asked.clear()
    assert await _place_of_last(talk, 1, "ana", 5) == 5
    assert asked == [7, 4]


def test_hostile_text_reaches_neither_terminal_nor_pipe(cli: Cli, server: ScriptedServer, tmp_path: Path) -> None:
    evil = "\x1b[2J\x1b]0;gotcha\x07[bold]a\tb\r\n\x9b31m\u202egnp.exe"
    has(server, plain(1, content=evil, author_name=evil, position=1.0))
    shown = [cli("chat", "tail", "a", "-o", form).stdout for form in ("table", "plain", "json", "jsonl")]
    shown += [cli("chat", "export", "a", "--format", form).stdout for form in ("text", "jsonl", "srt")]
    for text in shown:
        assert not any(character in text for character in "\x1b\x07\r\x9b\u202e")
        assert "[bold]a" in text


def test_a_kept_ticket_is_enough_when_the_session_is_over_or_its_service_away(cli: Cli, server: ScriptedServer) -> None:
    has(server, plain(1), path=f"/messages/{ENDED}")
    assert cli("chat", "tail", "e").exit_code == 5
    cli.store.put_ticket(server.url, ENDED, "k3pt")
    assert cli("chat", "tail", "e").exit_code == 0
    assert server.last.headers["Authorization"] == "Bearer k3pt"
    server.on("GET", "/sessions", Answer.problem(503, "Away."))
    assert cli("chat", "export", "e").exit_code == 0
    assert cli("chat", "export", "z").exit_code == 6


# --- keeping ----------------------------------------------------------------------------------------------------


def test_text_has_both_times_and_further_lines_below_the_first(cli: Cli, server: ScriptedServer) -> None:
    has(server, plain(1, content="one\ntwo", position=61.0), plain(2, reply_to="msg_1"))
    assert cli("chat", "export", "a").stdout.splitlines() == [
        "2026-11-24 01:43:01     1:01  Bea: one",
        "                              two",
        "2026-11-24 01:43:02           Bea (to Bea): line 2",
    ]


def test_lines_of_json_have_everything(cli: Cli) -> None:
    for words in (("--format", "jsonl"), ("--json",)):
        lines = [json.loads(line) for line in cli("chat", "export", "a", *words).stdout.splitlines()]
        assert [line["type"] for line in lines] == ["text", "text", "reaction"]


def test_subtitles_say_on_stderr_how_many_have_no_place(cli: Cli) -> None:
    result = cli("chat", "export", "a", "--format", "srt")
    assert result.stdout.startswith("1\n00:01:01,500 --> ")
    assert result.stderr == "2 without a film position are left out.\n"


def test_a_file_is_written_whole_and_not_over_another_without_a_yes(cli: Cli, tmp_path: Path) -> None:
    out = tmp_path / "talk.srt"
    result = cli("chat", "export", "a", "--format", "srt", "--out", str(out))
    assert (result.exit_code, result.stdout) == (0, "")
    assert "1 message is in" in result.stderr
    out.write_text("mine", encoding="utf-8")
    assert cli("chat", "export", "a", "--out", str(out)).exit_code == 2
    assert out.read_text(encoding="utf-8") == "mine"
    assert cli("chat", "export", "a", "--out", str(out), "--yes").exit_code == 0
    assert "Bea: hello" in out.read_text(encoding="utf-8")
    assert [path.name for path in tmp_path.glob(".*.new")] == []


def test_a_file_stays_as_it_was_when_the_talk_can_not_be_read(cli: Cli, server: ScriptedServer, tmp_path: Path) -> None:
    out = tmp_path / "talk.txt"
    out.write_text("mine", encoding="utf-8")
    server.on("GET", PATH, Answer.problem(503, "Away."))
    assert cli("chat", "export", "a", "--out", str(out), "-y").exit_code == 6
    assert out.read_text(encoding="utf-8") == "mine"
    assert [path.name for path in tmp_path.glob(".*.new")] == []


@pytest.mark.parametrize("where", ["missing/talk.txt", "."])
def test_where_nothing_can_be_written_is_told_in_three_lines(where: str, cli: Cli) -> None:
    result = cli("chat", "export", "a", "--out", where)
    assert result.exit_code == 1
    assert "cannot be written" in result.stderr
    assert len(result.stderr.splitlines()) <= 3


def test_a_dash_is_stdout_and_a_device_is_written_to(cli: Cli) -> None:
    assert "Bea: hello" in cli("chat", "export", "a", "--out", "-").stdout
    assert cli("chat", "export", "a", "--out", "/dev/null").exit_code == 0
    assert Path("/dev/null").is_char_device()


# --- times ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "seconds"), [("10m", 600), ("1h30m", 5_400), ("90s", 90), ("90", 90), ("2d", 172_800), (" 1m5s ", 65)]
)
def test_lengths_of_time_are_read_as_people_write_them(text: str, seconds: int) -> None:
    assert duration_of(text, "--since") == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "m", "10x", "-5m", "m10", "1.5h", "5m5m"])
def test_what_is_no_length_of_time_is_told(text: str) -> None:
    with pytest.raises(CliError, match="no length of time"):
        duration_of(text, "--since")


def test_the_longest_length_of_time_is_still_one() -> None:
    assert duration_of("9" * 40 + "d", "--since") <= timedelta(seconds=10**9)
