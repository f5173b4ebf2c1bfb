"""The lobby: what needs an answer, what can be watched, what can be started. It listens while it is not looked at."""

import contextlib
from datetime import UTC, datetime
from typing import TYPE_CHECKING, ClassVar, Final, cast

from textual import work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.screen import Screen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from dateflicks.client import errors
from dateflicks.client.feed import Lost, Opened
from dateflicks.client.http import ServiceClient
from dateflicks.client.news import session_news
from dateflicks.protocol.bodies import SessionBody
from dateflicks.protocol.printable import printable
from dateflicks.tui.bindings import bindings_of
from dateflicks.tui.keys import Context
from dateflicks.tui.lobby_rows import TITLES, LobbyRow, history_line, rows_of
from dateflicks.tui.screens.join_code import JoinCodeScreen
from dateflicks.tui.screens.new_session import NewSessionScreen
from dateflicks.tui.screens.sign_in import SignInScreen
from dateflicks.tui.surroundings import AtSession
from dateflicks.tui.widgets.hints import Hints

if TYPE_CHECKING:
    from dateflicks.tui.app import DateflicksApp

SESSIONS_SHOWN: Final = 200
EMPTY: Final = "Nobody has asked you, and you have asked nobody.\nn invites somebody to a film, j joins with a word."


