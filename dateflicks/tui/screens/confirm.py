"""A question with two answers, over whatever screen there is."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.widgets import Button, Static

from dateflicks.protocol.printable import printable
from dateflicks.tui.bindings import bindings_of
from dateflicks.tui.screens.dialog import Dialog, buttons


class ConfirmScreen(Dialog[bool]):
    """Yes or no; back is no. `detail` may be other people's text."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings_of("dialog")]

    def __init__(self, question: str, detail: str = "") -> None:
        super().__init__()
        self._question = printable(question)
        self._detail = printable(detail)

    def body(self) -> ComposeResult:
        """The question and two buttons."""
        yield Static(self._question, markup=False, classes="title")
        if self._detail:
            yield Static(self._detail, markup=False, classes="detail")
        yield from buttons(("yes", "Yes"), ("no", "No"))

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """An answer by mouse or enter."""
        self.dismiss(event.button.id == "yes")

    def action_dialog_yes(self) -> None:
        """Yes."""
        self.dismiss(True)

    def action_dialog_no(self) -> None:
        """No."""
        self.dismiss(False)

    def action_back(self) -> None:
        """No."""
        self.dismiss(False)
