"""`dateflicks serve logs`: lines of all processes by time, followed through whatever happens to their files."""

import json
import logging
import os
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from dateflicks.cli import reading_logs
from dateflicks.cli.environment import CliEnvironment
from dateflicks.cli.log_sources import FileSource, Line, Reader, line_of_journal
from dateflicks.cli.reading_logs import Wanted, show_logs
from dateflicks.server.observe import logs as server_logs
from tests.cli.conftest import Cli

SERVICES = "dateflicks.server.services."
NASTY = "a\x1b[2J\x9b31m\u202eb\r\x07c"


def entry(minute: int, event: str, **more: object) -> str:
    record = {"time": f"2026-11-01T20:{minute:02}:00.000000Z", "level": "info", "logger": "x", "event": event, **more}
    return json.dumps(record) + "\n"


def folder_of(cli: Cli) -> Path:
    folder = cli.home / "server" / "logs"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def events(text: str) -> list[str]:
    return [json.loads(line)["event"] for line in text.splitlines()]


def test_the_logs_of_all_processes_are_put_together_by_time(cli: Cli) -> None:
    folder = folder_of(cli)
    (folder / "all-0.jsonl").write_text(entry(2, "second") + entry(4, "fourth"))
    (folder / "all-1.jsonl.1").write_text(entry(1, "first"))
    (folder / "all-1.jsonl").write_text(entry(3, "third"))
    (folder / "jobs.jsonl").write_text(entry(5, "fifth"))
    result = cli("serve", "logs")
    assert result.exit_code == 0
    assert events(result.stdout) == ["first", "second", "third", "fourth", "fifth"]
    assert [json.loads(line)["service"] for line in result.stdout.splitlines()] == ["all"] * 4 + ["jobs"]
    assert events(cli("serve", "logs", "-n", "2").stdout) == ["fourth", "fifth"]


def test_a_last_line_without_an_end_is_shown_too(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "all.jsonl"
    path.write_text(entry(1, "first") + entry(2, "last").rstrip("\n"))
    assert events(cli("serve", "logs", str(path)).stdout) == ["first", "last"]


def test_that_nothing_of_it_was_logged_is_said_beside_the_data(cli: Cli) -> None:
    (folder_of(cli) / "all.jsonl").write_text(entry(1, "said"))
    for words, told in (
        (("--level", "error"), "Nothing as grave as 'error' was logged.\n"),
        (("--service", "jobs", "--since", "1h"), "Nothing was logged by jobs since then.\n"),
    ):
        result = cli("serve", "logs", *words)
        assert (result.exit_code, result.stdout, result.stderr) == (0, "", told)
    assert cli("serve", "logs", "-n", "0").stderr == ""


def test_what_is_written_for_programs_is_json_whatever_was_logged(cli: Cli) -> None:
    line = entry(1, "said").replace('"said"', '"said", "a": 1e999, "b": [-1e999, NaN, Infinity], "c": 1.5, "d": 1e400')
    (folder_of(cli) / "all.jsonl").write_text(line + entry(2, "\ud800"))
    found = cli("serve", "logs", "-o", "jsonl").stdout.splitlines()
    record = json.loads(found[0], parse_constant=pytest.fail)
    assert [record[name] for name in "abcd"] == ["1e999", ["-1e999", "NaN", "Infinity"], 1.5, "1e400"]
    assert "a=1e999" in cli("serve", "logs", "-o", "table").stdout


def test_only_what_is_asked_for_is_shown(cli: Cli) -> None:
    (folder_of(cli) / "all.jsonl").write_text(
        entry(1, "said", logger=f"{SERVICES}timecode.handler")
        + entry(2, "warned", level="warning", logger=f"{SERVICES}messages.room")
        + entry(3, "failed", level="error", service="timecode")
        + "Traceback of something that logs no JSON\n"
    )
    shown: Callable[..., list[str]] = lambda *words: events(cli("serve", "logs", *words).stdout)  # noqa: E731
    assert shown("--service", "timecode") == ["said", "failed"]
    assert shown("--service", "messages,timecode") == ["said", "warned", "failed"]
    assert shown("--level", "warning") == ["warned", "failed", "Traceback of something that logs no JSON"]
    assert shown("--since", "2026-11-01T20:02Z")[:2] == ["warned", "failed"]
    assert shown("--since", "10m") == []
    assert cli("serve", "logs", "--fields", "event", "-n", "1", "-o", "plain").stdout.startswith("Traceback")


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--service", "timecod"), 2, "Did you mean 'timecode'?"),
        (("--since", "yesterday"), 2, "is no length of time"),
        (("--since", "2026-13-01"), 2, "is no time"),
        (("--level", "loud"), 2, "--level"),
        (("no-such-file",), 3, "There is no file no-such-file."),
        ((), 3, "--data DIR"),
    ],
)
def test_what_does_not_fit_is_said_with_what_would(cli: Cli, words: tuple[str, ...], code: int, said: str) -> None:
    result = cli("serve", "logs", *words)
    assert result.exit_code == code
    assert said in result.stderr
    assert result.stdout == ""


