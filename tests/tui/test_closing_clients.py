"""Lines to a server that nobody needs any more: they are closed, whatever became of what was asked on them."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from dateflicks.client import errors
from dateflicks.client.http import ServiceClient
from dateflicks.tui.screens import sign_in
from dateflicks.tui.screens.confirm import ConfirmScreen
from dateflicks.tui.screens.lobby import LobbyScreen
from dateflicks.tui.screens.sign_in import SignInScreen
from tests.tui.evenings import states
from tests.tui.still import StillApp, settled, until


class Line(ServiceClient):
    """One on which no answer to a sign-in comes, and no sign-out goes; it writes down when it is closed."""

    made: "list[Line]"
    is_closed = False

    async def sign_in(self, name: str, password: str) -> Any:
        """No answer."""
        del name, password
        Line.made.append(self)
        await asyncio.Event().wait()

    async def sign_out(self) -> None:
        """It cannot be told."""
        raise errors.Unreachable("There is no line.")

    async def close(self) -> None:
        """Written down."""
        self.is_closed = True
        await super().close()


async def test_a_sign_in_that_is_not_waited_for_leaves_no_line_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Line.made = []
    monkeypatch.setattr(sign_in, "ServiceClient", Line)
    app = StillApp(tmp_path, states()["playing"])
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        screen = SignInScreen("http://127.0.0.1:9", "ana")
        await app.push_screen(screen)
        screen.submit()
        await until(pilot, lambda: Line.made)
        screen.action_back()
        await until(pilot, lambda: all(one.is_closed for one in Line.made))


async def test_whoever_signs_out_without_a_server_leaves_no_line_open(tmp_path: Path) -> None:
    app = StillApp(tmp_path, states()["playing"])
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        app.client = line = Line("http://127.0.0.1:9", token="t0ken")
        app._go("lobby")
        await until(pilot, lambda: type(app.screen) is LobbyScreen and app.screen.is_mounted)
        await settled(pilot)
        await pilot.press("u")
        await until(pilot, lambda: isinstance(app.screen, ConfirmScreen))
        await pilot.press("y")
        await until(pilot, lambda: line.is_closed)
