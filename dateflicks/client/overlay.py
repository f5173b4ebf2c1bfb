"""What is written over the film: who asks for what and how to answer, until it is settled; what is said meanwhile, what
just happened, and which prediction has locked or waits to be confirmed.

A line is one paragraph, whatever was put into it; a question that waits for its answer stays below what comes then.
"""

from typing import Final, assert_never

from dateflicks.client.chat_updates import ChatUpdate, Said
from dateflicks.client.consent import Consent
from dateflicks.client.ledger import Changed
from dateflicks.client.predictions import PredictionsUpdate
from dateflicks.client.sentences import Narrator, clock_text
from dateflicks.client.viewer import Notice, Viewer
from dateflicks.client.watching import LinkChanged, PlayerChanged, Told, Update
from dateflicks.protocol.chat import Message
from dateflicks.protocol.frames import Pending, TimecodeFrame
from dateflicks.protocol.printable import printable
from dateflicks.protocol.timecode import seconds

SHORT_SECONDS: Final = 4.0
SAID_SECONDS: Final = 6.0
LINE_CHARACTERS: Final = 160  # the rest is read in the chat; a question fits below it in what a player shows
NAME_CHARACTERS: Final = 32
Happening = Update | ChatUpdate | PredictionsUpdate
Shown = tuple[str, float]
ANSWER: Final = "y agrees, n refuses"
_WISHES: Final = {"play": "asks to play", "pause": "paused", "stop": "stopped"}


class Overlay:
    """Turns updates into text over the film and how long it stands; a question stands until its deadline."""

    def __init__(self, viewer: Viewer) -> None:
        self._viewer = viewer
        self._narrator = Narrator(viewer.user_id)
        self._standing: Shown | None = None  # a question, and until when it waits

    def text(self, update: Happening, now: float) -> Shown | None:
        """What to show now, for how many seconds; None leaves the film be."""
        match update:
            case Told(frame=frame):
                return self._told(update, frame, now)
            case LinkChanged() | Notice():
                return self._above(self._narrator.sentence(update), SHORT_SECONDS, now)
            case PlayerChanged():
                return None  # a player that has trouble can not show it
            case Said(message=message, is_news=is_news):
                return self._above(self._said(message) if is_news else None, SAID_SECONDS, now)
            case Changed():
                return self._above(self._changed(update), SAID_SECONDS, now)
            case _:
                return None  # what else happens is told beside the film

    def _told(self, told: Told, frame: TimecodeFrame, now: float) -> Shown | None:
        """The film's state is told again and again: a question that is known already is not shown anew."""
        question = self._question(frame)
        sentence = self._narrator.sentence(told)
        if question is None:
            self._standing = None
            return None if sentence is None else (_line(sentence), SHORT_SECONDS)
        is_known = self._standing is not None and self._standing[0] == question
        left = self._until_deadline(frame.pending, now)
        self._standing = (question, now + left)
        return None if is_known and sentence is None else (question, left)

    def _above(self, sentence: str | None, for_seconds: float, now: float) -> Shown | None:
        """This, above a question that waits for its answer."""
        if sentence is None:
            return None
        if self._standing is None or self._standing[1] <= now:
            return _line(sentence), for_seconds
        question, until = self._standing
        return f"{_line(sentence)}\n{question}", until - now

    def _said(self, message: Message) -> str | None:
        """The other's words and reactions."""
        is_own = message.author in (self._viewer.user_id, None)
        if is_own or message.type == "system" or message.deleted_at is not None:
            return None
        name = _cut(message.author_name or "somebody", NAME_CHARACTERS)
        match message.type:
            case "text":
                return f"{name}: {message.content}"
            case "action":
                return f"{name} {message.content}"
            case "reaction":
                return f"{name} reacts: {message.content}"
            case _:
                assert_never(message.type)

    def _changed(self, update: Changed) -> str | None:
        """A prediction that has locked, or that this person has to confirm."""
        prediction = update.prediction
        if prediction.waits:
            return None
        if update.reason == "locked":
            return f"Locked: {prediction.details}"
        if update.reason != "proposed" or prediction.proposed_by in (self._viewer.user_id, None):
            return None
        name = _cut(self._narrator.name(self._viewer.timecode, prediction.proposed_by), NAME_CHARACTERS)
        return f"{name} says it is {prediction.proposed_outcome}, confirm or object: {prediction.details}"

    def _question(self, frame: TimecodeFrame) -> str | None:
        """What the other asks for and this person has to answer."""
        pending = frame.pending
        if pending is None or pending.by == self._viewer.user_id:
            return None
        kind = pending.to if isinstance(pending.to, str) else "seek"
        if self._viewer.consent.of(kind) is not Consent.ASK:
            return None
        to = pending.to
        wish = _WISHES[to] if isinstance(to, str) else f"asks to move to {clock_text(to)}"
        return _line(f"{_cut(self._narrator.name(frame, pending.by), NAME_CHARACTERS)} {wish}: {ANSWER}")

    def _until_deadline(self, pending: Pending | None, now: float) -> float:
        if pending is None or not self._viewer.clock.ready:
            return SHORT_SECONDS
        return max(SHORT_SECONDS, self._viewer.clock.local(seconds(pending.deadline)) - now)


def _line(text: str) -> str:
    return _cut(text, LINE_CHARACTERS)


def _cut(text: str, characters: int) -> str:
    text = printable(text)
    return text if len(text) <= characters else f"{text[: characters - 1]}…"
