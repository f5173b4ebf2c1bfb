"""While the guest is awaited: the line to read to them, large and alone; over the film's screen until they come."""

from typing import TYPE_CHECKING, ClassVar, cast

from textual import work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.widgets import Button, Static

from dateflicks.client.errors import ClientError
from dateflicks.protocol.printable import printable
from dateflicks.tui.bindings import bindings_of
from dateflicks.tui.keys import Context
from dateflicks.tui.model import WatchState
from dateflicks.tui.screens.dialog import Dialog, buttons

if TYPE_CHECKING:
    from dateflicks.tui.app import DateflicksApp
    from dateflicks.tui.room import Room


class WaitingScreen(Dialog[None]):
    """Goes by itself when the guest has said yes, or no."""

    CONTEXTS: ClassVar[tuple[Context, ...]] = ("waiting",)
    BINDINGS: ClassVar[list[BindingType]] = [*bindings_of("waiting")]
    KIND = "wide"
    AUTO_FOCUS = ""  # a button with the focus would scroll the line away where there is little room

    def __init__(self, line: str, title: str, guest: str, note: str = "") -> None:
        super().__init__()
        self._line = line
        self._film = printable(title)
        self._asked = printable(guest)  # of an account that was asked; whoever gets the line has none yet
        self._note = note
        self._seconds = 0
        self._room: Room | None = None

    def body(self) -> ComposeResult:
        """What to read out, and how long it has been."""
        yield Static(f"You host {self._film}", markup=False, classes="title")
        if self._line:
            said = "Read this to your friend, or send it:"
            if self._asked:
                said = f"{self._asked} is asked, and finds it in the lobby of dateflicks; or types:"
            yield Static(said, markup=False, classes="detail")
            yield Static(self._line, markup=False, id="line")
        yield Static("", markup=False, id="waited")
        if self._note:
            yield Static(self._note, markup=False, classes="detail")
        named = [("lobby", "To the lobby"), ("cancel", "Take it back")]
        yield from buttons(*([("copy", "Copy the line")] if self._line else []), *named)

    def on_mount(self) -> None:
        """Count the seconds: something goes on."""
        self._room = cast("DateflicksApp", self.app).room
        self._count()
        self.set_interval(1.0, self._count)

    def show_state(self, state: WatchState) -> None:
        """Nothing to wait for any more."""
        del state
        self._look()

    def on_screen_resume(self) -> None:
        """It may have been answered meanwhile."""
        self._look()

    def _look(self) -> None:
        app = cast("DateflicksApp", self.app)
        is_waiting = app.room is self._room and self._room is not None and self._room.session.state == "pending"
        if self.is_current and not is_waiting:
            self.dismiss(None)

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """By mouse."""
        match event.button.id:
            case "copy":
                self.action_copy_word()
            case "cancel":
                self.action_cancel_invitation()
            case _:
                self.action_close_waiting()

    def _count(self) -> None:
        glyphs, guest = cast("DateflicksApp", self.app).glyphs, self._asked or "your guest"
        text = f"Waiting for {guest}{glyphs.ellipsis}  {self._seconds // 60}:{self._seconds % 60:02d}"
        if self._room is not None and self._room.is_cut is True:
            text = f"No line to the server: trying again. Until then {guest} cannot answer."
        self.query_one("#waited", Static).update(text)
        self._seconds += 1

    def action_copy_word(self) -> None:
        """To the clipboard, as far as this terminal has one."""
        if self._line:
            self.app.copy_to_clipboard(self._line)
            self.app.notify("Copied, if your terminal allows it.", markup=False)

    @work(exclusive=True)
    async def action_cancel_invitation(self) -> None:
        """Take the invitation back."""
        app = cast("DateflicksApp", self.app)
        room = self._room
        if room is None or app.client is None or not await app.confirm("Take the invitation back?"):
            return
        try:
            await app.client.cancel(room.session.id)
        except ClientError as error:
            app.notify(printable(error.detail), severity="error", markup=False)

    def action_close_waiting(self) -> None:
        """To the lobby; it stays open."""
        cast("DateflicksApp", self.app).to_lobby()

    def action_back(self) -> None:
        """To the lobby; it stays open."""
        self.action_close_waiting()
