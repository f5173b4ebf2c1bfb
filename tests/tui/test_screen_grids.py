"""Every screen beside the film's, character by character, at three sizes; `pytest --snapshot-update` after a change."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion
from textual.widgets import Input

from dateflicks.protocol.bodies import VideoRef
from dateflicks.tui.screens.help import HelpScreen
from dateflicks.tui.screens.history import HistoryScreen
from dateflicks.tui.screens.join_code import JoinCodeScreen
from dateflicks.tui.screens.new_session import NewSessionScreen
from dateflicks.tui.screens.settings import SettingsScreen
from dateflicks.tui.screens.sign_in import SignInScreen
from dateflicks.tui.screens.waiting import WaitingScreen
from tests.journeys.people import Person
from tests.tui.stage import SIZES, Actor, Stage, settled

Reach = Callable[[Actor, Stage, Person, Person], Awaitable[None]]
CHARADE = VideoRef(url="https://films.example.org/charade.mkv", title="Charade (1963)", length=6780.0)
DETOUR = VideoRef(url="https://films.example.org/detour.mkv", title="Detour", length=4080.0)


@pytest.fixture
async def cast_of(stage: Stage) -> tuple[Person, Person]:
    """Two people whose names are as long in each run, and are taken out of the picture."""
    return await stage.crowd.stranger("ana"), await stage.crowd.stranger("bea")


async def empty_lobby(actor: Actor, stage: Stage, ana: Person, bea: Person) -> None:
    """Nothing yet."""
    await actor.until_sees("Nobody has asked you")


async def lobby(actor: Actor, stage: Stage, ana: Person, bea: Person) -> None:
    """One of each kind, which were there before."""
    await actor.until_sees("Not answered yet")
    await actor.until_sees("1 film ·")


async def new_session(actor: Actor, stage: Stage, ana: Person, bea: Person) -> None:
    """The form."""
    await empty_lobby(actor, stage, ana, bea)
    await actor.press("n")
    await actor.until_at(NewSessionScreen)


async def joining(actor: Actor, stage: Stage, ana: Person, bea: Person) -> None:
    """The form, after something wrong."""
    await empty_lobby(actor, stage, ana, bea)
    await actor.press("j")
    await actor.until_at(JoinCodeScreen)
    await actor.press("x", "enter")
    await actor.until_sees("✗")


async def history(actor: Actor, stage: Stage, ana: Person, bea: Person) -> None:
    """One film."""
    await actor.until_sees("1 film ·")
    await actor.press("h")
    await actor.until_at(HistoryScreen)
    await actor.until_sees("Detour")


async def settings(actor: Actor, stage: Stage, ana: Person, bea: Person) -> None:
    """All of them."""
    await empty_lobby(actor, stage, ana, bea)
    await actor.press("comma")
    await actor.until_at(SettingsScreen)
    await actor.until_sees("▸ server")


async def help_page(actor: Actor, stage: Stage, ana: Person, bea: Person) -> None:
    """The lobby's keys first."""
    await empty_lobby(actor, stage, ana, bea)
    await actor.press("f1")
    await actor.until_at(HelpScreen)


async def before(stage: Stage, ana: Person, bea: Person) -> None:
    """One session of each kind."""
    async with stage.client(ana) as client:
        await client.accept((await stage.invite(bea, ana, DETOUR)).id)
        await client.reject((await stage.invite(bea, ana, CHARADE)).id)
    await stage.invite(ana, bea, DETOUR)
    await stage.invite(bea, ana, CHARADE)


WITH_SESSIONS = {"lobby", "history"}
SCREENS: dict[str, Reach] = {
    "empty lobby": empty_lobby,
    "lobby": lobby,
    "new session": new_session,
    "joining": joining,
    "history": history,
    "settings": settings,
    "help": help_page,
}


def without_names(grid: str, *people: Person) -> str:
    """Names that are the same in each run, be they whole or cut."""
    for one in people:
        stem, chance = one.name[:4], one.name[4:]
        for length in range(len(chance), 0, -1):
            grid = grid.replace(stem + chance[:length], stem + "1234567890"[:length])
    return grid


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", SCREENS)
async def test_a_screen_looks_as_it_did(
    name: str,
    size: str,
    stage: Stage,
    cast_of: tuple[Person, Person],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    snapshot: SnapshotAssertion,
) -> None:
    monkeypatch.chdir(tmp_path)
    ana, bea = cast_of
    if name in WITH_SESSIONS:
        await before(stage, ana, bea)
    async with stage.plays(ana, size=SIZES[size]) as actor:
        await SCREENS[name](actor, stage, ana, bea)
        await actor.until_still()
        assert without_names(settled(actor.grid), ana, bea) == snapshot


@pytest.mark.parametrize("size", SIZES)
async def test_signing_in_looks_as_it_did(size: str, stage: Stage, snapshot: SnapshotAssertion) -> None:
    async with stage.plays(size=SIZES[size]) as actor:
        await actor.until_at(SignInScreen)
        await actor.until_sees("✓ the server is there")
        await actor.until_still()
        assert settled(actor.grid) == snapshot


@pytest.mark.parametrize("size", [*SIZES.values(), (40, 10)])
async def test_what_is_to_be_read_to_a_friend_stands_there_in_any_terminal(
    size: tuple[int, int],
    stage: Stage,
    cast_of: tuple[Person, Person],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    ana, bea = cast_of
    async with stage.plays(ana, size=size) as actor:
        await new_session(actor, stage, ana, bea)
        actor.app.screen.query_one("#film", Input).value = "The_General.mkv"
        await actor.press("enter", "enter")  # behind the film is asked for a name, and nobody is named
        await actor.until_at(WaitingScreen)
        assert actor.sees("You host The General")
        assert actor.sees("Read this to your friend, or send it: dateflicks join ")
        assert actor.sees("Waiting for your guest…")
        ways = ("Copy the line", "To the lobby", "Take it back") if size[1] >= 20 else ("c copy", "x cancel", "q back")
        assert all(actor.sees(words) for words in ways)
        assert actor.app.focused is None, "a button with the focus may scroll the line out of sight"
