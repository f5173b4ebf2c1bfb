"""What fits into a terminal: whole ids, words in one piece, and records by themselves where no table has room."""

import io
import sys
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dateflicks.cli.environment import CliEnvironment
from dateflicks.cli.output import Format, Printer
from dateflicks.cli.sessions import COLUMNS
from dateflicks.cli.tables import folded, wide
from dateflicks.cli.telling import teller_of

A, B = "ses_" + "a" * 26, "ses_" + "b" * 26
SESSIONS: list[dict[str, Any]] = [
    {
        "id": A, "state": "accepted", "host_name": "ana", "guest_name": "beatrice-the-second",
        "video": {"title": "Night of the Living Dead"}, "start_time": "2026-11-24T20:00:00Z",
        "created_at": "2026-11-23T20:00:00Z",
    },
    {
        "id": B, "state": "pending", "host_name": "ana", "guest_name": None, "video": {"title": "M"},
        "start_time": None, "created_at": "2026-11-23T20:00:00Z",
    },
]  # fmt: skip


def table(records: list[dict[str, Any]], columns: tuple[str, ...], width: int) -> list[str]:
    stream = io.StringIO()
    Printer(stream, Format.TABLE, (), color=False, width=width).many(records, columns)
    return [line.rstrip() for line in stream.getvalue().splitlines()]


@pytest.mark.parametrize("width", [120, 100, 80, 60, 44])
def test_ids_stay_whole_and_no_line_is_too_long(width: int) -> None:
    lines = table(SESSIONS, COLUMNS, width)
    assert all(any(one in line for line in lines) for one in (A, B))
    assert max(map(len, lines)) <= width


def test_what_matters_least_makes_room_before_words_are_broken() -> None:
    assert "created" in " ".join(table(SESSIONS, COLUMNS, 140)[:2])
    lines = table(SESSIONS, COLUMNS, 80)
    assert "created" not in " ".join(lines[:2])
    assert [line.split()[:2] for line in lines if line.startswith("ses_")] == [[A, "accepted"], [B, "pending"]]


def test_where_a_table_has_no_room_each_record_stands_by_itself() -> None:
    lines = table(SESSIONS, COLUMNS, 60)
    assert lines[:5] == [
        f"id           {A}", "state        accepted", "host name    ana", "guest name   beatrice-the-second",
        "video title  Night of the Living Dead",
    ]  # fmt: skip
    assert lines.count("") == 1


def test_a_row_that_would_be_a_tower_stands_by_itself() -> None:
    long = "a word and another one " * 12
    assert (
        table([{"id": A, "details": long, "options": "x" * 12, "status": "open"}], ("id", "status", "details"), 60)[0]
        == f"id       {A}"
    )


def test_a_name_that_is_typed_stays_whole() -> None:
    rows = [{"id": A, "name": "simulated-03886a452f60", "state": "active"}]
    for width in (80, 60, 44):
        assert any("simulated-03886a452f60" in line for line in table(rows, ("id", "name", "state"), width))


def test_of_a_list_a_person_reads_what_is_in_it() -> None:
    assert table([{"id": A, "options": ["yes", "no"], "films": []}], ("id", "options", "films"), 80)[1] == (
        f"{A}  yes, no  []"
    )


PATH = "/home/ana/.config/dateflicks/profiles/work/client.toml"


@pytest.mark.parametrize("width", [100, 80, 60, 44])
def test_a_path_stays_whole_however_long_it_is(width: int) -> None:
    rows = [
        {"key": "client.gentle", "value": "yes", "origin": PATH},
        {"key": "client.server", "value": "x", "origin": "default"},
    ]
    lines = table(rows, ("key", "value", "origin"), width)
    assert any(line.endswith(PATH) for line in lines)
    assert next(line.split()[-1] for line in lines if "client.server" in line) == "default"


def test_a_path_without_room_has_a_line_of_its_own_below_its_row() -> None:
    rows = [
        {"key": "client.gentle", "value": "yes", "origin": PATH},
        {"key": "client.server", "value": "x", "origin": "default"},
    ]
    assert table(rows, ("key", "value", "origin"), 60) == [
        "key            value  origin", "client.gentle  yes", f"  {PATH}", "client.server  x      default",
    ]  # fmt: skip


def test_a_command_that_is_to_be_typed_stays_whole() -> None:
    stream = io.StringIO()
    line = f"dateflicks join {A}@127.0.0.1:8700"
    Printer(stream, Format.TABLE, (), color=False, width=60).one({"id": A, "line": line}, ("id", "line"))
    assert stream.getvalue().splitlines()[-1] == f"  {line}"


def test_so_it_is_where_a_record_stands_by_itself() -> None:
    stream = io.StringIO()
    printer = Printer(stream, Format.TABLE, (), color=False, width=50)
    printer.one({"key": "client.gentle", "file": PATH, "state": "in use"}, ("key", "file", "state"))
    assert [line.rstrip() for line in stream.getvalue().splitlines()] == [
        "key    client.gentle", "file", f"  {PATH}", "state  in use",
    ]  # fmt: skip


@settings(max_examples=40)
@given(
    cells=st.lists(st.lists(st.text("ab -映\t"), min_size=3, max_size=3), min_size=1, max_size=4),
    width=st.integers(1, 90),
)
def test_no_table_is_wider_than_its_terminal(cells: list[list[str]], width: int) -> None:
    records = [dict(zip(("id", "title", "why"), row, strict=True)) for row in cells]
    assert max(map(wide, table(records, ("id", "title", "why"), width)), default=0) <= max(width, 12)


# --- lines ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "lines"),
    [
        ("short", ["short"]),
        ("Nobody is there any more, and nothing waits.", ["Nobody is there any", "more, and nothing", "waits."]),
        ("Type 'dateflicks login now', or so.", ["Type", "'dateflicks login now',", "or so."]),
        ("Go on with: dateflicks watch --resume", ["Go on with:", "dateflicks watch --resume"]),
        ("  anna's and bea's: one, two", ["  anna's and bea's:", "  one, two"]),
        ("/a/path/that/is/longer-than-any/line is", ["/a/path/that/is/longer-than-any/line", "is"]),
    ],
)
def test_a_line_that_is_too_long_goes_on_below_between_words(line: str, lines: list[str]) -> None:
    assert folded(line, 20).split("\n") == lines


def test_words_are_fitted_to_a_terminal_and_left_alone_in_a_pipe(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    for stream, lines in ((Terminal(), 2), (io.StringIO(), 1)):
        monkeypatch.setattr(sys, "stderr", stream)
        CliEnvironment(environ={"COLUMNS": "40"}).say("One two three four five six seven eight nine ten.")
        assert len(stream.getvalue().splitlines()) == lines


def test_so_is_what_an_evening_tells_line_by_line(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr(sys, "stdout", stdout := Terminal())
    teller = teller_of(CliEnvironment(environ={"COLUMNS": "40"}))
    teller.say("'nonsense' is no command. Commands: play, pause, stop.")
    assert stdout.getvalue() == "'nonsense' is no command. Commands:\nplay, pause, stop.\n"
