"""The two commands that README.md begins with, and the three for people with accounts: two people meet by them."""

import asyncio
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from dateflicks.client.players.film import make_film
from tests.conftest import require
from tests.docs.couple import Couple, Script
from tests.docs.pages import REPOSITORY, blocks_of
from tests.docs.test_first_evening import COMMAND, PASSWORD
from tests.journeys.deployment import running_server

PAGE: Final = REPOSITORY / "README.md"
FIRST_SCREEN: Final = 40  # lines


def test_the_first_screen_has_a_picture_and_the_two_commands_and_says_what_it_is() -> None:
    top = "\n".join(PAGE.read_text(encoding="utf-8").splitlines()[:FIRST_SCREEN])
    for words in ("watch a film together", "![", "\ndateflicks host ", "\ndateflicks join ", "## Install"):
        assert words in top
    assert top.index("![") < top.index("dateflicks host ") < top.index("dateflicks join ") < top.index("## ")


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Couple]:
    require("tmux", "mpv", "ffmpeg")
    with Couple(tmp_path) as couple:
        homes = [couple.sit_down(person) for person in ("ana", "bea")]
        asyncio.run(make_film(homes[0] / "The_General.mkv", 60.0))
        shutil.copy(homes[0] / "The_General.mkv", homes[1])
        for person in ("ana", "bea"):
            couple.is_back(person)
        yield couple


@pytest.mark.long
@pytest.mark.mpv
@pytest.mark.timeout(400)
@pytest.mark.flaky(reruns=1)  # the machine is not theirs alone
def test_two_people_meet_by_what_the_first_page_says(two: Couple, tmp_path: Path) -> None:
    folder = tmp_path / "server"
    folder.mkdir()
    with running_server(folder / "data") as server:
        script = Script(blocks_of(PAGE), {"https://films.example.org": server.url})
        two.is_told("ana", script.line("ana", "dateflicks host"))
        two.is_told("bea", script.line("bea", COMMAND).replace(COMMAND, two.word_of("ana", "dateflicks join ")))
        _are_together(two)
        two.keys("bea", "q")
        two.sees("bea", "ana is still here. Leave the film?")
        two.keys("bea", "y")
        two.is_back("bea")
        two.sees("ana", "bea is away")
        two.keys("ana", "q")
        two.is_back("ana")

        two.is_told("bea", f"dateflicks --server {server.url} register bea")
        _gives_a_password(two, "bea")
        two.is_told("ana", script.line("ana", f"dateflicks --server {server.url} register"))
        _gives_a_password(two, "ana")
        two.is_told("ana", script.line("ana", f"dateflicks --server {server.url} session create"))
        two.sees("ana", "bea is asked.", "ses_")
        session = two.until("ana", "ses_").split("ses_")[1][:4]
        two.is_told("bea", f"dateflicks --server {server.url}")
        two.sees("bea", "ana invites you to The General")
        two.keys("bea", "a")
        two.sees("bea", "The General · with ana", "ana is away")
        two.is_told("ana", script.line("ana", f"dateflicks --server {server.url} watch").replace("7fk2", session))
        _are_together(two)
        assert not script.left


def _are_together(two: Couple) -> None:
    for person, other in (("ana", "bea"), ("bea", "ana")):
        two.sees(person, f"You and {other} are both here", "[space] start the film", "● live")
    two.keys("ana", "Space")
    for person in ("ana", "bea"):
        two.sees(person, "PLAYING", "in sync")


def _gives_a_password(two: Couple, person: str) -> None:
    for asked in ("Password", "Repeat"):
        two.sees(person, asked)
        two.type(person, PASSWORD)
    two.sees(person, f"Signed in as {person} at")
