"""Where the commands of a page are run: a home of its own, a server with what `db seed` makes, Ana signed in.

What a page has made up, such as the id of a session, is replaced by what there is here.
"""

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from tests.docs.pages import Block
from tests.journeys.deployment import running_server

SECONDS: Final = 120.0
FILM: Final = "The_General.mkv"
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
        script = self._with_what_is_here(block.text)
        done = subprocess.run(
            ["bash", "-e", "-o", "pipefail", "-c", script],
            cwd=self.folder, env=dict(self.variables), stdin=subprocess.DEVNULL, check=False, capture_output=True,
            text=True, timeout=SECONDS,
        )  # fmt: skip
        assert done.returncode == block.exit_code, (
            f"{block.name} ended with {done.returncode}, not {block.exit_code}:\n{script}\n{done.stdout}{done.stderr}"
        )
        assert "Traceback" not in done.stdout + done.stderr, f"{block.name}:\n{done.stderr}"

    def tell(self, *words: str, answer: str = "") -> str:
        """What a command of ours says. Raises CalledProcessError."""
        command = [sys.executable, "-m", "dateflicks", *words]
        return subprocess.run(
            command, cwd=self.folder, env=dict(self.variables), input=answer, check=True, capture_output=True,
            text=True, timeout=SECONDS,
        ).stdout  # fmt: skip

    def told(self, *words: str) -> Any:
        """The same, as JSON."""
        return json.loads(self.tell(*words, "--json"))

    def _with_what_is_here(self, text: str) -> str:
        for made_up, real in self.words.items():
            text = text.replace(made_up, real)
        if "prd_k3" in text:  # made by the line above, so its name is asked for when that has been run
            new, _, rest = text.partition("prd_k3")
            ask = f"$(dateflicks predict list {self.session} -o plain | head -1 | cut -f1)"
            text = new + ask + rest.replace("prd_k3", ask)
        return text


@contextlib.contextmanager
def staged(folder: Path, *, is_served: bool = True) -> Iterator[Stage]:
    """The stage; without a server only the database is there, in the folder where the settings look for it."""
    home, data, programs = folder / "home", folder / "data", folder / "bin"
    for one in (home, programs, folder / "films"):
        one.mkdir()
    for name, script in (("dateflicks", _PROGRAM), ("ssh", _ELSEWHERE)):
        (programs / name).write_text(script)
        (programs / name).chmod(0o755)
    for place in (folder / FILM, folder / "films" / FILM):
        place.write_bytes(b"\x1a\x45\xdf\xa3" + bytes(60))
    kept = {name: os.environ[name] for name in ("LANG", "TMPDIR") if name in os.environ}
    variables = {
        **kept, "PATH": f"{programs}:{os.environ['PATH']}", "HOME": str(home), "LC_ALL": "C.UTF-8", "NO_COLOR": "1",
        "DATEFLICKS_HOME": str(home / "dateflicks"), "DATEFLICKS_ALL_DATA": str(data), "COLUMNS": "100",
    }  # fmt: skip
    stage = Stage(folder, variables, {"/films/": f"{folder}/films/"})
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
