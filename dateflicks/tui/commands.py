"""What is typed into the composer, understood: one frozen command, or a sentence that says what is wrong with it.

Pure: text in, a value out. A line that begins with `/` is a command, `//` sends a text that begins with a slash, and
anything else is said as it stands. Positions are seconds of film.
"""

import difflib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from dateflicks.client.sentences import parse_position
from dateflicks.core import limits
from dateflicks.tui.emoji import EMOJI, name_of, reaction_name


@dataclass(frozen=True, slots=True)
class Moment:
    """A place in the film, or a distance from where it is now."""

    seconds: float
    is_relative: bool = False


@dataclass(frozen=True, slots=True)
class Say:
    """Send this text."""

    text: str


@dataclass(frozen=True, slots=True)
class Act:
    """Tell what I do: `/me waves`."""

    text: str


@dataclass(frozen=True, slots=True)
class Reply:
    """Answer the last line of somebody else."""

    text: str


@dataclass(frozen=True, slots=True)
class Edit:
    """Put this in place of my last message."""

    text: str


@dataclass(frozen=True, slots=True)
class Delete:
    """Take back my last message."""


@dataclass(frozen=True, slots=True)
class React:
    """React to the film, with a short name or an emoji."""

    reaction: str


@dataclass(frozen=True, slots=True)
class Play:
    """Ask to play."""


@dataclass(frozen=True, slots=True)
class Pause:
    """Ask to pause."""


@dataclass(frozen=True, slots=True)
class Stop:
    """Ask to stop."""


@dataclass(frozen=True, slots=True)
class Seek:
    """Ask to move the film."""

    to: Moment


@dataclass(frozen=True, slots=True)
class Accept:
    """Agree to what is asked."""


@dataclass(frozen=True, slots=True)
class Refuse:
    """Do not agree to what is asked."""


@dataclass(frozen=True, slots=True)
class Where:
    """Tell where everybody is in the film."""


@dataclass(frozen=True, slots=True)
class At:
    """Tell where the film is, in seconds, in a player that is steered by hand."""

    position: float


@dataclass(frozen=True, slots=True)
class Predict:
    """Make a prediction; without options it is yes or no, without a moment it stays open."""

    details: str
    options: tuple[str, ...] = ()
    locks_at: Moment | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """Say how a prediction will end: the latest one, unless its number is given; confidence from 0 to 1."""

    option: str
    confidence: float | None = None
    number: int | None = None


@dataclass(frozen=True, slots=True)
class Quit:
    """Leave the film."""


@dataclass(frozen=True, slots=True)
class Help:
    """Tell what can be typed: of one command, or of all."""

    command: str = ""


@dataclass(frozen=True, slots=True)
class Mistake:
    """What is wrong with a line, in one sentence; empty when the line is."""

    sentence: str


Command = (
    Say
    | Act
    | Reply
    | Edit
    | Delete
    | React
    | Play
    | Pause
    | Stop
    | Seek
    | Accept
    | Refuse
    | Where
    | At
    | Predict
    | Call
    | Quit
    | Help
)


@dataclass(frozen=True, slots=True)
class Usage:
    """How a command is written, and what it does."""

    pattern: str
    purpose: str


