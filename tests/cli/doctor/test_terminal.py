"""The terminal: whether it is fit, and that it gets well again."""

import contextlib
import os
import pty
import sys
import termios
from collections.abc import Iterator
from typing import Any

import pytest

from dateflicks.cli.doctor.terminal import RESET, reset_terminal, terminal
from dateflicks.cli.environment import CliEnvironment
from dateflicks.cli.exits import Exit
from tests.cli.conftest import Cli
from tests.cli.doctor.looking import look


@contextlib.contextmanager
def a_terminal(monkeypatch: pytest.MonkeyPatch, columns: int, rows: int) -> Iterator[tuple[int, Any]]:
    """A real one of this size, in the place of stdin and stdout; its other end, and the stream."""
    other, own = pty.openpty()
    termios.tcsetwinsize(own, (rows, columns))
    with os.fdopen(own, "r+b", buffering=0) as raw, open(own, "w", closefd=False, encoding="utf-8") as stream:
        assert raw.isatty()
        monkeypatch.setattr(sys, "stdin", stream)
        monkeypatch.setattr(sys, "stdout", stream)
        yield other, stream
        monkeypatch.undo()
    os.close(other)


@pytest.mark.parametrize(
    ("size", "name", "state"),
    [
        ((120, 40), "xterm-256color", "ok"),
        ((60, 18), "xterm", "note"),
        ((30, 8), "xterm", "wrong"),
        ((120, 40), "dumb", "wrong"),
    ],
)
def test_the_terminal_is_looked_at(
    size: tuple[int, int], name: str, state: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with a_terminal(monkeypatch, *size):
        (found,) = terminal(CliEnvironment(environ={"TERM": name}))
    assert found.state == state
    assert ("256 colours" in found.found) is (state == "ok")


def test_a_broken_terminal_is_as_usual_again(monkeypatch: pytest.MonkeyPatch) -> None:
    with a_terminal(monkeypatch, 80, 24) as (other, stream):
        found = termios.tcgetattr(stream.fileno())
        found[1] &= ~termios.OPOST
        found[3] &= ~(termios.ECHO | termios.ICANON | termios.ISIG)
        termios.tcsetattr(stream.fileno(), termios.TCSANOW, found)
        reset_terminal(CliEnvironment(environ={}))
        assert RESET.encode() in os.read(other, 4096)
        modes = termios.tcgetattr(stream.fileno())
        assert modes[1] & termios.OPOST
        assert modes[3] & (termios.ECHO | termios.ICANON | termios.ISIG)


def test_without_a_terminal_there_is_none_to_look_at(doctor: Cli) -> None:
    assert look(doctor, "terminal")[0]["state"] == "note"
    assert doctor("doctor", "--reset-terminal").exit_code == Exit.USAGE
