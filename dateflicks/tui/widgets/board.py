"""Drawn rows on the screen: each redrawn only when it has changed, in the colours of whatever theme there is."""

from collections.abc import Sequence

from rich.segment import Segment
from rich.style import Style as RichStyle
from textual.geometry import Region, Size
from textual.strip import Strip
from textual.widget import Widget

from dateflicks.tui.drawing.rows import Row
from dateflicks.tui.textual_themes import rich_styles
from dateflicks.tui.themes import Style


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
