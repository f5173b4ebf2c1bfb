"""What was watched: with whom, when, how far. A table that is filtered as one types and sorted by a column."""

from typing import TYPE_CHECKING, ClassVar, Final, cast

from rich.text import Text
from textual import work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.screen import Screen
from textual.widgets import DataTable, Input, Static

from dateflicks.client import errors
from dateflicks.client.http import ServiceClient
from dateflicks.client.sentences import clock_text
from dateflicks.protocol.bodies import HistoryEntry
from dateflicks.protocol.printable import printable
from dateflicks.tui.bindings import bindings_of
from dateflicks.tui.drawing.bar import bar
from dateflicks.tui.drawing.cells import clean, cut
from dateflicks.tui.keys import Context
from dateflicks.tui.lobby_rows import local_time
from dateflicks.tui.screens.dialog import field
from dateflicks.tui.screens.showing import where_it_can, while_there
from dateflicks.tui.screens.sign_in import sign_in
from dateflicks.tui.surroundings import AtSession
from dateflicks.tui.themes import Style
from dateflicks.tui.widgets.board import Board
from dateflicks.tui.widgets.hints import Hints

if TYPE_CHECKING:
    from dateflicks.tui.app import DateflicksApp

COLUMNS: Final = ("film", "with", "when", "how far")
SHOWN_MAX: Final = 1_000

Cells = tuple[str, str, str, str]