def test_for_people_there_is_a_line_with_colours_and_tracebacks_stand_below(cli: Cli) -> None:
    (folder_of(cli) / "all.jsonl").write_text(
        entry(1, "feed opened", session="ses_1") + entry(2, "it broke", level="error", exception="Traceback:\n  deep")
    )
    plain = cli("serve", "logs", "-o", "table").stdout
    assert plain.splitlines() == [
        "2026-11-01, times in UTC",
        "20:01:00.000 info    all        feed opened session=ses_1",
        "20:02:00.000 error   all        it broke",
        "    Traceback:",
        "      deep",
    ]
    assert "\x1b[31merror" in cli("--color", "always", "serve", "logs", "-o", "table").stdout


@pytest.mark.parametrize("form", ["table", "plain", "jsonl"])
@pytest.mark.parametrize(
    "raw",
    [
        NASTY,
        entry(1, NASTY, level=NASTY, service=NASTY, exception=NASTY, **{NASTY: NASTY}),
        '{"event": "\\ud800 half", "time": 7, "level": ["x"]}',
        '{"event": {"a": NaN}, "time": "9999-12-31T23:59:59-23:59"}',
        '{"event": "old", "time": "0001-01-01T00:00:00+23:00"}',
        '{"event": 1e999, "time": "9999-12-31T23:59:59.999999Z"}',
        "[" * 100_000,
        '"only a text"',
        "\udcff\udcfe",
        "9" * 5_000,
    ],
)
def test_whatever_is_in_a_file_nothing_of_it_moves_a_cursor(cli: Cli, form: str, raw: str) -> None:
    (folder_of(cli) / "all.jsonl").write_bytes(raw.encode(errors="surrogateescape") + b"\n" + entry(2, "end").encode())
    result = cli("serve", "logs", "-o", form)
    assert result.exit_code == 0
    assert "end" in result.stdout
    assert not set(result.stdout) & set("\x1b\x9b\u202e\r\x07")


class Following:
    """`serve logs -f` that does the next of `acts` each time that it has nothing to read."""

    def __init__(self, home: Path, acts: Iterator[None]) -> None:
        self.environment = CliEnvironment(environ={"DATEFLICKS_HOME": str(home)})
        self._acts = acts

    def wait(self, _: float) -> None:
        if next(self._acts, self) is self:
            raise KeyboardInterrupt

    def run(self, **wanted: Any) -> None:
        with pytest.raises(KeyboardInterrupt):
            show_logs(self.environment, Wanted(is_followed=True, **wanted), since=None, data=None, wait=self.wait)


