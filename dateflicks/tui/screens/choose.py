"""One of a few, by number, arrow keys or mouse."""

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.events import Key
from textual.widgets import OptionList, Static

from dateflicks.protocol.printable import printable
from dateflicks.tui.bindings import bindings_of
from dateflicks.tui.keys import Context
from dateflicks.tui.screens.dialog import Dialog
from dateflicks.tui.widgets.marked_list import MarkedList


class ChooseScreen(Dialog[str | None]):
    """The choice as it was given, or None; all texts may be other people's. `shown` is how the choices are drawn."""

    CONTEXTS: ClassVar[tuple[Context, ...]] = ("choice",)
    BINDINGS: ClassVar[list[BindingType]] = [*bindings_of("choice")]

    def __init__(self, about: str, question: str, choices: Sequence[str], shown: Sequence[str] = ()) -> None:
        super().__init__()
        self._about = printable(about)
        self._question = question
        self._choices = list(choices)
        self._shown = list(shown) or self._choices

    def body(self) -> ComposeResult:
        """What it is about, the question, and a place for the choices."""
        if self._about:
            yield Static(self._about, markup=False, classes="detail")
        yield Static(self._question, markup=False, classes="title")
        yield MarkedList(id="choices")

    def on_mount(self) -> None:
        """The choices, each with its number; nine of them have a key. The first is marked."""
        lines = [(str(number), f"{number}  {text}") for number, text in enumerate(self._shown, 1)]
        self.query_one(MarkedList).show(lines)

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

    def action_choose(self) -> None:
        """The marked one."""
        at = self.query_one(MarkedList).highlighted
        if at is not None:
            self.dismiss(self._choices[at])
