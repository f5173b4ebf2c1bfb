"""How far runs are: bars on a terminal that go away, a line now and then elsewhere, nothing when asked to be quiet."""

import io

import pytest

from dateflicks.cli import progress as module
from dateflicks.cli.environment import CliEnvironment
from dateflicks.cli.progress import progress, told
from dateflicks.server.providers.records import Counters

COUNTERS = Counters(seen=700, new=600, quarantined=3)


class Screen(io.StringIO):
    """A terminal."""

    def isatty(self) -> bool:
        return True


def test_counters_are_told_in_words_without_what_there_is_none_of() -> None:
    assert told(COUNTERS) == "700 seen, 600 new, 3 left out"
    assert told(Counters()) == "0 seen"


def test_a_terminal_shows_a_bar_for_each_job_that_is_gone_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Screen()
    monkeypatch.setattr("sys.stderr", screen)
    with progress(CliEnvironment(environ={"TERM": "xterm"})) as tell:
        tell("archive", COUNTERS)
        tell("[red]films", COUNTERS)
    shown = screen.getvalue()
    assert "archive" in shown
    assert "[red]films" in shown
    assert "700 seen, 600 new, 3 left out" in shown
    assert shown.rstrip("\n").endswith("\x1b[2K")  # wiped


def test_elsewhere_a_line_is_said_now_and_then(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with progress(CliEnvironment(environ={})) as tell:
        tell("archive", COUNTERS)
        assert capsys.readouterr().err == ""
        monkeypatch.setattr(module, "LINE_SECONDS", 0.0)
        tell("archive", COUNTERS)
    assert capsys.readouterr().err == "archive: 700 seen, 600 new, 3 left out\n"


def test_whoever_wants_quiet_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Screen()
    monkeypatch.setattr("sys.stderr", screen)
    with progress(CliEnvironment(environ={"TERM": "xterm"}, is_quiet=True)) as tell:
        tell("archive", COUNTERS)
    assert screen.getvalue() == ""
