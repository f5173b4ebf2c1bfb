"""The settings at the screen: read, changed, put back, and written down."""

import pytest
from msgspec.structs import replace

from dateflicks.settings.client import TuiSettings
from dateflicks.tui.screens.choose import ChooseScreen
from dateflicks.tui.screens.lobby import LobbyScreen
from dateflicks.tui.screens.settings import SettingsScreen, ValueScreen
from dateflicks.tui.widgets.marked_list import MarkedList
from tests.journeys.people import Person
from tests.tui.stage import SIZES, Actor, Stage


async def open_at(actor: Actor, name: str) -> None:
    """The settings, with one of them marked."""
    await actor.until_sees("● live")
    await actor.press("comma")
    await actor.until_at(SettingsScreen)
    keys = actor.app.screen.query_one(MarkedList)
    for _ in range(keys.option_count):
        if keys.marked == name:
            break
        await actor.press("down")
    assert keys.marked == name


async def test_one_of_a_few_is_changed_by_enter_and_written_down(stage: Stage, ana: Person) -> None:
    async with stage.plays(ana) as actor:
        await open_at(actor, "tui.theme")
        before = actor.app.theme
        await actor.press("enter")
        await actor.until_at(ChooseScreen)
        await actor.press("2")
        await actor.until(lambda: actor.app.theme == "dateflicks-light")
        assert actor.app.theme in actor.app.surroundings.settings_file.read_text(encoding="utf-8")
        await actor.press("d")
        await actor.until(lambda: actor.app.theme == before)


async def test_a_theme_that_is_none_is_said_and_harms_nothing(stage: Stage, ana: Person) -> None:
    surroundings = stage.surroundings(ana)
    surroundings.settings = replace(surroundings.settings, tui=TuiSettings(theme="plaid", glyphs="unicode"))
    async with stage.plays(surroundings=surroundings, has_toasts=True) as actor:
        await actor.until_sees("There is no theme 'plaid'")


async def test_a_mistake_in_the_keys_is_said_where_it_is_seen(stage: Stage, ana: Person) -> None:
    async with stage.plays(ana, keys={"new-sesion": "m"}, has_toasts=True) as actor:
        await actor.until_sees("keys.new-sesion: nothing has")


async def test_a_value_is_typed_and_what_does_not_fit_is_said(stage: Stage, ana: Person) -> None:
    async with stage.plays(ana) as actor:
        await open_at(actor, "timeout_seconds")
        await actor.press("enter")
        await actor.until_at(ValueScreen)
        await actor.press(*["backspace"] * 6, "s", "o", "o", "n", "enter")
        await actor.until_sees("✗")
        await actor.press(*["backspace"] * 4, "7", "enter")
        await actor.until_at(SettingsScreen)
        await actor.until(lambda: actor.app.surroundings.settings.timeout_seconds == 7.0)


async def test_by_mouse_too(stage: Stage, ana: Person) -> None:
    async with stage.plays(ana) as actor:
        await open_at(actor, "server")
        await actor.click("timeout_seconds")
        await actor.until_at(ValueScreen)
        await actor.click("Back")
        await actor.until_at(SettingsScreen)
        await actor.click("q back")
        await actor.until_at(LobbyScreen)


@pytest.mark.parametrize("size", [*SIZES.values(), (40, 10)])
async def test_what_the_marked_one_means_is_there(stage: Stage, ana: Person, size: tuple[int, int]) -> None:
    async with stage.plays(ana, size=size) as actor:
        await open_at(actor, "player")
        await actor.until_sees("Now: simulated")
        assert any("▸ player" in row for row in actor.rows)


async def test_a_moved_key_puts_the_default_back(stage: Stage, ana: Person) -> None:
    async with stage.plays(ana, keys={"reset-setting": "u"}) as actor:
        await open_at(actor, "player")
        await actor.press("u")
        await actor.until_sees("Now: mpv")
