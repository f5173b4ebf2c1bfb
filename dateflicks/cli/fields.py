"""What `--fields` may ask of each command, for whoever presses TAB: the names of its columns and of its records.

Nothing is run and nobody is asked: columns and structs are looked up where the commands have them, and a test holds
this table against the commands.
"""

from collections.abc import Sequence
from importlib import import_module
from itertools import takewhile
from typing import Final

from dateflicks.cli.output import names_of

_SESSION: Final = ("cli.sessions:DETAILS", "protocol.bodies:SessionBody")
_PREDICTION: Final = ("cli.predictions:DETAILS", "protocol.predictions:PredictionBody")
_STEERED: Final = ("cli.steering:COLUMNS",)
_SENT: Final = ("protocol.chat:Message",)
_FRIEND: Final = ("cli.commands.friends:DETAILS", "protocol.bodies:Friend")
_USER: Final = ("cli.commands.users:DETAILS",)
_RECOMMENDED: Final = ("cli.commands.recommendations:DETAILS", "protocol.recommendations:RecommendationBody")

# By the words of a command: where its columns and its records are, below this package.
SHOWN: Final[dict[str, tuple[str, ...]]] = {
    "chat export": _SENT,
    "chat tail": _SENT,
    "config show": ("cli.commands.config:SHOWN",),
    "config get": ("cli.commands.config:SHOWN",),
    "config set": ("cli.commands.config:CHANGED",),
    "config unset": ("cli.commands.config:TAKEN_OUT",),
    "config validate": ("cli.configuring:MISTAKES",),
    "config path": ("cli.commands.config:PATHS",),
    "completion install": ("cli.commands.completion:INSTALLED",),
    "db backup": ("cli.commands.db:BACKUP",),
    "db indexes": ("cli.commands.db:INDEXES",),
    "db migrate": ("cli.commands.db:MIGRATIONS",),
    "db restore": ("cli.commands.db:RESTORE",),
    "db seed": ("cli.commands.db:SEEDED",),
    "db status": ("cli.commands.db:STATUS",),
    "doctor": ("cli.doctor.telling:COLUMNS",),
    "friends add": _FRIEND,
    "friends list": _FRIEND,
    "init": ("cli.beginning:WRITTEN",),
    "jobs history": ("cli.commands.jobs:HISTORY",),
    "jobs list": ("cli.commands.jobs:COLUMNS",),
    "jobs next": ("cli.commands.jobs:NEXT",),
    "jobs run": ("cli.commands.jobs:HISTORY",),
    "man": ("cli.commands.man:WRITTEN",),
    "predict call": _PREDICTION,
    "predict confirm": _PREDICTION,
    "predict list": _PREDICTION,
    "predict lock": _PREDICTION,
    "predict new": _PREDICTION,
    "predict object": _PREDICTION,
    "predict propose": _PREDICTION,
    "predict score": ("cli.predictions:STANDING", "protocol.predictions:ScoreBody"),
    "predict void": _PREDICTION,
    "providers credits": ("cli.commands.providers:CREDITS",),
    "providers list": ("cli.commands.providers:COLUMNS",),
    "providers run": ("cli.commands.providers:RUNS",),
    "providers show": ("cli.commands.providers:DETAILS",),
    "recommendations list": _RECOMMENDED,
    "recommendations rate": ("cli.commands.recommendations:SAID",),
    "recommendations why": _RECOMMENDED,
    "recommenders ab-report": ("cli.experiments:BRIEF",),
    "recommenders assign": ("cli.experiments:SHARES",),
    "recommenders evaluate": ("cli.evaluating:COLUMNS",),
    "recommenders list": ("cli.recommenders:COLUMNS",),
    "recommenders prior add": ("cli.priors:DETAILS",),
    "recommenders prior list": ("cli.priors:COLUMNS",),
    "recommenders promote": ("cli.experiments:CHOICE",),
    "recommenders run": ("cli.recommenders:RUNS",),
    "recommenders show": ("cli.recommenders:DETAILS",),
    "remote pause": _STEERED,
    "remote play": _STEERED,
    "remote resync": _STEERED,
    "remote seek": _STEERED,
    "remote stop": _STEERED,
    "replay": ("cli.replaying:COLUMNS",),
    "serve logs": ("cli.reading_logs:COLUMNS",),
    "serve status": ("cli.status:COLUMNS",),
    "serve units": ("cli.units:WRITTEN",),
    "session accept": _SESSION,
    "session cancel": _SESSION,
    "session create": _SESSION,
    "session end": _SESSION,
    "session follow": ("cli.commands.session:PLAYBACK", "protocol.frames:TimecodeFrame"),
    "session history": ("cli.commands.session:HISTORY", "protocol.bodies:HistoryEntry"),
    "session invite": ("cli.inviting:COLUMNS",),
    "session list": _SESSION,
    "session reject": _SESSION,
    "session show": (*_SESSION, "cli.commands.session:COUNTERS"),
    "simulate": ("cli.simulated_figures:TOLD", "cli.simulated_figures:SUMMARY"),
    "users create": ("cli.commands.users:PASSWORD",),
    "users disable": _USER,
    "users enable": _USER,
    "users erase": ("cli.commands.users:ERASED",),
    "users list": ("cli.commands.users:COLUMNS",),
    "users reset-password": ("cli.commands.users:PASSWORD",),
    "users show": _USER,
    "videos add": ("cli.commands.videos:ADDED",),
    "videos conflicts": ("cli.conflicts:COLUMNS",),
    "videos different": ("cli.conflicts:SAID",),
    "videos list": ("cli.commands.videos:COLUMNS", "protocol.videos:VideoBody"),
    "videos same": ("cli.conflicts:SAID",),
    "videos search": ("cli.commands.videos:COLUMNS", "protocol.videos:VideoBody"),
    "videos show": ("cli.commands.videos:DETAILS", "protocol.videos:VideoBody"),
    "videos undo": ("cli.conflicts:SAID",),
    "whoami": ("cli.commands.account:WHO",),
}
_SAME: Final = {"recs": "recommendations", "recommend": "recommenders"}
_WITHOUT_VERB: Final = ("list", "show", "status")  # what groups do
WORDS_MAX: Final = 3  # of a command


def names_for(words: Sequence[str]) -> list[str]:
    """What may be asked of the command that a line begins with; nothing of one that shows no records."""
    words = list(takewhile(lambda word: not word.startswith("-"), words))[:WORDS_MAX]
    words = [_SAME.get(word, word) for word in words[:1]] + words[1:]
    typed = [" ".join(words[:count]) for count in range(len(words), 0, -1)]
    for command in (*typed, *(f"{' '.join(words)} {verb}" for verb in _WITHOUT_VERB)):
        if command in SHOWN:
            return list(dict.fromkeys(name for where in SHOWN[command] for name in names_at(where)))
    return []


def names_at(where: str) -> list[str]:
    """The names of columns, or the fields of a struct and of what is in it, by `module:NAME`."""
    module, _, attribute = where.partition(":")
    found = getattr(import_module(f"dateflicks.{module}"), attribute)
    return names_of(found) if isinstance(found, type) else list(found)


def offered(words: Sequence[str], incomplete: str) -> list[str]:
    """What may come next in a list of fields: those of the last one, of which parts only once a dot is typed."""
    before, comma, last = incomplete.rpartition(",")
    taken = set(before.split(","))
    depth = last.count(".")
    found = [name for name in names_for(words) if name.startswith(last) and name not in taken]
    shown = dict.fromkeys(".".join(name.split(".")[: depth + 1]) for name in found)
    return [f"{before}{comma}{name}" for name in shown if name not in taken]
