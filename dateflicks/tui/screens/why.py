"""Why a film is recommended, in full, over the list."""

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.widgets import Button, Static

from dateflicks.protocol.printable import printable
from dateflicks.tui.bindings import app_bindings
from dateflicks.tui.keys import Context
from dateflicks.tui.screens.dialog import Dialog


class WhyScreen(Dialog[None]):
    """A title and lines; both may hold other people's text."""

    CONTEXTS: ClassVar[tuple[Context, ...]] = ("help",)
    BINDINGS: ClassVar[list[BindingType]] = [*app_bindings({"help": "back", "close-help": "back"})]
    KIND = "wide"

    def __init__(self, title: str, lines: Sequence[str]) -> None:
        super().__init__()
        self._title = printable(title)
        self._lines = [printable(line) for line in lines]

    def body(self) -> ComposeResult:
        """The reasons, and a way back."""
        yield Static(self._title, markup=False, classes="title")
        with VerticalScroll(id="reasons"):
            yield Static("\n".join(self._lines), markup=False)
        yield Button("Back", id="back", compact=True)

    def on_mount(self) -> None:
        """Arrow keys scroll."""
        self.query_one("#reasons").focus()

    def on_button_pressed(self) -> None:
        """By mouse."""
        self.action_back()
