"""What happened in a session, as one plain sentence each: for line-by-line clients, screen readers and logs.

Names are the other people's own words: whoever prints a sentence cleans it first.
"""

from typing import Final

from dateflicks.client.watching import LinkChanged, PlayerChanged, Told, Update
from dateflicks.protocol import frames

_DOES: Final = {"play": "playing", "pause": "paused", "stop": "stopped"}
_GRANTED: Final = {"play": "play", "pause": "the pause", "stop": "the stop", "seek": "the move"}


def clock_text(position: float) -> str:
    """A position as people write it: 41:12, 1:02:03."""
    whole = int(position)
    hours, minutes, seconds = whole // 3600, whole % 3600 // 60, whole % 60
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"


def parse_position(text: str) -> float:
    """Seconds of 41:12, 1:02:03, 90 or 90.5. Raises ValueError."""
    parts = text.strip().split(":")
    if not 1 <= len(parts) <= 3 or not all(parts):
        raise ValueError(text)
    seconds = 0.0
    for index, part in enumerate(parts):
        value = float(part)
        if not 0 <= value < float("inf") or (index and value >= 60):
            raise ValueError(text)
        seconds = seconds * 60 + value
    return seconds


class Narrator:
    """Turns updates into sentences; says nothing where nothing that a person would notice has changed."""

    def __init__(self, user_id: str) -> None:
        self._user_id = user_id
        self._revision = -1
        self._asker: str | None = None  # of what waits for an answer
        self._was_open = False

    def sentence(self, update: Update) -> str | None:
        """What to say of this update, or None."""
        match update:
            case Told(frame=frame):
                return self._told(frame)
            case LinkChanged(is_open=True):
                again, self._was_open = self._was_open, True
                return "The line is back." if again else None
            case LinkChanged(why=why, retry_in=retry_in):
                when = "now" if retry_in < 0.5 else f"in {retry_in:.0f} s"
                return f"The line is lost ({why}); the film goes on here. Trying again {when}."
            case PlayerChanged(kind="stalled", text=text):
                return f"Your player stands still ({text}); the others are told."
            case PlayerChanged(kind="recovered"):
                return "Your player can go on."
            case PlayerChanged(text=text):
                return f"Your player: {text}."
            case _:
                return self._noticed(update.kind, update.text)

    def name(self, frame: frames.TimecodeFrame | None, user_id: str | None) -> str:
        """What to call somebody."""
        if user_id == self._user_id:
            return "you"
        known = frame.participants.get(user_id) if frame is not None and user_id is not None else None
        return known.name or f"the {known.role}" if known is not None else "somebody"

    def _told(self, frame: frames.TimecodeFrame) -> str | None:
        if frame.revision <= self._revision:
            return None
        self._revision = frame.revision
        asker, self._asker = self._asker, frame.pending.by if frame.pending is not None else None
        refuses = "took it back" if frame.by is not None and frame.by == asker else "said no"
        who, where = self.name(frame, frame.by), clock_text(frame.current_position)
        if frame.pending is not None and frame.reason in ("play", "pause", "stop", "seek"):
            return self._asked(frame, who, where)
        return {
            "start": f"The film is {clock_text(frame.length)} long.",
            "play": f"Playing from {where}.",
            "pause": f"Paused at {where}.",
            "stop": f"Stopped at {where}.",
            "seek": f"Moved to {where}.",
            "minimum": f"To {where}, where {who} {_is(who)}.",
            "wait": f"Waiting at {where} for {self._names(frame)}.",
            "resume": f"On again from {where}" + (f", for now without {who}." if self._excused(frame) else "."),
            "join": f"{_begin(who)} {_is(who)} here.",
            "leave": f"{_begin(who)} {_has(who)} gone; the place is kept.",
            "restored": f"Nobody answered: {_DOES[frame.status]} at {where}.",
            "refused": f"{_begin(who)} {refuses}: {_DOES[frame.status]} at {where}.",
            "end": "The film is over.",
        }[frame.reason]

    def _asked(self, frame: frames.TimecodeFrame, who: str, where: str) -> str:
        assert frame.pending is not None
        mine = frame.pending.by == self._user_id
        answer = "waiting for an answer" if mine else "type accept or refuse"
        if not isinstance(frame.pending.to, str):
            return f"{_begin(who)} {_ask(who)} to move to {clock_text(frame.pending.to)}; {answer}."
        if frame.pending.to == "play":
            return f"{_begin(who)} {_ask(who)} to play; {answer}."
        return f"{_DOES[frame.pending.to].capitalize()} at {where} by {who}; {answer}."

    def _noticed(self, kind: str, text: str) -> str | None:
        if kind == "granted":
            return f"Agreed to {_GRANTED.get(text.split()[0], text)} for you."
        return None if kind == "asked" else text

    def _excused(self, frame: frames.TimecodeFrame) -> bool:
        one = frame.participants.get(frame.by) if frame.by is not None else None
        return one is not None and one.excused is True

    def _names(self, frame: frames.TimecodeFrame) -> str:
        return " and ".join(self.name(frame, user_id) for user_id in frame.waiting_for) or "somebody"


def _begin(who: str) -> str:
    """At the beginning of a sentence; somebody's own name stays as they write it."""
    return who.capitalize() if who in ("you", "somebody", "the host", "the guest") else who


def _is(who: str) -> str:
    return "are" if who == "you" else "is"


def _has(who: str) -> str:
    return "have" if who == "you" else "has"


def _ask(who: str) -> str:
    return "ask" if who == "you" else "asks"
