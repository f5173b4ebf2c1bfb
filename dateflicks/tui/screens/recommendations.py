"""What to watch next: for this person, for the other, or for both; every film says why it is there and takes an answer.

What was really on the screen is told to the service once (`shown_films.py`), so that it can learn which lists are good.
"""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, ClassVar, Final, cast

from textual import work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.events import Click
from textual.screen import Screen
from textual.timer import Timer

from dateflicks.client import errors
from dateflicks.client.http import ServiceClient
from dateflicks.client.recommendations import Recommendations, is_recommended_from, partners_of
from dateflicks.client.videos import Videos
from dateflicks.protocol.recommendations import Event, Rating
from dateflicks.tui.bindings import bindings_of
from dateflicks.tui.drawing.recommendations import empty, head, listing, reasons
from dateflicks.tui.drawing.rows import Row
from dateflicks.tui.inviting import of_collection
from dateflicks.tui.keys import Context
from dateflicks.tui.model.picks import Pick, Picks
from dateflicks.tui.screens.choose import ChooseScreen
from dateflicks.tui.screens.new_session import NewSessionScreen
from dateflicks.tui.screens.showing import can_show, where_it_can
from dateflicks.tui.screens.sign_in import sign_in
from dateflicks.tui.screens.why import WhyScreen
from dateflicks.tui.shown_films import Shown, ShownFilms
from dateflicks.tui.widgets.board import Board
from dateflicks.tui.widgets.hints import Hints

if TYPE_CHECKING:
    from dateflicks.tui.app import DateflicksApp

PAGE: Final = 50
SESSIONS_READ: Final = 200  # the last ones, in which those are with whom one watches
STALE_SECONDS: Final = 60.0  # a list that is older is asked for again when the screen is come back to
LOOKED_SECONDS: Final = 0.7  # a film that stood there for so long was seen
UNDONE_MAX: Final = 20
NO_SERVICE: Final = "This server recommends nothing: no recommendation service runs there."


