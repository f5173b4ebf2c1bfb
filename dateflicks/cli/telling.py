"""How an evening is told on stdout: a sentence for each event, or a JSON object on a line of its own."""

from collections.abc import Callable
from typing import Any, Protocol, TextIO, assert_never

from dateflicks.cli.environment import CliEnvironment
from dateflicks.cli.output import Format, Printer, record_of
from dateflicks.client import chat_updates as chat
from dateflicks.client.ledger import Changed, ScoresChanged, Unproven
from dateflicks.client.overlay import Happening
from dateflicks.client.predictions import PredictionsLine, PredictionsRefused, PredictionsUpdate
from dateflicks.client.viewer import Notice
from dateflicks.client.watching import LinkChanged, PlayerChanged, Told, Update
from dateflicks.protocol.printable import printable


class Teller(Protocol):
    """Writes what happens, at once."""

    def say(self, text: str, event: str = "said", **more: Any) -> None:
        """A line of our own; `event` and `more` are for programs that read it."""

    def update(self, update: Happening, *sentences: str | None) -> None:
        """What has happened, and how to say it, if it is worth saying."""


class Sentences:
    """For people; whatever other people put into a line is harmless afterwards."""

    def __init__(self, stdout: TextIO, fit: Callable[[str], str] = str) -> None:
        """`fit` breaks a line for whoever reads it."""
        self._stdout = stdout
        self._fit = fit

    def say(self, text: str, event: str = "said", **more: Any) -> None:  # noqa: ARG002 - programs read the other one
        print(self._fit(printable(text)), file=self._stdout, flush=True)

    def update(self, update: Happening, *sentences: str | None) -> None:  # noqa: ARG002
        for sentence in sentences:
            if sentence is not None:
                self.say(sentence)


class JsonLines:
    """For programs: `event` says of which kind each object is."""

    def __init__(self, stdout: TextIO) -> None:
        self._printer = Printer(stdout, Format.JSONL, (), color=False, width=None)

    def say(self, text: str, event: str = "said", **more: Any) -> None:
        self._printer.event({"event": event, "text": text, **more}, ())

    def update(self, update: Happening, *sentences: str | None) -> None:  # noqa: ARG002 - they make their own
        self._printer.event(_record(update), ())


def teller_of(environment: CliEnvironment) -> Teller:
    """The one that was asked for."""
    if environment.output in (Format.JSON, Format.JSONL):
        return JsonLines(environment.stdout)
    return Sentences(environment.stdout, lambda line: environment.fitted(line, environment.stdout))


def _record(update: Happening) -> dict[str, Any]:
    if isinstance(update, Told | LinkChanged | PlayerChanged | Notice):
        return _of_film(update)
    if isinstance(update, Changed | Unproven | ScoresChanged | PredictionsLine | PredictionsRefused):
        return _of_predictions(update)
    return _of_chat(update)


def _of_film(update: Update) -> dict[str, Any]:
    match update:
        case Told(frame=frame):
            return {"event": "timecode", **record_of(frame)}
        case LinkChanged(is_open=is_open, why=why, retry_in=retry_in):
            return _line("line", is_open, why, retry_in)
        case PlayerChanged(kind=kind, text=text):
            return {"event": "player", "kind": kind, "text": text}
        case Notice(kind=kind, text=text, by=by):
            return {"event": "notice", "kind": kind, "text": text, "by": by}
        case _:
            assert_never(update)


def _of_chat(update: chat.ChatUpdate) -> dict[str, Any]:
    match update:
        case chat.Said(message=message, is_news=is_news):
            return {"event": "message", "is_news": is_news, "message": record_of(message)}
        case chat.Rewritten(id=id_, seq=seq, message=message):
            return {"event": "rewritten", "id": id_, "seq": seq, "message": record_of(message)}
        case chat.Older(messages=messages, is_all=is_all):
            return {"event": "older", "messages": record_of(messages), "is_all": is_all}
        case chat.DraftChanged(draft=draft):
            return {
                "event": "draft", "client_id": draft.client_id, "state": draft.state, "content": draft.content,
                "type": draft.kind, "position": draft.position, "reply_to": draft.reply_to, "reason": draft.reason,
            }  # fmt: skip
        case chat.DraftGone(client_id=client_id, seq=seq):
            return {"event": "draft", "client_id": client_id, "state": "said" if seq else "discarded", "seq": seq}
        case chat.ChatLine(is_open=is_open, why=why, retry_in=retry_in):
            return _line("chat-line", is_open, why, retry_in)
        case chat.CaughtUp(seq=seq, is_anew=is_anew):
            return {"event": "caught-up", "seq": seq, "is_anew": is_anew}
        case chat.HasRead(user_id=user_id, seq=seq):
            return {"event": "read", "user_id": user_id, "seq": seq}
        case chat.TypingNow(people=people):
            return {"event": "typing", "people": [{"user_id": user_id, "name": name} for user_id, name in people]}
        case chat.ChangeFailed(change=change, reason=reason):
            return {"event": "chat-trouble", "code": f"{change.verb}-failed", "text": reason, "id": change.id}
        case chat.Trouble(code=code, text=text):
            return {"event": "chat-trouble", "code": code, "text": text}
        case _:
            assert_never(update)


def _of_predictions(update: PredictionsUpdate) -> dict[str, Any]:
    match update:
        case Changed(prediction=prediction, reason=reason):
            return {"event": "prediction", "reason": reason, "prediction": record_of(prediction)}
        case Unproven(prediction=prediction, author=author, author_name=name, why=why):
            return {"event": "unproven", "id": prediction.id, "author": author, "author_name": name, "why": why}
        case ScoresChanged(scores=scores):
            return {"event": "scores", "items": record_of(scores)}
        case PredictionsLine(is_open=is_open, why=why, retry_in=retry_in):
            return _line("prediction-line", is_open, why, retry_in)
        case PredictionsRefused(code=code, detail=detail):
            return {"event": "prediction-trouble", "code": code, "text": detail}
        case _:
            assert_never(update)


def _line(event: str, is_open: bool, why: str, retry_in: float) -> dict[str, Any]:
    return {"event": event, "is_open": is_open, "why": why, "retry_in": round(retry_in, 3)}
