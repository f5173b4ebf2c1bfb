"""A new session: which film, and with whom; ends with a session whose guest is asked, or gets a line to type."""

from typing import TYPE_CHECKING, ClassVar, cast

from textual import work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Button, Input, Static

from dateflicks.client.errors import ClientError
from dateflicks.protocol.printable import printable
from dateflicks.tui.inviting import invite
from dateflicks.tui.path_suggester import PathSuggester
from dateflicks.tui.surroundings import AtSession

if TYPE_CHECKING:
    from dateflicks.tui.app import DateflicksApp


class NewSessionScreen(ModalScreen[AtSession | None]):
    """Two lines are enough: a film, and perhaps a name."""

    BINDINGS: ClassVar[list[BindingType]] = [("escape", "close", "Back")]

    def compose(self) -> ComposeResult:
        """Film, guest, length where nobody can find it out."""
        surroundings = cast("DateflicksApp", self.app).surroundings
        suggester = None if surroundings.is_lent else PathSuggester()
        with Vertical(classes="dialog wide"):
            yield Static("Watch a film together", markup=False, classes="title")
            yield Input(placeholder="film: a file or an address", id="film", suggester=suggester)
            yield Input(placeholder="guest's name, or nothing for a line to read to them", id="guest", max_length=32)
            if surroundings.settings.player != "mpv":
                yield Input(placeholder="how long it is, such as 1:32:10", id="length", max_length=12)
            yield Static("", markup=False, classes="trouble", id="trouble")
            with Horizontal(classes="buttons"):
                yield Button("Invite", id="invite", variant="primary")
                yield Button("Back", id="back")

    def on_input_submitted(self) -> None:
        """Enter invites."""
        self._invite()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """By mouse."""
        if event.button.id == "invite":
            self._invite()
        else:
            self.action_close()

    def action_close(self) -> None:
        """Invite nobody."""
        self.dismiss(None)

    @work(exclusive=True)
    async def _invite(self) -> None:
        app = cast("DateflicksApp", self.app)
        film = self.query_one("#film", Input).value.strip()
        trouble = self.query_one("#trouble", Static)
        if not film:
            trouble.update("✗ Which film? Type a file's name, or an address.")
            self.query_one("#film", Input).focus()
            return
        if app.client is None:
            return
        lengths = self.query("#length").results(Input)
        trouble.update("Opening the film…")
        try:
            start = await invite(
                app.surroundings,
                app.client,
                film,
                guest=self.query_one("#guest", Input).value.strip() or None,
                length=next((one.value for one in lengths), ""),
            )
        except ClientError as error:
            trouble.update(f"✗ {printable(error.detail)}")
            return
        self.dismiss(start)
