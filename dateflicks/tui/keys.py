"""Every key of the terminal client: what it does, where it works, and how the settings move it elsewhere.

Keys are named as Textual names them. Only such keys are defaults as every terminal tells apart, through ssh and tmux
too; the settings may not name others (`read_keys` says why). Pure: no Textual.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final, Literal

from dateflicks.core.errors import DateflicksError
from dateflicks.settings.keys import nearest

Context = Literal[
    "app", "film", "composer", "chat", "lobby", "recommendations", "predictions", "history", "settings", "waiting",
    "sign_in", "form", "choice", "dialog", "help",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Binding:
    """Something that keys do: `id` names it in settings and palette, `label` in the line of hints.

    `rank` orders the hints, the lowest first; None is never hinted at.
    """

    id: str
    context: Context
    keys: tuple[str, ...]
    label: str
    description: str
    rank: int | None = None


def _of(context: Context, *rows: tuple[str, str, str, str, int | None]) -> tuple[Binding, ...]:
    return tuple(
        Binding(name, context, tuple(keys.split()), label, description, rank)
        for name, keys, label, description, rank in rows
    )


BINDINGS: Final = (
    *_of(
        "app",
        ("help", "f1", "help", "Show what can be done here, and with which keys", 90),
        ("palette", "ctrl+p", "palette", "Look for anything by its name", 91),
        ("back", "escape", "back", "Go one step out", None),
        ("theme", "f2", "theme", "Choose other colours", None),
        ("screenshot", "f9", "picture", "Keep a picture of this screen", None),
        ("suspend", "ctrl+z", "suspend", "Go back to the shell for a while: the film goes on, fg comes back", None),
        ("quit", "ctrl+q", "quit", "Leave dateflicks", None),
    ),
    *_of(
        "film",
        ("agree", "y", "yes", "Agree to what the other asks for", None),
        ("refuse", "n", "no", "Refuse what the other asks for, or take your own request back", None),
        ("play-pause", "space", "play/pause", "Play or pause for everybody", 1),
        ("back-10", "left", "-10 s", "Ask everybody to go 10 seconds back", 3),
        ("forward-10", "right", "+10 s", "Ask everybody to go 10 seconds on", 4),
        ("talk", "slash enter", "chat", "Write something to the other", 2),
        ("react", "r", "react", "React to what is on the screen just now", 5),
        ("predict", "p", "predict", "Open the predictions", 6),
        ("resync", "s", "resync", "Measure and get in step anew; without a line, try it again now", 7),
        ("go-to", "g", "go to", "Ask everybody to go to a position that you write", 8),
        ("film-help", "question_mark", "help", "Show what can be done here, and with which keys", 9),
        ("leave", "q", "leave", "Leave the film; your place is kept", 10),
        ("stop", "x", "stop", "Stop for everybody", None),
        ("back-60", "shift+left", "-60 s", "Ask everybody to go a minute back", None),
        ("forward-60", "shift+right", "+60 s", "Ask everybody to go a minute on", None),
        ("to-start", "home", "start", "Ask everybody to go to the start", None),
        ("view-chat", "c", "chat only", "Show the chat alone, or everything again", 20),
        ("view-sync", "v", "sync", "Show or hide how well you are in step", 21),
        ("view-zen", "z", "zen", "Show the film's line alone, or everything again", 22),
        ("scroll-up", "up pageup", "older", "Scroll the chat back", None),
        ("scroll-down", "down pagedown", "newer", "Scroll the chat on", None),
        ("scroll-end", "end", "newest", "Go to the newest of the chat", None),
        ("find-in-chat", "ctrl+f", "find", "Look for words in the chat", None),
        ("edit-last", "e", "edit", "Put something else in place of what you said last", None),
        ("take-back", "d", "take back", "Take back what you said last", None),
        ("say-again", "t", "try again", "Send again what could not be sent", None),
        ("to-lobby", "l", "lobby", "Go to the lobby; the film stays open", None),
    ),
    *_of(
        "composer",
        ("send", "enter", "send", "Send what is written", 1),
        ("to-film", "escape", "back to film", "Leave the line, so that keys are the film's again", 2),
        ("complete", "tab", "complete", "Complete a command or an emoji", 3),
        ("earlier-line", "up", "edit", "While nothing is written, put what you said last there to edit it", None),
    ),
    *_of(
        "chat",
        ("reply", "enter", "reply", "Reply to the line that is marked", 1),
        ("react-line", "r", "react", "React to what is on the screen just now", 2),
        ("edit", "e", "edit", "Put something else in place of the line that is marked", 3),
        ("delete", "d delete", "take back", "Take the line that is marked back", 4),
        ("copy-line", "c", "copy", "Copy what is selected, or the line that is marked", 6),
        ("go-there", "g", "go there", "Ask everybody to go where the line was said", 7),
        ("retry-line", "t", "try again", "Send the line that is marked again", None),
        ("line-above", "up", "above", "Mark the line above", None),
        ("line-below", "down", "below", "Mark the line below", None),
        ("oldest", "home", "oldest", "Go to the oldest line that is here", None),
        ("newest", "end", "newest", "Go to the newest line, and mark none", None),
        ("match-above", "f3", "found above", "Go to the next place above with the words that were looked for", None),
        ("match-below", "f4", "found below", "Go to the next place below with the words that were looked for", None),
        ("leave-chat", "q", "back to film", "Leave the chat, so that keys are the film's again", 5),
    ),
    *_of(
        "lobby",
        ("open", "enter", "open", "Open what is marked", 1),
        ("new-session", "n", "new", "Invite somebody to a film", 2),
        ("join-code", "j", "join", "Join with the word that somebody read to you", 3),
        ("accept", "a", "accept", "Accept the invitation that is marked", 4),
        ("reject", "x", "reject", "Reject the invitation that is marked", 5),
        ("recommendations", "o", "picks", "Show what to watch next, for you or for two", 6),
        ("history", "h", "history", "Show what you have watched", 7),
        ("settings", "comma", "settings", "Show and change the settings", 8),
        ("refresh", "r", "refresh", "Ask the server again", None),
        ("resume", "s", "resume", "Go back to the film that you left last", None),
        ("sign-out", "u", "sign out", "Sign out, or in as somebody else", None),
        ("lobby-help", "question_mark", "help", "Show what can be done here, and with which keys", 9),
        ("leave-lobby", "q", "quit", "Leave dateflicks", 10),
    ),
    *_of(
        "recommendations",
        ("watch-with", "enter", "invite", "Invite somebody to the film that is marked", 1),
        ("for-whom", "tab", "for whom", "Show what suits you, the other, or both of you", 2),
        ("more-like", "plus", "more", "More like the film that is marked", 3),
        ("less-like", "minus", "less", "Less like the film that is marked, and not this one", 4),
        ("hide-film", "h", "hide", "Do not show the film that is marked any more", 5),
        ("why-film", "w", "why", "Show what speaks for the film that is marked", 6),
        ("undo-rating", "u", "undo", "Take back what you said of a film last", 7),
        ("partner", "p", "with", "Choose with whom you would watch", 8),
        ("refresh-list", "r", "refresh", "Ask for the list again", 9),
        ("close-recommendations", "q", "back", "Back to the lobby", 10),
    ),
    *_of(
        "predictions",
        ("call", "enter", "call", "Say what you believe, sealed until the lock", 1),
        ("predict-new", "a", "new", "Predict something", 2),
        ("lock", "l", "lock", "Lock: from now on nobody may call, and all calls are shown", 4),
        ("settle", "s", "settle", "Say what came true; the other has to confirm it", 5),
        ("confirm", "y", "confirm", "Confirm what the other says came true", 6),
        ("object", "n", "object", "Object to what the other says came true", 7),
        ("void", "v", "void", "Let the prediction go, without points for anybody", 8),
        ("close-predictions", "p q", "back", "Back to the film", 3),
    ),
    *_of(
        "history",
        ("watch-again", "enter", "open", "Open the evening that is marked", 1),
        ("filter-history", "slash", "filter", "Show only what has these words in it", 2),
        ("sort-history", "s", "sort", "Sort by another column", 3),
        ("close-history", "q", "back", "Back to the lobby", 4),
    ),
    *_of(
        "settings",
        ("change-setting", "enter", "change", "Change the setting that is marked", 1),
        ("reset-setting", "d", "default", "Put the default back", 2),
        ("close-settings", "q", "back", "Back to where you came from", 3),
    ),
    *_of(
        "waiting",
        ("copy-word", "c", "copy", "Copy the line to read to your guest", 1),
        ("cancel-invitation", "x", "cancel", "Take the invitation back", 2),
        ("close-waiting", "q", "back", "Back to the lobby; the invitation stays open", 3),
    ),
    *_of(
        "sign_in",
        ("submit", "enter", "go on", "Go on to the next line, then sign in or create the account", 1),
        ("other-way", "f4", "create account", "Create an account in place of signing in, or the other way round", 2),
    ),
    *_of(
        "form",
        ("go-on", "enter", "go on", "Go on to the next line, and at the last one do what is asked", 2),
        ("next-line", "down", "next", "Go to the next line or button; tab does so too", 1),
        ("line-before", "up", "before", "Go to the line or button before; shift+tab does so too", None),
    ),
    *_of(
        "choice",
        ("choose", "enter", "choose", "Take the one that is marked; a number takes the one of that number", 1),
    ),
    *_of(
        "dialog",
        ("dialog-yes", "y", "yes", "Yes", 1),
        ("dialog-no", "n", "no", "No", 2),
    ),
    *_of("help", ("close-help", "q question_mark", "back", "Back to where you came from", 1)),
)

_NAMED: Final = {
    "space": "space", "enter": "enter", "escape": "esc", "tab": "tab", "backspace": "bksp", "delete": "del",
    "insert": "ins", "home": "home", "end": "end", "pageup": "pgup", "pagedown": "pgdn", "left": "left",
    "right": "right", "up": "up", "down": "down",
}  # fmt: skip
_ARROWS: Final = {"left": "←", "right": "→", "up": "↑", "down": "↓"}
_SIGNS: Final = {
    "slash": "/", "question_mark": "?", "comma": ",", "full_stop": ".", "plus": "+", "minus": "-", "colon": ":",
    "semicolon": ";", "equals_sign": "=", "exclamation_mark": "!", "at": "@", "number_sign": "#", "dollar_sign": "$",
    "percent_sign": "%", "ampersand": "&", "asterisk": "*", "left_parenthesis": "(", "right_parenthesis": ")",
    "underscore": "_", "quotation_mark": '"', "apostrophe": "'", "less_than_sign": "<", "greater_than_sign": ">",
    "left_square_bracket": "[", "right_square_bracket": "]", "backslash": "\\", "vertical_line": "|", "tilde": "~",
    "left_curly_bracket": "{", "right_curly_bracket": "}", "grave_accent": "`", "circumflex_accent": "^",
}  # fmt: skip
_BY_SIGN: Final = {sign: name for name, sign in _SIGNS.items()}
_SHORT_NAMES: Final = {"esc": "escape", "return": "enter", "pgup": "pageup", "pgdn": "pagedown", "del": "delete"}
_SAME: Final = {"h": "backspace", "i": "tab", "j": "enter", "m": "enter", "left_square_bracket": "escape"}
_FUNCTION: Final = re.compile(r"f([1-9]|1[0-2])")
_SHIFTED: Final = frozenset({"left", "right", "up", "down", "home", "end", "pageup", "pagedown", "tab"})
_CTRL: Final = frozenset("abcdefgklnopqrstuvwxyz") | {"left", "right", "up", "down", "home", "end"}
_TYPED_IN: Final[frozenset[Context]] = frozenset({"app", "composer", "sign_in", "form"})
_OVER_OTHERS: Final[frozenset[Context]] = frozenset({"sign_in", "form", "choice", "dialog"})


class WrongKeys(DateflicksError):
    """A key in the settings that can not be: what is wrong, and what was perhaps meant."""

    def __init__(self, name: str, problem: str, suggestion: str | None = None) -> None:
        super().__init__(f"keys.{name}: {problem}" + (f" Did you mean '{suggestion}'?" if suggestion else ""))
        self.name = name
        self.problem = problem
        self.suggestion = suggestion


class Keymap:
    """The bindings in force; made by `read_keys`."""

    def __init__(self, bindings: tuple[Binding, ...]) -> None:
        self.bindings = bindings
        self._by_id = {one.id: one for one in bindings}

    def __getitem__(self, name: str) -> Binding:
        return self._by_id[name]

    def of(self, context: Context) -> tuple[Binding, ...]:
        """All that works in one place, without what works everywhere."""
        return tuple(one for one in self.bindings if one.context == context)

    def hints(self, context: Context) -> tuple[Binding, ...]:
        """What to hint at in one place, the most needed first; over another screen, the way back too."""
        ranked = [one for one in self.bindings if one.context in (context, "app") and one.rank is not None and one.keys]
        if context in _OVER_OTHERS:
            ranked.append(replace(self._by_id["back"], rank=50))
        return tuple(sorted(ranked, key=lambda one: one.rank or 0))

    def shown(self, name: str, *, ascii_only: bool = False) -> str:
        """The first key of a binding as people see it; nothing where it has none."""
        binding = self._by_id[name]
        return shown(binding.keys[0], ascii_only=ascii_only) if binding.keys else ""


def read_keys(chosen: Mapping[str, str]) -> Keymap:
    """The keymap with `chosen` keys (id to keys with spaces between; none takes a key away). Raises WrongKeys."""
    known = {one.id: one for one in BINDINGS}
    for name, text in chosen.items():
        if name not in known:
            raise WrongKeys(name, "nothing has this name; f1 shows the names.", nearest(name, known))
        keys = tuple(dict.fromkeys(_read(name, word, known[name].context) for word in text.split()))
        known[name] = replace(known[name], keys=keys)
    for name in ("help", "palette", "back", "quit"):
        if not known[name].keys:
            raise WrongKeys(name, "needs a key: without one there is no way out.")
    bindings = tuple(known.values())
    _refuse_double_use(bindings, chosen)
    return Keymap(bindings)


def shown(key: str, *, ascii_only: bool = False) -> str:
    """A key as people see it: `^p`, `←`, `shift+←`, `?`."""
    *modifiers, last = key.split("+")
    name = _SIGNS.get(last) or (_ARROWS.get(last) if not ascii_only else None) or _NAMED.get(last) or last
    if modifiers == ["ctrl"]:
        return f"^{name}"
    return "+".join([*modifiers, name])


def is_printable(key: str) -> bool:
    """Whether a line that is being written takes this key for itself."""
    return len(key) == 1 or key in _SIGNS or key == "space"


def _read(name: str, word: str, context: Context) -> str:
    """One key of the settings, as Textual names it."""
    *modifiers, last = word.split("+") if len(word) > 1 else [word]
    modifiers = [one.lower() for one in modifiers]
    last = _BY_SIGN.get(last, last)
    last = _SHORT_NAMES.get(last.lower(), last.lower()) if len(last) > 1 or modifiers else last
    problem = _impossible(modifiers, last)
    if problem is not None:
        raise WrongKeys(name, f"'{word}' can not be used: {problem}")
    key = "+".join([*modifiers, last])
    if context in _TYPED_IN and is_printable(key):
        raise WrongKeys(name, f"'{word}' can not be used: it is written where one writes. Take ctrl and a letter.")
    return key


def _impossible(modifiers: list[str], last: str) -> str | None:
    """Why many terminals do not know of this key, or None."""
    if not modifiers:
        fits = len(last) == 1 or last in _NAMED or last in _SIGNS or _FUNCTION.fullmatch(last)
        return None if fits else "there is no such key."
    if modifiers == ["shift"]:
        return None if last in _SHIFTED else "with shift, terminals tell only arrows, home, end, page keys and tab."
    if modifiers == ["ctrl"]:
        if (same := _SAME.get(last)) is not None:
            return f"in a terminal it is the same as {same}."
        return None if last in _CTRL else "with ctrl, terminals tell only letters, arrows, home and end."
    return "many terminals know nothing of such a combination. Take ctrl and a letter, or f1 to f12."


def _refuse_double_use(bindings: tuple[Binding, ...], chosen: Mapping[str, str]) -> None:
    taken: dict[tuple[str, str], str] = {}
    everywhere: dict[str, str] = {}
    for one in bindings:
        for key in one.keys:
            other = taken.get((one.context, key)) or (None if _may_shadow(one, key) else everywhere.get(key))
            if other is not None:
                moved, kept = (one.id, other) if one.id in chosen else (other, one.id)
                raise WrongKeys(moved, f"'{shown(key)}' is taken by '{kept}'; give one of them another key.")
            taken[one.context, key] = one.id
            if one.context == "app":
                everywhere[key] = one.id


def _may_shadow(one: Binding, key: str) -> bool:
    """Out of the line that one writes in is one step out, too."""
    return one.context == "composer" and key == "escape"


def table(keymap: Keymap, *, ascii_only: bool = False) -> Iterator[tuple[Context, str, str, str]]:
    """All bindings for a page of help: context, keys as people see them, what they do, and the id for the settings."""
    for one in keymap.bindings:
        keys = " ".join(shown(key, ascii_only=ascii_only) for key in one.keys) or "-"
        yield one.context, keys, one.description, one.id
