"""Between the playback core and the wire: events become frames, reports become requests, seconds milliseconds."""

import msgspec

from dateflicks.core.playback import (
    Cause,
    Change,
    PlaybackRules,
    SeekChange,
    Status,
    TimecodeEvent,
    TimecodeRequest,
)
from dateflicks.protocol import frames
from dateflicks.protocol.bodies import TimecodeBody
from dateflicks.protocol.times import rfc3339_from_unix

_STATUSES = {status.value: status for status in Status}
_CAUSES = {cause.value: cause for cause in Cause}


def milliseconds(seconds_: float) -> float:
    """Seconds as milliseconds, to a microsecond: finer than any clock here, shorter on the wire."""
    return round(seconds_ * 1000.0, 3)


def seconds(milliseconds_: float) -> float:
    """Milliseconds as seconds."""
    return milliseconds_ / 1000.0


def request_of(report: frames.Report, user_id: str) -> TimecodeRequest:
    """What a report says, as the playback core takes it."""
    return TimecodeRequest(
        session_id=report.session_id,
        user_id=user_id,
        current_position=report.current_position,
        status=_STATUSES[report.status],
        is_host=report.is_host,
        sent_at=None if report.sent_at is None else seconds(report.sent_at),
        revision=report.revision,
        rate=report.rate,
        buffering=bool(report.buffering),
        cause=None if report.cause is None else _CAUSES[report.cause],
        length=report.length,
    )


def event_frame(event: TimecodeEvent, clock_id: str, limits: frames.SyncLimits | None = None) -> frames.TimecodeFrame:
    """A timecode as everybody in the session is told it; `limits` only to one who has just connected."""
    return frames.TimecodeFrame(
        session_id=event.session_id,
        length=event.length,
        current_position=round(event.current_position, 6),
        status=event.status._value_,  # what `value` looks up is as much as all else here
        last_status_change=rfc3339_from_unix(event.last_status_change),
        at=milliseconds(event.at),
        rate=event.rate,
        revision=event.revision,
        clock_id=clock_id,
        reason=event.reason._value_,
        by=event.by,
        waiting_for=list(event.waiting_for),
        pending=None if event.pending is None else _pending(event.pending),
        participants={
            user_id: frames.ParticipantState(
                role=view.role._value_,
                connected=view.connected,
                buffering=view.buffering,
                status=view.status._value_,
                position=None if view.position is None else round(view.position, 3),
                drift=None if view.drift is None else round(view.drift, 4),
                excused=view.excused or msgspec.UNSET,
                name=view.name,
            )
            for user_id, view in event.participants.items()
        },
        limits=limits if limits is not None else msgspec.UNSET,
    )


def sync_limits(rules: PlaybackRules) -> frames.SyncLimits:
    """The limits in force, as told on connecting."""
    return frames.SyncLimits(
        confirm_seconds=rules.confirm_seconds, band_seconds=rules.band_seconds, wait_seconds=rules.wait_seconds
    )


def record_body(event: TimecodeEvent) -> TimecodeBody:
    """The present state as `GET /timecodes/{sessionId}` answers it."""
    return TimecodeBody(
        session_id=event.session_id,
        length=event.length,
        current_position=round(event.current_position, 3),
        status=event.status.value,
        last_status_change=rfc3339_from_unix(event.last_status_change),
        revision=event.revision,
    )


def _pending(change: Change) -> frames.Pending:
    if isinstance(change, SeekChange):
        return frames.Pending(
            kind="seek",
            by=change.by,
            from_=round(change.origin, 3),
            to=round(change.target, 3),
            deadline=milliseconds(change.deadline),
        )
    return frames.Pending(
        kind="status",
        by=change.by,
        from_=change.origin.value,
        to=change.target.value,
        deadline=milliseconds(change.deadline),
    )
