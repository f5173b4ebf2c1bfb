"""A new session: which film, and with whom; ends with a session whose guest is asked, or gets a line to type."""

from typing import TYPE_CHECKING, cast

from textual import work
from textual.app import ComposeResult
from textual.widgets import Button, Static

from dateflicks.client.errors import ClientError, NotSignedIn
from dateflicks.protocol.printable import printable
from dateflicks.tui.inviting import OfCollection, invite
from dateflicks.tui.path_suggester import PathSuggester
from dateflicks.tui.screens.dialog import Form, buttons, field, trouble
from dateflicks.tui.screens.sign_in import sign_in
from dateflicks.tui.surroundings import AtSession

if TYPE_CHECKING:
    from dateflicks.tui.app import DateflicksApp


class NewSessionScreen(Form[AtSession | None]):
    """Two lines are enough: a film, and perhaps a name. `of` is the film where it is one of the collection."""

    def __init__(self, film: str = "", guest: str = "", *, of: OfCollection | None = None) -> None:
        super().__init__()
        self._film = film
        self._guest = guest
        self._of = of

    def body(self) -> ComposeResult:
        """Film, guest, length where nobody can find it out."""
        of = self._of
        title = f"Watch {printable(of.name)} together" if of is not None else "Watch a film together"
        yield Static(title, markup=False, classes="title")
        if of is not None and of.note:
            yield Static(printable(of.note), markup=False, classes="detail")
        is_lent = cast("DateflicksApp", self.app).surroundings.is_lent
        suggester = None if is_lent else PathSuggester()
        yield field(
            "film", "film", value=self._film, example="a file or an address", suggester=suggester, is_needed=True
        )
        if not is_lent:
            yield Static("the right arrow completes a file's name", markup=False, classes="help")
        yield field("with", "guest", value=self._guest, example="their name, or nothing", longest=32)
        yield Static("without a name you get a line to read to whoever you like", markup=False, classes="help")
        if self._needs_length:
            length = of.length if of is not None else ""
            yield field("length", "length", value=length, example="such as 1:32:10", longest=12, is_needed=True)
        yield trouble()
        yield from buttons(("invite", "Invite"), ("back", "Back"))

    @property
    def _needs_length(self) -> bool:
        return cast("DateflicksApp", self.app).surroundings.settings.player in ("manual", "none")

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """By mouse."""
        self.submit() if event.button.id == "invite" else self.action_back()

    def submit(self) -> None:
        """Invite them."""
        if self.value("film"):
            self._invite()
        else:
            self.say("Which film? Type a file's name, or an address.")
            self.query_one("#film").focus()

    @work(exclusive=True)
    async def _invite(self) -> None:
        app = cast("DateflicksApp", self.app)
        client = app.client or await sign_in(app)
        if client is None:
            return
        self.say("Opening the film…", is_trouble=False)
        film, guest, length = self.value("film"), self.value("guest"), self.value("length")
        try:
            start = await invite(app.surroundings, client, film, guest=guest or None, length=length, of=self._of)
        except NotSignedIn as error:
            self.say(error.detail)
            if await sign_in(app, error.detail) is not None:
                self._invite()
        except ClientError as error:
            self.say(error.detail)
        else:
            self.dismiss(start)
