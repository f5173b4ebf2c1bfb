"""What can be done here, and with which keys: first the screen that was asked from, then everything else."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Final, cast

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical, VerticalScroll
from textual.screen import Screen
from textual.widgets import Button, Static

from dateflicks.protocol.printable import printable
from dateflicks.tui.bindings import app_bindings
from dateflicks.tui.commands import USAGES
from dateflicks.tui.drawing.rows import wrapped
from dateflicks.tui.keys import Context, table
from dateflicks.tui.screens.dialog import Dialog

if TYPE_CHECKING:
    from dateflicks.tui.app import DateflicksApp

ROOMY_CELLS: Final = 60
DIALOG_CELLS: Final = 82
TITLES: Final[dict[str, str]] = {
    "app": "Everywhere",
    "film": "While the film has the keys",
    "composer": "While you write",
    "chat": "While the chat is marked",
    "lobby": "In the lobby",
    "recommendations": "What to watch next",
    "predictions": "Predictions",
    "history": "History",
    "settings": "Settings",
    "waiting": "While your guest is awaited",
    "sign_in": "Signing in",
    "form": "Where lines are filled in",
    "choice": "Where one of a few is chosen",
    "help": "On this page",
    "dialog": "In a question",
}


class HelpScreen(Dialog[None]):
    """Two columns: keys, and what they do; then what can be written with a slash."""

    CONTEXTS: ClassVar[tuple[Context, ...]] = ("help",)
    BINDINGS: ClassVar[list[BindingType]] = [*app_bindings({"help": "back", "close-help": "back"})]
    KIND = "tall"

    def __init__(self, below: "Screen[Any]") -> None:
        super().__init__()
        self._first = cast("tuple[Context, ...]", getattr(below, "CONTEXTS", ()))

    def compose(self) -> ComposeResult:
        """The text, which scrolls."""
        app = cast("DateflicksApp", self.app)
        with Vertical(classes="dialog tall"):
            back = app.keys.shown("back", ascii_only=app.is_ascii)
            yield Static(f"Help · {back} leads back", markup=False, classes="title")
            with VerticalScroll(id="text"):
                for context, text in self._parts(app):
                    yield Static(TITLES.get(context, context), markup=False, classes="title")
                    yield Static(text, markup=False, classes="section")
            yield Button("Back", id="back", compact=True)

    def on_mount(self) -> None:
        """Arrow keys scroll."""
        self.query_one("#text").focus()

    def on_button_pressed(self) -> None:
        """By mouse."""
        self.action_back()

    def _parts(self, app: "DateflicksApp") -> Iterator[tuple[str, str]]:
        """Title and text of each part, those of the screen below first."""
        rows: dict[Context, list[tuple[str, str, str]]] = {}
        for context, keys, description, name in table(app.keys, ascii_only=app.is_ascii):
            rows.setdefault(context, []).append((keys, description, name))
        order = [*self._first, *(context for context in ("app", *rows) if context not in self._first)]
        for context in dict.fromkeys(order):
            if context in rows:
                yield context, self._columns([(keys, description) for keys, description, _ in rows[context]])
        yield "Written in the chat", self._columns([(usage.pattern, usage.purpose) for usage in USAGES.values()])
        names = ", ".join(name for found in rows.values() for _, _, name in found)
        file = app.surroundings.settings_file
        yield "Other keys", printable(f'Under [keys] in {file}, such as play-pause = "k", by these names: {names}')

    def _columns(self, rows: Sequence[tuple[str, str]]) -> str:
        """What is pressed or typed, and what it does: in a column of its own where there is room."""
        if self.app.size.width < ROOMY_CELLS:
            return "\n".join(f"{left}  {right}" for left, right in rows)
        width = max(len(left) for left, _ in rows) + 2
        inside = min(self.app.size.width - 8, DIALOG_CELLS)
        found = []
        for left, right in rows:
            first, *more = wrapped(right, max(10, inside - width))
            found += [f"{left:<{width}}{first}", *(" " * width + line for line in more)]
        return "\n".join(found)
