"""Where the commands of a page are run: a home of its own, a server with what `db seed` makes, Ana signed in.

What a page has made up, such as the id of a session, is replaced by what there is here; machines, services and engines
that are not here have programs in their places that say whether what they are told makes sense.
"""

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from tests.conftest import require
from tests.docs.couple import told_at_terminal
from tests.docs.outputs import is_answered
from tests.docs.pages import Block
from tests.journeys.deployment import running_server

SECONDS: Final = 150.0
TRIES: Final = 3
FILM: Final = "The_General.mkv"
GOES_ON: Final = re.compile(
    r"^(?:docker compose exec \w+ )?dateflicks (?:serve (?:all|session|web)\b|serve logs -f|jobs start)"
)
SETTLED: Final = (re.compile(r"https?://"), re.compile(r"\S\n"))  # what is said by what serves, and by all others
_ELSEWHERE: Final = '#!/bin/sh\nshift\nexec sh -c "$1"\n'  # the other machine is this one
_PROGRAM: Final = f'#!/bin/sh\nexec "{sys.executable}" -m dateflicks "$@"\n'


@dataclass
class Stage:
    """A folder to be in, and variables that lead everything there."""

    folder: Path
    variables: Mapping[str, str]
    words: dict[str, str] = field(default_factory=dict)
    session: str = ""

    def run(self, block: Block) -> None:
        """The block as one script, that ends at the first command which does. Raises AssertionError."""
        if block.language == "console":
            self._answer(block)
        elif block.goes_on:
            self._run_while_some_go_on(block)
        else:
            self._run(block, self._with_what_is_here(block.text))

    def _run(self, block: Block, script: str) -> None:
        done = subprocess.run(
            ["bash", "-e", "-o", "pipefail", "-c", script],
            cwd=self.folder, env=dict(self.variables), stdin=subprocess.DEVNULL, check=False, capture_output=True,
            text=True, timeout=SECONDS,
        )  # fmt: skip
        assert done.returncode in block.exit_codes, (
            f"{block.name} ended with {done.returncode}, not {block.exit_codes}:\n{script}\n{done.stdout}{done.stderr}"
        )
        assert "Traceback" not in done.stdout + done.stderr, f"{block.name}:\n{done.stderr}"

    def _answer(self, block: Block) -> None:
        """Each command of a block that shows answers, at a terminal, as whoever reads the page would see it."""
        require("tmux")
        for command, shown in block.answers:
            script = self._with_what_is_here(command)
            for _ in range(
                TRIES
            ):  # players that are held in step to milliseconds, on a machine that is not theirs alone
                code, told = told_at_terminal(script, self.folder, self.variables, SECONDS)
                if code in block.exit_codes and is_answered(shown, told):
                    break
            assert code in block.exit_codes, f"{block.name}: {script} ended with {code}:\n{told}"
            assert is_answered(shown, told), f"{block.name}: {script} answers otherwise:\n{told}"

    def _run_while_some_go_on(self, block: Block) -> None:
        """Line by line: what goes on does so beside the lines below it, and is then ended as by Ctrl-C."""
        with contextlib.ExitStack() as stack:
            for line in Block(block.page, block.line, block.language, self._with_what_is_here(block.text)).commands:
                if GOES_ON.match(line):
                    stack.enter_context(self._going_on(block, line))
                else:
                    self._run(block, line)

    @contextlib.contextmanager
    def _going_on(self, block: Block, line: str) -> Iterator[None]:
        log = self.folder / f"{block.page.stem}-{block.line}-{len(list(self.folder.glob('*.said')))}.said"
        with log.open("wb") as said:
            process = subprocess.Popen(
                ["bash", "-c", f"exec {line}"], cwd=self.folder, env=dict(self.variables), stdin=subprocess.DEVNULL,
                stdout=said, stderr=subprocess.STDOUT,
            )  # fmt: skip
        try:
            deadline = time.monotonic() + SECONDS
            while (
                SETTLED["serve" not in line or "logs" in line].search(log.read_text()) is None
                and process.poll() is None
            ):
                assert time.monotonic() < deadline, f"{block.name}: {line} says nothing:\n{log.read_text()}"
                threading.Event().wait(0.05)
            assert process.poll() is None, f"{block.name}: {line} ended by itself:\n{log.read_text()}"
            yield
            process.send_signal(signal.SIGINT)
            assert process.wait(SECONDS) in (0, 130), f"{block.name}: {line}:\n{log.read_text()}"
            assert "Traceback" not in log.read_text(), f"{block.name}: {line}:\n{log.read_text()}"
        finally:
            if process.poll() is None:
                process.kill()
                process.wait(SECONDS)

    def tell(self, *words: str, answer: str = "") -> str:
        """What a command of ours says. Raises AssertionError."""
        command = [sys.executable, "-m", "dateflicks", *words]
        done = subprocess.run(
            command, cwd=self.folder, env=dict(self.variables), input=answer, check=False, capture_output=True,
            text=True, timeout=SECONDS,
        )  # fmt: skip
        assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
        return done.stdout

    def told(self, *words: str) -> Any:
        """The same, as JSON."""
        return json.loads(self.tell(*words, "--json"))

    def put(self, program: str, script: str) -> None:
        """A program of this name, before all others."""
        path = self.folder / "bin" / program
        path.write_text(script, encoding="utf-8")
        path.chmod(0o755)

    def _with_what_is_here(self, text: str) -> str:
        for made_up, real in self.words.items():
            text = text.replace(made_up, real)
        if "prd_k3" in text:  # made by the line above, so its name is asked for when that has been run
            new, _, rest = text.partition("prd_k3")
            ask = f"$(dateflicks predict list {self.session} -o plain | head -1 | cut -f1)"
            text = new + ask + rest.replace("prd_k3", ask)
        return text


def free_port() -> int:
    """A port that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def staged(folder: Path, *, is_served: bool = True) -> Iterator[Stage]:
    """The stage; without a server only the database is there, in the folder where the settings look for it."""
    home, data = folder / "home", folder / "data"
    for one in (home, folder / "bin", folder / "films"):
        one.mkdir()
    for place in (folder / FILM, folder / "films" / FILM):
        place.write_bytes(b"\x1a\x45\xdf\xa3" + bytes(60))
    kept = {name: os.environ[name] for name in ("LANG", "TMPDIR") if name in os.environ}
    variables = {
        **kept, "PATH": f"{folder / 'bin'}:{os.environ['PATH']}", "HOME": str(home), "LC_ALL": "C.UTF-8",
        "NO_COLOR": "1", "DATEFLICKS_ALL_DATA": str(data), "DATEFLICKS_CLIENT_CREDENTIALS": "file", "COLUMNS": "100",
        "USER": "ana",
    }  # fmt: skip
    stage = Stage(folder, variables, {"/films/": f"{folder}/films/"})
    stage.put("dateflicks", _PROGRAM)
    stage.put("ssh", _ELSEWHERE)
    password = dict(line.split("\t")[:2] for line in stage.tell("db", "seed", "--data", str(data)).splitlines())
    if not is_served:
        yield stage
        return
    with running_server(data) as server:
        stage.variables = {**variables, "DATEFLICKS_CLIENT_SERVER": server.url}
        stage.tell("login", "ana", "--password-stdin", answer=password["ana"] + "\n")
        stage.session = next(one["id"] for one in stage.told("session", "list") if one["state"] == "accepted")
        stage.words |= {"7fk2": stage.session, "https://films.example.org": server.url}
        yield stage