USAGES: Final = MappingProxyType(
    {
        "play": Usage("/play", "ask to play"),
        "pause": Usage("/pause", "ask to pause"),
        "stop": Usage("/stop", "ask to stop"),
        "seek": Usage("/seek 41:00", "ask to move there; +30 and -10 move from here"),
        "accept": Usage("/accept", "agree to what is asked"),
        "refuse": Usage("/refuse", "say no to what is asked"),
        "where": Usage("/where", "tell where everybody is"),
        "at": Usage("/at 41:12", "tell where the film is in a player that you steer by hand"),
        "react": Usage("/react joy", "react to this moment of the film"),
        "me": Usage("/me waves", "tell what you do"),
        "reply": Usage("/reply text", "answer the last line of somebody else"),
        "edit": Usage("/edit text", "put this in place of your last message"),
        "delete": Usage("/delete", "take back your last message"),
        "predict": Usage(
            "/predict text [; option; option] [@ 1:20:00]", "say what will happen; calls close at that moment"
        ),
        "call": Usage("/call yes 80%", "call the latest prediction; /call #2 yes the second one"),
        "quit": Usage("/quit", "leave the film"),
        "help": Usage("/help", "tell what can be typed"),
    }
)
ALIASES: Final = MappingProxyType(
    {"yes": "accept", "y": "accept", "no": "refuse", "n": "refuse", "exit": "quit", "q": "quit", "r": "reply"}
)
_ALONE: Final[Mapping[str, Command]] = MappingProxyType(
    {
        "play": Play(),
        "pause": Pause(),
        "stop": Stop(),
        "accept": Accept(),
        "refuse": Refuse(),
        "where": Where(),
        "delete": Delete(),
        "quit": Quit(),
    }
)
_COMMAND: Final = re.compile(r"/(\S*)(?:\s+(.*))?", re.DOTALL)
_MOMENT: Final = re.compile(r"[+\-]?\d[\d:.]*")
_CONFIDENCE: Final = re.compile(r"(\d{1,3})%|(0?\.\d+|1\.0*|0\.0*)")
_NUMBER: Final = re.compile(r"#(\d{1,4})")
_DEFAULT_CHARACTERS: Final = limits.TEXT_MAX_CHARACTERS


def parse(line: str) -> Command | Mistake:
    """What a line asks for."""
    if not line.strip():
        return Mistake("")
    if line.startswith("//"):
        return _bounded(Say, line[1:])
    found = _COMMAND.fullmatch(line.rstrip())
    if found is None:
        return _bounded(Say, line)
    word, rest = found[1].lower(), (found[2] or "").strip()
    name = ALIASES.get(word, word)
    if name in _ALONE:
        return Mistake(f"/{word} stands alone: type just /{word}.") if rest else _ALONE[name]
    if name in _PARSERS:
        return _PARSERS[name](rest)
    return Mistake(_unknown(word))


def is_talk(line: str) -> bool:
    """Whether a line that is being typed will be read by the others: what they are told as writing."""
    if not line.strip():
        return False
    if not line.startswith("/") or line.startswith("//"):
        return True
    word = line[1:].split(maxsplit=1)
    return len(word) == 2 and ALIASES.get(word[0].lower(), word[0].lower()) in ("me", "reply", "edit")


def completions(before: str) -> tuple[str, ...]:
    """What the text before the cursor can go on to, each one whole, the likeliest first."""
    if found := re.fullmatch(r"/(\w*)", before):
        names = [name for name in USAGES if name.startswith(found[1].lower())]
        return tuple(f"/{name}" if name in _ALONE else f"/{name} " for name in names)
    if found := re.fullmatch(r"(/react\s+):?([\w+\-]*)", before, re.IGNORECASE):
        return tuple(found[1] + name for name in EMOJI if name.startswith(found[2].lower()))
    if found := re.fullmatch(r"(/help\s+)/?(\w*)", before, re.IGNORECASE):
        return tuple(found[1] + name for name in USAGES if name.startswith(found[2].lower()))
    if found := re.fullmatch(r"(.*?(?:^|\s)):([\w+\-]+)", before, re.DOTALL):
        return tuple(f"{found[1]}:{name}:" for name in EMOJI if name.startswith(found[2].lower()))
    return ()


def parse_moment(text: str) -> Moment:
    """A moment of 41:00, +30, -1:30. Raises ValueError."""
    sign = {"+": 1, "-": -1}.get(text[:1], 0)
    seconds = parse_position(text[1:] if sign else text)
    if seconds > limits.POSITION_MAX_SECONDS:
        raise ValueError(text)
    return Moment(sign * seconds, is_relative=True) if sign else Moment(seconds)


def _unknown(word: str) -> str:
    if not word:
        return "A line that begins with / is a command; begin it with // to send it as it is."
    known = [*USAGES, *(alias for alias in ALIASES if len(alias) > 1)]
    near = difflib.get_close_matches(word, known, n=1, cutoff=0.5)
    shown = word if len(word) <= 20 else word[:19] + "…"
    advice = f"Did you mean /{near[0]}?" if near else "/help tells what there is."
    return f"There is no /{shown}. {advice}"


def _bounded(kind: Callable[[str], Command], text: str, *, most: int = _DEFAULT_CHARACTERS) -> Command | Mistake:
    text = text.strip()
    if len(text) > most:
        return Mistake(f"That is {len(text):,} characters; a message holds {most:,}.")
    return kind(text)


