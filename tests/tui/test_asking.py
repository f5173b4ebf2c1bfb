"""The room's questions: where they are asked, and what becomes of one that nobody wants to be answered any more."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from dateflicks.tui.asking import Asking
from dateflicks.tui.screens.confirm import ConfirmScreen
from dateflicks.tui.screens.help import HelpScreen
from dateflicks.tui.screens.settings import SettingsScreen
from dateflicks.tui.screens.watch import WatchScreen
from tests.tui.evenings import states
from tests.tui.still import StillApp, settled, until

STATES = states()
NARROW = (80, 24)


async def withdrawn(asking: "asyncio.Task[bool]") -> None:
    """Whoever asked is not there any more."""
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking


async def asked(app: StillApp, pilot: Pilot[Any]) -> "asyncio.Task[bool]":
    """A question that is on the screen."""
    await settled(pilot)
    asking = asyncio.create_task(Asking(app).open_player_again())
    await until(pilot, lambda: isinstance(app.screen, ConfirmScreen) and app.screen.is_mounted)
    return asking


async def test_a_question_is_answered(tmp_path: Path) -> None:
    app = StillApp(tmp_path, STATES["playing"])
    async with app.run_test(size=NARROW) as pilot:
        asking = await asked(app, pilot)
        await pilot.press("y")
        assert await asking
        assert type(app.screen) is WatchScreen


async def test_a_question_goes_with_whoever_asked(tmp_path: Path) -> None:
    app = StillApp(tmp_path, STATES["playing"])
    async with app.run_test(size=NARROW) as pilot:
        await withdrawn(await asked(app, pilot))
        await until(pilot, lambda: type(app.screen) is WatchScreen)


async def test_a_question_that_nobody_wants_to_be_answered_is_not_asked_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app, later = StillApp(tmp_path, STATES["playing"]), list[Callable[[], object]]()
    async with app.run_test(size=NARROW) as pilot:
        await settled(pilot)
        with monkeypatch.context() as busy:
            busy.setattr(app, "call_later", later.append)
            asking = asyncio.create_task(Asking(app).open_player_again())
            await asyncio.sleep(0)
            await withdrawn(asking)
        (ask,) = later
        ask()
        await settled(pilot)
        assert type(app.screen) is WatchScreen


async def test_a_question_below_another_screen_leaves_that_one_and_goes_once_it_is_seen(tmp_path: Path) -> None:
    app = StillApp(tmp_path, STATES["playing"])
    async with app.run_test(size=NARROW) as pilot:
        asking = await asked(app, pilot)
        app.action_help()
        await until(pilot, lambda: type(app.screen) is HelpScreen)
        await withdrawn(asking)
        await settled(pilot)
        assert type(app.screen) is HelpScreen
        app.pop_screen()
        await until(pilot, lambda: type(app.screen) is WatchScreen)


async def test_a_question_of_another_mode_leaves_this_one_and_goes_once_it_is_seen(tmp_path: Path) -> None:
    app = StillApp(tmp_path, STATES["playing"])
    async with app.run_test(size=NARROW) as pilot:
        asking = await asked(app, pilot)
        app.action_settings()
        await until(pilot, lambda: type(app.screen) is SettingsScreen)
        await withdrawn(asking)
        await settled(pilot)
        assert type(app.screen) is SettingsScreen
        app.to_film()
        await until(pilot, lambda: type(app.screen) is WatchScreen)
