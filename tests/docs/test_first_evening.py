"""The page on the first evening, played as one evening at two terminals: each line on it is typed, each key pressed."""

import asyncio
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from dateflicks.client.players.film import make_film
from tests.conftest import require
from tests.docs.couple import PROMPT, Couple, Script
from tests.docs.outputs import is_answered
from tests.docs.pages import REPOSITORY, blocks_of
from tests.docs.stage import free_port
from tests.journeys.deployment import Server, running_server

PAGE: Final = REPOSITORY / "docs" / "first-evening.md"
KEYS: Final = ("space", "← →", "`y` `n`", "`/` or enter", "`r`", "`p`", "`s`", "`q`", "`f1`")
PASSWORD: Final = "two on a sofa"
COMMAND: Final = "dateflicks join k3v9x-tzq41-09ajm-hd2we@192.168.1.7:8700"


def _table(heading: str) -> list[str]:
    """The first column of the table below this row of headings."""
    text = PAGE.read_text(encoding="utf-8")
    rows = text[text.index(heading) :].split("\n\n", 1)[0].splitlines()[2:]
    return [row.split("|")[1].strip() for row in rows]


def test_every_key_on_the_page_is_pressed_in_the_evening_below() -> None:
    assert tuple(_table("| key | does |")) == KEYS


def test_the_words_at_the_top_are_those_of_the_program() -> None:
    said = "\n".join(path.read_text(encoding="utf-8") for path in (REPOSITORY / "dateflicks" / "tui").rglob("*.py"))
    words = [word for cell in _table("| you see | it means |") for word in re.findall(r"`([^`]+)`", cell)]
    assert len(words) >= 7
    missing = [word for word in words if re.sub("^… |^paused|bea", "", word).strip() not in said]
    assert not missing, missing


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    (tmp_path / "server").mkdir()
    with running_server(tmp_path / "server" / "data") as found:
        yield found


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Couple]:
    require("tmux", "mpv", "ffmpeg")
    with Couple(tmp_path) as couple:
        homes = [couple.sit_down(person) for person in ("ana", "bea")]
        asyncio.run(make_film(homes[0] / "The_General.mkv", 120.0))
        (homes[1] / "films").mkdir()
        for place in ("The_General.mkv", "films/general-1926.mkv"):
            shutil.copy(homes[0] / "The_General.mkv", homes[1] / place)
        for person in ("ana", "bea"):
            couple.is_back(person)
        yield couple


def _leave(two: Couple, person: str, other: str) -> None:
    two.keys(person, "q")
    two.sees(person, f"{other} is still here. Leave the film?")
    two.keys(person, "y")
    two.is_back(person)


@pytest.mark.long
@pytest.mark.mpv
@pytest.mark.timeout(400)
@pytest.mark.flaky(reruns=1)  # the machine is not theirs alone
def test_the_whole_page_is_one_evening_and_the_next(two: Couple, server: Server) -> None:
    port = f"--listen 127.0.0.1 --port {free_port()}"  # for both evenings: the usual one is others' too
    words = {"0.0.0.0": "127.0.0.1", "--listen 127.0.0.1": port, "https://films.example.org": server.url}
    script = Script(blocks_of(PAGE), words)
    _first(two, script)
    _stop_and_go_on(two, script)
    _next_time(two, script)
    _without_a_screen(two, script)
    assert not script.left


def _first(two: Couple, script: Script) -> None:
    """From a line each to a film, with every key of the page but the one that leaves."""
    two.is_told("ana", script.line("ana", "dateflicks host"))
    two.sees("ana", "Read this to your friend", "Waiting for your guest")
    two.is_told("bea", script.line("bea", COMMAND).replace(COMMAND, two.word_of("ana", "dateflicks join ")))
    for person, other in (("ana", "bea"), ("bea", "ana")):
        two.sees(person, f"You and {other} are both here", "[space] start the film", "● live")
    two.keys("ana", "Space")
    for person in ("ana", "bea"):
        two.sees(person, "PLAYING", "in sync", "ana started the film")
    two.keys("bea", "/")
    two.write("bea", "popcorn ready?")
    two.keys("bea", "Enter")
    two.sees("ana", "popcorn ready?")
    two.keys("bea", "Escape")
    two.sees("bea", "space play/pause")
    two.keys("bea", "Right")
    two.sees("ana", "bea wants to GO TO", "[n] stay here")
    two.keys("ana", "n")
    two.sees("bea", "ana said no")
    two.wait_until(lambda: "wants to GO TO" not in two.shown("ana"), lambda: two.shown("ana"))
    two.keys("bea", "Left")
    two.sees("ana", "bea wants to GO TO", "[y] go there")
    two.keys("ana", "y")
    two.sees("bea", "bea moved to 0:")
    two.keys("bea", "r")
    two.sees("bea", "What do you feel?")
    two.keys("bea", "2")
    two.sees("bea", "space play/pause")
    two.keys("bea", "p")
    two.sees("bea", "Nothing is predicted yet.")
    two.keys("bea", "Escape")
    two.sees("bea", "space play/pause")
    two.keys("bea", "F1")
    two.sees("bea", "Help", "Measure and get in step anew")
    two.keys("bea", "Escape")
    two.sees("bea", "space play/pause")
    two.keys("bea", "s")
    two.sees("bea", "Measuring anew.")
    two.keys("bea", "Space")
    two.sees("ana", "PAUSED", "paused together")
    two.keys("bea", "Space")
    two.sees("ana", "PLAYING", "in sync")


