"""Which file is the own copy: asked when the session's film is not where films are looked for."""

from typing import TYPE_CHECKING, ClassVar, cast

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Button, Input, Static

from dateflicks.client.errors import ClientError, FilmMissing
from dateflicks.client.films import Film
from dateflicks.protocol.bodies import SessionBody
from dateflicks.protocol.printable import printable
from dateflicks.tui.path_suggester import PathSuggester

if TYPE_CHECKING:
    from dateflicks.tui.app import DateflicksApp
    from dateflicks.tui.surroundings import Surroundings


class AskFilmScreen(ModalScreen[Film | None]):
    """A path or an address, completed as it is typed; None to be there without a film."""

    BINDINGS: ClassVar[list[BindingType]] = [("escape", "without", "Go on without a film")]

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

    def compose(self) -> ComposeResult:
        """Why, a line to type in, and what is wrong with what was typed."""
        suggester = None if self._surroundings.is_lent else PathSuggester()
        with Vertical(classes="dialog"):
            yield Static(self._title, markup=False, classes="title")
            yield Static(self._why, markup=False, classes="detail")
            yield Input(placeholder="your copy: a file or an address", id="path", suggester=suggester)
            yield Static("", markup=False, classes="trouble", id="trouble")
            with Horizontal(classes="buttons"):
                yield Button("Open", id="open", variant="primary")
                yield Button("Without a film", id="without")

    def on_input_submitted(self) -> None:
        """Take it if it is a film."""
        self._take()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """By mouse."""
        if event.button.id == "open":
            self._take()
        else:
            self.action_without()

    def action_without(self) -> None:
        """Be there without a film."""
        self.dismiss(None)

    def _take(self) -> None:
        text = self.query_one("#path", Input).value.strip()
        if not text:
            return
        try:
            film = self._surroundings.own_film(text)
        except ClientError as error:
            self.query_one("#trouble", Static).update(f"✗ {printable(error.detail)}")
            return
        self.dismiss(film)
