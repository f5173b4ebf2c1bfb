"""What was watched: with whom, when, how far. A table that is filtered as one types and sorted by a column."""

from typing import TYPE_CHECKING, ClassVar, Final, cast

from textual import work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.screen import Screen
from textual.widgets import DataTable, Input, Static

from dateflicks.client import errors
from dateflicks.client.sentences import clock_text
from dateflicks.protocol.bodies import HistoryEntry
from dateflicks.protocol.printable import printable
from dateflicks.tui.bindings import bindings_of
from dateflicks.tui.keys import Context
from dateflicks.tui.lobby_rows import local_time
from dateflicks.tui.surroundings import AtSession
from dateflicks.tui.widgets.hints import Hints

if TYPE_CHECKING:
    from dateflicks.tui.app import DateflicksApp

COLUMNS: Final = ("film", "with", "when", "how far")
SHOWN_MAX: Final = 1_000


class HistoryScreen(Screen[None]):
    """The newest first, until another column is chosen."""

    CONTEXTS: ClassVar[tuple[Context, ...]] = ("history",)
    BINDINGS: ClassVar[list[BindingType]] = [*bindings_of("history")]

    def __init__(self) -> None:
        super().__init__()
        self._entries: list[HistoryEntry] = []
        self._sorted_by = 2

    @property
    def _app(self) -> "DateflicksApp":
        return cast("DateflicksApp", self.app)

    def compose(self) -> ComposeResult:
        """Title, filter, table, keys."""
        yield Static("dateflicks | history", markup=False, id="bar")
        yield Input(placeholder="show only what has these words in it", id="filter")
        yield DataTable[str](id="table", cursor_type="row", zebra_stripes=True)
        yield Static("", markup=False, id="empty")
        yield Hints("history")

    def on_mount(self) -> None:
        """Columns first; the rows are asked for when the screen is looked at."""
        self.query_one("#table", DataTable).focus()
        self.query_one("#filter", Input).display = False

    def on_screen_resume(self) -> None:
        """Ask anew."""
        self._load()

    @work(exclusive=True, group="history")
    async def _load(self) -> None:
        empty = self.query_one("#empty", Static)
        client = self._app.client
        if client is None:
            empty.update("Nobody is signed in.")
            return
        try:
            self._entries = [entry async for entry in client.all_history(limit=SHOWN_MAX)]
        except errors.ClientError as error:
            empty.update(f"✗ {printable(error.detail)}")
            return
        empty.update("" if self._entries else "Nothing yet. In the lobby, n invites somebody to a film.")
        self._show()

    def _show(self) -> None:
        table = cast("DataTable[str]", self.query_one("#table", DataTable))
        words = self.query_one("#filter", Input).value.casefold().split()
        table.clear(columns=True)
        for at, name in enumerate(COLUMNS):
            table.add_column(f"{name} ▾" if at == self._sorted_by and not self._app.is_ascii else name)
        found = [(_cells(entry), entry) for entry in self._entries]
        found = [(cells, entry) for cells, entry in found if all(word in " ".join(cells).casefold() for word in words)]
        match self._sorted_by:
            case 2:
                found.sort(key=lambda one: one[1].started_at, reverse=True)
            case 3:
                found.sort(key=lambda one: one[1].position or 0.0, reverse=True)
            case column:
                found.sort(key=lambda one: one[0][column].casefold())
        for cells, entry in found:
            table.add_row(*(_plain(cell) for cell in cells), key=entry.session_id)

    def on_input_changed(self) -> None:
        """Filter as one types."""
        self._show()

    def on_input_submitted(self) -> None:
        """Back to the table."""
        self.query_one("#table", DataTable).focus()

    def on_data_table_header_selected(self, event: DataTable.HeaderSelected) -> None:
        """Sort by the column that was clicked."""
        self._sorted_by = event.column_index
        self._show()

    def on_data_table_row_selected(self, event: DataTable.RowSelected) -> None:
        """Enter on a row: go there if it is still live."""
        self._open(event.row_key.value or "")

    def action_watch_again(self) -> None:
        """Open the evening that is marked."""
        table = self.query_one("#table", DataTable)
        if table.row_count:
            self._open(table.coordinate_to_cell_key(table.cursor_coordinate).row_key.value or "")

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
            self.app.notify("It is over. In the lobby, n invites somebody to it again.", markup=False)

    def action_filter_history(self) -> None:
        """Show only what has these words in it."""
        words = self.query_one("#filter", Input)
        words.display = True
        words.focus()

    def action_sort_history(self) -> None:
        """Sort by the next column."""
        self._sorted_by = (self._sorted_by + 1) % len(COLUMNS)
        self._show()

    async def action_close_history(self) -> None:
        """Back."""
        await self._app.action_back()


def _cells(entry: HistoryEntry) -> tuple[str, str, str, str]:
    video = entry.video
    title = (video.title or video.url) if video is not None else "a film"
    far = "" if entry.position is None else clock_text(entry.position)
    if far and entry.length:
        far += f" of {clock_text(entry.length)}"
    name = entry.with_name or "nobody"
    return printable(title), printable(name), local_time(entry.started_at), far


def _plain(text: str) -> str:
    """A cell's text as it is: tables take markup otherwise."""
    return text.replace("[", r"\[")
