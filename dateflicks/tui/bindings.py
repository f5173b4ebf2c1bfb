"""The keys of `keys.py` as Textual takes them: a screen's bindings by context, and the moved ones by id."""

from collections.abc import Mapping
from typing import Final

from textual.binding import Binding

from dateflicks.tui.keys import BINDINGS, Context, Keymap

_OF_THE_APP: Final = frozenset(
    {"recommendations", "history", "settings", "to-lobby"}
)  # keys of screens that lead away from them
_BEFORE_ALL: Final = frozenset({"suspend"})  # as in any program of a shell, whatever is being written
_NO_KEY: Final = "no-such-key"


def action_of(name: str) -> str:
    """The action that a binding's id stands for: `play-pause` is `action_play_pause`, of the screen or the app."""
    action = name.replace("-", "_")
    return f"app.{action}" if name in _OF_THE_APP else action


def bindings_of(*contexts: Context, actions: Mapping[str, str] | None = None) -> list[Binding]:
    """The bindings of a screen, with the ids by which `App.set_keymap` moves them; `actions` names other actions."""
    chosen = actions or {}
    return [_binding(one.id, chosen.get(one.id, action_of(one.id))) for one in BINDINGS if one.context in contexts]


def app_bindings(actions: Mapping[str, str] | None = None) -> list[Binding]:
    """Keys that work everywhere, for screens over others, where the app's own do not work; `actions` adds more."""
    names = ("help", "palette", "theme", "screenshot", "suspend", "quit")
    found = {name: f"app.{action_of(name)}" for name in names} | dict(actions or {})
    return [_binding(name, action) for name, action in found.items()]


def _binding(name: str, action: str) -> Binding:
    one = next(known for known in BINDINGS if known.id == name)
    keys, is_first = ",".join(one.keys), name in _BEFORE_ALL
    return Binding(keys, action, one.description, show=False, priority=is_first, id=name)  # hints are drawn


def moved(keymap: Keymap) -> dict[str, str]:
    """What `App.set_keymap` is to be told: the keys of each binding that the settings have moved."""
    default = {one.id: one.keys for one in BINDINGS}
    return {one.id: ",".join(one.keys) or _NO_KEY for one in keymap.bindings if one.keys != default[one.id]}
