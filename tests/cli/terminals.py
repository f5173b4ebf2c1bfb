"""People at real terminals: a tmux server of a test's own, a window for each person, what they see and type."""

import os
import shlex
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Self

from tests.cli.process import children_of, command_line

SECONDS = 30.0


class Terminals:
    """Each person has a window and a home of their own; everything ends with the block."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._socket = str(folder / "tmux")
        self._environ = {name: value for name, value in os.environ.items() if name != "TMUX"}

    def __enter__(self) -> Self:
        self._tmux("-f", "/dev/null", "new-session", "-d", "-s", "test", "-n", "nobody", "-x", "150", "-y", "50", "cat")
        return self

    def __exit__(self, *exception: object) -> None:
        self._tmux("kill-server")

    def run(self, person: str, command: str) -> None:
        """Run `dateflicks …` in a window of this person's own."""
        home = self._folder / person
        home.mkdir(exist_ok=True)
        variables = {"DATEFLICKS_HOME": str(home), "DATEFLICKS_CLIENT_CREDENTIALS": "file", "USER": person}
        words = [sys.executable, "-m", *shlex.split(command)]
        line = " ".join(
            ["env", *(f"{name}={shlex.quote(value)}" for name, value in variables.items()), shlex.join(words)]
        )
        self._tmux("new-window", "-t", "test", "-n", person, "-c", str(home), f"{line}; cat")

    def until(self, person: str, *either: str) -> str:
        """The first line on the person's screen with any of these words in it."""
        found: list[str] = []

        def is_there() -> bool:
            found[:] = [line for line in self._screen(person) if any(words in line for words in either)]
            return bool(found)

        self.wait_until(is_there, lambda: f"never saw {either}:\n" + "\n".join(self._screen(person)))
        return found[0]

    def wait_until(self, predicate: Callable[[], bool], otherwise: Callable[[], str] = lambda: "not in time") -> None:
        """Wait for it, with a deadline."""
        deadline = time.monotonic() + SECONDS
        while not predicate():
            assert time.monotonic() < deadline, otherwise()
            threading.Event().wait(0.05)

    def type(self, person: str, line: str) -> None:
        """Type a line."""
        self._tmux("send-keys", "-t", f"test:{person}", "-l", line)
        self.press(person, "Enter")

    def press(self, person: str, key: str) -> None:
        """Press one key, by tmux's name for it."""
        self._tmux("send-keys", "-t", f"test:{person}", key)

    def close(self, person: str) -> None:
        """Close the person's window."""
        self._tmux("kill-window", "-t", f"test:{person}")

    def descendants(self, person: str, word: str) -> list[int]:
        """The processes that run in the person's window with this word in their command line."""
        found: list[int] = []
        waiting = [int(self._tmux("display-message", "-p", "-t", f"test:{person}", "#{pane_pid}"))]
        while waiting:
            children = children_of(waiting.pop())
            found += children
            waiting += children
        return [pid for pid in found if f" {word} " in command_line(pid)]

    def _screen(self, person: str) -> list[str]:
        return self._tmux("capture-pane", "-p", "-J", "-t", f"test:{person}").splitlines()

    def _tmux(self, *words: str) -> str:
        command = ["tmux", "-S", self._socket, *words]
        done = subprocess.run(command, capture_output=True, text=True, env=self._environ, timeout=SECONDS, check=True)
        return done.stdout