def test_what_comes_is_shown_through_new_files_files_put_aside_and_half_lines(
    cli: Cli, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = folder_of(cli)
    file = folder / "all.jsonl"
    file.write_text(entry(1, "before"))

    def acts() -> Iterator[None]:
        with file.open("a") as out:
            out.write(entry(2, "grown") + entry(3, "half")[:20])
        yield
        with file.open("a") as out:
            out.write(entry(3, "half")[20:])
        yield
        (folder / "timecode-2.jsonl").write_text(entry(4, "of a new process"))
        yield
        with file.open("a") as out:
            out.write(entry(5, "last words"))
        file.rename(folder / "all.jsonl.1")
        file.write_text(entry(6, "between"))
        (folder / "all.jsonl.1").rename(folder / "all.jsonl.2")
        file.rename(folder / "all.jsonl.1")
        file.write_text(entry(7, "after two turns"))
        yield
        file.unlink()
        yield
        file.write_text(entry(8, "made again"))
        yield
        os.truncate(file, 0)
        yield
        file.write_text(entry(9, "cut"))
        yield

    Following(cli.home, acts()).run()
    assert events(capsys.readouterr().out) == [
        "before", "grown", "half", "of a new process", "last words", "between", "after two turns", "made again", "cut",
    ]  # fmt: skip


def test_a_folder_that_is_not_there_yet_is_waited_for(cli: Cli, capsys: pytest.CaptureFixture[str]) -> None:
    def acts() -> Iterator[None]:
        (folder_of(cli) / "all.jsonl").write_text(entry(1, "begun"))
        yield

    Following(cli.home, acts()).run()
    found = capsys.readouterr()
    assert events(found.out) == ["begun"]
    assert "Nothing was logged yet" in found.err
    assert found.err.count("waiting for it") == 1


@pytest.fixture
def log() -> Iterator[logging.Logger]:
    """One that tells news, and is afterwards as it was."""
    logger = logging.getLogger("dateflicks.test")
    level = logger.level
    logger.setLevel(logging.INFO)
    yield logger
    logger.setLevel(level)


def test_what_the_library_puts_aside_is_read_once_and_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, log: logging.Logger
) -> None:
    monkeypatch.setattr(server_logs, "FILE_BYTES", 2_000)
    source = FileSource(tmp_path / server_logs.FOLDER / f"all{server_logs.SUFFIX}")
    found: list[str] = []
    with server_logs.kept_log(tmp_path, "all", environ={}):
        for number in range(200):
            log.info("line %d", number)
            if number % 7 == 0:
                found += [line.record["event"] for line in _all(source)]
    found += [line.record["event"] for line in _all(source)]
    source.close()
    assert found == [f"line {number}" for number in range(200)]


def _all(source: FileSource) -> Iterator[Line]:
    while some := source.read():
        yield from some


def test_services_keep_their_log_for_its_owner_only_and_the_reader_knows_where(cli: Cli, log: logging.Logger) -> None:
    with server_logs.kept_log(cli.home / "server", "all-1", environ={}):
        log.info("kept", extra={"password": "not for logs"})
    log.info("not kept")
    (file,) = folder_of(cli).iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert (reading_logs.FOLDER, file.match(reading_logs.PATTERN)) == (server_logs.FOLDER, True)
    (line,) = cli("serve", "logs").stdout.splitlines()
    assert (json.loads(line)["event"], json.loads(line)["service"]) == ("kept", "all")
    assert "not for logs" not in line


def test_a_log_that_cannot_be_written_costs_nobody_anything(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / server_logs.FOLDER).write_text("in the way")
    with server_logs.kept_log(tmp_path, "all", environ={}):
        logging.getLogger("dateflicks.test").error("it goes on")
    assert "Traceback" not in capsys.readouterr().err


def test_where_the_journal_has_the_lines_no_file_does(tmp_path: Path) -> None:
    found = os.fstat(2)
    with server_logs.kept_log(tmp_path, "all", environ={"JOURNAL_STREAM": f"{found.st_dev}:{found.st_ino}"}):
        logging.getLogger("dateflicks.test").error("for the journal")
    assert not (tmp_path / server_logs.FOLDER).exists()


