"""PlaybackCollection: all running playbacks, made from the timecode records; receives timecode requests."""

import heapq
from collections.abc import Iterable, Iterator

from dateflicks.core.errors import NotFound
from dateflicks.core.playback.control import Events, PlaybackControl
from dateflicks.core.playback.messages import PlaybackRules, TimecodeRecord, TimecodeRequest


class PlaybackCollection:
    """The playbacks by session id, and one queue of wake-ups over all of them."""

    def __init__(self, records: Iterable[TimecodeRecord], now: float, rules: PlaybackRules | None = None) -> None:
        self._rules = rules or PlaybackRules()
        self._controls: dict[str, PlaybackControl] = {}
        self._wakes: list[tuple[float, str]] = []
        self._queued: dict[str, float] = {}
        for record in records:
            self.restore(record, now)

    def __contains__(self, session_id: str) -> bool:
        return session_id in self._controls

    def __iter__(self) -> Iterator[PlaybackControl]:
        return iter(self._controls.values())

    def __len__(self) -> int:
        return len(self._controls)

    def control(self, session_id: str) -> PlaybackControl:
        """One session's playback. Raises NotFound."""
        control = self._controls.get(session_id)
        if control is None:
            raise NotFound("No timecode has been created for this session.")
        return control

    def create(self, session_id: str, length: float, now: float) -> PlaybackControl:
        """A new playback at stop, at 0."""
        control = self._controls[session_id] = PlaybackControl(session_id, length, now, self._rules)
        return control

    def restore(self, record: TimecodeRecord, now: float) -> PlaybackControl:
        """A playback that goes on from its record."""
        control = self._controls[record.session_id] = PlaybackControl.from_record(record, now, self._rules)
        self.touched(record.session_id)
        return control

    def forget(self, session_id: str) -> None:
        """Drop a playback from memory; its record is not touched."""
        self._controls.pop(session_id, None)

    def receive(self, request: TimecodeRequest, now: float) -> Events:
        """Hand a request to its session's playback; what it raises, and NotFound."""
        try:
            return self.control(request.session_id).receive(request, now)
        finally:
            self.touched(request.session_id)

    def touched(self, session_id: str) -> None:
        """Something was said to this playback: its wake-up may have moved."""
        control = self._controls.get(session_id)
        wake = control.next_wake() if control is not None else None
        if wake is not None and wake != self._queued.get(session_id):
            self._queued[session_id] = wake
            heapq.heappush(self._wakes, (wake, session_id))

    def next_wake(self) -> float | None:
        """When `advance` must be called at the latest, or None."""
        return self._wakes[0][0] if self._wakes else None

    def advance(self, now: float) -> Iterator[tuple[PlaybackControl, Events]]:
        """Carry out all that is due by `now`; wake-ups that were overtaken do nothing."""
        due: set[str] = set()
        while self._wakes and self._wakes[0][0] <= now:
            _, session_id = heapq.heappop(self._wakes)
            self._queued.pop(session_id, None)
            due.add(session_id)
        for session_id in sorted(due):
            control = self._controls.get(session_id)
            if control is not None:
                yield control, control.advance(now)
                self.touched(session_id)
