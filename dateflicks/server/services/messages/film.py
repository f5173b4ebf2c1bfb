"""Where each session's film is, as the bus last told it: for what is said without a position of its own.

A hint holds at its instant and is carried forward at its rate. Without a timecode service in this process nothing is
known, and what is said has the position that its sender gave, or none.
"""

import math
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from dateflicks.core.limits import POSITION_MAX_SECONDS
from dateflicks.protocol.ids import is_id

TOPIC: Final = "playback"
SESSIONS_MAX: Final = 10_000  # about 2 MB; the ones that were heard of last


@dataclass(frozen=True, slots=True)
class _Heard:
    position: float
    length: float
    rate: float
    at: float


class FilmPositions:
    """What this process has heard; times are Unix seconds, positions seconds of film."""

    def __init__(self) -> None:
        self._heard: OrderedDict[str, _Heard] = OrderedDict()

    def hear(self, _: str, hint: Mapping[str, Any]) -> None:
        """A hint of the topic; one that makes no sense is ignored."""
        session_id = hint.get("sessionId")
        position = _number(hint.get("position"))
        if not isinstance(session_id, str) or not is_id(session_id, "ses") or position is None:
            return
        self._heard[session_id] = _Heard(
            position,
            _number(hint.get("length")) or 0.0,
            _number(hint.get("rate")) or 0.0,
            _number(hint.get("at")) or 0.0,
        )
        self._heard.move_to_end(session_id)
        while len(self._heard) > SESSIONS_MAX:
            self._heard.popitem(last=False)

    def at(self, session_id: str, now: float) -> float | None:
        """Where the film is now, to a millisecond; None when nobody has told."""
        heard = self._heard.get(session_id)
        if heard is None:
            return None
        moved = heard.rate * max(0.0, now - heard.at) if heard.at else 0.0
        most = heard.length or POSITION_MAX_SECONDS
        return round(min(max(0.0, heard.position + moved), most, POSITION_MAX_SECONDS), 3)


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or value < 0:
        return None
    return float(value)
