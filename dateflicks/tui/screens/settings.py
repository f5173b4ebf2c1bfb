"""The client's settings: what holds, where it comes from, what it means; changed here, written to the settings file."""

from typing import TYPE_CHECKING, Any, ClassVar, Literal, cast, get_args, get_origin

from textual import work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen, Screen
from textual.widgets import Button, Input, OptionList, Static
from textual.widgets.option_list import Option

from dateflicks.protocol.printable import printable
from dateflicks.settings.client import ClientSettings
from dateflicks.settings.keys import Key, build, keys_of
from dateflicks.settings.loader import MASK, SettingsError, read_value
from dateflicks.settings.models import explanations
from dateflicks.settings.writing import write_value
from dateflicks.tui.bindings import bindings_of
from dateflicks.tui.keys import Context
from dateflicks.tui.widgets.hints import Hints

if TYPE_CHECKING:
    from dateflicks.tui.app import DateflicksApp


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
        file = self._app.surroundings.settings_file
        yield Static(printable(f"dateflicks | settings   {file}"), markup=False, id="bar")
        with Horizontal():
            yield OptionList(id="keys", markup=False)
            yield Static("", markup=False, id="meaning")
        yield Hints("settings")

    def on_mount(self) -> None:
        """Everything as it holds."""
        self._show()
        self.query_one("#keys", OptionList).focus()

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        """What the marked one means."""
        key = self._keys[event.option.id or ""]
        choices = _choices(key)
        parts = [key.name, "", self._said.get(key.name, ""), "", f"Default: {_text(key.default)}"]
        if choices:
            parts += ["", f"One of: {', '.join(choices)}"]
        self.query_one("#meaning", Static).update(printable("\n".join(parts), keep_newlines=True))

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

    async def action_close_settings(self) -> None:
        """Back."""
        await self._app.action_back()

    # --- inside -------------------------------------------------------------------------------------------------

    def _marked(self) -> Key | None:
        keys = self.query_one("#keys", OptionList)
        if keys.highlighted is None:
            return None
        return self._keys[keys.get_option_at_index(keys.highlighted).id or ""]

    def _show(self) -> None:
        keys = self.query_one("#keys", OptionList)
        marked = keys.highlighted
        width = max(map(len, self._keys))
        keys.clear_options()
        keys.add_options(
            Option(printable(f"{name:<{width}}  {_text(self._value(name))}"), id=name) for name in self._keys
        )
        keys.highlighted = marked or 0

    def _value(self, name: str) -> Any:
        value: Any = self._app.surroundings.settings
        for part in name.split("."):
            value = getattr(value, part)
        return value

    @work(exclusive=True)
    async def _change(self, key: Key) -> None:
        """The next of a few choices; a line to type for everything else."""
        choices = _choices(key)
        if choices:
            now = _text(self._value(key.name))
            text: str | None = choices[(choices.index(now) + 1) % len(choices)] if now in choices else choices[0]
        else:
            text = await self.app.push_screen_wait(ValueScreen(key.name, _text(self._value(key.name))))
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


class ValueScreen(ModalScreen[str | None]):
    """One line for one value."""

    BINDINGS: ClassVar[list[BindingType]] = [("escape", "close", "Back")]

    def __init__(self, name: str, value: str) -> None:
        super().__init__()
        self._setting = name
        self._value = value

    def compose(self) -> ComposeResult:
        """Its name and a line."""
        with Vertical(classes="dialog"):
            yield Static(self._setting, markup=False, classes="title")
            yield Input(value=self._value, id="value")
            with Horizontal(classes="buttons"):
                yield Button("Change", id="change", variant="primary")
                yield Button("Back", id="back")

    def on_input_submitted(self) -> None:
        """Enter changes."""
        self.dismiss(self.query_one("#value", Input).value)

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """By mouse."""
        self.dismiss(self.query_one("#value", Input).value if event.button.id == "change" else None)

    def action_close(self) -> None:
        """Change nothing."""
        self.dismiss(None)


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
