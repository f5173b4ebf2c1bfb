"""Two people at real terminals of 80×24 with a shell each, in homes of their own, who type what a page tells them."""

import os
import re
import shlex
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

from tests.cli.test_terminal_evening import Evening
from tests.docs.pages import Block

_PROGRAM: Final = f'#!/bin/sh\nexec "{sys.executable}" -m dateflicks "$@"\n'
PROMPT: Final = "ok> "


class Couple(Evening):
    """What one sees, types and presses; a player shows nothing, and everything of them is below one folder."""

    def sit_down(self, person: str, **variables: str) -> Path:
        """A terminal with a shell for this person, and the home where it begins."""
        home, programs = self._folder / person, self._folder / "bin"
        for folder in (home, programs):
            folder.mkdir(exist_ok=True)
        (programs / "dateflicks").write_text(_PROGRAM, encoding="utf-8")
        (programs / "dateflicks").chmod(0o755)
        settings = {
            "HOME": str(home), "USER": person, "PATH": f"{programs}:{os.environ['PATH']}", "LC_ALL": "C.UTF-8",
            "NO_COLOR": "1", "PS1": PROMPT, "PYTHONPATH": str(Path(__file__).parents[2]),
            "DATEFLICKS_CLIENT_MPV_ARGUMENTS": "--vo=null,--ao=null", **variables,
        }  # fmt: skip
        words = " ".join(f"{name}={shlex.quote(value)}" for name, value in settings.items())
        shell = f'exec env -i TERM="$TERM" {words} bash --noprofile --norc -i'
        self._tmux("new-window", "-t", "test", "-n", person, "-c", str(home), shell)
        self._tmux("resize-window", "-t", f"test:{person}", "-x", "80", "-y", "24")
        return home

    def is_told(self, person: str, line: str) -> None:
        """Type a line of a page into the person's shell, on an empty screen."""
        self._tmux("send-keys", "-t", f"test:{person}", "C-l")
        self._tmux("clear-history", "-t", f"test:{person}")
        self.type(person, line)

    def is_back(self, person: str) -> str:
        """Wait until the shell asks for the next line, and what stands there."""
        self.wait_until(lambda: self.shown(person).rstrip().endswith(PROMPT.strip()), lambda: self.shown(person))
        return self.shown(person)

    def word_of(self, person: str, command: str) -> str:
        """The line beginning with this command that the person is to read to the other."""
        line = self.until(person, command)
        return line[line.index(command) :].strip(" │").split(" │")[0].strip()

    def answered(self, command: str, folder: Path, seconds: float) -> tuple[int, str]:
        """How a command ends in a terminal of its own, and what it leaves there. Raises AssertionError in time."""
        self._tmux("new-window", "-t", "test", "-n", "asked", "-c", str(folder), f"{command}; echo ended=$?; exec cat")
        self._tmux("resize-window", "-t", "test:asked", "-x", "80", "-y", "24")
        deadline = time.monotonic() + seconds
        while (found := re.search(r"^ended=(\d+)$", self.told("asked"), re.MULTILINE)) is None:
            assert time.monotonic() < deadline, self.told("asked")
            threading.Event().wait(0.1)
        return int(found[1]), self.told("asked")[: found.start()]

    def told(self, person: str) -> str:
        """All that the person's shell has shown since the last line, also what has left the screen."""
        return self._tmux("capture-pane", "-p", "-J", "-S", "-", "-t", f"test:{person}")


class Script:
    """The lines of a page that two people type, each in the order of the page, with what is other here put in."""

    def __init__(self, blocks: Iterable[Block], words: dict[str, str]) -> None:
        self._lines = [(block.played_by, line) for block in blocks if block.played_by for line in block.commands]
        for made_up, real in words.items():
            self._lines = [(person, line.replace(made_up, real)) for person, line in self._lines]

    def line(self, person: str, beginning: str) -> str:
        """The next line of this person's that begins so; of `dateflicks` alone, the one that is no more than this."""
        found = next(
            one
            for one in self._lines
            if one[0] == person and (one[1] == beginning or (" " in beginning and one[1].startswith(f"{beginning} ")))
        )
        self._lines.remove(found)
        return found[1]

    @property
    def left(self) -> Sequence[tuple[str, str]]:
        """What nobody has typed."""
        return self._lines


def told_at_terminal(command: str, folder: Path, variables: Mapping[str, str], seconds: float) -> tuple[int, str]:
    """How a command ends, and what it leaves on a terminal of 80 columns. Raises AssertionError when it does not."""
    words = " ".join(f"{name}={shlex.quote(value)}" for name, value in variables.items() if name != "COLUMNS")
    script = folder / "asked.sh"
    script.write_text(f"{command}\n", encoding="utf-8")
    with Couple(Path(tempfile.mkdtemp(dir=folder))) as terminals:  # that of the last one may not have ended yet
        return terminals.answered(f'env -i TERM="$TERM" {words} bash {script}', folder, seconds)
