"""Signing in, or making an account: a dialog over the lobby, there only while nobody is signed in."""

from typing import TYPE_CHECKING, ClassVar, cast

from textual import work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Button, Input, Static

from dateflicks.client.address import server_address
from dateflicks.client.credentials import SignIn
from dateflicks.client.errors import ClientError
from dateflicks.client.http import ServiceClient
from dateflicks.protocol.printable import printable
from dateflicks.tui.bindings import bindings_of

if TYPE_CHECKING:
    from dateflicks.tui.app import DateflicksApp


class SignInScreen(ModalScreen[ServiceClient | None]):
    """Ends with a client that is signed in, or None for whoever only wants to join with a code, or look around."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings_of("sign_in"), ("escape", "skip", "Not now")]

    def __init__(self, server: str, name: str = "", why: str = "") -> None:
        super().__init__()
        self._server = server
        self._name = name
        self._why = why
        self._is_new = False

    def compose(self) -> ComposeResult:
        """Three lines and three buttons."""
        with Vertical(classes="dialog wide"):
            yield Static("Sign in", markup=False, classes="title", id="title")
            yield Static(printable(self._why), markup=False, classes="detail")
            yield Input(value=self._server, placeholder="server", id="server")
            yield Static("", markup=False, classes="detail", id="reach")
            yield Input(value=self._name, placeholder="name", id="name", max_length=32)
            yield Input(placeholder="password (8 or more characters)", password=True, id="password", max_length=256)
            yield Static("", markup=False, classes="trouble", id="trouble")
            with Horizontal(classes="buttons"):
                yield Button("Sign in", id="submit", variant="primary")
                yield Button("Create account", id="other")
                yield Button("Not now", id="skip")

    def on_mount(self) -> None:
        """Begin where something is missing, and look whether the server is there."""
        self.query_one("#password" if self._name else "#name", Input).focus()
        self._look(self._server)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter goes on to what is empty, then signs in."""
        for one in (self.query_one("#name", Input), self.query_one("#password", Input)):
            if not one.value and one is not event.input:
                one.focus()
                return
        self.action_submit()

    def on_input_blurred(self, event: Input.Blurred) -> None:
        """Another server: is it there?"""
        if event.input.id == "server":
            self._look(event.value)

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """By mouse."""
        match event.button.id:
            case "submit":
                self.action_submit()
            case "other":
                self.action_other_way()
            case _:
                self.action_skip()

    def action_other_way(self) -> None:
        """An account instead of a sign-in, or the other way round."""
        self._is_new = not self._is_new
        here, there = ("Create account", "Sign in") if self._is_new else ("Sign in", "Create account")
        self.query_one("#title", Static).update(here)
        self.query_one("#submit", Button).label = here
        self.query_one("#other", Button).label = there

    def action_skip(self) -> None:
        """Not now."""
        self.dismiss(None)

    @work(exclusive=True, group="look")
    async def _look(self, server: str) -> None:
        reach = self.query_one("#reach", Static)
        try:
            async with ServiceClient(server_address(server), timeout=3.0) as client:
                await client.services()
        except ClientError as error:
            reach.update(f"✗ {printable(error.detail)}")
        else:
            reach.update("✓ the server is there")

    @work(exclusive=True, group="submit")
    async def action_submit(self) -> None:
        """Try it; what is wrong is said, and what was typed stays."""
        name, password = self.query_one("#name", Input).value.strip(), self.query_one("#password", Input).value
        trouble = self.query_one("#trouble", Static)
        trouble.update("…")
        surroundings = cast("DateflicksApp", self.app).surroundings
        try:
            server = server_address(self.query_one("#server", Input).value)
            client = ServiceClient(server, timeout=surroundings.settings.timeout_seconds)
            answer = await (client.register(name, password) if self._is_new else client.sign_in(name, password))
            client.token = answer.token
            kept = SignIn(
                name=answer.user.name, user_id=answer.user.id, expires_at=answer.expires_at, token=answer.token
            )
            surroundings.credentials.put(server, kept)
        except ClientError as error:
            problems = "; ".join(f"{one.field} {one.message}" for one in getattr(error, "problems", ()))
            trouble.update(printable(f"✗ {error.detail} {problems}".rstrip()))
            return
        surroundings.server = server
        self.dismiss(client)
