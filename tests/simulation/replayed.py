"""From a log of a playback to a scenario that tests can look at, and from a simulated evening to such a log.

A report that something went wrong comes with a log (`record_folder` of the timecode service). Put it into
`tests/core/playback/logs`, where what must hold for every playback is looked at, and write beside it what was wrong.
"""

from collections.abc import Iterable
from pathlib import Path

import msgspec

from dateflicks.core.playback import PlaybackControl
from dateflicks.protocol import playback_log as logged
from dateflicks.protocol.playback_replay import Decision, Replay
from dateflicks.server.services.timecode.recording import recorded_by


class Recorder:
    """Lines of a log as they come; `kind` is what a world makes its playbacks of."""

    def __init__(self) -> None:
        self.lines: list[bytes] = []
        self.kind: type[PlaybackControl] = recorded_by(self._note)

    def _note(self, _: str, line: logged.Header | logged.AnyInput) -> None:
        self.lines.append(msgspec.json.encode(line))


def played_again(log: Path | Iterable[bytes]) -> list[Decision]:
    """All decisions of a log. Raises BrokenLog."""
    lines = log.read_bytes().splitlines() if isinstance(log, Path) else log
    return list(Replay().decisions(lines))


def unsound(decisions: Iterable[Decision]) -> list[str]:
    """What must hold for every playback, and does not here."""
    found, revision = [], -1
    for one in decisions:
        for event in one.told:
            if event.revision <= revision:
                found.append(f"line {one.line}: revision {event.revision} follows {revision}")
            if event.length and event.current_position > event.length:
                found.append(f"line {one.line}: {event.current_position} is beyond the length")
            revision = event.revision
        if one.next_wake is not None and one.next_wake < one.at:
            found.append(f"line {one.line}: it was to wake before now, at {one.next_wake}")
    return found
