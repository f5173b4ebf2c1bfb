"""What is written over the film: who asks for what and how to answer, until it is settled; what is said meanwhile, and
what just happened.
"""

from typing import Final

from dateflicks.client.chat_updates import ChatUpdate, Said
from dateflicks.client.consent import Consent
from dateflicks.client.predictions import PredictionsUpdate
from dateflicks.client.sentences import Narrator, clock_text
from dateflicks.client.viewer import Notice, Viewer
from dateflicks.client.watching import LinkChanged, PlayerChanged, Told, Update
from dateflicks.protocol.frames import Pending, TimecodeFrame
from dateflicks.protocol.printable import printable
from dateflicks.protocol.timecode import seconds

SHORT_SECONDS: Final = 4.0
SAID_SECONDS: Final = 6.0
SAID_CHARACTERS: Final = 200  # of one message: the rest is read in the chat
Happening = Update | ChatUpdate | PredictionsUpdate
ANSWER: Final = "y agrees, n refuses"
_WISHES: Final = {"play": "asks to play", "pause": "paused", "stop": "stopped"}


class Overlay:
    """Turns updates into text over the film and how long it stands; a question stands until its deadline."""

    def __init__(self, viewer: Viewer) -> None:
        self._viewer = viewer
        self._narrator = Narrator(viewer.user_id)
        self._standing: tuple[str, float] | None = None  # a question, and until when it waits

    def text(self, update: Happening, now: float) -> tuple[str, float] | None:
        """What to show now, for how many seconds; None leaves the film be. A question stays below what is said."""
        if isinstance(update, Said):
            return self._said(update, now)
        if not isinstance(update, Told | LinkChanged | PlayerChanged | Notice):
            return None
        if isinstance(update, Told):
            self._standing = None
        sentence = self._narrator.sentence(update)
        if sentence is None or isinstance(update, PlayerChanged):
            return None  # a player that has trouble can not show it
        if isinstance(update, Told) and (question := self._question(update.frame)) is not None:
            left = self._until_deadline(update.frame.pending, now)
            self._standing = (question, now + left)
            return question, left
        return sentence, SHORT_SECONDS

    def _said(self, said: Said, now: float) -> tuple[str, float] | None:
        """The other's words and reactions, above a question that waits for its answer."""
        message = said.message
        if not said.is_news or message.author in (self._viewer.user_id, None) or message.type == "system":
            return None
        name = message.author_name or "somebody"
        content = (
            message.content if len(message.content) <= SAID_CHARACTERS else f"{message.content[:SAID_CHARACTERS]}…"
        )
        line = f"{name} {content}" if message.type == "action" else f"{name}: {content}"
        text = printable(line.replace("\n", " "))
        if self._standing is None or self._standing[1] <= now:
            return text, SAID_SECONDS
        return f"{text}\n{self._standing[0]}", self._standing[1] - now

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
        return f"{self._narrator.name(frame, pending.by)} {wish}: {ANSWER}"

    def _until_deadline(self, pending: Pending | None, now: float) -> float:
        if pending is None or not self._viewer.clock.ready:
            return SHORT_SECONDS
        return max(SHORT_SECONDS, self._viewer.clock.local(seconds(pending.deadline)) - now)
