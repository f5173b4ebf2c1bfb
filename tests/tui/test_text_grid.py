"""The exact characters of a screen, for tests that read it."""

from textual.app import App, ComposeResult
from textual.screen import ModalScreen
from textual.widgets import Label, Static

from dateflicks.tui._textual_private import text_grid


class Question(ModalScreen[None]):
    """A box in the middle of what is behind it."""

    CSS = "Question { align: center middle; } Label { width: 5; }"

    def compose(self) -> ComposeResult:
        yield Label("sure?")


class Host(App[None]):
    """Two lines with a border."""

    CSS = "#framed { border: ascii; width: 12; height: 4; }"

    def compose(self) -> ComposeResult:
        yield Static("[x] 日本\nsecond", markup=False, id="framed")


async def test_every_row_has_the_width_of_the_screen() -> None:
    async with Host().run_test(size=(16, 5)) as pilot:
        assert text_grid(pilot.app).split("\n") == [
            "+----------+    ",
            "|[x] 日本  |    ",
            "|second    |    ",
            "+----------+    ",
            "                ",
        ]


async def test_what_shows_behind_a_box_is_there_too() -> None:
    async with Host().run_test(size=(16, 5)) as pilot:
        await pilot.app.push_screen(Question())
        await pilot.pause()
        grid = text_grid(pilot.app).split("\n")
        assert "sure?" in grid[2]
        assert grid[0].startswith("+---")
