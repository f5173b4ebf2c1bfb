"""Which file is the own copy: asked when the session's film is not where films are looked for."""

from typing import TYPE_CHECKING, cast

from textual.app import ComposeResult
from textual.widgets import Button, Static

from dateflicks.client.errors import ClientError, FilmMissing
from dateflicks.client.films import Film
from dateflicks.protocol.bodies import SessionBody
from dateflicks.protocol.printable import printable
from dateflicks.tui.path_suggester import PathSuggester
from dateflicks.tui.screens.dialog import Form, buttons, field, trouble

if TYPE_CHECKING:
    from dateflicks.tui.app import DateflicksApp
    from dateflicks.tui.surroundings import Surroundings


class AskFilmScreen(Form[Film | None]):
    """A path or an address, completed as it is typed; None to be there without a film."""

    def __init__(self, missing: FilmMissing, session: SessionBody) -> None:
        super().__init__()
        title = session.video.title if session.video is not None and session.video.title else "The film"
        self._title = printable(f"{title} is not found here.")
        self._why = printable(
            f"{missing.detail} Looked in {', '.join(missing.looked_in)}." if missing.looked_in else missing.detail
        )

    @property
    def _surroundings(self) -> "Surroundings":
        return cast("DateflicksApp", self.app).surroundings

    def body(self) -> ComposeResult:
        """Why, a line to type in, and what is wrong with what was typed."""
        yield Static(self._title, markup=False, classes="title")
        yield Static(self._why, markup=False, classes="detail")
        suggester = None if self._surroundings.is_lent else PathSuggester()
        yield field("your copy", "path", example="a file or an address", suggester=suggester, is_needed=True)
        yield trouble()
        yield from buttons(("open", "Open"), ("without", "Without a film"))

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """By mouse."""
        self.submit() if event.button.id == "open" else self.action_back()

    def submit(self) -> None:
        """Take it if it is a film."""
        text = self.value("path")
        if not text:
            self.say("Type where your copy of the film is, or go on without one.")
            return
        try:
            film = self._surroundings.own_film(text)
        except ClientError as error:
            self.say(error.detail)
            return
        self.dismiss(film)
