"""An evening at two real terminals of 80×24, with real keys: from a line each to a film, talk and a settled prediction;
and what is left of a terminal when it ends badly.
"""

import asyncio
import json
import shlex
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from dateflicks.client.players.film import make_film
from tests.cli.process import is_running
from tests.cli.terminals import Terminals
from tests.conftest import require

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

BREAKS = """
import sys
from dateflicks.tui.screens.watch import WatchScreen
def breaks(self):
    raise ZeroDivisionError("the screen is broken")
WatchScreen.action_view_sync = breaks
from dateflicks.cli.main import run
run()
"""


class Evening(Terminals):
    """Terminals of the size that everybody has, with players that show nothing."""

    def narrow(self, person: str, *options: str, mpv: Path | None = None, program: str = "") -> None:
        """A window of 80×24 in which `dateflicks …` runs, and its exit status is said afterwards."""
        home = self._folder / person
        home.mkdir(exist_ok=True)
        arguments = "--vo=null,--ao=null" + (f",--input-ipc-server={mpv}" if mpv is not None else "")
        variables = {
            "DATEFLICKS_HOME": home, "DATEFLICKS_CLIENT_CREDENTIALS": "file", "USER": person,
            "DATEFLICKS_CLIENT_MPV_ARGUMENTS": arguments, "PYTHONPATH": Path(__file__).parents[2],
        }  # fmt: skip
        words = [sys.executable, *(["-c", program] if program else ["-m", "dateflicks"]), *options]
        setting = " ".join(f"{name}={value}" for name, value in variables.items())
        script = self._folder / f"{person}.sh"
        script.write_text(f"env {setting} {shlex.join(words)}; echo status=$?; exec cat\n", encoding="utf-8")
        self._tmux("new-window", "-t", "test", "-n", person, "-c", str(home), f"sh {script}")
        self._tmux("resize-window", "-t", f"test:{person}", "-x", "80", "-y", "24")

    def sees(self, person: str, *words: str) -> str:
        """Wait until all of these stand on the person's screen, and what stands there."""
        self.wait_until(lambda: all(one in self.shown(person) for one in words), lambda: self.shown(person))
        return self.shown(person)

    def shown(self, person: str) -> str:
        """What stands on the person's screen."""
        return "\n".join(self._screen(person))

    def keys(self, person: str, *keys: str) -> None:
        """Press keys, by tmux's names for them."""
        for key in keys:
            self.press(person, key)

    def write(self, person: str, text: str) -> None:
        """Type a text, without what sends it."""
        self._tmux("send-keys", "-t", f"test:{person}", "-l", text)

    def is_given_back(self, person: str) -> bool:
        """Whether the terminal is as a shell wants it: no other screen, no reports of the mouse."""
        flags = self._tmux(
            "display-message", "-p", "-t", f"test:{person}", "#{alternate_on}#{mouse_any_flag}#{cursor_flag}"
        )
        return flags.strip() == "001"


def _mpv_key(path: Path, key: str) -> None:
    """Press a key in somebody's mpv."""
    with socket.socket(socket.AF_UNIX) as ipc:
        ipc.settimeout(10.0)
        ipc.connect(str(path))
        ipc.sendall(json.dumps({"command": ["keypress", key]}).encode() + b"\n")
        ipc.recv(4096)


