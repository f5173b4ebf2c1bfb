"""mpv's keys during a session: those that move the film become requests, the harmless ones stay what they were."""

from dataclasses import dataclass
from typing import Final

SECTION: Final = "dateflicks"
STEP_PAUSE_SECONDS: Final = 0.35  # presses closer than this are one wish: three times right is one seek

# Key → word of our own; mpv only passes the word on and does nothing itself.
_WISHES: Final[dict[str, tuple[str, ...]]] = {
    "toggle": ("SPACE", "p", "P", "MBTN_RIGHT", "PLAYPAUSE", "KP_INS"),
    "play": ("PLAY", "PLAYONLY"),
    "pause": ("PAUSE", "PAUSEONLY"),
    "confirm": ("ENTER", "KP_ENTER", "y", "Y"),
    "refuse": ("n", "N"),
    "stop": ("q", "Q", "STOP", "POWER", "Ctrl+c", "Ctrl+w"),
    "step -5": ("LEFT", "REWIND"),
    "step 5": ("RIGHT", "FORWARD"),
    "step -60": ("DOWN",),
    "step 60": ("UP",),
    "step -1": ("Shift+LEFT",),
    "step 1": ("Shift+RIGHT",),
    "step -600": ("PGDWN", "Shift+PGDWN"),
    "step 600": ("PGUP", "Shift+PGUP"),
    "start": ("HOME",),
}
# What changes only one's own picture and sound is mpv's business.
_OWN: Final[dict[str, str]] = {
    "f": "cycle fullscreen",
    "MBTN_LEFT_DBL": "cycle fullscreen",
    "ESC": "set fullscreen no",
    "T": "cycle ontop",
    "m": "cycle mute",
    "MUTE": "cycle mute",
    "9": "add volume -2",
    "0": "add volume 2",
    "/": "add volume -2",
    "*": "add volume 2",
    "VOLUME_DOWN": "add volume -2",
    "VOLUME_UP": "add volume 2",
    "WHEEL_DOWN": "add volume -2",
    "WHEEL_UP": "add volume 2",
    "v": "cycle sub-visibility",
    "j": "cycle sub",
    "J": "cycle sub down",
    "z": "add sub-delay -0.1",
    "Z": "add sub-delay +0.1",
    "SHARP": "cycle audio",
    "o": "show-progress",
    "i": "script-binding stats/display-stats",
    "CLOSE_WIN": "quit",
}


def section() -> str:
    """The bindings in the form that mpv's `define-section` takes."""
    lines = [
        f"{key} {'repeatable ' if wish.startswith('step') else ''}script-message {SECTION} {wish}"
        for wish, keys in _WISHES.items()
        for key in keys
    ]
    lines += [f"{key} {command}" for key, command in _OWN.items()]
    return "\n".join(lines) + "\n"


@dataclass(slots=True)
class Steps:
    """Presses of the arrow keys added up until a short pause shows that the user has arrived."""

    target: float | None = None
    due: float = 0.0

    def press(self, seconds: float, position: float, length: float, now: float) -> float:
        """One press; returns the place wished for so far."""
        wished = (position if self.target is None else self.target) + seconds
        self.target = min(max(wished, 0.0), length) if length else max(wished, 0.0)
        self.due = now + STEP_PAUSE_SECONDS
        return self.target

    def go(self, position: float, now: float) -> float:
        """A place wished for outright."""
        self.target = position
        self.due = now + STEP_PAUSE_SECONDS
        return position

    def take(self, now: float) -> float | None:
        """The place wished for, once, when the presses have ended."""
        if self.target is None or now < self.due:
            return None
        target, self.target = self.target, None
        return target
