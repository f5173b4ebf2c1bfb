"""Two people talk from their shells, through a server that is stopped and started again."""

import contextlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Cli
from tests.cli.process import Program
from tests.scripted_server import ScriptedServer, scripted_server

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

COUNT = 40


class Serving:
    """A server that comes back at the address where it was."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._stack = contextlib.ExitStack()
        self._port = "0"
        self.url = ""

    def start(self) -> None:
        command = ("serve", "all", "--port", self._port, "--data", str(self._home / "data"))
        self._program = self._stack.enter_context(Program(self._home, *command))
        self._program.until_said("Serving ")
        found = re.search(r"Serving .* at (http://\S+:(\d+))", "\n".join(self._program.err))
        assert found
        self.url, self._port = found[1], found[2]

    def stop(self) -> None:
        self._stack.close()


class Person:
    """Somebody at a shell: what is under way while others do something is a process of its own, the rest is not."""

    def __init__(self, home: Path, nowhere: ScriptedServer, url: str) -> None:
        self.home = home
        self._cli = Cli(home, nowhere, {"DATEFLICKS_CLIENT_SERVER": url, "DATEFLICKS_CLIENT_CREDENTIALS": "file"})
        self._server = url

    def at(self, *words: str) -> Program:
        """A command under way."""
        return Program(self.home, *words, DATEFLICKS_CLIENT_SERVER=self._server)

    def __call__(self, *words: str, stdin: str = "") -> str:
        """What a command says that has ended, well."""
        result = self._cli(*words, keys=stdin)
        assert result.exit_code == 0, result.stderr
        return result.stdout

    def json(self, *words: str) -> Any:
        return json.loads(self(*words, "--json"))


def signed_in(home: Path, nowhere: ScriptedServer, server: Serving) -> Person:
    """Somebody new."""
    found = Person(home, nowhere, server.url)
    found("register", home.name, "--password-stdin", stdin="seven small foxes\n")
    return found


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    serving = Serving(tmp_path_factory.mktemp("server"))
    serving.start()
    yield serving
    serving.stop()


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory, server: Serving) -> Iterator[tuple[Person, Person]]:
    """Ana and Bea, who have an account there."""
    homes = tmp_path_factory.mktemp("homes")
    with scripted_server() as nowhere:
        yield signed_in(homes / "ana", nowhere, server), signed_in(homes / "bea", nowhere, server)


@pytest.fixture
def ana(people: tuple[Person, Person], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Person:
    monkeypatch.chdir(tmp_path)
    return people[0]


@pytest.fixture
def bea(people: tuple[Person, Person]) -> Person:
    return people[1]


@pytest.fixture
def session(ana: Person, bea: Person) -> str:
    found: str = ana.json("session", "create", "film.mkv", "--guest", "bea")["id"]
    bea("session", "accept", found)
    return found


def test_what_is_said_reaches_the_other_over_a_restart_and_is_kept(
    ana: Person, bea: Person, session: str, server: Serving, tmp_path: Path
) -> None:
    short = session[4:12]
    ana("chat", "send", short, "before")
    with bea.at("chat", "tail", short, "-f", "--fields", "seq,author_name,type,content") as listening:
        listening.until("1\tana\ttext\tbefore")
        with ana.at("chat", "send", short, "-", "--at", "41:12") as saying:
            for number in range(COUNT // 2):
                saying.type(f"line {number}")
            listening.until("line 0")
            server.stop()
            listening.until_said("The line is lost")
            for number in range(COUNT // 2, COUNT):
                saying.type(f"line {number}")
            saying.hang_up()
            server.start()
            assert saying.ends() == 0, saying.err
            acknowledged = [line.split("\t")[6] for line in saying.out]
        bea("chat", "react", short, "🎉", "--at", "41:15")
        listening.until("\tbea\treaction\t🎉")
        listening.until_said("The line is back.")
        ana("session", "end", short)
        assert listening.ends() == 0
    texts = [line.split("\t") for line in listening.out]
    spoken = [content for _, _, kind, content in texts if kind == "text"]
    assert spoken == ["before", *(f"line {number}" for number in range(COUNT))]
    assert acknowledged == spoken[1:]
    numbers = [int(number) for number, *_ in texts]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))

    bea("chat", "export", short, "--format", "srt", "--out", "talk.srt")
    subtitles = (tmp_path / "talk.srt").read_text(encoding="utf-8")
    assert subtitles.startswith("1\n00:41:12,000 --> ")
    assert all(f"ana: line {number}\n" in subtitles for number in range(COUNT))
    lines = [json.loads(line) for line in bea("chat", "tail", short, "--since", "1h", "--json").splitlines()]
    assert [line["content"] for line in lines if line["type"] == "text"] == spoken


def test_lines_that_are_not_taken_are_told_and_the_others_are_said(ana: Person, session: str) -> None:
    with ana.at("chat", "send", session, "-", "-q") as saying:
        assert saying.process.stdin is not None
        saying.process.stdin.write(f"first\r\n\n{'x' * 5_000}\n{'y' * 200_000}\nlast")
        saying.hang_up()
        assert saying.ends() == 8
    assert [line.split("\t")[6] for line in saying.out] == ["first", "last"]
    assert saying.err[0].startswith("Line 3 is not sent: ")
    assert saying.err[1].startswith("Line 4 is not sent: ")
    assert saying.err[-1] == "Error: Of 4 lines 2 were not sent."


def test_whoever_has_read_enough_ends_the_tail_quietly(ana: Person, session: str) -> None:
    ana("chat", "send", session, "one")
    with ana.at("chat", "tail", session, "-f", "--fields", "content") as listening:
        listening.until("one")
        assert listening.process.stdout is not None
        listening.process.send_signal(2)
        assert listening.ends() == 130
