"""Where one types: a field of one to three lines, and a line above it when there is something to be told.

What is typed is parsed here and handed on as a command; what it leads to is the screen's business. A line that cannot
be understood stays in the field. Everything that is shown or kept here is clean: pasted text and drafts go through
`printable`, other people's words in the note too.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Final, Literal

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widgets import Static, TextArea

from dateflicks.core import limits
from dateflicks.protocol.printable import printable
from dateflicks.protocol.text import LINES_MAX
from dateflicks.tui.commands import Act, Command, Mistake, Say, completions, is_talk, parse
from dateflicks.tui.emoji import shown
from dateflicks.tui.keys import Keymap, read_keys
from dateflicks.tui.model import ChatEntry
from dateflicks.tui.widgets.chat_lines import author_of, cut, plain_text

TYPING_EVERY_SECONDS: Final = 3.0
HINT_FROM_CELLS: Final = 66  # on a narrower screen the hint goes
COMPLETIONS_SHOWN: Final = 8
_QUOTE_CELLS: Final = 40

Purpose = Literal["reply", "edit"]


class ComposerField(TextArea):
    """The text itself; keys that mean something to the composer go there first."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("alt+enter,shift+enter", "new_line", "New line", show=False, id="composer.new_line"),
        Binding("ctrl+underscore", "undo", "Undo", show=False, id="composer.undo"),  # ^Z is the shell's
    ]

    def __init__(self, composer: "Composer") -> None:
        super().__init__(soft_wrap=True, tab_behavior="focus", compact=True, highlight_cursor_line=False)
        self.cursor_blink = False  # nothing moves without a cause
        self._composer = composer

    def action_new_line(self) -> None:
        """Go on below."""
        self.replace("\n", *self.selection, maintain_selection_offset=False)

    async def _on_key(self, event: events.Key) -> None:
        if self._composer.takes(event.key):
            event.stop()
            event.prevent_default()
            return
        await super()._on_key(event)

    async def _on_paste(self, event: events.Paste) -> None:
        event.stop()
        event.prevent_default()
        self._composer.paste(event.text)

    def action_paste(self) -> None:
        """What this app has copied."""
        self._composer.paste(self.app.clipboard)


