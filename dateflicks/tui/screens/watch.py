"""The film's screen: are we together, what is asked, what is said. It draws the state and passes on what is wished.

The film has the keys until somebody writes; escape gives them back. Nothing here opens a dialog by itself: what the
other asks for is a banner.
What is wished of the film is done by `wishes.py`, what is done with the talk by `speech.py`, what is typed by
`orders.py`. One file, though long: each of its forty keys is a line or two here.
"""

from dataclasses import replace
from functools import cached_property, partial
from typing import TYPE_CHECKING, ClassVar, Final, assert_never, cast

from textual import work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.events import DescendantBlur, DescendantFocus, Resize
from textual.screen import Screen
from textual.widget import Widget

from dateflicks.client.sentences import clock_text
from dateflicks.tui import commands
from dateflicks.tui.bindings import bindings_of
from dateflicks.tui.drawing import banner, film, foot, people, watch
from dateflicks.tui.drawing.rows import Row
from dateflicks.tui.emoji import EMOJI, EmojiMode, reaction_shown
from dateflicks.tui.keys import Context
from dateflicks.tui.model import WatchState
from dateflicks.tui.orders import Orders
from dateflicks.tui.screens.choose import ChooseScreen
from dateflicks.tui.screens.predictions import PredictionsScreen
from dateflicks.tui.screens.showing import where_it_can
from dateflicks.tui.screens.write import WriteScreen
from dateflicks.tui.speech import Speech
from dateflicks.tui.widgets.board import Board
from dateflicks.tui.widgets.chat_log import ChatLog
from dateflicks.tui.widgets.composer import Composer, ComposerField
from dateflicks.tui.widgets.hints import Hints
from dateflicks.tui.wishes import Wishes

if TYPE_CHECKING:
    from dateflicks.tui.app import DateflicksApp
    from dateflicks.tui.room import Room

View = str  # "all", "chat" or "zen"
REACTIONS: Final = tuple(EMOJI)[:9]


