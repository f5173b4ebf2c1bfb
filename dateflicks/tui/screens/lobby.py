"""The lobby: what needs an answer, what can be watched, what can be started. It listens while it is not looked at.

One file, though long: what is told, what is shown of it and what each key does to it belong to one list.
"""

import asyncio
import contextlib
import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, ClassVar, Final, Literal, cast

from textual import work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.screen import Screen
from textual.widgets import OptionList, Static

from dateflicks.client import errors
from dateflicks.client.feed import Lost, Opened
from dateflicks.client.http import ServiceClient
from dateflicks.client.news import session_news
from dateflicks.protocol.bodies import SessionBody
from dateflicks.protocol.printable import printable
from dateflicks.tui.bindings import bindings_of
from dateflicks.tui.drawing import elsewhere
from dateflicks.tui.drawing.bar import bar, notice, trouble
from dateflicks.tui.drawing.rows import wrapped
from dateflicks.tui.glyphs import own_text
from dateflicks.tui.keys import Context
from dateflicks.tui.lobby_rows import TITLES, LobbyRow, history_line, rows_of, text_of
from dateflicks.tui.model import WatchState
from dateflicks.tui.screens.invitation import InvitationScreen
from dateflicks.tui.screens.join_code import JoinCodeScreen
from dateflicks.tui.screens.new_session import NewSessionScreen
from dateflicks.tui.screens.showing import can_show, while_there
from dateflicks.tui.screens.sign_in import sign_in
from dateflicks.tui.surroundings import AtSession
from dateflicks.tui.themes import Style
from dateflicks.tui.widgets.board import Board
from dateflicks.tui.widgets.hints import Hints
from dateflicks.tui.widgets.marked_list import MarkedList

if TYPE_CHECKING:
    from dateflicks.tui.app import DateflicksApp

Line = Literal["looking", "live", "lost", "nobody"]
WORDS: Final[Mapping[Line, str]] = {"looking": "asking", "live": "live", "lost": "no line", "nobody": "not signed in"}
SESSIONS_SHOWN: Final = 200
AGAIN_SECONDS: Final = (1, 2, 4, 8, 15)  # between tries where the server does not answer at all
CLOCK_SECONDS: Final = 30.0
NO_SERVER: Final = "Without a server: `dateflicks host FILM` in a shell starts your own."


