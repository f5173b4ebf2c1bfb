"""Joining with a word that somebody read out."""

from typing import TYPE_CHECKING, ClassVar, cast

from textual import work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Button, Input, Static

from dateflicks.client.errors import ClientError
from dateflicks.protocol.printable import printable
from dateflicks.tui.inviting import take_part
from dateflicks.tui.surroundings import AtSession

if TYPE_CHECKING:
    from dateflicks.tui.app import DateflicksApp


class JoinCodeScreen(ModalScreen[AtSession | None]):
    """One line; what is wrong with it is said below."""

    BINDINGS: ClassVar[list[BindingType]] = [("escape", "close", "Back")]

    def compose(self) -> ComposeResult:
        """The line and two buttons."""
        with Vertical(classes="dialog wide"):
            yield Static("Join with a word", markup=False, classes="title")
            yield Static("It looks like k3v9x-tzq41-09ajm-hd2we@192.168.1.7:8700.", markup=False, classes="detail")
            yield Input(placeholder="the word", id="word", max_length=200)
            yield Static("", markup=False, classes="trouble", id="trouble")
            with Horizontal(classes="buttons"):
                yield Button("Join", id="join", variant="primary")
                yield Button("Back", id="back")

    def on_input_submitted(self) -> None:
        """Enter joins."""
        self._join()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """By mouse."""
        if event.button.id == "join":
            self._join()
        else:
            self.action_close()

    def action_close(self) -> None:
        """Join nobody."""
        self.dismiss(None)

    @work(exclusive=True)
    async def _join(self) -> None:
        app = cast("DateflicksApp", self.app)
        text = self.query_one("#word", Input).value.strip().removeprefix("dateflicks join ").strip()
        trouble = self.query_one("#trouble", Static)
        if not text:
            return
        trouble.update("…")
        try:
            start = await take_part(app.surroundings, app.client, text)
        except ClientError as error:
            trouble.update(f"✗ {printable(error.detail)}")
            return
        self.dismiss(start)