class Composer(Vertical):
    """One to three lines to be sent, with commands."""

    DEFAULT_CSS = """
    Composer {
        height: auto;
        & > #note { height: auto; max-height: 3; display: none; color: $text-muted; padding: 0 1; }
        & > #note.-told { display: block; }
        & > #note.-mistake { color: $text-error; text-style: bold; }
        & > Horizontal { height: auto; }
        & #prompt { width: 3; color: $text-muted; }
        &:focus-within #prompt { color: $text-accent; text-style: bold; }
        & #hint { width: auto; display: none; color: $text-muted; padding: 0 1; }
        &.-empty.-roomy #hint { display: block; }
        & ComposerField {
            width: 1fr;
            height: auto;
            max-height: 3;
            padding: 0;
            background: $background;
            scrollbar-size: 0 0;
        }
    }
    """

    waiting: reactive[int] = reactive(0, init=False)
    """How many messages wait for the line."""
    aside: reactive[str] = reactive("", init=False)
    """What is told when there is nothing more urgent, such as who is writing."""
    partner: reactive[str] = reactive("", init=False)
    """Whom one speaks to."""
    is_ascii: reactive[bool] = reactive(False, init=False)

    @dataclass
    class Submitted(Message):
        """Something was typed and understood; `target` is the key of the line that is answered or edited."""

        command: Command
        purpose: Purpose | None = None
        target: str | None = None

    @dataclass
    class Typing(Message):
        """Somebody is writing what others will read; at most once in three seconds."""

    @dataclass
    class Left(Message):
        """Back to the film."""

    @dataclass
    class EditLastWanted(Message):
        """The last own line is to be edited."""

    @dataclass
    class DraftChanged(Message):
        """What is to be kept if the evening ends now."""

        draft: str

    def __init__(
        self,
        *,
        name: str | None = None,
        id: str | None = None,  # noqa: A002 - Textual's own word
        classes: str | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(name=name, id=id, classes=classes)
        self.add_class("-empty")
        self._clock = clock
        self._keys = read_keys({})
        self._field = ComposerField(self)
        self._typing_told_at = float("-inf")
        self._mistake = ""
        self._mistaken: str | None = None  # the text that it is about
        self._purpose: Purpose | None = None
        self._target: ChatEntry | None = None
        self._stash = ""  # what was being written before a line is edited
        self._offered: tuple[str, ...] = ()
        self._offered_at = 0
        self._completed: str | None = None
        self._pasted: str | None = None
        self._set_by_program: str | None = None
        self._told_draft = ""

    def compose(self) -> ComposeResult:
        """A note above; below it the field, and beside that a hint."""
        yield Static(id="note", markup=False)
        with Horizontal():
            yield Static(" > ", id="prompt", markup=False)
            yield self._field
            yield Static(self._hint, id="hint", markup=False)

    def on_mount(self) -> None:
        """Say whom one speaks to."""
        self.watch_partner()
        self._tell()

    # --- what is in it ------------------------------------------------------------------------------------------

    @property
    def value(self) -> str:
        """The text in the field."""
        return self._field.text

    @value.setter
    def value(self, text: str) -> None:
        text = printable(text, keep_newlines=True)[: limits.TEXT_MAX_CHARACTERS]
        self._set_by_program = text
        self._field.text = text
        self._field.move_cursor(self._field.document.end)
        self.set_class(not text, "-empty")

    @property
    def draft(self) -> str:
        """What is being written, to be kept; while a line is edited, what was being written before."""
        return self._stash if self._purpose == "edit" else self.value

    @property
    def note(self) -> str:
        """What the line above the field says."""
        if self._mistake:
            return f"{'x' if self.is_ascii else '✗'} {self._mistake}"
        if len(self._offered) > 1:
            return "  ".join(one.split()[-1] for one in self._offered[:COMPLETIONS_SHOWN])
        if self._purpose is not None and self._target is not None:
            return self._purpose_told(self._target)
        if self.waiting:
            return f"{self.waiting} waiting for the line"
        return printable(self.aside)

    def use_keys(self, keys: Keymap) -> None:
        """Other keys than the usual ones."""
        self._keys = keys
        self.watch_is_ascii()

    def type_into(self) -> None:
        """Give the field the focus."""
        self._field.focus()

    def reply_to(self, entry: ChatEntry) -> None:
        """What is sent next answers this line."""
        self._cancel()
        self._purpose, self._target = "reply", entry
        self.type_into()
        self._tell()

    def edit(self, entry: ChatEntry) -> None:
        """Put a line of one's own into the field; what was there comes back afterwards."""
        self._cancel()
        self._stash = self.value
        self._purpose, self._target = "edit", entry
        self.value = plain_text(entry)
        self.type_into()
        self._tell()

    def complain(self, sentence: str) -> None:
        """Tell what is wrong, until something else is typed."""
        self._mistake, self._mistaken = printable(sentence), self.value
        self._tell()

    def _purpose_told(self, entry: ChatEntry) -> str:
        if self._purpose == "edit":
            return f"editing your line ({self._shown('to-film')} leaves it as it was)"
        said = cut(shown(printable(plain_text(entry)), "names"), _QUOTE_CELLS, is_ascii=self.is_ascii)
        return f"answering {shown(author_of(entry), 'names')}: {said} ({self._shown('to-film')} cancels)"

    # --- keys ---------------------------------------------------------------------------------------------------

    def takes(self, key: str) -> bool:
        """Whether a key means something here; if so, it is done."""
        match next((one.id for one in self._keys.of("composer") if key in one.keys), None):
            case "send":
                self._submit()
            case "to-film" if len(self._offered) > 1:
                self._offered = ()
                self._tell()
            case "to-film" if self._purpose is not None:
                self._cancel()
            case "to-film":
                self.post_message(self.Left())
            case "earlier-line" if not self.value and self._purpose is None:
                self.post_message(self.EditLastWanted())
            case "complete":
                return self._complete()
            case _:
                return False
        return True

    def _shown(self, name: str) -> str:
        return self._keys.shown(name, ascii_only=self.is_ascii)

    @property
    def _hint(self) -> str:
        dot = "-" if self.is_ascii else "·"
        return f"{self._shown('send')} send {dot} {self._shown('to-film')} back to film"

    def paste(self, text: str) -> None:
        """Put in what fits of a pasted text, and say what did not."""
        chosen = len(self._field.selected_text)
        room = max(0, limits.TEXT_MAX_CHARACTERS - len(self.value) + chosen)
        whole = len(text)
        bounded = text[: 4 * limits.TEXT_MAX_CHARACTERS]  # cleaning can only make it shorter
        clean = printable(bounded.replace("\r\n", "\n").replace("\r", "\n"), keep_newlines=True)
        rows = clean.split("\n")
        lines_room = max(1, LINES_MAX - self.value.count("\n"))
        kept = "\n".join(rows[:lines_room])[:room]
        self._field.replace(kept, *self._field.selection, maintain_selection_offset=False)
        self._pasted = self.value
        if whole > len(bounded) or len(kept) < len(clean):
            many = "" if len(rows) <= lines_room else f" and {LINES_MAX} lines"
            self.complain(
                f"A message holds {limits.TEXT_MAX_CHARACTERS:,} characters{many}: "
                f"{len(kept):,} of the {whole:,} pasted are here, the rest is not."
            )

    def _submit(self) -> None:
        text, is_edit = self.value, self._purpose == "edit"
        found = parse(f"/{text}" if is_edit and text.startswith("/") else text)  # what is edited is no command
        if isinstance(found, Mistake):
            if found.sentence or is_edit:
                self.complain(found.sentence or "An empty line: /delete takes one back.")
            return
        if text.count("\n") >= LINES_MAX:
            self.complain(f"A message holds {LINES_MAX} lines; this has {text.count(chr(10)) + 1}.")
            return
        is_meant = self._target is not None and isinstance(found, Say | Act)
        if is_meant and self._target is not None:
            self.post_message(self.Submitted(found, self._purpose, self._target.key))
        else:
            self.post_message(self.Submitted(found))
        self._typing_told_at = float("-inf")
        self._mistake, self._offered = "", ()
        if not is_edit:
            self.value = ""
        if is_meant:
            self._cancel()
        self._tell()

    def _cancel(self) -> None:
        """Neither answer nor edit; what was being written comes back."""
        if self._purpose == "edit":
            self.value, self._stash = self._stash, ""
        self._purpose = self._target = None
        self._tell()

    # --- completing ---------------------------------------------------------------------------------------------

    def _complete(self) -> bool:
        """Put the next way to go on into the field; False when there is none, so that the key moves the focus."""
        row, column = self._field.cursor_location
        before = self._field.document[row][:column]
        if self._offered and before == self._offered[self._offered_at]:
            self._offered_at = (self._offered_at + 1) % len(self._offered)
        else:
            self._offered, self._offered_at = _ways_on(before, is_first_line=row == 0), 0
        if not self._offered:
            self._tell()
            return row == 0 and before.startswith("/")
        chosen = self._offered[self._offered_at]
        self._field.replace(chosen, (row, 0), (row, column), maintain_selection_offset=False)
        self._field.move_cursor((row, len(chosen)))
        self._completed = self.value
        self._tell()
        return True

    # --- what changes -------------------------------------------------------------------------------------------

    def on_text_area_changed(self, event: TextArea.Changed) -> None:
        """Something else is in the field."""
        event.stop()
        text = self.value
        self.set_class(not text, "-empty")
        if self.draft != self._told_draft:
            self._told_draft = self.draft
            self.post_message(self.DraftChanged(self.draft))
        is_ours, self._set_by_program = text == self._set_by_program, None
        if is_ours:
            return
        if text != self._completed:
            self._offered = ()
        if text not in (self._pasted, self._mistaken):  # the word of a change may come after the complaint
            self._mistake = ""
        self._completed = self._pasted = None
        self._tell()
        now = self._clock()
        if self._purpose != "edit" and is_talk(text) and now - self._typing_told_at >= TYPING_EVERY_SECONDS:
            self._typing_told_at = now
            self.post_message(self.Typing())

    def on_resize(self, event: events.Resize) -> None:
        """The hint is there where there is room."""
        self.set_class(event.size.width >= HINT_FROM_CELLS, "-roomy")

    def watch_waiting(self) -> None:
        """More or fewer wait."""
        self._tell()

    def watch_aside(self) -> None:
        """Something else is told."""
        self._tell()

    def watch_is_ascii(self) -> None:
        """Other signs."""
        if self.is_mounted:
            self.query_one("#hint", Static).update(Content(self._hint))
        self._tell()

    def watch_partner(self) -> None:
        """Somebody else to speak to."""
        who = shown(printable(self.partner), "names")
        self._field.placeholder = Content(f"say something to {who}" if who else "say something")

    def _tell(self) -> None:
        if not self.is_mounted:
            return
        note = self.query_one("#note", Static)
        note.update(Content(self.note))
        note.set_class(bool(self.note), "-told")
        note.set_class(bool(self._mistake), "-mistake")


def _ways_on(before: str, *, is_first_line: bool) -> tuple[str, ...]:
    """Completions; a line that is not the first is no command, whatever it begins with."""
    if is_first_line:
        return completions(before)
    return tuple(one[1:] for one in completions(f" {before}"))