class LobbyScreen(Screen[None]):
    """One list with what matters first; every row says what enter does."""

    CONTEXTS: ClassVar[tuple[Context, ...]] = ("lobby",)
    BINDINGS: ClassVar[list[BindingType]] = [*bindings_of("lobby")]

    def __init__(self) -> None:
        super().__init__()
        self._sessions: dict[str, SessionBody] = {}
        self._rows: dict[str, LobbyRow] = {}
        self._line = "…"
        self._me = ""
        self._my_name = ""

    @property
    def _app(self) -> "DateflicksApp":
        return cast("DateflicksApp", self.app)

    def compose(self) -> ComposeResult:
        """Who and where, the list, how much there was, and the keys."""
        yield Static("", markup=False, id="bar")
        yield OptionList(id="sessions", markup=False)
        yield Static(EMPTY, markup=False, id="empty")
        yield Static("", markup=False, id="history")
        yield Hints("lobby")

    def on_mount(self) -> None:
        """Sign in where nobody is, then listen."""
        self._show_bar()
        self._begin()

    def on_screen_resume(self) -> None:
        """Times have passed."""
        self._show_rows()

    @work(exclusive=True, group="begin")
    async def _begin(self, why: str = "") -> None:
        app = self._app
        client = app.client
        if client is None:
            client = app.surroundings.client()
        if client.token is None or why:
            kept = app.surroundings.signed_in
            found = await app.push_screen_wait(SignInScreen(app.surroundings.server, kept.name if kept else "", why))
            if found is None:
                self._line = "not signed in"
                self._show_bar()
                return
            client = found
        app.client = client
        self._listen(client)

    @work(exclusive=True, group="listen")
    async def _listen(self, client: ServiceClient) -> None:
        """Everything as it happens; the line comes back by itself."""
        try:
            me = await client.me()
            self._me, self._my_name = me.id, me.name
            self._sessions = {one.id: one async for one in client.all_sessions(limit=SESSIONS_SHOWN)}
            self._line = "live"
            self._show_bar()
            self._show_rows()
            self._show_history(client)
            async with contextlib.aclosing(session_news(client)) as news:
                async for told in news:
                    self._heard(told)
        except errors.NotSignedIn as error:
            self._begin(error.detail)
        except errors.ClientError as error:
            self._line = f"no line: {printable(error.detail)}"
            self._show_bar()
            self.set_timer(5.0, lambda: self._listen(client))

    def _heard(self, told: Opened | Lost | SessionBody) -> None:
        match told:
            case Opened():
                self._line = "live"
            case Lost(why=why):
                self._line = f"no line: {why}"
            case SessionBody():
                known = self._sessions.get(told.id)
                if known is None and told.state == "pending" and told.guest_user_id == self._me:
                    self.app.notify(f"{printable(told.host_name)} invites you.", markup=False)
                if known is None or known.rev <= told.rev:
                    self._sessions[told.id] = told
                self._show_rows()
        self._show_bar()

    # --- showing ------------------------------------------------------------------------------------------------

    def _show_bar(self) -> None:
        dot = ("*" if self._app.is_ascii else "●") if self._line == "live" else ("o" if self._app.is_ascii else "○")
        film = " · a film is open: esc" if self._app.room is not None else ""
        who = self._my_name or "nobody"
        server = self._app.surroundings.server
        self.query_one("#bar", Static).update(
            printable(f"dateflicks | lobby   {who}   {dot} {self._line}   {server}{film}")
        )

    def _show_rows(self) -> None:
        if not self.is_mounted:
            return
        rows = rows_of(self._sessions.values(), self._me, datetime.now(UTC))
        self._rows = {row.session.id: row for row in rows}
        sessions = self.query_one("#sessions", OptionList)
        marked = self._marked_id()
        options: list[Option] = []
        section = ""
        for row in rows:
            if row.section != section:
                section = row.section
                options.append(Option(TITLES[row.section], disabled=True))
            options.append(Option(self._text(row), id=row.session.id))
        sessions.clear_options()
        sessions.add_options(options)
        first = next((at for at, one in enumerate(options) if one.id is not None), None)
        kept = next((at for at, one in enumerate(options) if marked is not None and one.id == marked), first)
        sessions.highlighted = kept
        sessions.display = bool(rows)
        self.query_one("#empty", Static).display = not rows

    def _text(self, row: LobbyRow) -> str:
        match row.section:
            case "asked":
                return f"  {row.with_whom} invites you to {row.title}   {row.note}   [a] accept  [x] reject"
            case "waiting":
                return f"  {row.title}   waiting for {row.with_whom}   {row.note}"
            case "live":
                return f"  {row.title}   with {row.with_whom}   {row.note}   [enter] watch"
            case "past":
                return f"  {row.title}   with {row.with_whom}   {row.note}"

    @work(exclusive=True, group="history")
    async def _show_history(self, client: ServiceClient) -> None:
        with contextlib.suppress(errors.ClientError):
            watched = [entry async for entry in client.all_history(limit=200)]
            self.query_one("#history", Static).update(history_line(watched))

    # --- doing --------------------------------------------------------------------------------------------------

    def _marked_id(self) -> str | None:
        sessions = self.query_one("#sessions", OptionList)
        if sessions.highlighted is None or sessions.highlighted >= sessions.option_count:
            return None
        return sessions.get_option_at_index(sessions.highlighted).id

    def _marked(self) -> LobbyRow | None:
        return self._rows.get(self._marked_id() or "")

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Enter, or a click: what the row offers."""
        if (row := self._rows.get(event.option.id or "")) is not None:
            self._open(row)

    def action_open(self) -> None:
        """What the marked row offers."""
        if (row := self._marked()) is not None:
            self._open(row)

    def _open(self, row: LobbyRow) -> None:
        match row.section:
            case "asked":
                self._answer(row.session.id, "accept")
            case "live" | "waiting" if self._app.client is not None:
                self._app.open_session(AtSession(self._app.client, row.session))
            case _:
                self.app.notify("It is over. n invites somebody to another film.", markup=False)

    def action_accept(self) -> None:
        """Say yes to the marked invitation, and go to the film."""
        row = self._marked()
        if row is not None and row.section == "asked":
            self._answer(row.session.id, "accept")

    def action_reject(self) -> None:
        """Say no to the marked invitation; take back the marked question."""
        row = self._marked()
        if row is not None and row.section in ("asked", "waiting"):
            self._answer(row.session.id, "reject" if row.section == "asked" else "cancel")

    @work(group="answer")
    async def _answer(self, session_id: str, verb: str) -> None:
        client = self._app.client
        if client is None:
            return
        try:
            match verb:
                case "accept":
                    session = await client.accept(session_id)
                    self._app.open_session(AtSession(client, session))
                case "reject":
                    await client.reject(session_id)
                case _:
                    await client.cancel(session_id)
        except errors.ClientError as error:
            self.app.notify(printable(error.detail), severity="error", markup=False)

    @work(exclusive=True, group="dialog")
    async def action_new_session(self) -> None:
        """Invite somebody to a film."""
        if self._app.client is None:
            self._begin()
            return
        if (start := await self.app.push_screen_wait(NewSessionScreen())) is not None:
            self._app.open_session(start)

    @work(exclusive=True, group="dialog")
    async def action_join_code(self) -> None:
        """Join with a word that somebody read out."""
        if (start := await self.app.push_screen_wait(JoinCodeScreen())) is not None:
            self._app.open_session(start)

    def action_refresh(self) -> None:
        """Ask again."""
        self._begin()

    def action_back(self) -> None:
        """To the film that is open, if there is one."""
        self._app.to_film()

    def action_resume(self) -> None:
        """To the film that was left last."""
        if self._app.room is not None:
            self._app.to_film()
            return
        kept = self._app.kept
        session = self._sessions.get(kept.session_id) if kept is not None else None
        if session is not None and session.state == "accepted" and self._app.client is not None:
            self._app.open_session(AtSession(self._app.client, session))
        else:
            self.app.notify("There is no film to go back to.", markup=False)

    @work(exclusive=True, group="dialog")
    async def action_sign_out(self) -> None:
        """Sign out; somebody else may sign in."""
        client = self._app.client
        if client is None or not await self._app.confirm(f"Sign out {self._my_name}?"):
            return
        with contextlib.suppress(errors.ClientError):
            await client.sign_out()
        self._app.surroundings.credentials.forget(self._app.surroundings.server)
        self._app.client = None
        self._sessions, self._me, self._my_name = {}, "", ""
        self._show_rows()
        self._begin()

    def action_lobby_help(self) -> None:
        """What can be done here."""
        self._app.action_help()

    async def action_leave_lobby(self) -> None:
        """Leave dateflicks."""
        self._app.action_quit()
