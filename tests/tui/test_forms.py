"""Lines to fill in: each key finds the line that it is for, however fast they come."""

from pathlib import Path

import pytest
from textual.widgets import Input

from dateflicks.tui.screens.sign_in import SignInScreen
from tests.tui.evenings import states
from tests.tui.still import StillApp, settled, until

STATES = states()


@pytest.mark.parametrize("key", ["down", "tab", "enter"])
async def test_what_is_typed_at_once_behind_a_name_is_no_part_of_the_name(tmp_path: Path, key: str) -> None:
    app = StillApp(tmp_path, STATES["playing"])
    async with app.run_test(size=(80, 24)) as pilot:
        await app.push_screen(SignInScreen("http://127.0.0.1:9"))
        await settled(pilot)
        screen = app.screen
        assert screen.focused is screen.query_one("#name")
        for one in ("a", "n", "a", key, "s", "e", "c", "r", "e", "t"):  # in one go, as over a slow line
            app.simulate_key(one)
        password = screen.query_one("#password", Input)
        await until(pilot, lambda: password.value.endswith("t"))
        assert (screen.query_one("#name", Input).value, password.value) == ("ana", "secret")


async def test_keys_between_lines_go_both_ways_and_enter_on_a_button_presses_it(tmp_path: Path) -> None:
    app = StillApp(tmp_path, STATES["playing"])
    async with app.run_test(size=(80, 24)) as pilot:
        await app.push_screen(SignInScreen("http://127.0.0.1:9"))
        await settled(pilot)
        screen = app.screen
        for key, name in {"down": "password", "shift+tab": "name", "up": "server", "tab": "name"}.items():
            await pilot.press(key)
            assert screen.focused is screen.query_one(f"#{name}")
        screen.query_one("#other").focus()
        await pilot.press("enter")
        await until(pilot, lambda: screen.query_one("#password", Input).placeholder)
