"""The keys of `keys.py` as Textual takes them: a screen's bindings by context, and the moved ones by id."""

from typing import Final

from textual.binding import Binding

from dateflicks.tui.keys import BINDINGS, Context, Keymap

_HIDDEN_ALWAYS: Final = True  # hints are drawn by the screens themselves


def action_of(name: str) -> str:
    """The action that a binding's id stands for: `play-pause` is `action_play_pause`."""
    return name.replace("-", "_")


def bindings_of(*contexts: Context) -> list[Binding]:
    """The bindings of a screen, with the ids by which `App.set_keymap` moves them."""
    return [
        Binding(",".join(one.keys), action_of(one.id), one.description, show=not _HIDDEN_ALWAYS, id=one.id)
        for one in BINDINGS
        if one.context in contexts
    ]


def moved(keymap: Keymap) -> dict[str, str]:
    """What `App.set_keymap` is to be told: the keys of each binding that the settings have moved."""
    default = {one.id: one.keys for one in BINDINGS}
    return {one.id: ",".join(one.keys) for one in keymap.bindings if one.keys != default[one.id]}