def _stop_and_go_on(two: Couple, script: Script) -> None:
    """Each leaves and comes back by the same line, also where the server was of the evening."""
    _leave(two, "bea", "ana")
    assert "Go on with: dateflicks watch --resume" in two.shown("bea")
    two.sees("ana", "bea is away")
    two.is_told("bea", script.line("bea", "dateflicks watch"))
    two.sees("bea", "● live", "in sync")
    _leave(two, "ana", "bea")
    assert "The server of the evening ends with it." in two.shown("ana")
    two.sees("bea", "no line: unsynced")
    two.is_told("ana", script.line("ana", "dateflicks watch"))
    for person in ("ana", "bea"):
        two.sees(person, "● live", "in sync", "popcorn ready?")
    _leave(two, "bea", "ana")
    two.sees("ana", "bea is away")
    two.keys("ana", "q")
    two.is_back("ana")


def _next_time(two: Couple, script: Script) -> None:
    """An account each, an invitation that is found in the lobby, and what is kept of it."""
    for person in ("bea", "ana"):
        two.is_told(person, script.line(person, "dateflicks config set"))
        two.is_back(person)
        two.is_told(person, script.line(person, "dateflicks register"))
        for asked in ("Password", "Repeat"):
            two.sees(person, asked)
            two.type(person, PASSWORD)
        two.sees(person, f"Signed in as {person} at")
    two.is_told("ana", script.line("ana", "dateflicks session create"))
    two.sees("ana", "bea is asked.", "The General")
    two.is_told("bea", script.line("bea", "dateflicks"))
    two.sees("bea", "ana invites you to The General")
    two.keys("bea", "a")
    two.sees("bea", "The General · with ana", "ana is away")
    two.is_told("ana", script.line("ana", "dateflicks"))
    two.sees("ana", "enter open", "The General")
    two.keys("ana", "Enter")
    for person, other in (("ana", "bea"), ("bea", "ana")):
        two.sees(person, f"You and {other} are both here")
    two.keys("bea", "Space")
    two.sees("ana", "PLAYING", "in sync")
    _leave(two, "ana", "bea")
    two.keys("bea", "C-q")
    two.is_back("bea")
    two.is_told("ana", script.line("ana", "dateflicks session history"))
    assert "The General" in two.is_back("ana")


def _without_a_screen(two: Couple, script: Script) -> None:
    """Ana goes by lines, and sees what the page shows; Bea's copy is called otherwise."""
    block = next(block for block in blocks_of(PAGE) if block.language == "console" and block.played_by)
    ((_, shown),) = block.answers
    two.is_told("ana", script.line("ana", "dateflicks host"))
    two.sees("ana", "Ctrl-C takes the invitation back.")
    two.is_told("bea", script.line("bea", COMMAND).replace(COMMAND, two.word_of("ana", "dateflicks join ")))
    two.sees("bea", "start the film", "● live")
    two.sees("ana", "bea is here.")
    two.type("ana", "play")
    two.sees("ana", "Playing from 0:00.")
    two.keys("bea", "/")
    two.write("bea", "popcorn ready?")
    two.keys("bea", "Enter")
    two.sees("ana", "bea: popcorn ready?")
    two.type("ana", "pause")
    two.sees("bea", "PAUSED", "paused together")
    two.type("ana", "quit")
    two.is_back("ana")
    told = two.told("ana").replace(PROMPT.strip(), "")
    told = "\n".join(told[told.index("Starting a server") :].splitlines())
    assert is_answered(shown, told), told
    two.keys("bea", "Escape", "C-q")
