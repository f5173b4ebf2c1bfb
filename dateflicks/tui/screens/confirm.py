"""A question with two answers, over whatever screen there is."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Button, Static

from dateflicks.protocol.printable import printable
from dateflicks.tui.bindings import bindings_of


class ConfirmScreen(ModalScreen[bool]):
    """Yes or no; escape is no. `detail` may be other people's text."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings_of("dialog"), ("escape", "dialog_no", "No")]

    def __init__(self, question: str, detail: str = "") -> None:
        super().__init__()
        self._question = printable(question)
        self._detail = printable(detail)

    def compose(self) -> ComposeResult:
        """The question and two buttons."""
        with Vertical(classes="dialog"):
            yield Static(self._question, markup=False, classes="title")
            yield Static(self._detail, markup=False, classes="detail")
            with Horizontal(classes="buttons"):
                yield Button("Yes (y)", id="yes", variant="primary")
                yield Button("No (n)", id="no")

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """An answer by mouse or enter."""
        self.dismiss(event.button.id == "yes")

    def action_dialog_yes(self) -> None:
        """Yes."""
        self.dismiss(True)

    def action_dialog_no(self) -> None:
        """No."""
        self.dismiss(False)
