"""Somebody's invitation, looked at: who, which film, and the three things to do with it."""

from typing import ClassVar, Literal

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.widgets import Button, Static

from dateflicks.client.sentences import clock_text
from dateflicks.tui.bindings import bindings_of
from dateflicks.tui.lobby_rows import LobbyRow
from dateflicks.tui.screens.dialog import Dialog, buttons

Reply = Literal["accept", "reject"]


class InvitationScreen(Dialog[Reply | None]):
    """Yes, no, or later."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings_of("dialog")]

    def __init__(self, row: LobbyRow) -> None:
        super().__init__()
        self._row = row

    def body(self) -> ComposeResult:
        """Who asks for what."""
        row, video = self._row, self._row.session.video
        length = f", {clock_text(video.length)} long" if video is not None and video.length else ""
        yield Static(f"{row.with_whom} invites you to watch {row.title}", markup=False, classes="title")
        yield Static(f"{row.note}{length}", markup=False, classes="detail")
        yield from buttons(("accept", "Accept"), ("reject", "Reject"), ("later", "Later"))

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """By mouse or enter."""
        match event.button.id:
            case "accept":
                self.dismiss("accept")
            case "reject":
                self.dismiss("reject")
            case _:
                self.dismiss(None)

    def action_dialog_yes(self) -> None:
        """Accept."""
        self.dismiss("accept")

    def action_dialog_no(self) -> None:
        """Reject."""
        self.dismiss("reject")
