"""How an evening is told on stdout: a sentence for each event, or a JSON object on a line of its own."""

from typing import Any, Protocol, TextIO

from dateflicks.cli.environment import CliEnvironment
from dateflicks.cli.output import Format, Printer, record_of
from dateflicks.client.viewer import Notice
from dateflicks.client.watching import LinkChanged, PlayerChanged, Told, Update
from dateflicks.protocol.printable import printable


class Teller(Protocol):
    """Writes what happens, at once."""

    def say(self, text: str, event: str = "said", **more: Any) -> None:
        """A line of our own; `event` and `more` are for programs that read it."""

    def update(self, update: Update, sentence: str | None) -> None:
        """What has happened, and how to say it, if it is worth saying."""


class Sentences:
    """For people; whatever other people put into a line is harmless afterwards."""

    def __init__(self, stdout: TextIO) -> None:
        self._stdout = stdout

    def say(self, text: str, event: str = "said", **more: Any) -> None:  # noqa: ARG002 - programs read the other one
        print(printable(text), file=self._stdout, flush=True)

    def update(self, update: Update, sentence: str | None) -> None:  # noqa: ARG002
        if sentence is not None:
            self.say(sentence)


class JsonLines:
    """For programs: `event` says of which kind each object is."""

    def __init__(self, stdout: TextIO) -> None:
        self._printer = Printer(stdout, Format.JSONL, (), color=False, width=None)

    def say(self, text: str, event: str = "said", **more: Any) -> None:
        self._printer.event({"event": event, "text": text, **more}, ())

    def update(self, update: Update, sentence: str | None) -> None:  # noqa: ARG002 - they make their own
        self._printer.event(_record(update), ())


def teller_of(environment: CliEnvironment) -> Teller:
    """The one that was asked for."""
    is_json = environment.output in (Format.JSON, Format.JSONL)
    return JsonLines(environment.stdout) if is_json else Sentences(environment.stdout)


def _record(update: Update) -> dict[str, Any]:
    match update:
        case Told(frame=frame):
            return {"event": "timecode", **record_of(frame)}
        case LinkChanged(is_open=is_open, why=why, retry_in=retry_in):
            return {"event": "line", "is_open": is_open, "why": why, "retry_in": round(retry_in, 3)}
        case PlayerChanged(kind=kind, text=text):
            return {"event": "player", "kind": kind, "text": text}
        case Notice(kind=kind, text=text, by=by):
            return {"event": "notice", "kind": kind, "text": text, "by": by}
