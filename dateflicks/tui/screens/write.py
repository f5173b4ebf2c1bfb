"""One line to write, over whatever screen there is."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Static


class WriteScreen(ModalScreen[str | None]):
    """The line, or None."""

    BINDINGS: ClassVar[list[BindingType]] = [("escape", "close", "Back")]

    def __init__(self, question: str, example: str = "", value: str = "") -> None:
        super().__init__()
        self._question = question
        self._example = example
        self._value = value

    def compose(self) -> ComposeResult:
        """The question and the line."""
        with Vertical(classes="dialog wide"):
            yield Static(self._question, markup=False, classes="title")
            yield Static(self._example, markup=False, classes="detail")
            yield Input(value=self._value, id="line", max_length=1_000)

    def on_input_submitted(self) -> None:
        """Enter takes it."""
        self.dismiss(self.query_one("#line", Input).value.strip() or None)

    def action_close(self) -> None:
        """Nothing."""
        self.dismiss(None)
