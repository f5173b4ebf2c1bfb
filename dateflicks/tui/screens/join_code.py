"""Joining with a word that somebody read out."""

from typing import TYPE_CHECKING, Final, cast

from textual import work
from textual.app import ComposeResult
from textual.widgets import Button, Static

from dateflicks.client.errors import ClientError, NotSignedIn, Unreachable
from dateflicks.tui.inviting import take_part
from dateflicks.tui.screens.dialog import Form, buttons, field, trouble
from dateflicks.tui.screens.sign_in import sign_in
from dateflicks.tui.surroundings import AtSession

if TYPE_CHECKING:
    from dateflicks.tui.app import DateflicksApp

_COMMAND: Final = "dateflicks join "
_ASK_HOST: Final = "Ask your host whether dateflicks still runs there."


class JoinCodeScreen(Form[AtSession | None]):
    """One line; what is wrong with it is said below."""

    def body(self) -> ComposeResult:
        """The line and two buttons."""
        yield Static("Join with a word", markup=False, classes="title")
        yield Static("Your host sees it, such as k3v9x-tzq41-09ajm-hd2we@192.168.1.7:8700.", markup=False)
        yield field("word", "word", longest=200, is_needed=True)
        yield trouble()
        yield from buttons(("join", "Join"), ("back", "Back"))

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """By mouse."""
        self.submit() if event.button.id == "join" else self.action_back()

    def submit(self) -> None:
        """Try it."""
        text = self.value("word").removeprefix(_COMMAND).strip().strip("'\"")
        if text:
            self._join(text)
        else:
            self.say("Type the word that your host reads to you.")

    @work(exclusive=True)
    async def _join(self, text: str) -> None:
        app = cast("DateflicksApp", self.app)
        self.say("Looking for the session…", is_trouble=False)
        try:
            start = await take_part(app.surroundings, app.client, text)
        except NotSignedIn as error:
            self.say(error.detail)
            if await sign_in(app, error.detail) is not None:
                self._join(text)
        except Unreachable as error:
            self.say(f"{error.detail} {_ASK_HOST}")
        except ClientError as error:
            self.say(error.detail)
        else:
            self.dismiss(start)
