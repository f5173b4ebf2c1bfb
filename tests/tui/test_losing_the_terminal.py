"""The terminal is gone: the client ends, instead of drawing for nobody on a processor of its own."""

import os
import pty
import select
import signal
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

WITHIN: Final = 30.0  # seconds; a busy machine is slow
DRAWN: Final = b"\x1b[?1049h"  # the other screen of a terminal
TIMES: Final = 8
IN_ITS_TERMINAL: Final = """
import fcntl, runpy, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
sys.argv = ["dateflicks", "host", "/films/a.mkv", "--player", "none", "--length", "1:00:00", "--port", "0"]
runpy.run_module("dateflicks", run_name="__main__")
"""


def _drawn(terminal: int) -> bytes:
    told = b""
    while DRAWN not in told and select.select([terminal], [], [], WITHIN)[0]:
        told += os.read(terminal, 65536)
    return told


@pytest.mark.long
def test_an_evening_whose_window_is_closed_ends(tmp_path: Path) -> None:
    """The system itself tells whoever is in its foreground: to hang up, and to go on if they were stopped."""
    ours, theirs = pty.openpty()
    environ = os.environ | {"DATEFLICKS_HOME": str(tmp_path), "HOME": str(tmp_path), "TERM": "xterm-256color"}
    process = subprocess.Popen(
        [sys.executable, "-c", IN_ITS_TERMINAL],
        stdin=theirs, stdout=theirs, stderr=theirs, env=environ, start_new_session=True,
    )  # fmt: skip
    os.close(theirs)
    try:
        assert DRAWN in _drawn(ours)
        os.close(ours)
        assert process.wait(WITHIN) != 0
    finally:
        process.kill()
        process.wait()


@pytest.mark.slow
def test_a_client_that_was_stopped_from_outside_draws_again_when_it_goes_on(tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    environ = os.environ | {"DATEFLICKS_HOME": str(tmp_path), "HOME": str(tmp_path), "TERM": "xterm-256color"}
    process = subprocess.Popen(
        [sys.executable, "-m", "dateflicks", "lobby"],
        stdin=theirs, stdout=theirs, stderr=theirs, env=environ, start_new_session=True,
    )  # fmt: skip
    try:
        assert DRAWN in _drawn(ours)
        threads = Path(f"/proc/{process.pid}/task")
        before = len(list(threads.iterdir()))
        for _ in range(TIMES):
            process.send_signal(signal.SIGSTOP)
            process.send_signal(signal.SIGCONT)
            assert DRAWN in _drawn(ours)
        assert len(list(threads.iterdir())) < before + TIMES  # none that reads or writes beside the one that does
    finally:
        os.close(theirs)
        os.close(ours)
        process.kill()
        process.wait()


@pytest.mark.slow
@pytest.mark.parametrize("hears_of_it", [True, False], ids=["hung up", "deaf to it, as under nohup"])
def test_a_client_whose_terminal_is_gone_ends(tmp_path: Path, *, hears_of_it: bool) -> None:
    ours, theirs = pty.openpty()
    environ = os.environ | {"DATEFLICKS_HOME": str(tmp_path), "HOME": str(tmp_path), "TERM": "xterm-256color"}
    before = signal.getsignal(signal.SIGHUP)
    if not hears_of_it:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)  # which a child has from its parent
    try:
        process = subprocess.Popen(
            [sys.executable, "-m", "dateflicks", "lobby"],
            stdin=theirs, stdout=theirs, stderr=theirs, env=environ, start_new_session=True,
        )  # fmt: skip
    finally:
        signal.signal(signal.SIGHUP, before)
        os.close(theirs)
    try:
        assert DRAWN in _drawn(ours)
        os.close(ours)
        if hears_of_it:
            process.send_signal(signal.SIGHUP)  # what the system sends to whom the terminal belongs
        assert process.wait(WITHIN) != 0
    finally:
        process.kill()
        process.wait()
