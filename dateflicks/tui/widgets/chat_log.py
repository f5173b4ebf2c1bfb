"""The talk on the screen: a line-API view that stays at the end until somebody scrolls up, and never moves under them.

What is shown comes whole at each change (`show`), and what the reader wants done goes out as messages: this widget
changes nothing of the talk itself. Selection offsets are line numbers of the book, so that older pages put before do
not move what is selected.
One file, though long: scrolling, marking, selecting and finding all move the same few numbers.
"""

import re
from dataclasses import dataclass
from datetime import tzinfo
from typing import ClassVar, Final

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import BindingType
from textual.cache import LRUCache
from textual.geometry import Offset, Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.selection import Selection
from textual.strip import Strip
from textual.widget import Widget

from dateflicks.tui.bindings import bindings_of
from dateflicks.tui.emoji import EmojiMode
from dateflicks.tui.model import Chat, ChatEntry
from dateflicks.tui.widgets.chat_book import ChatBook
from dateflicks.tui.widgets.chat_lines import ChatLine, Layout, plain_text
from dateflicks.tui.widgets.chat_marks import Span, Wish, hindrance, marked, overlaid

_STYLES: Final = (
    "clock",
    "name",
    "mine",
    "film",
    "text",
    "action",
    "reaction",
    "system",
    "quote",
    "mark",
    "fail",
    "day",
)
_ACTIONS: Final = {
    "line-above": "step(-1)",
    "line-below": "step(1)",
    "reply": "wish('reply')",
    "react-line": "wish('react')",
    "edit": "wish('edit')",
    "delete": "wish('delete')",
    "retry-line": "wish('retry')",
    "go-there": "wish('go')",
    "copy-line": "copy",
    "newest": "to_end",
    "oldest": "scroll_home",
    "match-above": "find_again(-1)",
    "match-below": "find_again(1)",
    "leave-chat": "screen.leave_chat",
}


