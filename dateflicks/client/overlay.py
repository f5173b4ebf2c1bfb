"""What is written over the film: who asks for what and how to answer, until it is settled; and what just happened."""

from typing import Final

from dateflicks.client.consent import Consent
from dateflicks.client.sentences import Narrator, clock_text
from dateflicks.client.viewer import Viewer
from dateflicks.client.watching import PlayerChanged, Told, Update
from dateflicks.protocol.frames import Pending, TimecodeFrame
from dateflicks.protocol.timecode import seconds

SHORT_SECONDS: Final = 4.0
ANSWER: Final = "y agrees, n refuses"
_WISHES: Final = {"play": "asks to play", "pause": "paused", "stop": "stopped"}


class Overlay:
    """Turns updates into text over the film and how long it stands; a question stands until its deadline."""

    def __init__(self, viewer: Viewer) -> None:
        self._viewer = viewer
        self._narrator = Narrator(viewer.user_id)

    def text(self, update: Update, now: float) -> tuple[str, float] | None:
        """What to show now, for how many seconds; None leaves the film as it is."""
        sentence = self._narrator.sentence(update)
        if sentence is None or isinstance(update, PlayerChanged):
            return None  # a player that has trouble can not show it
        if isinstance(update, Told) and (question := self._question(update.frame)) is not None:
            return question, self._until_deadline(update.frame.pending, now)
        return sentence, SHORT_SECONDS

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
