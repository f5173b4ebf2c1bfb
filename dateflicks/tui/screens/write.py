"""One line to write, over whatever screen there is."""

from textual.app import ComposeResult
from textual.widgets import Button, Static

from dateflicks.protocol.printable import printable
from dateflicks.tui.screens.dialog import Form, buttons, field


class WriteScreen(Form[str | None]):
    """The line, or None."""

    def __init__(self, question: str, example: str = "", value: str = "", *, label: str = "", verb: str = "OK") -> None:
        super().__init__()
        self._question = printable(question)
        self._example = printable(example)
        self._value = value
        self._label = label
        self._verb = verb

    def body(self) -> ComposeResult:
        """The question and the line."""
        yield Static(self._question, markup=False, classes="title")
        if self._example:
            yield Static(self._example, markup=False, classes="detail")
        yield field(self._label, "line", value=self._value, longest=1_000)
        yield from buttons(("take", self._verb), ("back", "Back"))

    def submit(self) -> None:
        """Take it."""
        self.dismiss(self.value("line") or None)

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """By mouse."""
        self.submit() if event.button.id == "take" else self.action_back()