def test_the_journal_is_read_with_the_files(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    programs, asked = tmp_path / "bin", tmp_path / "asked"
    programs.mkdir()
    lines: list[dict[str, Any]] = [
        {"MESSAGE": entry(2, "ours").strip(), "_SYSTEMD_UNIT": "dateflicks.service"},
        {"MESSAGE": "Started the jobs.", "UNIT": "dateflicks-jobs.service"},
        {"MESSAGE": [104, 105, 27, 999, "x"], "_SYSTEMD_UNIT": "dateflicks.service"},
        {"other": 1},
    ]
    text = "\n".join(json.dumps({"__REALTIME_TIMESTAMP": "1793563380000000", **one}) for one in lines)
    (programs / "entries").write_text(text + "\n")
    program = programs / "journalctl"
    program.write_text(f'#!/bin/sh\necho "$@" > {asked}\ncat {programs}/entries\n')
    program.chmod(0o755)
    monkeypatch.setattr(reading_logs, "JOURNAL", tmp_path)
    cli.variables["PATH"] = f"{programs}:/usr/bin:/bin"
    (folder_of(cli) / "all.jsonl").write_text(entry(1, "by hand"))
    result = cli("serve", "logs")
    found = [json.loads(line) for line in result.stdout.splitlines()]
    assert [one["event"] for one in found[:4]] == ["by hand", "ours", "Started the jobs.", "hi\x1b"]
    assert [one["service"] for one in found[:4]] == ["all", "all", "jobs", "all"]
    assert "--unit=dateflicks* --lines=200" in asked.read_text()
    cli("serve", "logs", "--since", "2026-11-01T20:00Z")
    assert "--lines=all --since=@1793563200" in asked.read_text()
    assert datetime.fromtimestamp(1793563200, UTC).isoformat() == "2026-11-01T20:00:00+00:00"


def test_of_a_journal_that_is_followed_the_last_lines_that_fit_come_first_and_then_what_comes(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    programs, asked = tmp_path / "bin", tmp_path / "asked"
    programs.mkdir()

    def kept(name: str, *lines: tuple[int, str, str]) -> None:
        found = [
            {
                "__REALTIME_TIMESTAMP": "1793563380000000",
                "__CURSOR": f"s=1;i={number}",
                "MESSAGE": entry(number, event, level=level).strip(),
            }
            for number, level, event in lines
        ]
        (programs / name).write_text("".join(json.dumps(one) + "\n" for one in found))

    kept("before", (1, "error", "first"), (2, "error", "second"), (3, "info", "quiet"))
    kept("after", (4, "info", "quiet, too"), (5, "error", "third"))
    program = programs / "journalctl"
    program.write_text(
        f'#!/bin/sh\necho "$@" >> {asked}\n'
        f'case "$*" in *--follow*) exec cat {programs}/after;; *) exec cat {programs}/before;; esac\n'
    )
    program.chmod(0o755)
    monkeypatch.setattr(reading_logs, "JOURNAL", tmp_path)
    folder_of(cli)
    following = Following(cli.home, iter([None] * 400))
    following.environment = CliEnvironment(
        environ={"DATEFLICKS_HOME": str(cli.home), "PATH": f"{programs}:/usr/bin:/bin"}
    )
    shown: list[str] = []

    def wait(_: float) -> None:
        shown.extend(events(capsys.readouterr().out))
        if "third" in shown:
            raise KeyboardInterrupt
        threading.Event().wait(0.02)

    following.wait = wait  # type: ignore[method-assign]  # until it is there
    following.run(level="error", lines=1)
    assert shown == ["second", "third"]
    history, follow = asked.read_text().splitlines()
    assert "--lines=all" in history
    assert "--lines=all --after-cursor=s=1;i=3 --follow" in follow

    asked.unlink()
    shown.clear()
    (programs / "before").write_text("")
    following.run(lines=0)
    assert "--lines=0 --follow" in asked.read_text()


@pytest.mark.parametrize("time", ["9" * 18, "9" * 400, "-" + "9" * 20])
def test_a_line_of_the_journal_whose_time_makes_no_sense_is_told(time: str) -> None:
    text = json.dumps({"__REALTIME_TIMESTAMP": time, "MESSAGE": "when?"})
    line = line_of_journal(text, "all", 5.0)
    assert (line.at, "when?" in line.record["event"]) == (5.0, True)


def test_a_line_of_the_journal_that_has_no_end_of_its_own_is_told() -> None:
    reader = Reader("all", line_of_journal)
    assert reader.lines(b"half") == []
    (line,) = reader.lines(b"", is_end=True)
    assert line.record["event"] == "half"


def test_what_a_shell_puts_in_place_of_a_file_is_read(cli: Cli, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_text, args=(entry(1, "through it"),), daemon=True)
    writer.start()
    assert events(cli("serve", "logs", str(pipe)).stdout) == ["through it"]
    writer.join(30)


def test_a_file_that_cannot_be_read_is_said(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder_of(cli) / "all.jsonl").write_text(entry(1, "hidden"))

    def refuse(path: Path, _: int) -> int:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("dateflicks.cli.log_sources.os.open", refuse)
    result = cli("serve", "logs")
    assert result.exit_code == 1
    assert "all.jsonl cannot be read: Permission denied." in result.stderr


@pytest.mark.parametrize("flags", [(), ("-f",)])
def test_what_comes_on_stdin_is_read_to_its_end(tmp_path: Path, flags: tuple[str, ...]) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "dateflicks", "serve", "logs", "-", "-o", "plain", "--fields", "event", *flags],
        input=entry(1, "one") + "no JSON\n" + entry(2, "two").rstrip(),
        env={**os.environ, "DATEFLICKS_HOME": str(tmp_path)},
        capture_output=True, text=True, timeout=50, check=False,
    )  # fmt: skip
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.splitlines() == ["one", "no JSON", "two"]
