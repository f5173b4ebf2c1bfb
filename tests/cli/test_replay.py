"""`dateflicks replay`: a log in, a line for each decision out."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Cli

LOG = """\
{"format":"dateflicks-playback","version":1,"sessionId":"s","at":100,"length":600}
{"input":"join","at":100,"userId":"usr_ana","role":"host"}
{"input":"join","at":101,"userId":"usr_bea","role":"guest"}
{"input":"act","at":102,"userId":"usr_ana","currentPosition":0,"status":"play","isHost":true}
{"input":"act","at":102.5,"userId":"usr_ana","currentPosition":0,"status":"play","isHost":false}
{"input":"delay","at":103,"userId":"usr_bea","seconds":0.25}
{"input":"act","at":104,"userId":"usr_bea","currentPosition":0,"status":"play","isHost":false}
"""


@pytest.fixture
def log(tmp_path: Path) -> str:
    path = tmp_path / "evening.jsonl"
    path.write_text(LOG, encoding="utf-8")
    return str(path)


def test_each_decision_is_a_line_of_json(cli: Cli, log: str) -> None:
    result = cli("replay", log, "--json")
    decisions = [json.loads(line) for line in result.stdout.splitlines()]
    assert [one["input"] for one in decisions] == ["join", "join", "act", "act", "delay", "act"]
    asked, refused, _, playing = decisions[2:]
    assert asked["told"][0]["pending"] == {"by": "usr_ana", "from": "stop", "to": "play", "deadline": 162}
    assert (asked["next_wake"], asked["wakes_in"]) == (162, 60)
    assert (refused["refused"], refused["told"]) == ("wrong-role", [])
    assert (playing["status"], playing["told"][0]["rate"], playing["told"][0]["at"]) == ("play", 1, 104.475)
    assert "6 inputs, 4 events told." in result.stderr


def test_a_table_says_who_did_what_and_what_was_told(cli: Cli, log: str) -> None:
    lines = cli("replay", log, "-o", "table").stdout.splitlines()
    assert lines[0].split() == ["line", "at", "who", "input", "what", "decision"]
    assert lines[3].split() == [
        "4", "+2.000", "ana", "act", "play", "0.000", "r3", "play", "by", "ana", "->", "stop", "0.000",
        "(asked:", "play)",
    ]  # fmt: skip
    assert lines[4].endswith("refused: wrong-role")


def test_only_what_was_told_and_only_what_one_did(cli: Cli, log: str) -> None:
    assert len(cli("replay", log, "--told").stdout.splitlines()) == 5
    assert len(cli("replay", log, "--by", "usr_bea").stdout.splitlines()) == 3


def test_a_log_may_come_from_a_pipe(cli: Cli) -> None:
    assert len(cli("replay", "-", keys=LOG).stdout.splitlines()) == 6


def test_what_was_good_is_printed_before_the_line_that_is_not(cli: Cli) -> None:
    result = cli("replay", "-", keys=LOG + '{"input":"\\u001b[2J","at":105}\n')
    assert result.exit_code == 9
    assert len(result.stdout.splitlines()) == 6
    assert "Error: What was read: Line 8 can not be played: Invalid value" in result.stderr
    assert "\x1b" not in result.stderr


@pytest.mark.parametrize(("content", "said"), [("", "is empty"), ("x\n" * 3, "Line 1"), ("9" * 70_000, "longer than")])
def test_what_is_no_log_is_said(content: str, said: str, cli: Cli) -> None:
    result = cli("replay", "-", keys=content)
    assert (result.exit_code, result.stdout) == (9, "")
    assert said in result.stderr


def test_a_file_that_is_not_there_is_exit_code_3(cli: Cli, tmp_path: Path) -> None:
    assert cli("replay", "nothing.jsonl").exit_code == 3
    assert cli("replay", str(tmp_path)).exit_code == 1
