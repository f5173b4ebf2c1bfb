"""The line of keys at the foot of a screen."""

from dataclasses import replace
from typing import TYPE_CHECKING, cast

from textual.events import Resize

from dateflicks.tui.bindings import action_of
from dateflicks.tui.drawing.foot import hints
from dateflicks.tui.keys import Binding, Context, Keymap
from dateflicks.tui.widgets.board import Board

if TYPE_CHECKING:
    from dateflicks.tui.app import DateflicksApp


class Hints(Board):
    """What can be done now; `context` may change with the focus."""

    DEFAULT_CSS = "Hints { dock: bottom; height: 1; }"

    def __init__(self, context: Context) -> None:
        super().__init__(id="hints")
        self._where = context

    @property
    def contexts(self) -> tuple[Context, ...]:
        """The keys of the place that is hinted at."""
        return (self._where, "app")

    def on_resize(self, event: Resize) -> None:
        """As many as fit."""
        self._draw(event.size.width)

    def tell(self, context: Context) -> None:
        """Other keys work now."""
        if context != self._where:
            self._where = context
            self._draw(self.size.width)

    def look(self) -> None:
        """Other things make sense now."""
        if self.size.width:
            self._draw(self.size.width)

    def _draw(self, width: int) -> None:
        app = cast("DateflicksApp", self.app)
        keys = Keymap(tuple(one if self._can(one) else replace(one, rank=None) for one in app.keys.bindings))
        self.show(hints(self._where, width, app.glyphs, keys))

    def _can(self, one: Binding) -> bool:
        """Whether it makes sense now: the screen says so by `check_action`."""
        return one.context != self._where or bool(self.screen.check_action(action_of(one.id), ()))
