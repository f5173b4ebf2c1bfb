"""Consent: what a client may confirm on its person's behalf, by kind of change. The service never decides this."""

from dataclasses import dataclass
from enum import StrEnum


class Consent(StrEnum):
    """How a change that the other asks for is answered here."""

    ASK = "ask"  # show it and wait for the person
    TELL = "tell"  # confirm by itself and say so
    FREE = "free"  # confirm silently


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentSettings:
    """One answer for each kind of change; a move is asked by default, everything else is agreed to and told."""

    pause: Consent = Consent.TELL
    play: Consent = Consent.TELL
    seek: Consent = Consent.ASK
    stop: Consent = Consent.TELL

    def of(self, kind: str) -> Consent:
        """The answer for `pause`, `play`, `stop` or `seek`."""
        consent: Consent = getattr(self, kind)
        return consent

    @classmethod
    def all(cls, consent: Consent) -> "ConsentSettings":
        """The same answer for every kind."""
        return cls(pause=consent, play=consent, seek=consent, stop=consent)