class LobbyScreen(Screen[None]):
    """One list with what matters first; every row says what enter does."""

    CONTEXTS: ClassVar[tuple[Context, ...]] = ("lobby",)
    BINDINGS: ClassVar[list[BindingType]] = [*bindings_of("lobby")]

    def __init__(self) -> None:
        super().__init__()
        self._sessions: dict[str, SessionBody] = {}
        self._rows: dict[str, LobbyRow] = {}
        self._line: Line = "looking"
        self._why = ""
        self._again_at = 0.0  # of the loop's clock
        self._me = ""
        self._my_name = ""
        self._listening_to: ServiceClient | None = None

    @property
    def _app(self) -> "DateflicksApp":
        return cast("DateflicksApp", self.app)

    def compose(self) -> ComposeResult:
        """Who and where, the list, how much there was, and the keys."""
        yield Board(id="top")
        yield MarkedList(id="sessions")
        yield Static("", markup=False, id="empty")
        yield Static("", markup=False, id="watched")
        yield Hints("lobby")

    def on_mount(self) -> None:
        """Sign in where nobody is, then listen."""
        self._show()
        self.set_interval(CLOCK_SECONDS, self._show)
        self._begin()

    def on_screen_resume(self) -> None:
        """Times have passed, and somebody may have signed in elsewhere."""
        self._show()
        client = self._app.client
        if client is not None and client is not self._listening_to:
            self._listen(client)
        elif client is not None and self._line == "live":
            self._look_again(client)

    def on_resize(self) -> None:
        """Other widths."""
        self._show()

    def show_state(self, state: WatchState) -> None:
        """The film that is open has begun, or is over."""
        del state
        self._show_top()

    @work(exclusive=True, group="begin")
    async def _begin(self, why: str = "") -> None:
        app = self._app
        client = app.client
        try:
            client = client or app.surroundings.client()
        except errors.ClientError as error:
            why = error.detail
        if client is None or client.token is None or why:
            self._line = "nobody"
            self._show()
            before, client = client, await sign_in(app, why)
            if before is not None:
                await before.close()
            if client is None:
                app.client, self._listening_to = None, None
                self.workers.cancel_group(self, "listen")
                self._show()
                return
        app.client = client
        self._listen(client)

    @work(exclusive=True, group="listen")
    async def _listen(self, client: ServiceClient) -> None:
        """Everything as it happens; the line comes back by itself."""
        self._listening_to = client
        loop = asyncio.get_running_loop()
        tries = 0
        while True:
            try:
                await self._catch_up(client)
                tries = 0
                async with contextlib.aclosing(session_news(client)) as news:
                    async for told in news:
                        await self._heard(client, told)
            except errors.NotSignedIn as error:
                self._begin(error.detail)
                return
            except errors.ClientError as error:
                self._lost(error.detail, AGAIN_SECONDS[min(tries, len(AGAIN_SECONDS) - 1)])
                tries += 1
            while (left := self._again_at - loop.time()) > 0:
                await asyncio.sleep(min(1.0, left))
                self._show_top()

    async def _catch_up(self, client: ServiceClient) -> None:
        """All sessions as they are now."""
        me = await client.me()
        if me.id != self._me:
            self._sessions = {}
        self._me, self._my_name = me.id, me.name
        self._sessions = {one.id: one async for one in client.all_sessions(limit=SESSIONS_SHOWN)}
        self._line = "live"
        self._show()
        self._show_history(client)

    @work(exclusive=True, group="look")
    async def _look_again(self, client: ServiceClient) -> None:
        """What one has done oneself is not told again: a session that was made, or joined."""
        with contextlib.suppress(errors.ClientError):
            await self._catch_up(client)

    def _lost(self, why: str, seconds: float = 0.0) -> None:
        self._line, self._why = "lost", why
        self._again_at = asyncio.get_running_loop().time() + seconds
        self._show()

    async def _heard(self, client: ServiceClient, told: Opened | Lost | SessionBody) -> None:
        match told:
            case Opened():
                if self._line != "live":
                    await self._catch_up(client)
            case Lost(why=why):
                self._lost(why)
            case SessionBody():
                self._told(told)
        self._show()

    def _told(self, told: SessionBody) -> None:
        known = self._sessions.get(told.id)
        if known is not None and known.rev > told.rev:
            return
        self._sessions[told.id] = told
        state, before = told.state, known.state if known is not None else ""
        if state == before:
            return
        name = printable((told.guest_name if told.host_user_id == self._me else told.host_name) or "Your guest")
        if state == "pending" and told.guest_user_id == self._me:
            self.app.notify(f"{name} invites you.", markup=False)
        elif state == "accepted" and told.host_user_id == self._me and before == "pending":
            self.app.notify(f"{name} has come.", markup=False)

    # --- showing ------------------------------------------------------------------------------------------------

    def _show(self) -> None:
        if can_show(self):
            with while_there():
                self._show_top()
                self._show_rows()

    def _show_top(self) -> None:
        if not can_show(self):
            return
        app, width, glyphs = self._app, self.size.width, self._app.glyphs
        server = app.client.server if app.client is not None else app.surroundings.server
        dot = ("●" if self._line == "live" else "○") if not app.is_ascii else ("*" if self._line == "live" else "o")
        style: Style = "good" if self._line == "live" else "warning"
        parts: list[tuple[str, Style]] = [(f"{dot} {WORDS[self._line]}", style)]
        if self._my_name and self._line != "nobody":
            parts.append((self._my_name, "strong"))
        rows = [bar("lobby", [*parts, (server.removeprefix("http://"), "text")], width, glyphs)]
        if app.room is not None:
            title = app.state.film.title or "A film"
            key = app.keys.shown("back", ascii_only=app.is_ascii)
            open_film = notice(f"Open: {title}", key, "back to it", width, glyphs)
            rows += elsewhere.asked(app.state, width, glyphs, app.keys) or [open_film]
        if self._line == "lost":
            rows += trouble(self._sentences(server, width), width, glyphs)
        with while_there():
            self.query_one("#top", Board).show(rows)

    def _sentences(self, server: str, width: int) -> list[str]:
        """What is wrong, what goes on, what one can do."""
        left = math.ceil(self._again_at - asyncio.get_running_loop().time())
        when = f"in {left} s" if left > 0 else "now"
        key = self._app.keys.shown("refresh", ascii_only=self._app.is_ascii)
        said = f"No line to {server.removeprefix('http://')}: trying again {when}; {key} tries now."
        return [line for text in (said, self._why, NO_SERVER) for line in wrapped(text, width - 2)]

    def _show_rows(self) -> None:
        app = self._app
        rows = rows_of(self._sessions.values(), self._me, datetime.now(UTC))
        self._rows = {row.session.id: row for row in rows}
        lines: list[tuple[str | None, str]] = []
        section = ""
        width = self.size.width - 4  # the list's edges, and the sign before the marked row
        for row in rows:
            if row.section != section:
                section = row.section
                lines.append((None, TITLES[row.section]))
            lines.append((row.session.id, text_of(row, width, app.glyphs.ellipsis)))
        sessions = self.query_one(MarkedList)
        sessions.show(lines)
        had_rows = sessions.display
        sessions.display = bool(rows)
        if rows and not had_rows and self.is_current:
            sessions.focus()
        self.query_one(Hints).look()
        empty = self.query_one("#empty", Static)
        empty.display = not rows
        empty.update(self._nothing())

    def _nothing(self) -> str:
        """What can be done where there is nothing yet."""
        keys, is_ascii = self._app.keys, self._app.is_ascii
        shown = {name: keys.shown(name, ascii_only=is_ascii) for name in ("new-session", "join-code", "sign-out")}
        lines = [
            f"{shown['new-session']}  invite somebody to a film",
            f"{shown['join-code']}  join with the word that somebody read to you",
        ]
        match self._line:
            case "looking":
                return "Asking the server…" if not is_ascii else "Asking the server..."
            case "nobody":
                lines = [f"{shown['sign-out']}  sign in, or create an account", *lines]
                return "\n".join(["You are not signed in.", "", *lines, "", "To join you need no account.", NO_SERVER])
            case _:
                return "\n".join(["Nobody has asked you, and you have asked nobody.", "", *lines])

    @work(exclusive=True, group="history")
    async def _show_history(self, client: ServiceClient) -> None:
        with contextlib.suppress(errors.ClientError), while_there():
            watched = [entry async for entry in client.all_history(limit=200)]
            text = history_line(watched)
            line = self.query_one("#watched", Static)
            line.update(own_text(text, self._app.glyphs))
            line.display = bool(text)

    # --- doing --------------------------------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """The palette offers what makes sense now."""
        del parameters
        row = self._marked() if self.is_mounted else None
        match action:
            case "open":
                return row is not None
            case "accept":
                return row is not None and row.section == "asked"
            case "reject":
                return row is not None and row.section in ("asked", "waiting")
        return True

    def _marked(self) -> LobbyRow | None:
        return self._rows.get(self.query_one(MarkedList).marked or "")

    def on_option_list_option_highlighted(self) -> None:
        """Other keys make sense with another row."""
        self.query_one(Hints).look()

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
                self._look_at(row)
            case "live" | "waiting" if self._app.client is not None:
                self._app.open_session(AtSession(self._app.client, row.session))
            case _:
                self._again(row)

    @work(exclusive=True, group="dialog")
    async def _look_at(self, row: LobbyRow) -> None:
        reply = await self.app.push_screen_wait(InvitationScreen(row))
        if reply is not None:
            self._answer(row.session.id, reply)

    def action_accept(self) -> None:
        """Say yes to the marked invitation, and go to the film."""
        row = self._marked()
        if row is not None and row.section == "asked":
            self._answer(row.session.id, "accept")

    @work(exclusive=True, group="dialog")
    async def action_reject(self) -> None:
        """Say no to the marked invitation; take back the marked question."""
        row = self._marked()
        if row is None or row.section not in ("asked", "waiting"):
            return
        if row.section == "asked":
            if await self._app.confirm(f"Reject {row.with_whom}'s invitation?", row.title):
                self._answer(row.session.id, "reject")
        elif await self._app.confirm("Take the invitation back?", row.title):
            self._answer(row.session.id, "cancel")

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
        except errors.NotSignedIn as error:
            self._begin(error.detail)
        except errors.ClientError as error:
            self.app.notify(printable(error.detail), severity="error", markup=False)

    @work(exclusive=True, group="dialog")
    async def action_new_session(self) -> None:
        """Invite somebody to a film."""
        await self._invite(NewSessionScreen())

    @work(exclusive=True, group="dialog")
    async def _again(self, row: LobbyRow) -> None:
        """The film of a session that is over, once more."""
        other = row.session.guest_name if row.session.host_user_id == self._me else row.session.host_name
        video = row.session.video
        await self._invite(NewSessionScreen(video.url if video is not None else "", other or ""))

    async def _invite(self, screen: NewSessionScreen) -> None:
        if self._app.client is None and await sign_in(self._app) is None:
            return
        if (start := await self.app.push_screen_wait(screen)) is not None:
            self._app.open_session(start)

    @work(exclusive=True, group="dialog")
    async def action_join_code(self) -> None:
        """Join with a word that somebody read out."""
        if (start := await self.app.push_screen_wait(JoinCodeScreen())) is not None:
            self._app.open_session(start)

    def action_refresh(self) -> None:
        """Ask again, at once."""
        self._again_at = 0.0
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
        if client is None:
            self._begin()
            return
        if not await self._app.confirm(f"Sign out {self._my_name or 'from this server'}?"):
            return
        with contextlib.suppress(errors.ClientError):
            await client.sign_out()
        with contextlib.suppress(errors.ClientError):
            self._app.surroundings.credentials.forget(self._app.surroundings.server)
        self.workers.cancel_group(self, "listen")
        self._app.client = self._listening_to = None
        await client.close()  # also where the server could not be told
        self._sessions, self._me, self._my_name = {}, "", ""
        self.query_one("#watched", Static).update("")
        self._show_rows()
        self._begin()

    def action_lobby_help(self) -> None:
        """What can be done here."""
        self._app.action_help()

    async def action_leave_lobby(self) -> None:
        """Leave dateflicks."""
        self._app.action_quit()
