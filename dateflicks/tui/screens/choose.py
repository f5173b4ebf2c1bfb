"""One of a few, by number, arrow keys or mouse."""

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.events import Key
from textual.screen import ModalScreen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from dateflicks.protocol.printable import printable


class ChooseScreen(ModalScreen[str | None]):
    """The choice as it was given, or None; all texts may be other people's."""

    BINDINGS: ClassVar[list[BindingType]] = [("escape", "close", "Back")]

    def __init__(self, about: str, question: str, choices: Sequence[str]) -> None:
        super().__init__()
        self._about = printable(about)
        self._question = question
        self._choices = list(choices)

    def compose(self) -> ComposeResult:
        """The question and the choices, with the number that takes each."""
        with Vertical(classes="dialog"):
            yield Static(self._about, markup=False, classes="detail")
            yield Static(self._question, markup=False, classes="title")
            rows = [Option(f"{number}  {printable(text)}") for number, text in enumerate(self._choices, 1)]
            yield OptionList(*rows, id="choices", markup=False)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Enter or a click."""
        self.dismiss(self._choices[event.option_index])

    def on_key(self, event: Key) -> None:
        """Its number."""
        if event.character is not None and event.character.isdecimal():
            at = int(event.character) - 1
            if 0 <= at < len(self._choices):
                event.stop()
                self.dismiss(self._choices[at])

    def action_close(self) -> None:
        """None of them."""
        self.dismiss(None)
