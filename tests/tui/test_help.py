"""The page of help: the keys of where one is first, all others below, and every size shows it."""

import pytest

from dateflicks.tui.keys import BINDINGS
from dateflicks.tui.screens.help import TITLES, HelpScreen
from dateflicks.tui.screens.join_code import JoinCodeScreen
from dateflicks.tui.screens.lobby import LobbyScreen
from tests.journeys.people import Person
from tests.tui.stage import SIZES, Stage


def test_every_place_with_keys_has_a_title() -> None:
    assert {one.context for one in BINDINGS} <= set(TITLES)


@pytest.mark.parametrize("size", [*SIZES.values(), (40, 10)])
async def test_the_keys_of_where_one_is_come_first(stage: Stage, ana: Person, size: tuple[int, int]) -> None:
    async with stage.plays(ana, size=size) as actor:
        await actor.press("question_mark")
        await actor.until_at(HelpScreen)
        await actor.until_sees("In the lobby")
        await actor.until_sees("Open what is marked")
        await actor.press("question_mark")
        await actor.until_at(LobbyScreen)


async def test_it_is_there_over_a_dialog_and_leads_back_to_it(stage: Stage, ana: Person) -> None:
    async with stage.plays(ana) as actor:
        await actor.until_sees("● live")
        await actor.press("j")
        await actor.until_at(JoinCodeScreen)
        await actor.press("f1")
        await actor.until_at(HelpScreen)
        assert actor.sees("Where lines are filled in")
        await actor.click("Back")
        await actor.until_at(JoinCodeScreen)


async def test_a_moved_key_opens_and_closes_it_and_stands_there(stage: Stage, ana: Person) -> None:
    async with stage.plays(ana, keys={"help": "f6", "close-help": "k"}) as actor:
        await actor.press("f6")
        await actor.until_at(HelpScreen)
        await actor.press("q")
        await actor.press("k")
        await actor.until_at(LobbyScreen)
