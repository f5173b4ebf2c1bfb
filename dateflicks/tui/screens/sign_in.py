"""Signing in, or making an account: a dialog over whatever is there, only while nobody is signed in, or no longer."""

from typing import TYPE_CHECKING, ClassVar, Final, cast

from textual import work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.widgets import Button, Input, Static

from dateflicks.client.address import server_address
from dateflicks.client.credentials import SignIn
from dateflicks.client.errors import AskedTooOften, ClientError, Unreachable
from dateflicks.client.http import ServiceClient
from dateflicks.protocol.printable import printable
from dateflicks.tui.bindings import bindings_of
from dateflicks.tui.keys import Context
from dateflicks.tui.screens.dialog import Form, buttons, field, leaving, trouble

if TYPE_CHECKING:
    from dateflicks.tui.app import DateflicksApp

LOOK_SECONDS: Final = 3.0
AGAIN_SECONDS: Final = 5.0  # between looks for a server that was not there: more than one look takes
OWN_SERVER: Final = "`dateflicks host FILM` in a shell starts your own."


async def sign_in(app: "DateflicksApp", why: str = "") -> ServiceClient | None:
    """Ask who it is, and use that from here on; what is on the screen stays below. From a worker."""
    server = app.surroundings.server
    try:
        kept = app.surroundings.signed_in
    except ClientError as error:
        kept, why = None, why or error.detail
    found = await app.push_screen_wait(SignInScreen(server, kept.name if kept else "", why))
    if found is not None:
        if app.client is not None:
            await app.client.close()
        app.client = found
    return found


class SignInScreen(Form[ServiceClient | None]):
    """Ends with a client that is signed in, or None for whoever only wants to join with a code, or look around."""

    CONTEXTS: ClassVar[tuple[Context, ...]] = ("sign_in", "form")
    BINDINGS: ClassVar[list[BindingType]] = [
        *leaving("sign_in", "submit"),
        *bindings_of("sign_in", actions={"submit": "go_on"}),
    ]

    def __init__(self, server: str, name: str = "", why: str = "") -> None:
        super().__init__()
        self._server = server
        self._known_name = name
        self._why = printable(why)
        self._is_new = False
        self._is_reached = True  # until it is known that it is not

    def body(self) -> ComposeResult:
        """Three lines and three buttons."""
        yield Static("Sign in", markup=False, classes="title", id="title")
        if self._why:
            yield Static(self._why, markup=False, classes="detail", id="why")
        yield field("server", "server", value=self._server, is_needed=True)
        yield Static("", markup=False, classes="help", id="reach")
        yield field("name", "name", value=self._known_name, longest=32, is_needed=True)
        yield field("password", "password", longest=256, is_secret=True, is_needed=True)
        yield trouble()
        yield from buttons(("submit", "Sign in"), ("other", "Create account"), ("skip", "Not now"))
        yield Static("To join with a word you need no account: Not now, then j.", markup=False, classes="help")

    def on_mount(self) -> None:
        """Begin where something is missing, and look whether the server is there."""
        self.query_one("#password" if self._known_name else "#name", Input).focus()
        self._look(self._server)
        self.set_interval(AGAIN_SECONDS, self._look_again)

    def _look_again(self) -> None:
        """A server that is only just starting is there a moment later."""
        if not self._is_reached:
            self._look(self._server)

    def on_input_blurred(self, event: Input.Blurred) -> None:
        """Another server: is it there?"""
        if event.input.id == "server" and event.value != self._server:
            self._server = event.value
            self._look(event.value)

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """By mouse."""
        match event.button.id:
            case "submit":
                self.go_on(None)
            case "other":
                self.action_other_way()
            case _:
                self.action_back()

    def action_other_way(self) -> None:
        """An account instead of a sign-in, or the other way round."""
        self._is_new = not self._is_new
        here, there = ("Create account", "Sign in") if self._is_new else ("Sign in", "Create account")
        self.query_one("#title", Static).update(here)
        self.query_one("#submit", Button).label = here
        self.query_one("#other", Button).label = there
        self.query_one("#password", Input).placeholder = "8 or more characters" if self._is_new else ""
        self.say("")
        empty = next((one for one in self.query("Input.needed").results(Input) if not one.value), None)
        if empty is not None:
            empty.focus()

    @work(exclusive=True, group="look")
    async def _look(self, server: str) -> None:
        reach, self._is_reached = self.query_one("#reach", Static), False
        ca_file = cast("DateflicksApp", self.app).surroundings.settings.ca_file
        try:
            async with ServiceClient(server_address(server), timeout=LOOK_SECONDS, ca_file=ca_file) as client:
                await client.services()
        except ClientError as error:
            hint = OWN_SERVER if isinstance(error, Unreachable) else ""
            reach.update(printable(f"{self._cross} {error.detail} {hint}".rstrip()))
        else:
            self._is_reached = True
            reach.update("the server is there" if self.app.has_class("-ascii") else "✓ the server is there")

    def submit(self) -> None:
        """Try it."""
        self._submit()

    @work(exclusive=True, group="submit")
    async def _submit(self) -> None:
        """What is wrong is said, and what was typed stays."""
        name, password = self.value("name"), self.query_one("#password", Input).value
        self.say("Creating the account…" if self._is_new else "Signing in…", is_trouble=False)
        surroundings = cast("DateflicksApp", self.app).surroundings
        client: ServiceClient | None = None
        is_in = False
        try:
            server = server_address(self.value("server"))
            surroundings.credentials.check()
            client = ServiceClient(
                server, timeout=surroundings.settings.timeout_seconds, ca_file=surroundings.settings.ca_file
            )
            answer = await (client.register(name, password) if self._is_new else client.sign_in(name, password))
            kept = SignIn(
                name=answer.user.name, user_id=answer.user.id, expires_at=answer.expires_at, token=answer.token
            )
            surroundings.credentials.put(server, kept)
            is_in = True
        except ClientError as error:
            self.say(self._said(error))
            return
        finally:  # also when the answer is not waited for
            if client is not None and not is_in:
                await client.close()
        surroundings.server = server
        self.dismiss(client)

    def _said(self, error: ClientError) -> str:
        problems = " ".join(f"The {one.field} {one.message}." for one in getattr(error, "problems", ()))
        text = problems or error.detail
        match error:
            case AskedTooOften(retry_after=float() as seconds):
                return f"{text} Wait {seconds:.0f} s."
            case Unreachable():
                return f"{text} Is the address right?"
        return text
