"""The client's settings: what holds, where it comes from, what it means; changed here, written to the settings file."""

from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal, cast, get_args, get_origin

from textual import work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container, VerticalScroll
from textual.screen import Screen
from textual.widgets import Button, OptionList, Static

from dateflicks.protocol.printable import printable
from dateflicks.settings.client import ClientSettings
from dateflicks.settings.errors import SettingsError
from dateflicks.settings.keys import Key, build, keys_of
from dateflicks.settings.loader import MASK, read_value
from dateflicks.settings.models import explanations
from dateflicks.settings.writing import write_value
from dateflicks.tui.bindings import bindings_of
from dateflicks.tui.drawing.bar import bar
from dateflicks.tui.drawing.cells import cut
from dateflicks.tui.keys import Context
from dateflicks.tui.screens.choose import ChooseScreen
from dateflicks.tui.screens.dialog import Form, buttons, field, trouble
from dateflicks.tui.screens.showing import where_it_can
from dateflicks.tui.widgets.board import Board
from dateflicks.tui.widgets.hints import Hints
from dateflicks.tui.widgets.marked_list import MarkedList

if TYPE_CHECKING:
    from dateflicks.tui.app import DateflicksApp

AT_ONCE: Final = ("tui.theme", "consent")  # what holds as soon as it is changed
FEW: Final = 3  # choices that enter goes through; more are shown to choose from
SIDE_BY_SIDE: Final = 100  # cells from which on what a setting means stands beside the list


