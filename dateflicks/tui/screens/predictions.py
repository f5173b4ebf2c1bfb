"""The session's predictions, all of them: what each needs, and the keys that do it. Over the film, which goes on."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, ClassVar, Final, cast

from textual import work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.events import Click, Resize
from textual.screen import Screen

from dateflicks.client.errors import ClientError
from dateflicks.client.predictions import Predictions
from dateflicks.protocol.predictions import PredictionBody
from dateflicks.protocol.printable import printable
from dateflicks.tui.bindings import bindings_of
from dateflicks.tui.commands import Mistake, Predict, parse
from dateflicks.tui.drawing import elsewhere
from dateflicks.tui.drawing.predictions import empty, listing, scores
from dateflicks.tui.drawing.rows import Row, rule
from dateflicks.tui.keys import Context
from dateflicks.tui.model import WatchState
from dateflicks.tui.orders import make
from dateflicks.tui.screens.choose import ChooseScreen
from dateflicks.tui.screens.showing import where_it_can
from dateflicks.tui.screens.write import WriteScreen
from dateflicks.tui.widgets.board import Board
from dateflicks.tui.widgets.hints import Hints

if TYPE_CHECKING:
    from dateflicks.tui.app import DateflicksApp

SURE: Final = ("50%", "60%", "70%", "80%", "90%", "100%")


class PredictionsScreen(Screen[None]):
    """A list with a mark; every row says what it waits for."""

    CONTEXTS: ClassVar[tuple[Context, ...]] = ("predictions",)
    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings_of("predictions"),
        ("up", "move(-1)", "Up"),
        ("down", "move(1)", "Down"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._marked: str | None = None
        self._at: list[tuple[int, str]] = []  # the first row of each, for the mouse

    @property
    def _app(self) -> "DateflicksApp":
        return cast("DateflicksApp", self.app)

    def compose(self) -> ComposeResult:
        """Who leads, the list, the keys."""
        yield Board(id="top")
        with VerticalScroll(id="list"):
            yield Board(id="rows")
        yield Hints("predictions")

    def on_mount(self) -> None:
        """As it is."""
        self.show_state(self._app.state)

    def on_resize(self, event: Resize) -> None:
        """Another width."""
        del event
        self.show_state(self._app.state)

    @where_it_can
    def show_state(self, state: WatchState) -> None:
        """Draw everything anew; what has not changed costs nothing."""
        width, glyphs, keys = self.size.width, self._app.glyphs, self._app.keys
        ids = [one.id for one in state.bets.items]
        if self._marked not in ids:
            self._marked = ids[0] if ids else None
        top: list[Row] = [rule("predictions", "" if state.bets.is_open else "no line", width, glyphs)]
        asked = elsewhere.asked(state, width, glyphs, keys, has_predictions=True)
        self.query_one("#top", Board).show([*top, *scores(state, width, glyphs), *asked])
        rows: list[Row] = []
        self._at = []
        if not ids:
            rows += empty(width, glyphs, keys)
        for name, drawn in listing(state, width, glyphs, keys, self._marked):
            self._at.append((len(rows), name))
            rows += drawn
        self.query_one("#rows", Board).show(rows)

    # --- marking ------------------------------------------------------------------------------------------------

    def action_move(self, by: int) -> None:
        """The mark, up or down."""
        ids = [one.id for one in self._app.state.bets.items]
        if not ids:
            return
        at = ids.index(self._marked) if self._marked in ids else 0
        self._marked = ids[max(0, min(len(ids) - 1, at + by))]
        self.show_state(self._app.state)
        first = next((row for row, name in self._at if name == self._marked), 0)
        self.query_one("#list", VerticalScroll).scroll_to(y=max(0, first - 2), animate=False)

    def on_click(self, event: Click) -> None:
        """By mouse: what is clicked is marked."""
        rows = self.query_one("#rows", Board)
        if event.widget is rows:
            names = [name for row, name in self._at if row <= event.y]
            if names:
                self._marked = names[-1]
                self.show_state(self._app.state)

    def _prediction(self) -> PredictionBody | None:
        return next((one for one in self._app.state.bets.items if one.id == self._marked), None)

    # --- doing --------------------------------------------------------------------------------------------------

    @work(exclusive=True, group="dialog")
    async def action_predict_new(self) -> None:
        """Predict something."""
        text = await self.app.push_screen_wait(
            WriteScreen("What will happen?", "Such as: Ben survives. Or: Who dies first?; Ben; Harry @ 1:20:00")
        )
        if not text:
            return
        wish = parse(f"/predict {text}")
        if isinstance(wish, Predict):
            await self._do(lambda bets: make(bets, wish, self._app.room.here() if self._app.room else None))
        elif isinstance(wish, Mistake):
            self._app.notify(printable(wish.sentence), severity="error", markup=False)

    @work(exclusive=True, group="dialog")
    async def action_call(self) -> None:
        """Say what one believes, and how surely."""
        one = self._prediction()
        if one is None:
            return
        if one.status != "open":
            self._app.notify("Calls are closed.", markup=False)
            return
        option = await self.app.push_screen_wait(ChooseScreen(one.details, "Which one comes true?", one.options))
        if option is None:
            return
        least = round(100 / len(one.options))
        sure = [text for text in (f"{least}%", *SURE) if int(text[:-1]) >= least]
        chosen = await self.app.push_screen_wait(ChooseScreen(option, "How sure are you?", list(dict.fromkeys(sure))))
        if chosen is not None:
            confidence = max(int(chosen[:-1]) / 100, 1 / len(one.options))
            await self._do(lambda bets: bets.call(one.id, option, confidence))

    @work(exclusive=True, group="dialog")
    async def action_settle(self) -> None:
        """Say what came true."""
        one = self._prediction()
        if one is None:
            return
        if one.status in ("settled", "void") or one.proposed_by is not None:
            self._app.notify(self._why_not_settled(one), markup=False)
            return
        if one.status == "open":
            question = "Is it known how it comes out?"
            if not await self._app.confirm(question, "Calls close now, and everybody sees what was called."):
                return
            if not await self._do(lambda bets: bets.lock(one.id)):
                return
        outcome = await self.app.push_screen_wait(ChooseScreen(one.details, "What came true?", one.options))
        if outcome is not None:
            await self._do(lambda bets: bets.propose(one.id, outcome))

    def _why_not_settled(self, one: PredictionBody) -> str:
        if one.status in ("settled", "void"):
            return "It is over with this one."
        if one.proposed_by == self._app.state.me:
            return "You have said so; now the other confirms."
        yes, no = (self._app.keys.shown(name, ascii_only=self._app.is_ascii) for name in ("confirm", "object"))
        return f"The other has said what came true: confirm it ({yes}), or object ({no})."

    def action_lock(self) -> None:
        """Nobody may call any more."""
        self._act(lambda bets, name: bets.lock(name))

    def action_confirm(self) -> None:
        """It came true as the other says."""
        self._act(lambda bets, name: bets.confirm(name))

    def action_object(self) -> None:
        """It did not."""
        self._act(lambda bets, name: bets.object(name))

    def action_void(self) -> None:
        """Let it go."""
        self._act(lambda bets, name: bets.void(name))

    def action_close_predictions(self) -> None:
        """Back to the film."""
        self.app.pop_screen()

    @work(exclusive=True, group="act")
    async def _act(self, act: Callable[[Predictions, str], Awaitable[object]]) -> None:
        one = self._prediction()
        if one is not None:
            await self._do(lambda bets: act(bets, one.id))

    async def _do(self, act: Callable[[Predictions], Awaitable[object]]) -> bool:
        """Whether it was done; if not, that is told."""
        room = self._app.room
        if room is None or room.predictions is None:
            self._app.notify("There are no predictions on this server.", markup=False)
            return False
        try:
            await act(room.predictions)
        except ClientError as error:
            self._app.notify(printable(error.detail), severity="error", markup=False)
            return False
        return True
