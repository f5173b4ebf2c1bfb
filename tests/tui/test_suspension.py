"""Ctrl-Z: back to the shell for a while, as from any program of it, and the screen is there again with fg."""

import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from dateflicks.tui._textual_private import text_grid
from dateflicks.tui.widgets.composer import Composer
from tests.cli.terminals import Terminals
from tests.conftest import require
from tests.tui.evenings import states
from tests.tui.still import StillApp, settled, until

STATES = states()
SAYS: Final = "from dateflicks.tui.suspension import suspended; print(suspended())"


class Shells(Terminals):
    """A shell in each person's window, with what is typed there."""

    def shell(self, person: str) -> None:
        """A window of 80×24 with a shell that has job control."""
        home = self._folder / person
        home.mkdir()
        variables = {
            "DATEFLICKS_HOME": home, "HOME": home, "DATEFLICKS_CLIENT_CREDENTIALS": "file", "USER": person,
            "PYTHONPATH": Path(__file__).parents[2], "PS1": f"{person}:",
        }  # fmt: skip
        setting = " ".join(f"{name}={value}" for name, value in variables.items())
        self._tmux("new-window", "-t", "test", "-n", person, "-c", str(home), f"env {setting} bash --norc -i")
        self._tmux("resize-window", "-t", f"test:{person}", "-x", "80", "-y", "24")
        self.until(person, f"{person}:")

    def write(self, person: str, text: str) -> None:
        """Type a text, without what sends it."""
        self._tmux("send-keys", "-t", f"test:{person}", "-l", text)

    def sees(self, person: str, *words: str) -> str:
        """Wait until all of these stand on the person's screen, and what stands there."""
        self.wait_until(lambda: all(one in self.shown(person) for one in words), lambda: self.shown(person))
        return self.shown(person)

    def shown(self, person: str) -> str:
        """What stands on the person's screen."""
        return "\n".join(self._screen(person))

    def is_given_back(self, person: str) -> bool:
        """Whether the terminal is as a shell wants it: no other screen, no reports of the mouse."""
        flags = "#{alternate_on}#{mouse_any_flag}#{cursor_flag}"
        return self._tmux("display-message", "-p", "-t", f"test:{person}", flags).strip() == "001"


def _stopped(pid: int) -> bool:
    _, status = os.waitpid(pid, os.WUNTRACED)
    return os.WIFSTOPPED(status)


def test_a_program_that_a_shell_looks_after_stops_until_it_is_to_go_on() -> None:
    process = subprocess.Popen([sys.executable, "-c", SAYS], stdout=subprocess.PIPE, process_group=0)
    assert _stopped(process.pid)
    os.kill(process.pid, signal.SIGCONT)
    told, _ = process.communicate(timeout=30)
    assert told == b"True\n"


def test_what_waits_for_a_program_is_stopped_with_it_so_that_no_shell_waits_for_both() -> None:
    waiting = f"import subprocess, sys; sys.exit(subprocess.run([sys.executable, '-c', {SAYS!r}]).returncode)"
    process = subprocess.Popen([sys.executable, "-c", waiting], stdout=subprocess.PIPE, process_group=0)
    assert _stopped(process.pid)
    os.killpg(process.pid, signal.SIGCONT)
    told, _ = process.communicate(timeout=30)
    assert (told, process.returncode) == (b"True\n", 0)


def test_a_program_that_no_shell_looks_after_does_not_stop() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SAYS], stdout=subprocess.PIPE, start_new_session=True, timeout=30, check=True
    )
    assert done.stdout == b"False\n"


@pytest.mark.parametrize("key", [None, "slash", "g", "f1"], ids=["film", "while one writes", "dialog", "help"])
async def test_where_there_is_no_shell_the_key_says_so_and_everything_stays(tmp_path: Path, key: str | None) -> None:
    app = StillApp(tmp_path, STATES["playing"])
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        if key is not None:
            await pilot.press(key)
        await settled(pilot)
        await pilot.press("ctrl+z")
        await until(pilot, lambda: "There is no shell here" in text_grid(app))


async def test_what_was_typed_can_be_undone_all_the_same(tmp_path: Path) -> None:
    app = StillApp(tmp_path, STATES["playing"])
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("slash", *"hello")
        composer = app.screen.query_one(Composer)
        assert composer.value == "hello"
        await pilot.press("ctrl+z")
        assert composer.value == "hello"
        await pilot.press("ctrl+underscore")
        assert composer.value == ""


@pytest.mark.slow
@pytest.mark.long
def test_at_a_real_terminal_the_shell_comes_and_then_the_film_again_with_what_was_being_written(tmp_path: Path) -> None:
    require("tmux", "bash")
    (tmp_path / "film.mkv").write_bytes(b"film")
    dateflicks = shlex.join([sys.executable, "-m", "dateflicks"])
    with Shells(tmp_path) as two:
        for person in ("ana", "bea"):
            two.shell(person)
        two.type("ana", f"clear; {dateflicks} host {tmp_path / 'film.mkv'} --port 0 --player simulated")
        line = two.until("ana", "dateflicks join ").strip(" │").split(maxsplit=1)[1]
        two.press("ana", "C-z")
        two.sees("ana", "Stopped", "ana:")
        assert two.is_given_back("ana")
        two.type("bea", f"clear; {dateflicks} {line} --player simulated")  # the server goes on meanwhile
        two.sees("bea", "● live")
        two.type("ana", "fg")
        two.sees("ana", "start the film", "● live")

        two.press("ana", "/")
        two.write("ana", "half a thought")
        two.sees("ana", "> half a thought")
        two.press("ana", "C-z")
        two.sees("ana", "Stopped", "ana:")
        two.sees("bea", "away")
        two.type("ana", "bg")  # it has nothing to do there, and waits on
        two.type("ana", "jobs")
        two.sees("ana", "jobs", "Stopped")
        two.type("ana", "clear; fg")
        two.sees("ana", "● live", "> half a thought")
        two.write("ana", ", and the rest")
        two.press("ana", "Enter")
        two.sees("bea", "half a thought, and the rest")
        two.press("ana", "C-q")
        two.until("ana", "Leave the film?")
        two.press("ana", "y")
        two.sees("ana", "The server of the evening ends with it.", "ana:")
        assert two.is_given_back("ana")
