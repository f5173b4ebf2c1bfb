"""While the guest is awaited: the line to read to them, large and alone; over the film's screen until they come."""

from typing import TYPE_CHECKING, ClassVar, cast

from textual import work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Static

from dateflicks.client.errors import ClientError
from dateflicks.protocol.printable import printable
from dateflicks.tui.bindings import bindings_of
from dateflicks.tui.keys import Context
from dateflicks.tui.model import WatchState
from dateflicks.tui.widgets.hints import Hints

if TYPE_CHECKING:
    from dateflicks.tui.app import DateflicksApp


class WaitingScreen(ModalScreen[None]):
    """Goes by itself when the guest has said yes, or no."""

    CONTEXTS: ClassVar[tuple[Context, ...]] = ("waiting",)
    BINDINGS: ClassVar[list[BindingType]] = [*bindings_of("waiting")]

    def __init__(self, line: str, title: str, guest: str, note: str = "") -> None:
        super().__init__()
        self._line = line
        self._film = printable(title)
        self._guest = printable(guest)
        self._note = note
        self._seconds = 0

    def compose(self) -> ComposeResult:
        """What to read out, and how long it has been."""
        with Vertical(classes="dialog wide"):
            yield Static(f"You host {self._film}", markup=False, classes="title")
            if self._line:
                yield Static("Read this to your friend, or send it:", markup=False, classes="detail")
                yield Static(self._line, markup=False, id="line")
            yield Static(self._note, markup=False, classes="detail")
            yield Static("", markup=False, id="waited")
            yield Hints("waiting")

    def on_mount(self) -> None:
        """Count the seconds: something goes on."""
        self._count()
        self.set_interval(1.0, self._count)

    def show_state(self, state: WatchState) -> None:
        """Nothing to wait for any more."""
        if not state.invitation and state.people:
            self.dismiss(None)

    def _count(self) -> None:
        text = f"Waiting for {self._guest}…  {self._seconds // 60}:{self._seconds % 60:02d}"
        self.query_one("#waited", Static).update(text)
        self._seconds += 1

    def action_copy_word(self) -> None:
        """To the clipboard, as far as this terminal has one."""
        self.app.copy_to_clipboard(self._line)
        self.app.notify("Copied, if your terminal allows it.", markup=False)

    @work(exclusive=True)
    async def action_cancel_invitation(self) -> None:
        """Take the invitation back."""
        app = cast("DateflicksApp", self.app)
        room = app.room
        if room is None or app.client is None or not await app.confirm("Take the invitation back?"):
            return
        try:
            await app.client.cancel(room.session.id)
        except ClientError as error:
            app.notify(printable(error.detail), severity="error", markup=False)

    def action_close_waiting(self) -> None:
        """To the lobby; it stays open."""
        cast("DateflicksApp", self.app).to_lobby()
