"""The app: which screen there is, the one room that is open, and the state that all screens show.

Screens look and ask; the room does. What happens in the room arrives here as messages, changes the one state, and is
shown at most ten times a second. The lobby, the history and the others are modes beside the film, so that leaving the
film for them loses nothing.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Final

from textual import work
from textual.app import SuspendNotSupported
from textual.binding import BindingType
from textual.events import Event as TextualEvent
from textual.events import Key
from textual.message import Message
from textual.worker import Worker

from dateflicks.client.http import ServiceClient
from dateflicks.protocol.printable import printable
from dateflicks.tui._textual_private import FailingApp
from dateflicks.tui.asking import Asking
from dateflicks.tui.bindings import bindings_of, moved
from dateflicks.tui.drawing.elsewhere import news
from dateflicks.tui.drawing.foot import farewell
from dateflicks.tui.drawing.rows import text_of
from dateflicks.tui.glyphs import Glyphs, glyphs_for
from dateflicks.tui.kept import KeptEvening
from dateflicks.tui.keys import Keymap, WrongKeys, read_keys
from dateflicks.tui.model import Event, Over, Tick, Toasted, WatchState, reduce
from dateflicks.tui.palette import Palette
from dateflicks.tui.room import Room
from dateflicks.tui.surroundings import AtSession, Farewell, InLobby, Start, Surroundings
from dateflicks.tui.suspension import suspended
from dateflicks.tui.textual_themes import register_themes

SHOW_SECONDS: Final = 0.1
LEAVE_SECONDS: Final = 3.0  # for a player to be gone
TICK_SECONDS: Final = 0.25
FAREWELL_CELLS: Final = 100
FAREWELL_LEAST_CELLS: Final = 72
RESUME: Final = "dateflicks watch --resume"


class RoomEvent(Message):
    """Something has happened in the room."""

    def __init__(self, room: Room, event: Event | Over) -> None:
        super().__init__()
        self.room = room
        self.event = event


class DateflicksApp(FailingApp[Farewell]):
    """One run of the terminal client; `run` returns what is said in the shell afterwards."""

    TITLE = "dateflicks"
    CSS_PATH = Path(__file__).with_name("app.tcss")
    BINDINGS: ClassVar[list[BindingType]] = [*bindings_of("app")]
    COMMANDS: ClassVar[set[Any]] = {Palette}
    ENABLE_COMMAND_PALETTE = False  # its key is one of `keys.py`, which can be moved
    HORIZONTAL_BREAKPOINTS = [(0, "-slim"), (60, "-broad"), (100, "-wide")]  # noqa: RUF012 - Textual declares them so
    VERTICAL_BREAKPOINTS = [(0, "-low"), (20, "-high")]  # noqa: RUF012

    def __init__(self, surroundings: Surroundings, start: Start, *, kept: KeptEvening | None = None) -> None:
        super().__init__()
        self.surroundings = surroundings
        self.start = start
        self.kept = kept
        self.client: ServiceClient | None = start.client if isinstance(start, AtSession) else None
        self.state = WatchState()
        self.room: Room | None = None
        self.key_trouble = ""
        self.keys: Keymap = self._read_keys()
        self._lines: dict[str, str] = {}  # session to the line that its guest types: told once, by whoever made it
        self._room_worker: Worker[None] | None = None
        self._is_show_due = False
        register_themes(self)

    # --- life ---------------------------------------------------------------------------------------------------

    def on_mount(self) -> None:
        """Begin where the start says."""
        self.set_keymap(moved(self.keys))
        self.use_command_palette = True
        self.set_class(self.is_ascii, "-ascii")
        self._dress()
        self.set_interval(TICK_SECONDS, self._tick)
        if self.key_trouble:
            self._warn_soon(self.key_trouble)
        if isinstance(self.start, AtSession):
            self.open_session(self.start)
        else:
            assert isinstance(self.start, InLobby)
            self.to_lobby()

    async def on_event(self, event: TextualEvent) -> None:
        """A paste that comes as keys is thousands of them: the lines to the others go on between each two."""
        await super().on_event(event)
        if isinstance(event, Key):
            await asyncio.sleep(0)

    def _read_keys(self) -> Keymap:
        try:
            return read_keys(self.surroundings.settings.keys)
        except WrongKeys as wrong:
            self.key_trouble = f"[keys] of the settings: {wrong} The usual keys are used."
            return read_keys({})

    @property
    def glyphs(self) -> Glyphs:
        """What lines and marks are drawn with."""
        return glyphs_for(self.surroundings.settings.tui.glyphs, self.surroundings.environ)

    @property
    def is_ascii(self) -> bool:
        """Whether only ASCII glyphs are drawn."""
        return self.glyphs.is_ascii

    def settings_changed(self, name: str) -> None:
        """A setting was changed here: what can follow at once does."""
        if name == "tui.theme":
            self._dress()
        elif name.startswith("consent") and self.room is not None:
            self.room.choose_consent(self.surroundings.settings)

    def _dress(self) -> None:
        """In the colours of the settings, as far as there are such."""
        name = self.surroundings.settings.tui.theme
        if name in self.available_themes:
            self.theme = name
        else:
            self._warn_soon(f"There is no theme '{name}'; f2 shows those there are.")

    def _warn_soon(self, text: str) -> None:
        """Say what is wrong with the settings once there is a screen: before, nobody would see it."""
        if self.has_mode(self.current_mode) and self.screen.is_mounted:
            self.notify(text, severity="warning", markup=False)
        else:
            self.set_timer(SHOW_SECONDS, partial(self._warn_soon, text))

    # --- where one is -------------------------------------------------------------------------------------------

    def to_lobby(self) -> None:
        """The lobby; a film that is open stays open."""
        self._go("lobby")

    def to_film(self) -> None:
        """Back to the film that is open."""
        if self.room is not None:
            self._go("watch")

    def _go(self, mode: str) -> None:
        from dateflicks.tui.screens import modes

        if not self.has_mode(mode):
            self.add_mode(mode, modes.MODES[mode])
        self.switch_mode(mode)

    def action_recommendations(self) -> None:
        """What to watch next."""
        self._go("recommendations")

    def action_history(self) -> None:
        """What was watched."""
        self._go("history")

    def action_settings(self) -> None:
        """The settings."""
        self._go("settings")

    def action_to_lobby(self) -> None:
        """The lobby; a film that is open stays open."""
        self.to_lobby()

    async def action_back(self) -> None:
        """One step out: a screen over another goes, a mode gives way to the film or the lobby."""
        if hasattr(self.screen, "action_back"):  # it knows better
            await self.run_action("back", self.screen)
        elif len(self.screen_stack) > 1:
            self.pop_screen()
        elif self.current_mode in ("recommendations", "history", "settings"):
            self._go("watch" if self.room is not None else "lobby")

    def action_help(self) -> None:
        """What can be done here."""
        from dateflicks.tui.screens.help import HelpScreen

        if not isinstance(self.screen, HelpScreen):
            self.push_screen(HelpScreen(self.screen))

    def action_theme(self) -> None:
        """Choose other colours."""
        self.search_themes()

    def action_palette(self) -> None:
        """Look for anything by its name."""
        self.action_command_palette()

    def action_help_quit(self) -> None:
        """Ctrl+C, which copies here: whoever meant to leave is told how."""
        key = self.keys.shown("quit", ascii_only=self.glyphs.is_ascii)
        self.notify(f"{key} leaves dateflicks.", markup=False)  # over dialogs too

    def action_suspend(self) -> None:
        """Back to the shell, until it has this program come to the foreground again; the player goes on."""
        has_stopped = False
        with contextlib.suppress(SuspendNotSupported), self.suspend():
            has_stopped = suspended()
        if not has_stopped:
            self.notify("There is no shell here to go back to.", severity="warning", markup=False)

    @work
    async def action_quit(self) -> None:  # type: ignore[override]  # a worker, because it may ask
        """Leave, after a question where somebody else is still watching."""
        others = [one.name or f"the {one.role}" for one in self.state.people if one.is_here and not one.is_me]
        is_watched = self.room is not None and self.state.link.is_open and not self.state.is_over
        if others and is_watched:
            who = " and ".join(others)
            comes_back = f"You can come back: {RESUME}"
            goes_on = (
                f"The server is yours and ends with this: {who} waits." if self._is_own_server else "They can go on."
            )
            if not await self.confirm(
                f"{who} {'is' if len(others) == 1 else 'are'} still here. Leave the film?", f"{goes_on} {comes_back}"
            ):
                return
        farewell = self.goodbye()
        await self.leave_room()
        self.exit(farewell)

    @property
    def _is_own_server(self) -> bool:
        """Whether the server goes when this app goes."""
        return isinstance(self.start, AtSession) and self.start.own_server is not None

    def goodbye(self, why: str = "") -> Farewell:
        """What is said in the shell."""
        said = (why,) if why else ()
        if not self.state.session_id:
            return Farewell(said)
        width = min(FAREWELL_CELLS, max(self.size.width, FAREWELL_LEAST_CELLS))
        rows = farewell(self.state, width, self.glyphs, RESUME)
        return Farewell((*said, *(text_of(row).rstrip() for row in rows)))

    # --- the room -----------------------------------------------------------------------------------------------

    def open_session(self, start: AtSession) -> None:
        """Go to a session; the one that is open now is left."""
        if self.room is not None and self.room.session.id == start.session.id:
            self.to_film()
            return
        self._stop_room()
        self._clear_film()
        if start.invitation:
            self._lines[start.session.id] = start.invitation
        start = replace(start, invitation=self._lines.get(start.session.id, ""))
        self.client = start.client
        self.state = WatchState()
        room = Room(
            self.surroundings, start, lambda event: self._post_of_room(room, event), Asking(self), kept=self.kept
        )
        self.room = room
        self._room_worker = self.run_worker(room.run(), name="room", group="room")
        self._go("watch")
        if start.session.state == "pending":
            self.call_later(self._wait_for_guest, start)

    def _wait_for_guest(self, start: AtSession) -> None:
        from dateflicks.tui.screens.waiting import WaitingScreen

        session = start.session
        title = (session.video.title or session.video.url) if session.video is not None else "a film"
        self.push_screen(WaitingScreen(start.invitation, title, session.guest_name or "", start.note))

    def _post_of_room(self, room: Room, event: Event | Over) -> None:
        """From the room's task, which is in this loop: a message, so that what screens do cannot fail the room."""
        self.post_message(RoomEvent(room, event))

    def on_room_event(self, message: RoomEvent) -> None:
        """Change the state, and show it soon."""
        if message.room is not self.room:
            return
        if isinstance(message.event, Over):  # what the screen knew then is what the farewell is made of
            self._over(message.event.why)
            return
        before, self.state = self.state, reduce(self.state, message.event, time.monotonic())
        if self.current_mode != "watch":  # whoever looks elsewhere hears of it there
            for text in news(before, self.state, self.glyphs, self.keys):
                self.notify(printable(text), markup=False)
        self._show_soon()

    def tell(self, text: str, *, is_trouble: bool = False) -> None:
        """Say something once, on the watch screen or over any other."""
        if self.current_mode == "watch":
            self.state = reduce(self.state, Toasted(text=text, is_trouble=is_trouble), time.monotonic())
            self._show_soon()
        else:
            self.notify(printable(text), severity="error" if is_trouble else "information", markup=False)

    def _over(self, why: str) -> None:
        room, self.room = self.room, None
        if isinstance(self.start, AtSession) and room is not None and room.session.id == self.start.session.id:
            was_declined = room.session.state in ("rejected", "cancelled")  # then there is nothing to go on with
            if was_declined:
                self.exit(Farewell((why,) if why else ()))
                return
            if why and self.state.session_id == "":  # it never came to be: say so in the shell, as a command does
                self.exit(Farewell((why,), 1))
                return
            self.exit(self.goodbye(why))
            return
        if why:
            self.notify(printable(why), markup=False)
        self.to_lobby()
        self._clear_film()

    def _clear_film(self) -> None:
        """Take the film's screen away, with all that lies over it: the next session begins with a new one."""
        if self.current_mode != "watch" and self.has_mode("watch"):
            self.remove_mode("watch")

    def _stop_room(self) -> None:
        """Have the room end; one that waits for somebody does not wait any more."""
        room, worker = self.room, self._room_worker
        if room is None or worker is None:
            return
        room.leave()
        if room.evening is None:
            worker.cancel()

    async def leave_room(self) -> None:
        """Leave the film that is open, and wait until its player is gone."""
        room, worker = self.room, self._room_worker
        if room is None or worker is None:
            return
        self._stop_room()
        try:
            async with asyncio.timeout(LEAVE_SECONDS):
                await worker.wait()
        except Exception:  # noqa: BLE001 - whatever ended it, it has ended
            worker.cancel()
        self.room = None

    # --- showing ------------------------------------------------------------------------------------------------

    def _tick(self) -> None:
        if self.room is not None:
            self.state = reduce(self.state, Tick(), time.monotonic())
            self._show_soon()

    def _show_soon(self) -> None:
        if not self._is_show_due:
            self._is_show_due = True
            self.set_timer(SHOW_SECONDS, self._show)

    def _show(self) -> None:
        self._is_show_due = False
        for screen in self.screens():
            show: Callable[[WatchState], None] | None = getattr(screen, "show_state", None)
            if show is not None:
                show(self.state)

    # --- asking -------------------------------------------------------------------------------------------------

    async def confirm(self, question: str, detail: str = "") -> bool:
        """A yes or no; from a worker."""
        from dateflicks.tui.screens.confirm import ConfirmScreen

        answer: bool | None = await self.push_screen_wait(ConfirmScreen(question, detail))
        return bool(answer)