class HistoryScreen(Screen[None]):
    """The newest first, until another column is chosen."""

    CONTEXTS: ClassVar[tuple[Context, ...]] = ("history",)
    BINDINGS: ClassVar[list[BindingType]] = [*bindings_of("history")]

    def __init__(self) -> None:
        super().__init__()
        self._entries: list[HistoryEntry] = []
        self._asked_for: ServiceClient | None = None  # whose entries these are
        self._sorted_by = 2

    @property
    def _app(self) -> "DateflicksApp":
        return cast("DateflicksApp", self.app)

    def compose(self) -> ComposeResult:
        """Title, filter, table, keys."""
        yield Board(id="top")
        yield field("show only", "filter", example="what has these words in it")
        yield DataTable[str](id="table", cursor_type="row", zebra_stripes=True, cell_padding=1)
        yield Static("", markup=False, id="empty")
        yield Hints("history")

    def on_mount(self) -> None:
        """The rows are asked for when the screen is looked at."""
        self.query_one("#table", DataTable).focus()
        self.query_one(".field").display = False

    def on_screen_resume(self) -> None:
        """Ask anew."""
        self._load()

    def on_resize(self) -> None:
        """As many columns as fit."""
        self._show()

    @work(exclusive=True, group="history")
    async def _load(self) -> None:
        client = self._app.client
        if client is not self._asked_for:  # another person's, or nobody's
            self._asked_for, self._entries = client, []
            self._show()
        if client is None:
            key = self._app.keys.shown("sign-out", ascii_only=self._app.is_ascii)
            self._say(f"You are not signed in. In the lobby, {key} signs in.")
            return
        if not self._entries:
            self._say("Asking the server...")
        try:
            self._entries = [entry async for entry in client.all_history(limit=SHOWN_MAX)]
        except errors.NotSignedIn as error:
            if await sign_in(self._app, error.detail) is not None:
                self._load()
            return
        except errors.ClientError as error:
            cross = "!" if self._app.is_ascii else "✗"
            self._say(f"{cross} {error.detail} What is shown is what was known before; coming back here asks again.")
            return
        key = self._app.keys.shown("new-session", ascii_only=self._app.is_ascii)
        self._say("" if self._entries else f"Nothing yet. In the lobby, {key} invites somebody to a film.")
        self._show()

    def _say(self, text: str) -> None:
        with while_there():
            empty = self.query_one("#empty", Static)
            empty.update(printable(text))
            empty.display = bool(text)
            self.query_one("#table", DataTable).display = bool(self._entries)

    @where_it_can
    def _show(self) -> None:
        app, width = self._app, self.size.width
        words = self.query_one("#filter", Input).value.casefold().split()
        found = [(_cells(entry), entry) for entry in self._entries]
        found = [(cells, entry) for cells, entry in found if all(word in " ".join(cells).casefold() for word in words)]
        match self._sorted_by:
            case 2:
                found.sort(key=lambda one: one[1].started_at, reverse=True)
            case 3:
                found.sort(key=lambda one: one[1].position or 0.0, reverse=True)
            case column:
                found.sort(key=lambda one: one[0][column].casefold())
        parts: list[tuple[str, Style]] = [(_how_many(len(found), len(self._entries)), "text")]
        self.query_one("#top", Board).show([bar("history", parts, width, app.glyphs)])
        self._fill([(cells, entry.session_id) for cells, entry in found], _widths(width))

    def _fill(self, rows: list[tuple[Cells, str]], widths: tuple[int, ...]) -> None:
        """The table anew; a row that is marked stays so."""
        table = cast("DataTable[str]", self.query_one("#table", DataTable))
        marked = self._marked(table)
        ellipsis = self._app.glyphs.ellipsis
        table.clear(columns=True)
        for at, (name, width) in enumerate(zip(COLUMNS, widths, strict=True)):
            sign = "v" if self._app.is_ascii else "▾"
            if width:
                table.add_column(Text(f"{name} {sign}" if at == self._sorted_by else name), width=width, key=str(at))
        for cells, session_id in rows:
            shown = [Text(cut(cell, width, ellipsis)) for cell, width in zip(cells, widths, strict=True) if width]
            table.add_row(*shown, key=session_id)  # type: ignore[arg-type]  # text that reads no markup
        ids = [session_id for _, session_id in rows]
        if marked in ids:
            table.move_cursor(row=ids.index(marked), animate=False)

    def _marked(self, table: "DataTable[str]") -> str:
        if not table.row_count:
            return ""
        return table.coordinate_to_cell_key(table.cursor_coordinate).row_key.value or ""

    def on_input_changed(self) -> None:
        """Filter as one types."""
        self._show()

    def on_input_submitted(self) -> None:
        """Back to the table."""
        self._leave_filter()

    def _leave_filter(self) -> None:
        self.query_one(".field").display = bool(self.query_one("#filter", Input).value)
        self.query_one("#table", DataTable).focus()

    def on_data_table_header_selected(self, event: DataTable.HeaderSelected) -> None:
        """Sort by the column that was clicked."""
        self._sorted_by = int(event.column_key.value or 0)
        self._show()

    def on_data_table_row_selected(self, event: DataTable.RowSelected) -> None:
        """Enter on a row: go there if it is still live."""
        self._open(event.row_key.value or "")

    def action_watch_again(self) -> None:
        """Open the evening that is marked."""
        if marked := self._marked(self.query_one("#table", DataTable)):
            self._open(marked)

    @work(exclusive=True, group="open")
    async def _open(self, session_id: str) -> None:
        client = self._app.client
        if client is None:
            return
        try:
            session = await client.session(session_id)
        except errors.ClientError as error:
            self.app.notify(printable(error.detail), severity="error", markup=False)
            return
        if session.state == "accepted":
            self._app.open_session(AtSession(client, session))
        else:
            key = self._app.keys.shown("new-session", ascii_only=self._app.is_ascii)
            self.app.notify(f"It is over. In the lobby, {key} invites somebody to it again.", markup=False)

    def action_filter_history(self) -> None:
        """Show only what has these words in it."""
        self.query_one(".field").display = True
        self.query_one("#filter", Input).focus()

    def action_sort_history(self) -> None:
        """Sort by the next column."""
        self._sorted_by = (self._sorted_by + 1) % len(COLUMNS)
        self._show()

    def action_close_history(self) -> None:
        """Back to the film that is open, or to the lobby."""
        self._app.to_film() if self._app.room is not None else self._app.to_lobby()

    def action_back(self) -> None:
        """From the filter to the table, then away."""
        words = self.query_one("#filter", Input)
        if words.has_focus or words.value:
            words.value = ""
            self._leave_filter()
        else:
            self.action_close_history()


def _cells(entry: HistoryEntry) -> Cells:
    video = entry.video
    title = (video.title or video.url) if video is not None else ""
    far = "" if entry.position is None else clock_text(entry.position)
    if far and entry.length:
        far += f" of {clock_text(entry.length)}"
    return clean(title) or "a film", clean(entry.with_name or "") or "nobody", local_time(entry.started_at), far


def _widths(width: int) -> tuple[int, ...]:
    """Cells of each column; 0 where there is no room for one."""
    room = width - 2  # the scrollbar
    if room < 76:
        names = max(8, room // 5)
        when = 16 if room >= 44 else 0
        return (room - names - when - (6 if when else 4), names, when, 0)
    names = min(24, room // 5)
    return (room - names - 16 - 18 - 8, names, 16, 18)


def _how_many(shown: int, known: int) -> str:
    films = f"{known} film{'' if known == 1 else 's'}"
    return films if shown == known else f"{shown} of {films}"
