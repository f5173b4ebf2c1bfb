"""What all screens over others have in common: a box that scrolls where there is little room, a line of keys at the
foot of the terminal, a way back, and fields with their names beside them."""

from collections.abc import Iterator
from dataclasses import replace
from typing import ClassVar, Final, TypeVar

from textual.actions import SkipAction
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.suggester import Suggester
from textual.widget import Widget
from textual.widgets import Button, Input, Static

from dateflicks.protocol.printable import printable
from dateflicks.tui.bindings import app_bindings, bindings_of
from dateflicks.tui.keys import Context
from dateflicks.tui.widgets.hints import Hints

Answer = TypeVar("Answer")
MANY: Final = 3  # buttons that do not fit beside one another in forty cells


class Dialog(ModalScreen[Answer]):
    """Ends with an answer, or with None by the key that leads back. What is in it comes from `body`."""

    CONTEXTS: ClassVar[tuple[Context, ...]] = ("dialog",)
    BINDINGS: ClassVar[list[BindingType]] = [*app_bindings({"back": "back"})]
    KIND = ""  # "wide" or "tall", as the style sheet knows them
    _is_withdrawn = False

    def compose(self) -> ComposeResult:
        """The box, and the keys below it."""
        with Vertical(classes=f"dialog {self.KIND}"):
            yield from self.body()
        yield Hints(self.CONTEXTS[0])

    def body(self) -> ComposeResult:
        """What is in the box."""
        yield from ()

    def say(self, text: str, *, is_trouble: bool = True) -> None:
        """What is wrong, or what goes on, in the line that a form has for it; brought into view."""
        line = self.query_one("#trouble", Static)
        line.update(printable(f"{self._cross} {text}" if is_trouble and text else text, keep_newlines=True))
        line.set_class(not is_trouble, "calm")
        line.display = bool(text)
        if text:
            self.call_after_refresh(line.scroll_visible, animate=False)

    @property
    def _cross(self) -> str:
        return "!" if self.app.has_class("-ascii") else "✗"

    def action_back(self) -> None:
        """Out, without an answer."""
        self.dismiss(None)

    def withdraw(self) -> None:
        """Nobody wants to be answered any more: it goes, from below another screen as soon as that has gone."""
        self._is_withdrawn = True
        if self.is_active:
            self.dismiss(None)

    def on_screen_resume(self) -> None:
        """Seen again, when it may be too late."""
        if self._is_withdrawn and self.is_active:
            self.dismiss(None)


def leaving(context: Context, name: str) -> list[Binding]:
    """The key `name` of a context once more, for what it does before the line that is written in hears of it."""
    return [replace(one, action="leave_line", priority=True) for one in bindings_of(context) if one.id == name]


class Form(Dialog[Answer]):
    """Lines to fill in and buttons: up and down go between them, enter goes on to what is empty and then does it."""

    CONTEXTS: ClassVar[tuple[Context, ...]] = ("form",)
    BINDINGS: ClassVar[list[BindingType]] = [
        # Keys between lines act at once: what is typed behind them, a password maybe, is for the line they lead to.
        # Enter does too where a line below is empty; else it waits for what was typed before it, which it asks about.
        *leaving("form", "go-on"),
        *(
            replace(one, priority=one.id != "go-on")
            for one in (
                *bindings_of("form", actions={"go-on": "go_on", "next-line": "step(1)", "line-before": "step(-1)"}),
                Binding("tab", "step(1)", "Next", show=False),
                Binding("shift+tab", "step(-1)", "Before", show=False),
            )
        ),
    ]
    KIND = "wide"

    def action_step(self, step: int) -> None:
        """The next line or button, or the one before."""
        self.focus_next() if step > 0 else self.focus_previous()

    def action_leave_line(self) -> None:
        """From a line to the empty one below it, if there is one. Raises SkipAction otherwise: the line has the key."""
        here = self.focused
        below = self._empty_below(here) if isinstance(here, Input) else None
        if below is None or _is_left_out(here):
            raise SkipAction
        self.set_focus(below)  # now: `focus` would let what is typed meanwhile go to the line above

    def action_go_on(self) -> None:
        """Do what is asked, from a place where enter does nothing else."""
        self.go_on(None)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter in a line."""
        event.stop()
        self.go_on(event.input)

    def go_on(self, here: Input | None) -> None:
        """To the first line that must be filled in and is not, else to an empty one below, else do it.

        `here` was being written in.
        """
        for one in self.query("Input.needed").results(Input):
            if not one.value.strip() and one is not here:
                one.focus()
                return
        is_done = here is not None and (bool(here.value.strip()) or not here.has_class("needed"))
        empty = self._empty_below(here) if here is not None and is_done else None
        self.submit() if empty is None else empty.focus()

    def _empty_below(self, here: Input) -> Input | None:
        lines = list(self.query(Input))
        return next((one for one in lines[lines.index(here) + 1 :] if not one.value.strip()), None)

    def submit(self) -> None:
        """Do what the form is for."""
        raise NotImplementedError

    def value(self, name: str) -> str:
        """What is written in a line, without spaces around it; nothing where there is no such line."""
        return next((one.value.strip() for one in self.query(f"#{name}").results(Input)), "")


def _is_left_out(line: Widget | None) -> bool:
    """Whether a line that is needed is empty, and nothing that was typed is still on its way to it."""
    return isinstance(line, Input) and line.has_class("needed") and not (line.value or line.message_queue_size)


def field(
    label: str,
    name: str,
    *,
    value: str = "",
    example: str = "",
    longest: int = 0,
    is_secret: bool = False,
    is_needed: bool = False,
    suggester: Suggester | None = None,
) -> Widget:
    """A line to fill in, with its name before it if it has one; `longest` in characters."""
    line = Input(
        value=value,
        placeholder=example,
        password=is_secret,
        id=name,
        max_length=longest,
        suggester=suggester,
        classes="needed" if is_needed else None,
        compact=True,
    )
    line.cursor_blink = False  # nothing moves without a cause
    named = [Static(label, markup=False, classes="label")] if label else []
    return Horizontal(*named, line, classes="field")


def trouble() -> Static:
    """The line for what is wrong, which takes no room before there is anything."""
    line = Static("", markup=False, classes="trouble", id="trouble")
    line.display = False
    return line


def buttons(*named: tuple[str, str]) -> Iterator[Widget]:
    """Buttons beside one another, or below one another where there is little room: id and label of each."""
    first = named[0][0]
    yield Horizontal(
        *(
            Button(label, id=name, variant="primary" if name == first else "default", compact=True)
            for name, label in named
        ),
        classes="buttons" if len(named) < MANY else "buttons many",
    )