class ChatLog(ScrollView, can_focus=True):
    """The lines of a session's talk."""

    ALLOW_SELECT = True
    BINDINGS: ClassVar[list[BindingType]] = [*bindings_of("chat", actions=_ACTIONS)]
    COMPONENT_CLASSES: ClassVar[set[str]] = {f"chat--{name}" for name in (*_STYLES, "cursor", "found")}
    DEFAULT_CSS = """
    ChatLog {
        background: $background;
        color: $foreground;
        overflow-x: hidden;
        overflow-y: auto;
        scrollbar-size: 0 0;
        & > .chat--clock, & > .chat--film, & > .chat--system, & > .chat--quote, & > .chat--mark, & > .chat--day {
            color: $text-muted;
        }
        & > .chat--name { color: $text-accent; text-style: bold; }
        & > .chat--mine { color: $text-primary; text-style: bold; }
        & > .chat--action { text-style: italic; }
        & > .chat--fail { color: $text-error; text-style: bold; }
        & > .chat--cursor { background: $surface; }
        & > .chat--found { text-style: bold reverse; }
    }
    """

    unread: reactive[int] = reactive(0, repaint=False)
    """How many lines of others came below what is on the screen since the reader scrolled up."""
    emoji: reactive[EmojiMode] = reactive[EmojiMode]("names", init=False)
    is_ascii: reactive[bool] = reactive(False, init=False)
    shows_clock: reactive[bool] = reactive(True, init=False)
    shows_film: reactive[bool] = reactive(True, init=False)

    @dataclass
    class Unread(Message):
        """The count of lines below what is on the screen is another one."""

        log: "ChatLog"
        count: int

        @property
        def control(self) -> "ChatLog":
            """Whose count it is."""
            return self.log

    @dataclass
    class OlderWanted(Message):
        """The reader has come to the oldest line that is here, and there are older ones."""

        log: "ChatLog"

    @dataclass
    class Wanted(Message):
        """The reader wants something done with a line."""

        wish: Wish
        entry: ChatEntry

    @dataclass
    class Refused(Message):
        """What the reader wants cannot be done with that line: why, in a sentence."""

        sentence: str

    @dataclass
    class Copied(Message):
        """A line is in the clipboard."""

        text: str

    def __init__(
        self,
        *,
        name: str | None = None,
        id: str | None = None,  # noqa: A002 - Textual's own word
        classes: str | None = None,
        zone: tzinfo | None = None,
    ) -> None:
        """`zone` is where clock times are told for; None is where this computer is."""
        super().__init__(name=name, id=id, classes=classes)
        self._zone = zone
        self._book = ChatBook(Layout(width=80, zone=zone))
        self._is_following = True
        self._has_older = False
        self._asked_at: str | None = None  # the oldest key for which older ones were asked
        self._cursor: int | None = None
        self._is_unsettled = False
        self._held: tuple[int, int] | None = None  # what was at the top of the screen before a change
        self._pattern: re.Pattern[str] | None = None
        self._strips: LRUCache[int, tuple[ChatLine, Strip]] = LRUCache(512)

    # --- what is shown ------------------------------------------------------------------------------------------

    def show(self, chat: Chat, *, me: str = "") -> None:
        """Show the talk as it is now; `me` is the user whose own reading is no news to them."""
        read = [seq for user_id, seq in chat.read.items() if user_id != me]
        self._has_older = chat.has_older
        self._settle_soon()
        changed = self._book.show(chat.entries, min(read) if read else None)
        if changed.is_anew:
            self._cursor, self._is_following = None, True
            self._drop_selection()
        elif changed.arrived and not self._is_following:
            self.unread += changed.arrived
        if changed.was_older_added:
            self._asked_at = None
        if self._cursor is not None and self._book.entry(self._cursor) is None:
            self._cursor = None
        if not self.is_mounted:
            self._settle()

    @property
    def entry(self) -> ChatEntry | None:
        """The line that keys act on."""
        return self._book.entry(self._cursor) if self._cursor is not None else None

    @property
    def unread_text(self) -> str:
        """`2 new ↓`, for a border; empty when there is nothing below."""
        return f"{self.unread} new {'v' if self.is_ascii else '↓'}" if self.unread else ""

    @property
    def wraps(self) -> int:
        """How many entries were laid out so far: what a change costs."""
        return self._book.wraps

    def select(self, key: str | None) -> None:
        """Put the cursor on an entry, by its key, and bring it into view; None takes the cursor away."""
        number = self._book.number_of(key) if key is not None else None
        self._move_cursor(number)

    def go_to_end(self) -> None:
        """Show the newest line, and stay there."""
        self._settle()
        self._is_following = True
        self.unread = 0
        self.scroll_to(y=self.max_scroll_y, animate=False, immediate=True, force=True)

    # --- searching ----------------------------------------------------------------------------------------------

    def find(self, words: str) -> int:
        """Mark what is looked for and go to its newest place at the cursor or above; how many lines have it."""
        self._pattern = re.compile(re.escape(words), re.IGNORECASE) if words.strip() else None
        self._repaint()
        if self._pattern is None:
            return 0
        found = self._book.matches(self._pattern)
        if found:
            self._move_cursor(next((one for one in reversed(found) if self._is_at_or_above(one)), found[-1]))
        return len(found)

    def find_again(self, step: int) -> bool:
        """Go to the next place above (-1) or below (1), around the ends; whether there is one."""
        found = self._book.matches(self._pattern) if self._pattern is not None else []
        if not found:
            return False
        here = self._cursor
        if here is None:
            self._move_cursor(found[-1] if step < 0 else found[0])
        elif step < 0:
            self._move_cursor(next((one for one in reversed(found) if one < here), found[-1]))
        else:
            self._move_cursor(next((one for one in found if one > here), found[0]))
        return True

    def action_find_again(self, step: int) -> None:
        """By a key."""
        self.find_again(step)

    def _is_at_or_above(self, number: int) -> bool:
        return self._cursor is None or number <= self._cursor

    # --- keys and mouse -----------------------------------------------------------------------------------------

    def action_step(self, step: int) -> None:
        """To the entry above or below; below the last one the cursor goes away and the newest is shown."""
        number = self._book.beside(self._cursor, step) if self._cursor is not None or step < 0 else None
        if number is not None:
            self._move_cursor(number)
        elif step > 0:
            self._move_cursor(None)
            self.go_to_end()

    def action_wish(self, wish: Wish) -> None:
        """Ask for something to be done with the entry under the cursor."""
        entry = self.entry
        if entry is None:
            self.post_message(self.Refused("Choose a line first, with the arrow keys or the mouse."))
        elif (sentence := hindrance(wish, entry)) is not None:
            self.post_message(self.Refused(sentence))
        else:
            self.post_message(self.Wanted(wish, entry))

    def action_copy(self) -> None:
        """Put what is selected, or the entry under the cursor, into the clipboard."""
        selected = self.screen.get_selected_text() if self.text_selection is not None else None
        text = selected or (plain_text(self.entry) if self.entry is not None else "")
        if text:
            self.app.copy_to_clipboard(text)
            self.post_message(self.Copied(text))
        else:
            self.post_message(self.Refused("There is nothing to copy here."))

    def action_to_end(self) -> None:
        """By a key."""
        self._move_cursor(None)
        self.go_to_end()

    def on_click(self, event: events.Click) -> None:
        """Choose the entry that was clicked; twice, select what it says."""
        event.prevent_default()  # which would select the whole talk
        self._settle()
        y = int(event.y + self.scroll_offset.y) - self.gutter.top
        if not 0 <= y < self._book.height or (event.chain == 1 and self.text_selection is not None):
            return
        number = self._book.number_at(y)
        self._move_cursor(number)
        if event.chain == 2:
            start, end = self._book.span(number)
            first, last = Offset(0, self._book.line_number(start)), self._book.line(end - 1)
            selection = Selection(first, Offset(len(last.text), self._book.line_number(end - 1)))
            self.screen.selections = {self: selection}

    def _move_cursor(self, number: int | None) -> None:
        self._settle()
        self._cursor = number
        self._repaint()
        if number is None:
            return
        start, end = self._book.span(number)
        top, height = self.scroll_offset.y, self.scrollable_content_region.height
        if start < top or end - start > height:
            self.scroll_to(y=start, animate=False, immediate=True, force=True)
        elif end > top + height:
            self.scroll_to(y=end - height, animate=False, immediate=True, force=True)

    # --- scrolling ----------------------------------------------------------------------------------------------

    def watch_scroll_target_y(self, value: float) -> None:
        """Wherever the reader goes: at the end they follow what comes, elsewhere they are left alone."""
        self._is_following = value >= self.max_scroll_y
        if self._is_following:
            self.unread = 0
        if value > 0:
            self._asked_at = None
        self._ask_for_older()

    def watch_unread(self, count: int) -> None:
        """Tell whoever draws the border."""
        self.post_message(self.Unread(self, count))

    def _ask_for_older(self) -> None:
        entries = self._book.entries
        if not self._has_older or not self.is_mounted or round(self.scroll_target_y) > 0:
            return
        oldest = entries[0].key if entries else ""
        if oldest != self._asked_at:
            self._asked_at = oldest
            self.post_message(self.OlderWanted(self))

    def _anchor(self) -> tuple[int, int] | None:
        """The entry at the top of the screen, and which of its lines is there."""
        y = self.scroll_offset.y
        if self._is_following or not 0 <= y < self._book.height:
            return None
        number = self._book.number_at(y)
        return number, y - self._book.span(number)[0]

    def _settle_soon(self) -> None:
        """Before a change: several of them are settled at once, before the screen is drawn."""
        if not self._is_unsettled:
            self._is_unsettled, self._held = True, self._anchor()
            self.call_next(self._settle)

    def _settle(self) -> None:
        """After changes: the end for who follows it, the same line at the top for who does not."""
        if not self._is_unsettled:
            return
        self._is_unsettled = False
        size = Size(self.scrollable_content_region.width, self._book.height)
        if size != self.virtual_size:
            self.virtual_size = size
        anchor = self._held
        if anchor is not None:
            start, end = self._book.span(anchor[0])
            self._scroll(start + max(0, min(anchor[1], end - start - 1)))
        elif self._is_following:
            self._scroll(self.max_scroll_y)
        self.refresh()
        self._ask_for_older()

    def _scroll(self, y: int) -> None:
        if y != self.scroll_offset.y:
            self.set_scroll(None, y)  # not scroll_to: nobody scrolls, the lines move
            self.set_reactive(Widget.scroll_target_y, y)

    def on_resize(self) -> None:
        """Another width wraps anew; another height keeps the end, or the top line, where it is."""
        self._lay_out()

    def watch_emoji(self) -> None:
        """Draw them another way."""
        self._lay_out()

    def watch_is_ascii(self) -> None:
        """Draw signs another way."""
        self._lay_out()

    def watch_shows_clock(self) -> None:
        """With clock times, or without."""
        self._lay_out()

    def watch_shows_film(self) -> None:
        """With film times before what people say, or without."""
        self._lay_out()

    def _lay_out(self) -> None:
        width = self.scrollable_content_region.width
        if not width:
            return
        layout = Layout(
            width=width,
            shows_clock=self.shows_clock,
            shows_film=self.shows_film,
            emoji=self.emoji,
            is_ascii=self.is_ascii,
            zone=self._zone,
        )
        self._settle_soon()
        if self._book.lay_out(layout):
            self._drop_selection()
        self._settle()

    # --- drawing ------------------------------------------------------------------------------------------------

    def render_line(self, y: int) -> Strip:
        """One line of the screen."""
        width, y = self.size.width, y + self.scroll_offset.y
        if not 0 <= y < self._book.height:
            return Strip.blank(width, self.rich_style)
        line, number = self._book.line(y), self._book.line_number(y)
        known = self._strips.get(number)
        if known is not None and known[0] is line:
            return known[1]
        strip = self._strip(line, y, number).crop_extend(0, width, self.rich_style).apply_offsets(0, number)
        self._strips[number] = (line, strip)
        return strip

    def _strip(self, line: ChatLine, y: int, number: int) -> Strip:
        is_chosen = self._cursor is not None and self._book.number_at(y) == self._cursor
        over = Style(bgcolor=self.get_component_rich_style("chat--cursor").bgcolor) if is_chosen else Style.null()
        styles = [(text, self.get_component_rich_style(f"chat--{style}") + over) for text, style in line.parts]
        if is_chosen and self.has_focus:
            styles = marked(styles, "|" if self.is_ascii else "▌")
        spans: list[Span] = []
        if self._pattern is not None:
            found = self.get_component_rich_style("chat--found", partial=True)
            spans = [(one.start(), one.end(), found) for one in self._pattern.finditer(line.text)]
        if (selection := self.text_selection) is not None and (span := selection.get_span(number)) is not None:
            end = len(line.text) if span[1] == -1 else span[1]
            spans.append((span[0], end, self.screen.get_component_rich_style("screen--selection")))
        return Strip([Segment(text, style) for text, style in overlaid(styles, spans)])

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """What is selected, line by line as it stands on the screen."""
        first, last = self._book.line_number(0), self._book.line_number(self._book.height - 1)
        start = max(first, selection.start.y) if selection.start is not None else first
        end = min(last, selection.end.y) if selection.end is not None else last
        found: list[str] = []
        for number in range(start, end + 1):
            text = self._book.line(self._book.y_of(number)).text
            span = selection.get_span(number)
            if span is not None:
                found.append(text[span[0] :] if span[1] == -1 else text[span[0] : span[1]])
        text = "\n".join(line.rstrip() for line in found)
        return (text, "\n") if text.strip() else None

    def selection_updated(self, selection: Selection | None) -> None:  # noqa: ARG002 - asked for when drawing
        """Draw it."""
        self._repaint()

    def notify_style_update(self) -> None:
        """Other colours."""
        super().notify_style_update()
        self._strips.clear()

    def watch_has_focus(self, _has_focus: bool) -> None:
        """The cursor's mark is there with the focus alone."""
        super().watch_has_focus(_has_focus)
        self._repaint()

    def _drop_selection(self) -> None:
        if self.is_mounted and self.text_selection is not None:
            self.screen.selections = {one: what for one, what in self.screen.selections.items() if one is not self}

    def _repaint(self) -> None:
        self._strips.clear()
        self.refresh()
