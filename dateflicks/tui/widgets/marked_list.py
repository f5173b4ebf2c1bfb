"""A list whose marked row has a sign before it, to be seen without colours too; it keeps its place when it changes."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from textual.widgets import OptionList
from textual.widgets.option_list import Option

from dateflicks.protocol.printable import printable

if TYPE_CHECKING:
    from dateflicks.tui.app import DateflicksApp

Line = tuple[str | None, str]  # what is chosen by it, None for a title that is not chosen; and its text


class MarkedList(OptionList):
    """All texts may be other people's: they are made printable here, and no markup is read from them."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's word
        super().__init__(id=id, markup=False)
        self._shown: tuple[Line, ...] = ()
        self._signed: int | None = None

    @property
    def marked(self) -> str | None:
        """What would be chosen now."""
        at = self.highlighted
        return self._shown[at][0] if at is not None and at < len(self._shown) else None

    def show(self, lines: Sequence[Line]) -> None:
        """Put these in place of what is there; the mark stays where it was as long as that is there."""
        if tuple(lines) == self._shown:
            return
        marked, at, y = self.marked, self.highlighted, self.scroll_offset.y
        self._shown, self._signed = tuple(lines), None
        self.clear_options()
        self.add_options([Option(self._text(one, False), id=one[0], disabled=one[0] is None) for one in self._shown])
        chosen = [number for number, one in enumerate(self._shown) if one[0] is not None]
        found = next((number for number in chosen if self._shown[number][0] == marked), None)
        if found is None:  # it is gone: the one that stands in its place now
            found = min(chosen, key=lambda number: abs(number - (at or 0)), default=None)
        self.highlighted = found
        self.call_after_refresh(self.scroll_to, y=y, animate=False)

    def watch_highlighted(self, highlighted: int | None) -> None:
        """The sign goes with the mark."""
        super().watch_highlighted(highlighted)
        before, self._signed = self._signed, highlighted
        for number in {before, highlighted}:
            if number is not None and number < len(self._shown):
                self.replace_option_prompt_at_index(number, self._text(self._shown[number], number == highlighted))

    def _text(self, line: Line, is_marked: bool) -> str:
        name, text = line
        if name is None:
            return printable(text)
        sign = ">" if cast("DateflicksApp", self.app).is_ascii else "▸"
        return printable(f"{sign if is_marked else ' '} {text}")