def _worded(name: str, kind: Callable[[str], Command]) -> Callable[[str], Command | Mistake]:
    def parser(rest: str) -> Command | Mistake:
        return _bounded(kind, rest) if rest else Mistake(f"{_needs(name)}")

    return parser


def _needs(name: str) -> str:
    return f"/{name} needs more: type {USAGES[name].pattern}."


def _seek(rest: str) -> Command | Mistake:
    try:
        return Seek(parse_moment(rest))
    except ValueError:
        return Mistake("Where to? Type /seek 41:00, /seek +30 or /seek -10.")


def _at(rest: str) -> Command | Mistake:
    try:
        moment = parse_moment(rest)
    except ValueError:
        moment = None
    if moment is None or moment.is_relative:
        return Mistake("Where is your film? Type for example /at 41:12.")
    return At(moment.seconds)


def _react(rest: str) -> Command | Mistake:
    if not rest:
        return Mistake(_needs("react"))
    name = reaction_name(rest).lower()
    if name in EMOJI:
        return React(name)
    if len(rest) <= limits.REACTION_MAX_CHARACTERS and not rest.isascii() and name_of(rest) == name:
        return React(rest)  # an emoji without a name here
    near = difflib.get_close_matches(name, EMOJI, n=1, cutoff=0.5)
    advice = f"Did you mean {near[0]}?" if near else f"Try one of {', '.join(list(EMOJI)[:5])}; tab shows more."
    return Mistake(f"There is no such reaction. {advice}")


def _predict(rest: str) -> Command | Mistake:
    text, locks_at = rest, None
    before, at, after = rest.rpartition("@")
    if at and _MOMENT.fullmatch(after.strip()):
        try:
            locks_at = parse_moment(after.strip())
        except ValueError:
            return Mistake(f"{after.strip()} is no position in a film: type for example @ 1:20:00.")
        if locks_at.seconds < 0:
            return Mistake("Calls cannot close in the past: type for example @ 1:20:00 or @ +10:00.")
        text = before
    details, *options = (part.strip() for part in text.split(";"))
    if not details:
        return Mistake(_needs("predict"))
    return _wrong_prediction(details, options) or Predict(details, tuple(options), locks_at)


def _wrong_prediction(details: str, options: list[str]) -> Mistake | None:
    if len(details) > limits.PREDICTION_MAX_CHARACTERS:
        return Mistake(f"A prediction holds {limits.PREDICTION_MAX_CHARACTERS} characters; this has {len(details)}.")
    if not options:
        return None
    if "" in options:
        return Mistake("One of the options is empty: write them as /predict text; one; other.")
    if not 2 <= len(options) <= limits.OPTIONS_MAX:
        return Mistake(f"A prediction has 2 to {limits.OPTIONS_MAX} options, or none for yes and no.")
    if len({one.casefold() for one in options}) < len(options):
        return Mistake("Two of the options are the same.")
    if any(len(one) > limits.OPTION_MAX_CHARACTERS for one in options):
        return Mistake(f"An option holds {limits.OPTION_MAX_CHARACTERS} characters.")
    return None


def _call(rest: str) -> Command | Mistake:
    words = rest.split()
    number = confidence = None
    if words and (found := _NUMBER.fullmatch(words[0])):
        number = int(found[1])
        words = words[1:]
    if len(words) > 1 and (found := _CONFIDENCE.fullmatch(words[-1])):
        confidence = int(found[1]) / 100 if found[1] else float(found[2])
        words = words[:-1]
        if not 0 < confidence <= 1:
            return Mistake("Confidence goes from 1% to 100%.")
    if not words:
        return Mistake(_needs("call"))
    return Call(" ".join(words), confidence, number)


def _help(rest: str) -> Command | Mistake:
    word = rest.removeprefix("/").lower()
    name = ALIASES.get(word, word)
    return Help(name) if not name or name in USAGES else Mistake(_unknown(word))


_PARSERS: Final = MappingProxyType(
    {
        "seek": _seek,
        "at": _at,
        "react": _react,
        "predict": _predict,
        "call": _call,
        "help": _help,
        "me": _worded("me", Act),
        "reply": _worded("reply", Reply),
        "edit": _worded("edit", Edit),
    }
)
