"""The line of keys at the foot of a screen."""

from typing import TYPE_CHECKING, cast

from textual.events import Resize

from dateflicks.tui.drawing.foot import hints
from dateflicks.tui.keys import Context
from dateflicks.tui.widgets.board import Board

if TYPE_CHECKING:
    from dateflicks.tui.app import DateflicksApp


class Hints(Board):
    """What can be done now; `context` may change with the focus."""

    DEFAULT_CSS = "Hints { dock: bottom; height: 1; }"

    def __init__(self, context: Context) -> None:
        super().__init__(id="hints")
        self._where = context

    def on_resize(self, event: Resize) -> None:
        """As many as fit."""
        self._draw(event.size.width)

    def tell(self, context: Context) -> None:
        """Other keys work now."""
        if context != self._where:
            self._where = context
            self._draw(self.size.width)

    def _draw(self, width: int) -> None:
        app = cast("DateflicksApp", self.app)
        self.show(hints(self._where, width, app.glyphs, app.keys))
