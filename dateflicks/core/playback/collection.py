"""PlaybackCollection: all running playbacks, made from the timecode records; receives timecode requests."""

import heapq
from collections.abc import Iterable, Iterator
from typing import Final

from dateflicks.core.errors import NotFound
from dateflicks.core.playback.control import Events, PlaybackControl
from dateflicks.core.playback.messages import PlaybackRules, TimecodeRecord, TimecodeRequest

_QUEUE_SLACK: Final = 4  # wake-ups that may be queued per session before those that were overtaken are swept out


class PlaybackCollection:
    """The playbacks by session id, and one queue of wake-ups over all of them."""

    def __init__(
        self,
        records: Iterable[TimecodeRecord],
        now: float,
        rules: PlaybackRules | None = None,
        kind: type[PlaybackControl] = PlaybackControl,
    ) -> None:
        self._rules = rules or PlaybackRules()
        self._kind = kind
        self._controls: dict[str, PlaybackControl] = {}
        self._due: dict[str, float] = {}
        self._queue: list[tuple[float, str]] = []  # of what is due; also holds what was overtaken since
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
        control = self._controls[session_id] = self._kind(session_id, length, now, self._rules)
        return control

    def restore(self, record: TimecodeRecord, now: float) -> PlaybackControl:
        """A playback that goes on from its record."""
        control = self._controls[record.session_id] = self._kind.from_record(record, now, self._rules)
        self.touched(record.session_id)
        return control

    def forget(self, session_id: str) -> None:
        """Drop a playback from memory; its record is not touched."""
        self._controls.pop(session_id, None)
        self._due.pop(session_id, None)

    def receive(self, request: TimecodeRequest, now: float) -> Events:
        """Hand a request to its session's playback; what it raises, and NotFound."""
        try:
            return self.control(request.session_id).receive(request, now)
        finally:
            self.touched(request.session_id)

    def touched(self, session_id: str) -> float | None:
        """Something was said to this playback: its wake-up may have moved; when it is now."""
        control = self._controls.get(session_id)
        wake = control.next_wake() if control is not None else None
        if wake == self._due.get(session_id):
            return wake
        if wake is None:
            del self._due[session_id]
            return None
        self._due[session_id] = wake
        heapq.heappush(self._queue, (wake, session_id))
        if len(self._queue) > _QUEUE_SLACK * (len(self._due) + 1):
            self._queue = [(due, session_id) for session_id, due in self._due.items()]
            heapq.heapify(self._queue)
        return wake

    def next_wake(self) -> float | None:
        """When `advance` must be called at the latest, or None."""
        self._drop_overtaken()
        return self._queue[0][0] if self._queue else None

    def advance(self, now: float) -> list[tuple[PlaybackControl, Events]]:
        """Carry out all that is due by `now`, in the order in which it fell due."""
        due = self.take_due(now)
        carried_out = [(control, control.advance(now)) for control in due]
        for control in due:
            self.touched(control.state.session_id)
        return carried_out

    def take_due(self, now: float) -> list[PlaybackControl]:
        """Those that are due by `now`, in order; each is to be advanced and then `touched`, apart from the others."""
        due: list[PlaybackControl] = []
        while (wake := self.next_wake()) is not None and wake <= now:
            _, session_id = heapq.heappop(self._queue)
            del self._due[session_id]
            due.append(self._controls[session_id])
        return due

    def _drop_overtaken(self) -> None:
        while self._queue and self._due.get(self._queue[0][1]) != self._queue[0][0]:
            heapq.heappop(self._queue)
