"""The palette: everything by its name, run where one was."""

from dateflicks.tui.screens.settings import SettingsScreen
from tests.journeys.people import Person
from tests.tui.stage import Stage


async def test_a_command_is_found_by_its_words_and_run(stage: Stage, ana: Person) -> None:
    async with stage.plays(ana) as actor:
        await actor.until_sees("● live")
        await actor.press("ctrl+p")
        await actor.until_sees("Invite somebody to a film (n)")
        await actor.type("settings")
        await actor.until_sees("Show and change the settings (,)")
        await actor.until(lambda: not actor.sees("Invite somebody"))
        await actor.press("enter")
        await actor.until_at(SettingsScreen)


async def test_what_belongs_to_the_screen_comes_first(stage: Stage, ana: Person) -> None:
    async with stage.plays(ana) as actor:
        await actor.until_sees("● live")
        await actor.press("ctrl+p")
        await actor.until_sees("Leave dateflicks")
        assert actor.grid.index("Invite somebody") < actor.grid.index("Leave dateflicks")


async def test_its_key_can_be_another(stage: Stage, ana: Person) -> None:
    async with stage.plays(ana, keys={"palette": "ctrl+o"}) as actor:
        await actor.until_sees("● live")
        await actor.press("ctrl+p")
        await actor.pilot.pause()
        assert not actor.sees("Invite somebody to a film (n)")
        await actor.press("ctrl+o")
        await actor.until_sees("Invite somebody to a film (n)")
