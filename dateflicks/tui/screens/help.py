"""What can be done here, and with which keys: first the screen that was asked from, then everything else."""

from typing import TYPE_CHECKING, Any, ClassVar, Final, cast

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical, VerticalScroll
from textual.screen import ModalScreen, Screen
from textual.widgets import Static

from dateflicks.tui.commands import USAGES
from dateflicks.tui.keys import Context, table

if TYPE_CHECKING:
    from dateflicks.tui.app import DateflicksApp

TITLES: Final[dict[Context, str]] = {
    "app": "Everywhere",
    "film": "While the film has the keys",
    "composer": "While you write",
    "chat": "While the chat is marked",
    "lobby": "In the lobby",
    "predictions": "Predictions",
    "history": "History",
    "settings": "Settings",
    "waiting": "While your guest is awaited",
    "sign_in": "Signing in",
    "dialog": "In a question",
}


class HelpScreen(ModalScreen[None]):
    """Two columns: keys, and what they do; then what can be written with a slash."""

    BINDINGS: ClassVar[list[BindingType]] = [("escape,f1,q,question_mark", "close", "Back")]

    def __init__(self, below: "Screen[Any]") -> None:
        super().__init__()
        self._first = cast("tuple[Context, ...]", getattr(below, "CONTEXTS", ()))

    def compose(self) -> ComposeResult:
        """The text, which scrolls."""
        with Vertical(classes="dialog tall"):
            yield Static("Help · esc back", markup=False, classes="title")
            with VerticalScroll(id="text"):
                yield Static(self._text(), markup=False)

    def action_close(self) -> None:
        """Back."""
        self.dismiss(None)

    def _text(self) -> str:
        app = cast("DateflicksApp", self.app)
        rows: dict[Context, list[tuple[str, str, str]]] = {}
        for context, keys, description, name in table(app.keys, ascii_only=app.is_ascii):
            rows.setdefault(context, []).append((keys, description, name))
        order = [*self._first, *(context for context in ("app", *rows) if context not in self._first)]
        parts: list[str] = []
        for context in dict.fromkeys(order):
            if context not in rows:
                continue
            parts.append(TITLES[context])
            parts += [f"  {keys:<16} {description}" for keys, description, _ in rows[context]]
            parts.append("")
        parts.append("Written in the chat")
        parts += [f"  {usage.pattern:<20} {usage.purpose}" for usage in USAGES.values()]
        parts += ["", "Other keys: [keys] in client.toml, by these names:"]
        names = [name for found in rows.values() for _, _, name in found]
        parts += [f"  {', '.join(names[at : at + 6])}" for at in range(0, len(names), 6)]
        return "\n".join(parts)
