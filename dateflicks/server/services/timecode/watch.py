"""Is everyone in step? What is counted of playbacks: how far players are off, what was told, who waits for whom."""

from collections.abc import Iterable, Sequence

from dateflicks.core.playback import Reason, TimecodeEvent
from dateflicks.core.playback.control import PlaybackControl
from dateflicks.protocol import frames
from dateflicks.protocol.timecode import seconds
from dateflicks.server.observe.metrics import Metrics


class Watch:
    """Of the playbacks that are kept in this process: each is counted once, wherever its people are connected."""

    def __init__(self, metrics: Metrics) -> None:
        self._drift = metrics.drift
        self._changes = {reason: metrics.changes.labels(reason.value) for reason in Reason}
        self._playbacks = metrics.playbacks
        self._participants = metrics.participants

    def heard(self, control: PlaybackControl, report: frames.Report, now: float) -> None:
        """A report, before it is acted upon: how far its player is from where the film is for everybody."""
        state = control.state
        at = now if report.sent_at is None else min(seconds(report.sent_at), now)
        is_old = report.revision is not None and report.revision < state.revision
        if not is_old and not report.buffering and state.timeline.moves_at(at):
            self._drift.observe(abs(report.current_position - state.timeline.position_at(at)))

    def told(self, events: Sequence[TimecodeEvent]) -> None:
        """What everybody is told."""
        for event in events:
            self._changes[event.reason].inc()

    def look(self, playbacks: Iterable[PlaybackControl], now: float) -> None:
        """How things stand at this moment."""
        kept = dict.fromkeys(("all", "playing", "waiting", "pending"), 0)
        people = dict.fromkeys(("present", "buffering", "excused"), 0)
        for control in playbacks:
            state = control.state
            moves = state.timeline.moves_at(now)
            kept["all"] += 1
            kept["playing"] += moves
            kept["pending"] += state.status.pending is not None
            present = [one for one in state.participants.values() if one.connected]
            people["present"] += len(present)
            people["buffering"] += sum(one.buffering for one in present)
            people["excused"] += sum(one.excused for one in present)
            kept["waiting"] += state.status.value.moves and not moves and any(one.buffering for one in present)
        for name, count in kept.items():
            self._playbacks.labels(name).set(count)
        for name, count in people.items():
            self._participants.labels(name).set(count)