class SettingsScreen(Screen[None]):
    """Every key of `client.toml`, made from the settings' own declaration, so that none is missing."""

    CONTEXTS: ClassVar[tuple[Context, ...]] = ("settings",)
    BINDINGS: ClassVar[list[BindingType]] = [*bindings_of("settings")]

    def __init__(self) -> None:
        super().__init__()
        self._keys = {key.name: key for key in keys_of(ClientSettings()) if not key.is_secret}
        self._said = explanations("client")

    @property
    def _app(self) -> "DateflicksApp":
        return cast("DateflicksApp", self.app)

    def compose(self) -> ComposeResult:
        """The list, and what the marked one means."""
        yield Board(id="top")
        with Container(id="middle"):
            yield MarkedList(id="keys")
            with VerticalScroll(id="meaning", can_focus=False):
                yield Static("", markup=False, id="text")
        yield Hints("settings")

    def on_mount(self) -> None:
        """Everything as it holds."""
        self._show()
        self.query_one(MarkedList).focus()

    def on_screen_resume(self) -> None:
        """It may have been changed elsewhere."""
        self._show()

    def on_resize(self) -> None:
        """Other widths."""
        self._show()

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        """What the marked one means."""
        key = self._keys.get(event.option.id or "")
        if key is not None:
            self._explain(key)

    def _explain(self, key: Key) -> None:
        choices = self._choices(key)
        said = " ".join(self._said.get(key.name, "").split())
        parts = [key.name, f"Now: {_text(self._value(key.name)) or 'nothing'}", ""]
        parts += [said, ""] if said else []
        parts.append(f"Default: {_text(key.default) or 'nothing'}")
        if choices:
            parts.append(f"One of: {', '.join(choices)}")
        if not key.name.startswith(AT_ONCE):
            parts += ["", "Holds from the next start on."]
        self.query_one("#text", Static).update(printable("\n".join(parts), keep_newlines=True))

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Change it."""
        self._change(self._keys[event.option.id or ""])

    def action_change_setting(self) -> None:
        """Change the marked one."""
        if (key := self._marked()) is not None:
            self._change(key)

    def action_reset_setting(self) -> None:
        """The default again."""
        if (key := self._marked()) is not None:
            self._set(key, None)

    def action_close_settings(self) -> None:
        """Back to the film that is open, or to the lobby."""
        self._app.to_film() if self._app.room is not None else self._app.to_lobby()

    def action_back(self) -> None:
        """Back."""
        self.action_close_settings()

    # --- inside -------------------------------------------------------------------------------------------------

    def _marked(self) -> Key | None:
        return self._keys.get(self.query_one(MarkedList).marked or "")

    @where_it_can
    def _show(self) -> None:
        glyphs, width = self._app.glyphs, self.size.width
        file = str(self._app.surroundings.settings_file)
        home = self._app.surroundings.environ.get("HOME", "")
        if home and file.startswith(f"{home}/"):
            file = f"~{file.removeprefix(home)}"
        self.query_one("#top", Board).show([bar("settings", [(file, "text")], width, glyphs)])
        names = max(map(len, self._keys))
        room = (width if width < SIDE_BY_SIDE else width // 2) - 6
        lines = [
            (name, cut(f"{name:<{names}}  {_text(self._value(name))}", room, glyphs.ellipsis)) for name in self._keys
        ]
        self.query_one(MarkedList).show(lines)
        if (key := self._marked()) is not None:
            self._explain(key)

    def _choices(self, key: Key) -> list[str]:
        """What it may be, where that is one of a few."""
        if key.name == "tui.theme":
            return sorted(self.app.available_themes, key=lambda name: (not name.startswith("dateflicks"), name))
        return _choices(key)

    def _value(self, name: str) -> Any:
        value: Any = self._app.surroundings.settings
        for part in name.split("."):
            value = getattr(value, part)
        return value

    @work(exclusive=True)
    async def _change(self, key: Key) -> None:
        """The next of a few choices; a line to type for everything else."""
        choices = self._choices(key)
        text: str | None
        if len(choices) > FEW:
            text = await self.app.push_screen_wait(ChooseScreen(key.name, "Which one?", choices))
        elif choices:
            now = _text(self._value(key.name))
            text = choices[(choices.index(now) + 1) % len(choices)] if now in choices else choices[0]
        else:
            text = await self.app.push_screen_wait(
                ValueScreen(key, _text(self._value(key.name)), self._said.get(key.name, ""))
            )
        if text is None:
            return
        try:
            self._set(key, read_value("client", key.name, text))
        except SettingsError as error:
            self.app.notify(printable(str(error)), severity="error", markup=False)

    def _set(self, key: Key, value: Any) -> None:
        surroundings = self._app.surroundings
        if not surroundings.may_change(key.name):
            self.app.notify(f"{key.name} cannot be changed from here.", severity="error", markup=False)
            return
        try:
            write_value(surroundings.settings_file, key.name, value)
        except SettingsError as error:
            self.app.notify(printable(str(error)), severity="error", markup=False)
            return
        surroundings.settings = _with(surroundings.settings, key, key.default if value is None else value)
        self._app.settings_changed(key.name)
        self._show()


class ValueScreen(Form[str | None]):
    """One line for one value; what does not fit is said before anything is changed."""

    def __init__(self, key: Key, value: str, said: str) -> None:
        super().__init__()
        self._key = key
        self._value = value
        self._said = " ".join(said.split())

    def body(self) -> ComposeResult:
        """Its name, what it means, and a line."""
        yield Static(self._key.name, markup=False, classes="title")
        if self._said:
            yield Static(printable(self._said), markup=False, classes="detail")
        yield field("value", "value", value=self._value)
        yield trouble()
        yield from buttons(("change", "Change"), ("back", "Back"))

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """By mouse."""
        self.submit() if event.button.id == "change" else self.action_back()

    def submit(self) -> None:
        """Take it if it fits."""
        text = self.value("value")
        try:
            read_value("client", self._key.name, text)
        except SettingsError as error:
            self.say(str(error))
        else:
            self.dismiss(text)


def _choices(key: Key) -> list[str]:
    if key.type is bool:
        return ["true", "false"]
    return [str(one) for one in get_args(key.type)] if get_origin(key.type) is Literal else []


def _text(value: Any) -> str:
    """A value as it is typed."""
    match value:
        case bool():
            return "true" if value else "false"
        case list():
            return ", ".join(map(str, value))
        case dict():
            return ", ".join(f"{name}={text}" for name, text in value.items())
        case _:
            return str(value) if value != MASK else ""


def _with(settings: ClientSettings, key: Key, value: Any) -> ClientSettings:
    values = {one.name: _at(settings, one.name) for one in keys_of(settings)}
    return build(settings, {**values, key.name: value})


def _at(settings: Any, name: str) -> Any:
    for part in name.split("."):
        settings = getattr(settings, part)
    return settings