class RecommendationsScreen(Screen[None]):
    """A list with a mark; the marked film says more."""

    CONTEXTS: ClassVar[tuple[Context, ...]] = ("recommendations",)
    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings_of("recommendations"),
        ("up", "move(-1)", "Up"),
        ("down", "move(1)", "Down"),
        ("pageup", "move(-8)", "Further up"),
        ("pagedown", "move(8)", "Further down"),
        ("home", "move(-1000)", "The first"),
        ("end", "move(1000)", "The last"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._picks = Picks(is_asking=True)
        self._asked_for: ServiceClient | None = None
        self._asked_at = 0.0  # of the loop's clock
        self._marked: str | None = None
        self._place = 0  # of the mark among the rows, for when its film goes
        self._at: list[tuple[int, int, str]] = []  # first row, rows, id
        self._undone: list[tuple[str, str, Rating | None]] = []  # what was said last: id, title, what was said before
        self._shown = ShownFilms()
        self._look: Timer | None = None

    @property
    def _app(self) -> "DateflicksApp":
        return cast("DateflicksApp", self.app)

    def compose(self) -> ComposeResult:
        """For whom, the list, the keys."""
        yield Board(id="top")
        with VerticalScroll(id="list", can_focus=False):
            yield Board(id="rows")
        yield Hints("recommendations")

    def on_mount(self) -> None:
        """Whatever scrolls the list, other films are looked at then."""
        self.watch(self.query_one("#list"), "scroll_y", self._look_soon, init=False)

    def on_screen_resume(self) -> None:
        """Ask anew where that was long ago, or of another server or for somebody else."""
        now = asyncio.get_running_loop().time()
        if self._app.client is not self._asked_for or now - self._asked_at > STALE_SECONDS:
            self._load()
        else:
            self._show()

    def on_resize(self) -> None:
        """Another width."""
        self._show()

    # --- asking -------------------------------------------------------------------------------------------------

    @work(exclusive=True, group="load")
    async def _load(self) -> None:
        client = self._app.client
        if client is not self._asked_for:
            self._picks, self._undone = Picks(), []
        self._asked_for, self._asked_at = client, asyncio.get_running_loop().time()
        if client is None:
            self._become(Picks())
            return
        if self._picks.listing is None:
            self._become(replace(self._picks, is_asking=True, problem=""))
        try:
            await self._ask(client)
        except errors.NotSignedIn as error:
            self._become(Picks())
            if await sign_in(self._app, error.detail) is not None:
                self._load()
        except errors.ClientError as error:
            self._asked_at = 0.0
            self._become(replace(self._picks, is_asking=False, problem=await self._why_not(client, error)))

    async def _ask(self, client: ServiceClient) -> None:
        """Who there is, the list that is looked at, and what was said of films."""
        me = await client.me()
        sessions = [one async for one in client.all_sessions(("accepted", "ended"), limit=SESSIONS_READ)]
        self._picks = self._picks.known_as(me.id, me.name, partners_of(sessions, me.id))
        recommendations, other = Recommendations(client), self._picks.other
        seen = (await recommendations.page(other, limit=PAGE, seen=True)).items if other is not None else []
        page = await recommendations.page(other, limit=PAGE)  # last, so that it is the one that was told last
        ratings = await recommendations.ratings()
        self._become(replace(self._picks.told(other, page, seen), ratings=ratings))

    async def _why_not(self, client: ServiceClient, error: errors.ClientError) -> str:
        """What does not work, and what is shown all the same."""
        key = self._app.keys.shown("refresh-list", ascii_only=self._app.is_ascii)
        if isinstance(error, errors.NotThere):
            try:
                if not await is_recommended_from(client):
                    return NO_SERVICE
            except errors.ClientError:
                pass
        older = "What is shown is what was known before; " if self._picks.listing is not None else ""
        return f"{error.detail} {older}{key} asks again."

    @work(exclusive=True, group="more")
    async def _load_more(self) -> None:
        client, known = self._app.client, self._picks.listing
        if client is None or known is None or known.cursor is None:
            return
        other = self._picks.other
        try:
            page = await Recommendations(client).page(other, limit=PAGE, cursor=known.cursor)
        except errors.ClientError:
            return  # asked again when the mark gets to the end again
        if self._picks.lists.get(other or "") is known:
            self._become(self._picks.told_more(other, page))

    # --- showing ------------------------------------------------------------------------------------------------

    def _become(self, picks: Picks) -> None:
        self._picks = picks
        self._show()

    @where_it_can
    def _show(self) -> None:
        """Draw everything anew; what has not changed costs nothing."""
        picks, width, glyphs = self._picks, self.size.width, self._app.glyphs
        ids = [one.film.video_id for one in picks.rows()]
        if self._marked in ids:
            self._place = ids.index(self._marked)
        else:  # it is gone: the one that stands in its place now
            self._place = max(0, min(self._place, len(ids) - 1))
            self._marked = ids[self._place] if ids else None
        self.query_one("#top", Board).show(head(picks, width, self.size.height, glyphs, datetime.now(UTC)))
        rows: list[Row] = []
        self._at = []
        for name, drawn in listing(picks, width, glyphs, self._marked):
            if name:
                self._at.append((len(rows), len(drawn), name))
            rows += drawn
        if not ids:
            rows = empty(picks, width, glyphs, self._app.keys)
        self.query_one("#rows", Board).show(rows)
        self.query_one(Hints).look()
        self.call_after_refresh(self._bring_into_view)
        self._look_soon()

    def _bring_into_view(self) -> None:
        if not can_show(self):
            return
        found = next(((row, count) for row, count, name in self._at if name == self._marked), None)
        if found is None:
            return
        around = self.query_one("#list", VerticalScroll)
        first, count = found
        top, height = round(around.scroll_y), around.size.height
        if self._place == 0:
            top = 0
        elif first < top:
            top = first
        elif first + count > top + height:
            top = min(first, first + count - height)
        around.scroll_to(y=top, animate=False)

    def _pick(self) -> Pick | None:
        return next((one for one in self._picks.rows() if one.film.video_id == self._marked), None)

    # --- what was seen ------------------------------------------------------------------------------------------

    def _look_soon(self) -> None:
        """What stands still for a moment was seen."""
        if self._look is not None:
            self._look.stop()
        self._look = self.set_timer(LOOKED_SECONDS, self._tell_shown)

    def _tell_shown(self) -> None:
        listing_, other = self._picks.listing, self._picks.other
        if not self.is_current or listing_ is None or not can_show(self):
            return
        around = self.query_one("#list", VerticalScroll)
        top, bottom = round(around.scroll_y), round(around.scroll_y) + around.size.height
        visible = {name for row, _, name in self._at if top <= row < bottom}
        news = self._shown.news(
            (Shown(one.film.video_id, other, listing_.generated_at), one.number)
            for one in self._picks.rows()
            if one.number is not None and one.film.video_id in visible
        )
        if news:
            self._tell_all(news)

    @work(group="tell")
    async def _tell_all(self, news: list[tuple[Shown, int]]) -> None:
        await self._shown.tell(self._app.client, news)

    @work(group="tell")
    async def _tell(self, one: Pick, event: Event, other: str | None) -> None:
        """What became of a film."""
        if self._app.client is not None:
            recommendations = Recommendations(self._app.client)
            await recommendations.tell(one.film.video_id, event, position=one.number, other=other)

    # --- marking ------------------------------------------------------------------------------------------------

    def action_move(self, by: int) -> None:
        """The mark, up or down."""
        ids = [one.film.video_id for one in self._picks.rows()]
        if not ids:
            return
        self._place = max(0, min(len(ids) - 1, self._place + by))
        self._marked = ids[self._place]
        self._show()
        if self._place >= len(ids) - 4:
            self._load_more()

    def on_click(self, event: Click) -> None:
        """By mouse: what is clicked is marked."""
        if self.query_one("#list", VerticalScroll).region.contains(int(event.screen_x), int(event.screen_y)):
            y = int(event.screen_y) - self.query_one("#rows", Board).region.y
            for row, count, name in self._at:
                if row <= y < row + count:
                    self._marked = name
                    self._show()

    # --- doing --------------------------------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """The hints offer what makes sense now."""
        del parameters
        match action:
            case "watch_with" | "more_like" | "less_like" | "hide_film" | "why_film":
                return self._pick() is not None
            case "for_whom":
                return bool(self._picks.partner)
            case "partner":
                return len(self._picks.partners) > 1
            case "undo_rating":
                return bool(self._undone)
        return True

    def action_for_whom(self) -> None:
        """For the next of: this person, the other, both."""
        self._turn_to(self._picks.next_whom())

    @work(exclusive=True, group="dialog")
    async def action_partner(self) -> None:
        """Choose with whom one would watch."""
        ids = list(self._picks.partners)
        names = list(self._picks.partners.values())  # two may have the same
        chosen = await self.app.push_screen_wait(ChooseScreen("", "With whom would you watch?", ids, names))
        if chosen is not None:
            self._turn_to(self._picks.with_partner(chosen))

    def _turn_to(self, picks: Picks) -> None:
        self._place, self._marked = 0, None
        self._become(replace(picks, problem="", is_asking=picks.listing is None))
        if picks.listing is None:
            self._load()

    def action_refresh_list(self) -> None:
        """Ask again, at once."""
        self._load()

    def action_more_like(self) -> None:
        """More like the marked film."""
        self._rate("up", "More like {}.")

    def action_less_like(self) -> None:
        """Less like the marked film."""
        self._rate("down", "Less like {}.")

    def action_hide_film(self) -> None:
        """Never again the marked film."""
        self._rate("hide", "{} is not shown any more.")

    def _rate(self, rating: Rating, said: str) -> None:
        one = self._pick()
        if one is None:
            return
        title = one.film.title or "The film"
        key = self._app.keys.shown("undo-rating", ascii_only=self._app.is_ascii)
        self._undone = [*self._undone, (one.film.video_id, title, self._picks.ratings.get(one.film.video_id))]
        self._undone = self._undone[-UNDONE_MAX:]
        self._say_of(one.film.video_id, rating, f"{said.format(title)} {key} takes it back.")
        if rating == "hide":
            self._tell(one, "dismissed", self._picks.other)

    def action_undo_rating(self) -> None:
        """What was said last is not said."""
        if self._undone:
            video_id, title, before = self._undone.pop()
            self._marked = video_id
            self._say_of(video_id, before, f"What you said of {title} is taken back.")

    @work(group="rate")
    async def _say_of(self, video_id: str, rating: Rating | None, said: str) -> None:
        """Shown at once, and put back where the service did not take it."""
        client, before = self._app.client, self._picks.ratings.get(video_id)
        if client is None:
            return
        self._become(self._picks.rated(video_id, rating))
        try:
            await Recommendations(client).rate(video_id, rating)
        except errors.ClientError as error:
            self._become(self._picks.rated(video_id, before))
            self._app.tell(error.detail, is_trouble=True)
        else:
            self._app.tell(said)
            self._load()

    @work(exclusive=True, group="dialog")
    async def action_why_film(self) -> None:
        """Everything that speaks for the marked film."""
        one, client, other = self._pick(), self._app.client, self._picks.other
        if one is None or client is None:
            return
        self._tell(one, "opened", other)
        try:
            one = replace(one, film=await Recommendations(client).why(one.film.video_id, other))
        except errors.ClientError as error:
            if not one.film.fits:
                self._app.tell(error.detail, is_trouble=True)
                return
        year = f" ({one.film.year})" if one.film.year else ""
        lines = reasons(self._picks, one, self._app.glyphs)
        await self.app.push_screen_wait(WhyScreen(f"Why {one.film.title or 'this film'}{year}?", lines))

    @work(exclusive=True, group="dialog")
    async def action_watch_with(self) -> None:
        """Invite somebody to the marked film."""
        one, client, other = self._pick(), self._app.client, self._picks.other
        if one is None or client is None:
            return
        self._tell(one, "opened", other)
        try:
            film = of_collection(self._app.surroundings, await Videos(client).video(one.film.video_id))
        except errors.ClientError as error:
            self._app.tell(error.detail, is_trouble=True)
            return
        guest = self._picks.name_of(other) if other is not None else ""
        start = await self.app.push_screen_wait(NewSessionScreen(film.where, guest, of=film))
        if start is not None:
            self._tell(one, "invited", other)
            self._app.open_session(start)

    def action_close_recommendations(self) -> None:
        """Back to the film that is open, or to the lobby."""
        self._app.to_film() if self._app.room is not None else self._app.to_lobby()
