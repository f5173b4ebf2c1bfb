"""From a film to somebody who watches it too: inviting, waiting, and joining with a word."""

from pathlib import Path

import pytest
from textual.widgets import Input

from dateflicks.client.credentials import CredentialStore
from dateflicks.tui.screens.confirm import ConfirmScreen
from dateflicks.tui.screens.join_code import JoinCodeScreen
from dateflicks.tui.screens.lobby import LobbyScreen
from dateflicks.tui.screens.new_session import NewSessionScreen
from dateflicks.tui.screens.sign_in import SignInScreen
from dateflicks.tui.screens.waiting import WaitingScreen
from dateflicks.tui.screens.watch import WatchScreen
from tests.journeys.people import Person
from tests.tui.stage import Actor, Stage


@pytest.fixture
def film(tmp_path: Path) -> str:
    """A file that a simulated player takes for a film."""
    file = tmp_path / "The_General.mkv"
    file.write_bytes(b"film")
    return str(file)


async def invite(actor: Actor, film: str, guest: str = "") -> None:
    """Fill in the form, from the lobby on."""
    await actor.until_sees("● live")
    await actor.press("n")
    await actor.until_at(NewSessionScreen)
    actor.app.screen.query_one("#film", Input).value = film
    actor.app.screen.query_one("#guest", Input).value = guest
    await actor.press("enter")
    if film and not guest:  # enter went on to the line for the name, where it may stay empty
        await actor.until(lambda: actor.app.screen.focused is actor.app.screen.query_one("#guest"))
        await actor.press("enter")


async def test_a_line_to_read_out_leads_a_friend_without_an_account_to_the_film(
    stage: Stage, ana: Person, film: str
) -> None:
    surroundings = stage.surroundings()
    surroundings.login = "cleo"
    async with stage.plays(ana) as host:
        await invite(host, film)
        await host.until_at(WaitingScreen)
        await host.until_sees("dateflicks join ")
        assert host.sees("Waiting for your guest")
        line = host.app.screen._line  # type: ignore[attr-defined]  # the waiting screen
        await host.press("c")
        assert host.app.clipboard == line
        async with stage.plays(surroundings=surroundings) as guest:
            await guest.until_at(SignInScreen)
            await guest.press("escape")
            await guest.until_at(LobbyScreen)
            await guest.press("j")
            await guest.until_at(JoinCodeScreen)
            await guest.type(line)
            await guest.press("enter")
            await guest.until(lambda: guest.app.room is not None)
            await host.until_at(WatchScreen)


async def test_a_guest_by_name_is_asked_and_the_host_told_when_they_say_no(
    stage: Stage, ana: Person, bea: Person, film: str
) -> None:
    async with stage.plays(ana) as host:
        await invite(host, film, bea.name)
        await host.until_at(WaitingScreen)
        await host.until_sees(f"Waiting for {bea.name}")
        assert host.sees(f"{bea.name} is asked, and finds it in the lobby of dateflicks; or types:")
        assert host.app.room is not None
        async with stage.client(bea) as client:
            await client.reject(host.app.room.session.id)
        await host.until_at(LobbyScreen)
        await host.until_sees("said no")


async def test_an_invitation_is_taken_back_where_one_waits(stage: Stage, ana: Person, film: str) -> None:
    async with stage.plays(ana, size=(40, 10)) as host:
        await invite(host, film)
        await host.until_at(WaitingScreen)
        await host.press("x")
        await host.until_at(ConfirmScreen)
        await host.press("y")
        await host.until_at(LobbyScreen)
        await host.until_sees("taken back")


async def test_whoever_waits_may_look_at_the_lobby_and_come_back_to_the_line(
    stage: Stage, ana: Person, film: str
) -> None:
    async with stage.plays(ana) as host:
        await invite(host, film)
        await host.until_at(WaitingScreen)
        await host.press("escape")
        await host.until_at(LobbyScreen)
        await host.until_sees("Not answered yet")
        await host.press("escape")
        await host.until_at(WaitingScreen)
        assert host.sees("dateflicks join ")
        assert host.app.room is not None
        host.app.room.is_cut = True  # as its news tell it
        await host.until_sees("No line to the server: trying again. Until then your guest cannot answer.")
        host.app.room.is_cut = False
        await host.until_sees("Waiting for your guest")


@pytest.mark.parametrize(
    ("film_name", "guest", "words"),
    [
        ("", "", "Which film?"),
        ("https://films.example.org/x.mkv", "nobody-of-this-name", "nobody-of-this-name"),
    ],
)
async def test_what_is_wrong_is_said_in_the_form_which_stays(
    stage: Stage, ana: Person, film_name: str, guest: str, words: str
) -> None:
    async with stage.plays(ana) as actor:
        await invite(actor, film_name, guest)
        if not film_name:  # enter went to the line that is empty; again, and it is said
            await actor.press("enter")
        await actor.until_sees("✗")
        assert words in " ".join(actor.grid.split()) or actor.sees(words)
        assert actor.app.screen.query_one("#guest", Input).value == guest
        await actor.press("escape")
        await actor.until_at(LobbyScreen)


@pytest.mark.parametrize("word", ["nonsense", "k3v9x-tzq41-09ajm-hd2we", "k3v9x-tzq41-09ajm-hd2we@127.0.0.1:9"])
async def test_a_word_that_leads_nowhere_is_said_to(stage: Stage, ana: Person, word: str) -> None:
    async with stage.plays(ana) as actor:
        await actor.until_sees("● live")
        await actor.press("j")
        await actor.until_at(JoinCodeScreen)
        await actor.type(word)
        await actor.push("join")
        await actor.until_sees("✗")


async def test_the_keys_of_waiting_can_be_others(stage: Stage, ana: Person, film: str) -> None:
    async with stage.plays(ana, keys={"close-waiting": "w"}) as host:
        await invite(host, film)
        await host.until_at(WaitingScreen)
        await host.press("q")
        await host.press("w")
        await host.until_at(LobbyScreen)


def test_sign_ins_of_the_stage_are_kept_in_files_alone(stage: Stage, ana: Person) -> None:
    kept = CredentialStore(stage.folder / ana.name / "credentials.json", keep_in="file")
    stage.surroundings(ana)
    assert kept.get(stage.deployment.url) is not None