class WatchScreen(Screen[None]):
    """One film, its people, their talk."""

    CONTEXTS: ClassVar[tuple[Context, ...]] = ("film", "composer", "chat")
    BINDINGS: ClassVar[list[BindingType]] = [
        # What is typed fast, or pasted, behind the key that begins a line must find that line: it acts at once.
        replace(one, priority=one.id == "talk")
        for one in bindings_of("film")
    ]
    AUTO_FOCUS = ""

    def __init__(self) -> None:
        super().__init__()
        self._view: View = "all"
        self._shows_sync = True
        self._unread = 0
        self._read = 0

    @property
    def _app(self) -> "DateflicksApp":
        return cast("DateflicksApp", self.app)

    @property
    def _room(self) -> "Room | None":
        return self._app.room

    @cached_property
    def _wishes(self) -> Wishes:
        return Wishes(self._app, self.set_timer)

    @cached_property
    def _speech(self) -> Speech:
        return Speech(self._app)

    @cached_property
    def _orders(self) -> Orders:
        begin, composer = partial(self.run_worker, group="bet"), self.query_one(Composer)
        return Orders(self._app, self._wishes, self._speech, begin, composer.complain)

    def compose(self) -> ComposeResult:
        """Fixed parts are drawn; chat and composer are widgets."""
        yield Board(id="top")
        with Horizontal(id="middle"):
            with Vertical(id="left"):
                yield Board(id="stage")
            with Vertical(id="right"):
                yield Board(id="side")
                yield Board(id="rule")
                yield ChatLog(id="chat")
                yield Board(id="toasts")
                yield Composer(id="composer")
        yield Hints("film")

    def on_mount(self) -> None:
        """As the settings say, and with what was being written when this was left."""
        tui = self._app.surroundings.settings.tui
        log, composer = self.query_one(ChatLog), self.query_one(Composer)
        log.emoji = tui.emoji
        log.is_ascii = composer.is_ascii = self._app.is_ascii
        composer.use_keys(self._app.keys)
        kept, room = self._app.kept, self._room
        if kept is not None and room is not None and kept.session_id == room.session.id:
            composer.value = kept.draft
        self.show_state(self._app.state)

    def on_resize(self, event: Resize) -> None:
        """Another layout, perhaps."""
        del event
        self.show_state(self._app.state)

    # --- showing ------------------------------------------------------------------------------------------------

    @where_it_can
    def show_state(self, state: WatchState) -> None:
        """Draw everything; a row that has not changed costs nothing."""
        width, height = self.size
        glyphs, keys = self._app.glyphs, self._app.keys
        is_small = width < foot.SMALLEST[0] or height < foot.SMALLEST[1]
        size = watch.size_of(width, height)
        is_wide = size == "wide" and self._view == "all"
        for name, is_shown in (
            ("#middle", not is_small and self._view != "zen"),
            ("#left", is_wide),
            ("#side", is_wide),
            ("#hints", not is_small),
        ):
            self.query_one(name, Widget).display = is_shown
        self.query_one("#top", Board).show(
            foot.enlarge(width, height, glyphs) if is_small else self._top(state, width, is_wide=is_wide)
        )
        if is_small:
            return
        right = self._right_width(width) if is_wide else width
        if not is_wide:
            self.query_one("#right", Widget).styles.width = "1fr"
        if is_wide:
            self.query_one("#right", Widget).styles.width = right
            self.query_one("#stage", Board).show(watch.stage(state, width - right - 1, glyphs, keys))
            self.query_one("#side", Board).show(watch.side(state, right, glyphs))
        self.query_one("#rule", Board).show([people.chat_rule(state, right, glyphs, self._unread)])
        self.query_one("#toasts", Board).show(people.toasts(state, right, glyphs))
        log, composer = self.query_one(ChatLog), self.query_one(Composer)
        log.shows_clock = size != "tiny"
        log.show(state.chat, me=state.me)
        composer.waiting = state.chat.queued if state.link.is_open and not state.chat.is_open else 0
        composer.partner = state.other.name if state.other is not None else ""
        self._tell_read(state)

    def _top(self, state: WatchState, width: int, *, is_wide: bool) -> list[Row]:
        glyphs, keys = self._app.glyphs, self._app.keys
        if is_wide:
            return film.header(state, width, glyphs)
        size = watch.size_of(width, self.size.height)
        if self._view == "chat":
            return [*film.header(state, width, glyphs), *banner.banners(state, width, glyphs, keys)]
        if self._view == "zen":  # what is told once is told there too
            return [*watch.top(state, width, "tiny", glyphs, keys), *people.toasts(state, width, glyphs)]
        return watch.top(state, width, size if self._shows_sync else "tiny", glyphs, keys)

    def _right_width(self, width: int) -> int:
        return max(44, width // 3)

    def _tell_read(self, state: WatchState) -> None:
        """What is on the screen has been read."""
        if self._unread or self.app.screen is not self or self._room is None or self._room.conversation is None:
            return
        newest = max((one.seq for one in state.chat.entries[-50:] if one.seq is not None), default=0)
        if newest > self._read:
            self._read = newest
            self._speech.has_read(newest)

    # --- who has the keys ---------------------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """The key that begins a line may be one that sends it; and the palette offers what makes sense now."""
        pending = self._app.state.pending
        match action:
            case "talk" if isinstance(self.focused, ComposerField):
                return False
            case "agree":
                return pending is not None and not pending.is_mine
            case "refuse":
                return pending is not None
        return super().check_action(action, parameters)

    def on_descendant_focus(self, event: DescendantFocus) -> None:
        """Other keys work now."""
        self.query_one(Hints).tell("chat" if isinstance(event.widget, ChatLog) else "composer")

    def on_descendant_blur(self, event: DescendantBlur) -> None:
        """The film has the keys again."""
        del event
        self.query_one(Hints).tell("film")

    def on_composer_left(self, message: Composer.Left) -> None:
        """Back to the film."""
        del message
        self.set_focus(None)

    def action_back(self) -> None:
        """From writing or marking to the film; from the film to the lobby."""
        if self.focused is not None:
            self.set_focus(None)
        elif self._view != "all":
            self._look("all")
        else:
            self._app.to_lobby()

    def action_leave_chat(self) -> None:
        """Back to the film."""
        self.set_focus(None)

    # --- the film -----------------------------------------------------------------------------------------------

    def action_agree(self) -> None:
        """Yes to what the other asks for."""
        self._wishes.answer(agreed=True)

    def action_refuse(self) -> None:
        """No to it, or an own request taken back."""
        self._wishes.answer(agreed=False)

    def action_play_pause(self) -> None:
        """Play if it stands, pause if it plays; without a line that is what it does here."""
        self._wishes.play_or_pause()

    def action_stop(self) -> None:
        """Stop for everybody."""
        self._wishes.ask("stop")

    def action_back_10(self) -> None:
        """Ten seconds back."""
        self._wishes.move(-10)

    def action_forward_10(self) -> None:
        """Ten seconds on."""
        self._wishes.move(10)

    def action_back_60(self) -> None:
        """A minute back."""
        self._wishes.move(-60)

    def action_forward_60(self) -> None:
        """A minute on."""
        self._wishes.move(60)

    def action_to_start(self) -> None:
        """To the beginning."""
        self._wishes.seek(0.0)

    @work(exclusive=True, group="dialog")
    async def action_go_to(self) -> None:
        """To a position that is written."""
        text = await self.app.push_screen_wait(WriteScreen("Where to?", "41:00, 1:20:00, +30 or -10"))
        if text:
            self._orders.obey(commands.parse(f"/seek {text}"))

    def action_resync(self) -> None:
        """Measure anew."""
        self._wishes.resync()

    @work(exclusive=True, group="dialog")
    async def action_leave(self) -> None:
        """Leave the film."""
        self._app.action_quit()

    # --- the talk -----------------------------------------------------------------------------------------------

    def action_talk(self) -> None:
        """Write something; where a line is marked, an answer to it."""
        if self._view == "zen":
            self._look("all")
        log = self.query_one(ChatLog)
        if self.focused is log and log.entry is not None:
            log.action_wish("reply")
        else:
            self.set_focus(self.query_one(ComposerField))

    @work(exclusive=True, group="dialog")
    async def action_react(self) -> None:
        """React to this moment."""
        here = self._room.here() if self._room is not None else None
        about = f"at {clock_text(here)}" if here is not None else ""
        mode: EmojiMode = "names" if self._app.is_ascii else self._app.surroundings.settings.tui.emoji
        drawn = [reaction_shown(one, mode) for one in REACTIONS]  # at the end of the line, however wide it is drawn
        shown = [one if ":" in emoji else f"{one}  {emoji}" for one, emoji in zip(REACTIONS, drawn, strict=True)]
        chosen = await self.app.push_screen_wait(ChooseScreen(about, "What do you feel?", REACTIONS, shown))
        if chosen is not None and self._room is not None:
            self._room.say(chosen, kind="reaction")

    def action_scroll_up(self) -> None:
        """Older lines."""
        self.query_one(ChatLog).scroll_page_up(animate=False)

    def action_scroll_down(self) -> None:
        """Newer lines."""
        self.query_one(ChatLog).scroll_page_down(animate=False)

    def action_scroll_end(self) -> None:
        """The newest line."""
        self.query_one(ChatLog).go_to_end()

    @work(exclusive=True, group="dialog")
    async def action_find_in_chat(self) -> None:
        """Look for words."""
        words = await self.app.push_screen_wait(WriteScreen("Find in the chat", "f3 goes to the next one above"))
        if words:
            log = self.query_one(ChatLog)
            found = log.find(words)
            self._app.tell(f"{found} line{'' if found == 1 else 's'} with it." if found else "Nobody said that here.")
            log.focus()

    def action_edit_last(self) -> None:
        """Put something else in place of the last own line."""
        if (entry := self._speech.last_own()) is not None:
            self.query_one(Composer).edit(entry)

    def action_take_back(self) -> None:
        """Take the last own line back."""
        self._speech.take_back_last()

    def action_say_again(self) -> None:
        """Send what failed again."""
        self._speech.send_all_again()

    def on_chat_log_unread(self, message: ChatLog.Unread) -> None:
        """Lines have come below what is read."""
        self._unread = message.count
        self.show_state(self._app.state)

    def on_chat_log_older_wanted(self, message: ChatLog.OlderWanted) -> None:
        """The reader is at the top."""
        del message
        self._load_older()

    @work(exclusive=True, group="older")
    async def _load_older(self) -> None:
        if self._room is not None:
            await self._room.older()

    def on_chat_log_wanted(self, message: ChatLog.Wanted) -> None:
        """Something is to be done with the marked line."""
        composer = self.query_one(Composer)
        match message.wish:
            case "reply":
                composer.reply_to(message.entry)
            case "edit":
                composer.edit(message.entry)
            case "delete":
                self._speech.take_back(message.entry.key)
            case "react":
                self.action_react()
            case "retry":
                self._speech.send_again(message.entry.key)
            case "go":
                if message.entry.position is not None:
                    self._wishes.seek(message.entry.position)
            case _:
                assert_never(message.wish)

    def on_chat_log_refused(self, message: ChatLog.Refused) -> None:
        """It can't."""
        self._app.tell(message.sentence)

    def on_chat_log_copied(self, message: ChatLog.Copied) -> None:
        """It is in the clipboard."""
        del message
        self._app.tell("Copied, if your terminal allows it.")

    def on_composer_typing(self, message: Composer.Typing) -> None:
        """The others may know."""
        del message
        self._speech.typed()

    def on_composer_draft_changed(self, message: Composer.DraftChanged) -> None:
        """It is kept, should the evening end now."""
        if self._room is not None:
            self._room.choose_draft(message.draft)

    def on_composer_edit_last_wanted(self, message: Composer.EditLastWanted) -> None:
        """Up in an empty line."""
        del message
        self.action_edit_last()

    # --- views --------------------------------------------------------------------------------------------------

    def action_view_chat(self) -> None:
        """The chat alone, or everything again."""
        self._look("all" if self._view == "chat" else "chat")

    def action_view_zen(self) -> None:
        """The film's line alone, or everything again."""
        self._look("all" if self._view == "zen" else "zen")

    def action_view_sync(self) -> None:
        """How well we are in step, or not."""
        self._shows_sync = not self._shows_sync
        self.show_state(self._app.state)

    def _look(self, view: View) -> None:
        self._view = view
        self.show_state(self._app.state)

    def action_predict(self) -> None:
        """All predictions."""
        self.app.push_screen(PredictionsScreen())

    def action_film_help(self) -> None:
        """What can be done here."""
        self._app.action_help()

    # --- what is typed ------------------------------------------------------------------------------------------

    def on_composer_submitted(self, message: Composer.Submitted) -> None:
        """Say it or do it."""
        match message.command:
            case commands.Say(text=text) if message.purpose == "edit" and message.target is not None:
                self._speech.edit(message.target, text)
            case commands.Say(text=text) if self._room is not None:
                self._room.say(text, reply_to=message.target if message.purpose == "reply" else None)
            case other:
                self._orders.obey(other)
