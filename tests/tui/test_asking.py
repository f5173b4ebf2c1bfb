"""The room's questions: where they are asked, and what becomes of one that nobody wants to be answered any more."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.screen import Screen

from dateflicks.tui.asking import Asking
from dateflicks.tui.screens.confirm import ConfirmScreen
from dateflicks.tui.screens.help import HelpScreen
from dateflicks.tui.screens.settings import SettingsScreen
from dateflicks.tui.screens.watch import WatchScreen
from tests.tui.evenings import states
from tests.tui.still import StillApp, settled, until

STATES = states()
NARROW = (80, 24)
Do = Callable[[StillApp], object]


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


@pytest.mark.parametrize(
    ("go", "kind", "back"),
    [
        (lambda app: app.action_help(), HelpScreen, lambda app: app.pop_screen()),
        (lambda app: app.action_settings(), SettingsScreen, lambda app: app.to_film()),
    ],
    ids=["below another screen", "of another mode"],
)
async def test_a_question_that_is_not_seen_leaves_what_is_and_goes_once_it_is_seen(
    tmp_path: Path, go: Do, kind: type[Screen[Any]], back: Do
) -> None:
    app = StillApp(tmp_path, STATES["playing"])
    async with app.run_test(size=NARROW) as pilot:
        asking = await asked(app, pilot)
        go(app)
        await until(pilot, lambda: type(app.screen) is kind)
        await withdrawn(asking)
        await settled(pilot)
        assert type(app.screen) is kind
        back(app)
        await until(pilot, lambda: type(app.screen) is WatchScreen)
