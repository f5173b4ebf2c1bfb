"""`dateflicks demo` as a program: the whole of it, its exit codes, and that nothing is left behind."""

import json
import os
import pty
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from dateflicks.cli.demo import run
from dateflicks.cli.demo.people import StepFailed
from dateflicks.cli.demo.stage import demo_folder
from dateflicks.cli.demo.steps import steps
from dateflicks.cli.demo.story import Scene, Step
from tests.cli.conftest import Cli
from tests.conftest import require

PROGRAM = (sys.executable, "-m", "dateflicks", "demo")
NAMES = [step.name for step in steps(5.0)]
WITHIN_SECONDS = 200  # a minute, and twice that beside other tests


def environ_in(folder: Path, **variables: str) -> dict[str, str]:
    """The demo's temporary folders go here, so that one can see what is left."""
    return {**os.environ, "TMPDIR": str(folder), **variables}


def processes_in(folder: Path) -> list[str]:
    """Command lines that name the folder: services, engines and players of a demo that ran there."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                words = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            except OSError:
                continue
            if str(folder) in words:
                found.append(words)
    return found


def gone(folder: Path, *, seconds: float = 10.0) -> bool:
    """Whether within some seconds nothing of a demo is left: no process, no file."""
    deadline = time.monotonic() + seconds
    while processes_in(folder) or any(folder.iterdir()):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def demo(folder: Path, *args: str) -> tuple[int, Any, str]:
    done = subprocess.run(
        [*PROGRAM, "--json", *args],
        capture_output=True,
        text=True,
        env=environ_in(folder),
        timeout=WITHIN_SECONDS,
        check=False,
    )
    return done.returncode, json.loads(done.stdout), done.stderr


def check(code: int, report: Any, words: str, player: str) -> None:
    assert code == 0, words
    assert sorted(report) == ["drift_ms", "ok", "player", "steps"]
    assert (report["ok"], report["player"]) == (True, player)
    assert [step["name"] for step in report["steps"]] == NAMES
    assert all(sorted(step) == ["detail", "name", "ok"] and step["ok"] is True for step in report["steps"])
    assert sorted(report["drift_ms"]) == ["max", "median", "p95"]
    assert 0 <= report["drift_ms"]["median"] <= report["drift_ms"]["p95"] <= min(40.0, report["drift_ms"]["max"])


@pytest.fixture
def place() -> Iterator[Path]:
    """Where a demo's folder goes; its name is short, because a socket's must be."""
    with tempfile.TemporaryDirectory(prefix="t-", dir="/tmp", ignore_cleanup_errors=True) as name:
        yield Path(name)


@pytest.mark.long
@pytest.mark.slow
@pytest.mark.timeout(WITHIN_SECONDS + 20)
def test_with_simulated_players_every_step_holds_and_nothing_is_left(place: Path) -> None:
    code, report, words = demo(place, "--player", "simulated", "--confirm-seconds", "2")
    check(code, report, words, "simulated")
    assert "simulated player" in words
    assert gone(place)


@pytest.mark.slow
@pytest.mark.mpv
@pytest.mark.timeout(WITHIN_SECONDS + 20)
def test_with_real_players_every_step_holds_and_nothing_is_left(place: Path) -> None:
    require("mpv", "ffmpeg")
    code, report, words = demo(place, "--player", "mpv", "--confirm-seconds", "2")
    check(code, report, words, "mpv")
    assert "an mpv" in words
    assert gone(place)


async def _holds(_: Scene) -> str:
    return "it held"


async def _fails(_: Scene) -> str:
    raise StepFailed("it did not hold")


def short(*chosen: Step) -> Any:
    def instead(_: float) -> Sequence[Step]:
        return chosen

    return instead


def test_a_step_that_fails_is_exit_code_1(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "steps", short(Step("one", "", _holds), Step("two", "", _fails)))
    result = cli("demo", "--json", "--player", "simulated")
    assert result.exit_code == 1
    assert json.loads(result.stdout) == {
        "ok": False,
        "player": "simulated",
        "steps": [
            {"name": "one", "ok": True, "detail": "it held"},
            {"name": "two", "ok": False, "detail": "it did not hold"},
        ],
        "drift_ms": {"median": None, "p95": None, "max": None},
    }
    assert "1 step of 2 did not hold: two." in result.stderr


def test_when_all_hold_it_is_exit_code_0_with_a_line_for_each(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "steps", short(Step("one", "", _holds), Step("two", "", _holds)))
    result = cli("demo", "--player", "simulated")
    assert result.exit_code == 0
    assert [line.split()[:2] for line in result.stdout.splitlines()[1:3]] == [["ok", "one"], ["ok", "two"]]
    assert result.stdout.splitlines()[-1].startswith("All 2 steps held")


def test_without_mpv_it_says_what_is_missing_and_who_stands_in(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "steps", short(Step("one", "", _holds)))
    monkeypatch.setenv("PATH", "/nowhere")
    result = cli("demo")
    assert result.exit_code == 0
    assert result.stdout.splitlines()[0] == (
        "Two people watch a film here, each with a simulated player: mpv and ffmpeg are not installed."
    )
    assert cli("demo", "--player", "mpv").exit_code == 1


@pytest.mark.long  # in every run the one on a terminal is interrupted
@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 130)])
def test_interrupted_it_leaves_nothing_behind(place: Path, number: signal.Signals, code: int) -> None:
    with subprocess.Popen(
        [*PROGRAM, "--player", "simulated"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environ_in(place),
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if " connect " in line:
                break
        assert processes_in(place)
        process.send_signal(number)
        assert process.wait(20) == code
    assert gone(place)


def test_where_temporary_folders_have_long_names_its_folder_is_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = tmp_path / ("x" * 60)
    long.mkdir()
    for base in (long, tmp_path):
        monkeypatch.setattr(tempfile, "tempdir", str(base))
        with demo_folder(is_kept=False) as folder:
            assert folder.is_dir()
            assert len(str(folder / "ana.mpv")) <= 104
        assert not folder.exists()


@pytest.mark.long
@pytest.mark.slow
def test_killed_it_takes_its_services_with_it(place: Path) -> None:
    with subprocess.Popen(
        [*PROGRAM, "--player", "simulated"], stdout=subprocess.PIPE, text=True, env=environ_in(place)
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if " register " in line:
                break
        process.kill()
    deadline = time.monotonic() + 10
    while processes_in(place):
        assert time.monotonic() < deadline, processes_in(place)
        time.sleep(0.05)


@pytest.mark.slow
def test_on_a_terminal_it_draws_one_screen_and_leaves_the_summary(place: Path) -> None:
    master, terminal = pty.openpty()
    environ = environ_in(place, TERM="xterm", COLUMNS="80", LINES="24")
    process = subprocess.Popen(
        [*PROGRAM, "--player", "simulated"],
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        env=environ,
        start_new_session=True,
    )
    os.close(terminal)
    shown = b""
    while "✓ register".encode() not in shown:
        readable, _, _ = select.select([master], [], [], 30)
        assert readable, shown
        shown += os.read(master, 65536)
    process.send_signal(signal.SIGINT)
    while True:
        try:
            if not (more := os.read(master, 65536)):
                break
        except OSError:
            break
        shown += more
    assert process.wait(20) == 130
    os.close(master)
    assert b"\x1b[?25h" in shown  # the cursor is shown again
    assert b"\x1b[3" not in shown  # NO_COLOR is set for all tests
    assert gone(place)
