"""Drawn rows on the screen: each redrawn only when it has changed, in the colours of whatever theme there is.

Keys that are named in them can be clicked.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, cast

from rich.segment import Segment
from rich.style import Style as RichStyle
from textual.events import Click
from textual.geometry import Region, Size
from textual.strip import Strip
from textual.widget import Widget

from dateflicks.tui.bindings import action_of
from dateflicks.tui.drawing.rows import Row
from dateflicks.tui.drawing.touch import touched
from dateflicks.tui.keys import Binding, Context
from dateflicks.tui.textual_themes import rich_styles
from dateflicks.tui.themes import Style

if TYPE_CHECKING:
    from dateflicks.tui.app import DateflicksApp

OF_WIDGETS: Final[frozenset[Context]] = frozenset({"composer", "chat", "form", "choice"})  # the focused one's keys


class Board(Widget):
    """As high as its rows; `show` puts others in their place."""

    DEFAULT_CSS = "Board { height: auto; width: 1fr; }"

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002 - Textual's word
        super().__init__(id=id, classes=classes)
        self._rows: tuple[Row, ...] = ()
        self._styles: dict[Style, RichStyle] = {}
        self._theme = ""

    @property
    def rows(self) -> tuple[Row, ...]:
        """What is drawn."""
        return self._rows

    def show(self, rows: Sequence[Row]) -> None:
        """Draw these from now on."""
        before, self._rows = self._rows, tuple(rows)
        if len(before) != len(self._rows):
            self.refresh(layout=True)
            return
        for number, (old, new) in enumerate(zip(before, self._rows, strict=True)):
            if old != new:
                self.refresh(Region(0, number, self.size.width, 1))

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """One line a row."""
        del container, viewport, width
        return len(self._rows)

    def render_line(self, y: int) -> Strip:
        """One row, in the theme's colours."""
        if self._theme != self.app.theme:
            self._theme, self._styles = self.app.theme, rich_styles(self.app)
        if y >= len(self._rows):
            return Strip.blank(self.size.width, self._styles["text"])
        segments = [Segment(text, self._styles[style]) for text, style in self._rows[y]]
        return Strip(segments).adjust_cell_length(self.size.width, self._styles["text"])

    # --- mouse --------------------------------------------------------------------------------------------------

    @property
    def contexts(self) -> tuple[Context, ...]:
        """Where the keys work that may stand in these rows."""
        return (*getattr(self.screen, "CONTEXTS", ()), "app")

    async def on_click(self, event: Click) -> None:
        """A key that stands there, or its words: as if it were pressed."""
        app = cast("DateflicksApp", self.app)
        y = int(event.y)
        if not 0 <= y < len(self._rows):
            return
        known = [one for context in self.contexts for one in app.keys.of(context)]
        found = touched(self._rows[y], int(event.x), known, app.glyphs)
        if found is not None:
            event.stop()
            await self._act(found)

    async def _act(self, binding: Binding) -> None:
        node = self.app if binding.context == "app" and binding.id != "back" else self.screen
        action = action_of(binding.id)
        if binding.context in OF_WIDGETS:
            self.app.simulate_key(binding.keys[0])
        elif binding.id == "back":
            await self.app.run_action("back")
        elif not await self.app.run_action(action, node):
            self.app.simulate_key(binding.keys[0])
