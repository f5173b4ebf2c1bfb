"""What others in this deployment are told of the playbacks: where each film is, and what people did to it.

Both are hints: nobody has to listen, and whatever fails at telling them is nothing to the playback. The rest of the
service neither waits for anything here nor pays for it while nothing changes.
"""

import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, Protocol

from dateflicks.core.playback import Chronicle, Line, PlaybackControl, TimecodeEvent, TimecodeRecord
from dateflicks.core.playback.chronicle import RETURN_SECONDS
from dateflicks.server.clock import ServerClock

log = logging.getLogger(__name__)

PLAYBACK_TOPIC: Final = "playback"  # where a film is: at every change, and now and then while it runs
LINES_TOPIC: Final = "playback-lines"  # what somebody did, once each


class Hints(Protocol):
    """Where others in this deployment may learn what happened, without being asked."""

    def publish(self, topic: str, body: Mapping[str, Any]) -> None:
        """Tell whoever listens; nobody has to."""


class PlaybackHints:
    """What this process tells of the playbacks that it has in memory."""

    def __init__(self, hints: Hints, clock: ServerClock) -> None:
        self._hints = hints
        self._clock = clock
        self._chronicles: dict[str, Chronicle] = {}
        self._interrupted_at = clock.now()

    def begin(self, control: PlaybackControl, present: Sequence[str] = ()) -> None:
        """A playback has come into memory; `present` are those who were there when it was last kept.

        Whoever of them comes back soon after this process began, or something in it failed, has not been away.
        """
        now = self._clock.now()
        until = self._interrupted_at + RETURN_SECONDS
        returning = present if now < until else ()
        self._chronicles[control.state.session_id] = Chronicle(control.to_timecode_event(now), returning, until)

    def end(self, session_id: str) -> None:
        """A playback has left memory."""
        self._chronicles.pop(session_id, None)

    def interrupted(self) -> None:
        """Something failed: people are cut off without having left."""
        self._interrupted_at = self._clock.now()

    def where(self, control: PlaybackControl, record: TimecodeRecord) -> None:
        """Where the film and everybody's player is at `at` (Unix seconds), and the `rate` at which they go on from it.

        `at` may lie a little ahead, as in a timecode. Of `people` those are told who said of late where they are.
        """
        try:
            hint = {
                "sessionId": record.session_id,
                "position": record.current_position,
                "length": record.length,
                "rate": record.rate,
                "at": self._clock.to_unix(record.at),
                "people": control.places(self._clock.now()),
            }
            self._hints.publish(PLAYBACK_TOPIC, hint)
        except Exception:
            log.exception("where the film of %s is was not told to others", record.session_id)

    def deeds(self, events: Iterable[TimecodeEvent]) -> None:
        """What people did, by the next events of one playback: all that are told are to be shown here, in order."""
        for event in events:
            chronicle = self._chronicles.get(event.session_id)
            if chronicle is None:
                continue
            try:
                for line in chronicle.lines(event):
                    self._hints.publish(LINES_TOPIC, _body(line))
            except Exception:
                log.exception("what people did in %s was not told to others", event.session_id)


def _body(line: Line) -> Mapping[str, Any]:
    return {
        "sessionId": line.session_id,
        "revision": line.revision,
        "event": line.deed.value,
        "by": line.by,
        "name": line.name,
        "position": line.position,
        "to": line.to,
    }