@pytest.mark.mpv
def test_a_newcomer_and_a_friend_get_from_a_line_each_to_a_film_talk_and_a_settled_prediction(tmp_path: Path) -> None:
    require("tmux", "mpv", "ffmpeg")
    film = tmp_path / "The_General.mkv"
    asyncio.run(make_film(film, 120.0))
    (tmp_path / "bea").mkdir()
    shutil.copy(film, tmp_path / "bea")
    with Evening(tmp_path) as two:
        two.narrow("ana", "host", str(film), "--port", "0", mpv=tmp_path / "ana.mpv")
        line = two.until("ana", "dateflicks join ")
        assert "Waiting for your guest" in two.sees("ana", "Read this to your friend", "Waiting for your guest")
        two.narrow("bea", *line.strip(" │").split()[1:], mpv=tmp_path / "bea.mpv")
        for person, other in (("ana", "bea"), ("bea", "ana")):
            two.sees(person, f"You and {other} are both here", "[space] start the film", "mpv ✓", "● live")

        two.keys("ana", "Space")
        for person in ("ana", "bea"):
            two.sees(person, "PLAYING", "in sync", "ana started the film")

        two.keys("bea", "/")
        two.write("bea", "popcorn ready?")
        two.keys("bea", "Enter")
        two.sees("ana", "popcorn ready?")
        two.sees("bea", "tab complete")
        two.keys("bea", "Escape")
        two.sees("bea", "space play/pause")

        _mpv_key(tmp_path / "bea.mpv", "RIGHT")
        two.sees("ana", "bea wants to GO TO 0:", "[y] go there", "[n] stay here")
        two.sees("bea", "You ask to GO TO", "[n] take back")
        _mpv_key(tmp_path / "ana.mpv", "y")
        two.sees("ana", "bea moved to 0:")
        _mpv_key(tmp_path / "ana.mpv", "SPACE")
        two.sees("bea", "PAUSED", "paused together")

        two.keys("ana", "p")
        two.sees("ana", "Nothing is predicted yet.", "[a]")
        two.keys("ana", "a")
        two.sees("ana", "What will happen?")
        two.write("ana", "Buster gets the girl")
        two.keys("ana", "Enter")
        two.sees("ana", "[enter] call it")
        two.sees("bea", "ana predicts", "[p] call it")
        two.keys("bea", "p")
        two.sees("bea", "[enter] call it")
        for person, option in (("ana", "2"), ("bea", "1")):
            two.keys(person, "Enter")
            two.sees(person, "Which one comes true?")
            two.keys(person, option)
            two.sees(person, "How sure are you?")
            two.keys(person, "4")
            two.sees(person, "[s] once known")
        two.keys("ana", "s")
        two.sees("ana", "Is it known how it comes out?")
        two.keys("ana", "y")
        two.sees("ana", "What came true?")
        two.keys("ana", "1")
        two.sees("bea", "yes? [y] confirm")
        two.keys("bea", "y")
        for person in ("ana", "bea"):
            two.sees(person, "came out: yes", "right")

        two.keys("bea", "p")
        two.sees("bea", "space play/pause")
        players = [*two.descendants("ana", "--idle=yes"), *two.descendants("bea", "--idle=yes")]
        assert len(players) == 2
        two.keys("bea", "q")
        two.sees("bea", "ana is still here. Leave the film?")
        two.keys("bea", "y")
        two.sees("bea", "The General with ana: ", "Go on with: dateflicks watch --resume", "status=0")
        two.sees("ana", "came out: yes")
        two.keys("ana", "C-q")
        two.sees(
            "ana", "The General with bea: ", "You left at 0:", "The server of the evening ends with it.", "status=0"
        )
        two.wait_until(lambda: not any(is_running(pid) for pid in players))
        assert two.is_given_back("ana")
        assert two.is_given_back("bea")


def test_a_screen_that_breaks_down_gives_the_terminal_back_and_says_how_to_go_on_and_a_signal_does_too(
    tmp_path: Path,
) -> None:
    require("tmux")
    film = tmp_path / "The_General.mkv"
    film.write_bytes(b"film")
    with Evening(tmp_path) as two:
        two.narrow("ana", "host", str(film), "--port", "0", "--player", "simulated")
        line = two.until("ana", "dateflicks join ").strip(" │").split()[1:]
        two.narrow("bea", *line, "--player", "simulated", program=BREAKS)
        two.sees("bea", "start the film")
        two.keys("bea", "/")
        two.write("bea", "half a thought")
        two.sees("bea", "> half a thought", "tab complete")
        two.keys("bea", "Escape")
        two.sees("bea", "space play/pause")
        two.keys("bea", "v")
        told = two.sees("bea", "status=1")
        assert "ZeroDivisionError: the screen is broken" in told
        assert "The evening is kept. Go on with: dateflicks watch --resume" in told
        assert two.is_given_back("bea")
        log = (tmp_path / "bea" / "errors.log").read_text(encoding="utf-8")
        assert "in breaks" in log
        assert "Traceback" in log

        two.close("bea")
        two.narrow("bea", "watch", "--resume", "--player", "simulated")
        two.sees("bea", "start the film", "> half a thought")
        (pid,) = [pid for pid in two.descendants("bea", "watch") if "env" not in _name_of(pid)]
        subprocess.run(["kill", "-TERM", str(pid)], check=True)
        told = two.sees("bea", "status=130")
        assert "Go on with: dateflicks watch --resume" in told
        assert "Interrupted." in told
        assert two.is_given_back("bea")

        server = two.descendants("ana", "serve")
        two.close("ana")
        two.wait_until(lambda: not any(is_running(one) for one in server))


def _name_of(pid: int) -> str:
    return Path(f"/proc/{pid}/comm").read_text(encoding="utf-8")
